-- name: waiting
-- Waiting deliveries by target; the oldest is that of the lanes' next ones, since a lane is in order.
select l.target, sum(w.n)::bigint, extract(epoch from casebridge.now() - min(d.created_at))::float8,
       array_agg(distinct l.waits) filter (where l.waits is not null and l.nonce is null)
from lane l
join delivery d on d.lane_id = l.id and d.seq = l.head + 1
cross join lateral (select count(*) as n from delivery x
                    where x.lane_id = l.id and x.seq > l.head and x.state = 'queued') w
where l.head < l.tail
group by l.target

-- name: sources
select o.source, c.value is not null as started, extract(epoch from casebridge.now() - c.moved_at)::float8 as moved,
       greatest(extract(epoch from o.due - casebridge.now())::float8, 0) as due, o.nonce is not null as polling, o.reason, o.detail,
       (select count(*) from source_object x where x.source = o.source and x.object <> '*' and x.due is not null)::int as unread,
       extract(epoch from casebridge.now() - (select min(s.received_at) from signal s
           where s.source = o.source and s.state = 'open'))::float8 as oldest
from source_object o left join cursor c on c.source = o.source
where o.object = '*' order by o.source

-- name: untransformed
select count(*)::int, extract(epoch from casebridge.now() - min(read_at))::float8 from change where state = 'open'
