-- name: signals
select s.id, s.source, s.key, s.object, s.position, s.via, s.state, s.reason, s.changes, s.received_at, s.ended_at,
       coalesce(o.nonce is not null, false) as held, o.reason as object_reason, o.detail as object_detail,
       greatest(extract(epoch from o.due - casebridge.now())::float8, 0) as due_seconds,
       greatest(extract(epoch from t.blocked_until - casebridge.now())::float8, 0) as blocked_seconds,
       t.reason as source_reason, t.detail as source_detail,
       dl.id as letter, dl.detail as letter_detail
from signal s
left join source_object o on o.source = s.source and o.object = s.object
left join target t on t.name = s.source
left join lateral (select id, detail from dead_letter where signal_id = s.id order by id desc limit 1) dl on true
where s.id = any(%(ids)s) order by s.id

-- name: changes
select c.id, c.source, c.external_id, c.object, c.kind, c.signal_id, c.state, c.reason, c.detail, c.case_id, c.read_at,
       c.ended_at, greatest(extract(epoch from c.not_before - casebridge.now())::float8, 0) as early_seconds,
       (select max(p.id) from change p
        where p.source = c.source and p.object = c.object and p.id < c.id and p.blocks) as blocked_by,
       dl.id as letter
from change c
left join lateral (select id from dead_letter where change_id = c.id order by id desc limit 1) dl on true
where c.id = any(%(ids)s) order by c.id

-- name: deliveries
select d.id, l.target, d.case_id, l.partner, d.seq, d.change_id, d.flow, d.kind, d.name, d.link_id, d.state, d.reason,
       d.mark, d.redo, d.plan_rev, d.created_at, l.id as lane_id, l.head, l.tries, l.waits, l.nonce is not null as held,
       greatest(extract(epoch from l.due - casebridge.now())::float8, 0) as due_seconds,
       greatest(extract(epoch from d.not_before - casebridge.now())::float8, 0) as early_seconds,
       coalesce(t.paused, false) as paused, t.reason as target_reason, t.detail as target_detail,
       greatest(extract(epoch from t.blocked_until - casebridge.now())::float8, 0) as blocked_seconds,
       coalesce((select array_agg(n.id order by n.id) from unnest(d.needs) as need(id)
                 join delivery n on n.id = need.id join lane nl on nl.id = n.lane_id
                 where n.state in ('dead', 'requeued') or (n.state = 'queued' and n.seq > nl.head)), '{}') as unmet,
       (select n.id from unnest(d.needs) as need(id) join delivery n on n.id = need.id
        where n.state = 'dead' order by n.id limit 1) as dead_need,
       f.id as first, f.state as first_state,
       a.verdict, a.reason as attempt_reason, a.detail as attempt_detail, a.at as attempted_at,
       dl.id as letter, dl.detail as letter_detail,
       (select s.id from delivery s where s.key = d.key and s.redo > d.redo order by s.redo desc limit 1) as sent_again
from delivery d
join lane l on l.id = d.lane_id
left join target t on t.name = l.target
left join delivery f on f.lane_id = l.id and f.seq = l.head + 1
left join lateral (select verdict, reason, detail, at from attempt where delivery_id = d.id order by at desc limit 1) a on true
left join lateral (select id, detail from dead_letter where delivery_id = d.id order by id desc limit 1) dl on true
where d.id = any(%(ids)s) order by d.id

-- name: signals_named
-- With the source, so that the unique index serves. A connector may keep a webhook apart from the polled event by `hook:`.
select id from signal where source = any(%(sources)s) and key in (%(name)s, 'hook:' || %(name)s) order by id

-- name: changes_named
select id from change where source = any(%(sources)s) and external_id = %(name)s order by id

-- name: changes_of_signals
-- A reading ends all open signals of its object and notes the newest of them on what it found.
select distinct c.id from signal s join change c on c.source = s.source and c.object = s.object
where s.id = any(%(ids)s) and c.signal_id = (
    select min(x.signal_id) from change x where x.source = s.source and x.object = s.object and x.signal_id >= s.id)
  and s.state = 'expanded'

-- name: deliveries_of_changes
select id from delivery where change_id = any(%(ids)s) order by id

-- name: signals_of_object
(select id from signal where source = %(source)s and object = %(object)s and state = 'open' order by id desc limit %(limit)s)
union
(select id from signal where source = %(source)s and object = %(object)s order by id desc limit 1)

-- name: changes_of_object
select id from change where source = %(source)s and object = %(object)s order by id desc limit %(limit)s

-- name: links_of_object
select id, case_id, state, url from link
where system = %(system)s and kind = %(kind)s and external_id = %(external)s order by id

-- name: deliveries_to_links
select id from delivery where case_id = any(%(cases)s) and link_id = any(%(links)s) order by id desc limit %(limit)s

-- name: inbox
select headers, raw from inbox where signal_id = %(id)s order by received_at desc limit 1

-- name: record
select record from change where id = %(id)s

-- name: operation
select operation from delivery where id = %(id)s

-- name: attempts
select n, at, ms::float8 as ms, verdict, reason, detail, looked, exchanges from attempt where delivery_id = %(id)s order by at, n

-- name: letter_of
select id from dead_letter
where (signal_id = %(signal)s or change_id = %(change)s or delivery_id = %(delivery)s)
order by state = 'dead' desc, id desc limit 1
