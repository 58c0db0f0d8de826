-- name: claim
-- The claim is the first intent (engine.md 3.3). The limit is written into the text: with a parameter the generic
-- plan reads the table whole (trap 1). `known` comes from the locking select: a join would read a newer row.
-- A small look-ahead keeps it fair (decisions D3): while others wait a partner gets a quarter of what is claimed.
with near as (
    select id, partner, due from lane
    where target = %(target)s and due <= casebridge.now()
      and not exists (select 1 from target t where t.name = %(target)s
                      and (t.paused or t.blocked_until > casebridge.now()))
    order by due limit 256),
ranked as (select id, due, row_number() over (partition by partner order by due) > {limit} / 4 as over from near),
d as (
    select l.id, l.intent as known from lane l
    where l.id = any(array(select id from ranked order by over, due limit {limit})) and l.due <= casebridge.now()
    for update skip locked),
c as (
    update lane l set
        nonce = ('x' || translate(left(gen_random_uuid()::text, 18), '-', ''))::bit(64)::bigint,
        due = casebridge.now() + %(lease)s, owner = %(owner)s, tries = l.tries + 1, waits = null,
        intent = greatest(l.intent, least(l.head + 1, l.tail))
    from d where l.id = d.id
    returning l.id, l.nonce, l.head, l.intent, d.known, l.tries, l.case_id, l.partner)
select c.id, c.nonce, c.head, c.known, c.tries, c.case_id, c.partner,
       x.id as delivery_id, x.seq, x.operation, x.change_id, x.key, x.redo, x.mark, x.plan_rev, x.state, x.flow,
       x.created_at, x.needs, greatest(extract(epoch from x.not_before - casebridge.now())::float8, 0) as early, x.kind
from c join delivery x on x.lane_id = c.id and x.seq = c.head + 1
order by c.id

-- name: settle
-- The fence is the nonce: a lane that is not returned was lost, and nothing of it may be written.
-- Next intent and release in the same update; casebridge.now() sets times, the lease was counted before (trap 4).
-- Whoever locks several lanes locks them in the order of their ids: append, settle, renew and wake cannot deadlock.
with held as materialized (select id from lane where id = any(%(lane)s) order by id for update)
update lane l set
    head = l.head + s.done,
    tries = case when s.done > 0 then (s.keep and l.tail > l.head + s.done)::int when s.burn then l.tries else greatest(l.tries - 1, 0) end,
    intent = case when s.keep then greatest(l.intent, least(l.head + s.done + 1, l.tail)) else greatest(l.intent, l.head + s.done) end,
    due = case when s.blocked then null
               when l.tail = l.head + s.done then null
               when s.keep then casebridge.now() + %(lease)s
               else casebridge.now() + make_interval(secs => s.wait) end,
    nonce = case when s.keep and l.tail > l.head + s.done then l.nonce end,
    owner = case when s.keep and l.tail > l.head + s.done then l.owner end,
    waits = s.waits
from unnest(%(lane)s::bigint[], %(nonce)s::bigint[], %(done)s::int[], %(keep)s::bool[], %(burn)s::bool[],
            %(blocked)s::bool[], %(wait)s::float8[], %(waits)s::text[])
     as s(lane, nonce, done, keep, burn, blocked, wait, waits)
join held on held.id = s.lane
where l.id = s.lane and l.nonce = s.nonce
returning l.id, l.nonce, l.head, l.intent, l.tail

-- name: next_deliveries
-- A statement of its own: the settle's snapshot is older than a tail raised meanwhile (trap 3).
select l.id, l.nonce, l.head, n.seq - 1 as known, 1 as tries, l.case_id, l.partner,
       x.id as delivery_id, x.seq, x.operation, x.change_id, x.key, x.redo, x.mark, x.plan_rev, x.state, x.flow,
       x.created_at, x.needs, greatest(extract(epoch from x.not_before - casebridge.now())::float8, 0) as early, x.kind
from unnest(%(lane)s::bigint[], %(seq)s::int[]) as n(lane, seq)
join lane l on l.id = n.lane join delivery x on x.lane_id = n.lane and x.seq = n.seq

-- name: release
-- Given back untouched. The holder knows that it sent nothing, so its own claim's intent ends with it: a status that
-- settles is neither looked up later nor taken for one in flight, and a newer one may still take its place.
update lane l set
    nonce = null, owner = null, tries = 0, waits = r.waits, intent = case when r.fresh then l.head else l.intent end,
    due = case when r.waits = 'waiting_for' then null else casebridge.now() + make_interval(secs => r.wait) end
from unnest(%(lane)s::bigint[], %(nonce)s::bigint[], %(wait)s::float8[], %(waits)s::text[], %(fresh)s::bool[])
     as r(lane, nonce, wait, waits, fresh)
where l.id = r.lane and l.nonce = r.nonce

-- name: renew
with held as materialized (select id from lane where id = any(%(lane)s) order by id for update)
update lane l set due = casebridge.now() + %(lease)s
from unnest(%(lane)s::bigint[], %(nonce)s::bigint[]) as r(lane, nonce) join held on held.id = r.lane
where l.id = r.lane and l.nonce = r.nonce
returning l.id

-- name: unmet
-- Which of these deliveries still need another one.
select x.id from delivery x
where x.id = any(%(ids)s) and x.state = 'queued' and exists (
    select 1 from unnest(x.needs) as need(id)
    join delivery n on n.id = need.id join lane nl on nl.id = n.lane_id
    where n.state in ('dead', 'requeued') or (n.state = 'queued' and n.seq > nl.head))

-- name: wake
-- Lanes of these cases whose next delivery waited for another one and need wait no longer. One that was superseded or
-- cancelled while it waited is passed over by whoever claims the lane.
with asleep as materialized (
    select id from lane where case_id = any(%(cases)s) and nonce is null and due is null and head < tail
    order by id for update)
update lane l set due = greatest(casebridge.now(), coalesce(x.not_before, casebridge.now())), waits = null
from asleep, delivery x
where l.id = asleep.id and l.nonce is null and l.due is null and l.head < l.tail
  and x.lane_id = l.id and x.seq = l.head + 1 and x.state <> 'dead'
  and (x.state <> 'queued' or not exists (
    select 1 from unnest(x.needs) as need(id)
    join delivery n on n.id = need.id join lane nl on nl.id = n.lane_id
    where n.state in ('dead', 'requeued') or (n.state = 'queued' and n.seq > nl.head)))
returning l.target

-- name: stranded
-- The same for all cases: what a crash between a settle and its wake left behind.
with asleep as materialized (
    select id from lane where nonce is null and due is null and head < tail order by id for update skip locked)
update lane l set due = greatest(casebridge.now(), coalesce(x.not_before, casebridge.now())), waits = null
from asleep, delivery x
where l.id = asleep.id and l.nonce is null and l.due is null and l.head < l.tail
  and x.lane_id = l.id and x.seq = l.head + 1 and x.state <> 'dead'
  and (x.state <> 'queued' or not exists (
    select 1 from unnest(x.needs) as need(id)
    join delivery n on n.id = need.id join lane nl on nl.id = n.lane_id
    where n.state in ('dead', 'requeued') or (n.state = 'queued' and n.seq > nl.head)))
returning l.target

-- name: due
select 1 from lane where target = %(target)s and due <= casebridge.now()
  and not exists (select 1 from target t where t.name = %(target)s and (t.paused or t.blocked_until > casebridge.now()))
limit 1

-- name: attempts
insert into attempt (delivery_id, n, ms, verdict, reason, detail, looked, nonce, exchanges, writes)
select * from unnest(%(delivery)s::bigint[], %(n)s::int[], %(ms)s::float4[], %(verdict)s::text[], %(reason)s::text[],
                     %(detail)s::text[], %(looked)s::bool[], %(nonce)s::bigint[], %(exchanges)b::bytea[],
                     %(writes)s::int[])

-- name: audit
insert into audit (actor, action, subject, case_id, reason, hash)
select 'casebridge', a.action, 'delivery:' || a.delivery, a.case_id, a.reason, a.hash
from unnest(%(action)s::text[], %(delivery)s::bigint[], %(case)s::bigint[], %(reason)s::text[], %(hash)s::text[])
     as a(action, delivery, case_id, reason, hash)

-- name: end_delivery
update delivery d set state = e.state, reason = e.reason
from unnest(%(delivery)s::bigint[], %(state)s::text[], %(reason)s::text[]) as e(delivery, state, reason)
where d.id = e.delivery

-- name: revise
update delivery d set plan_rev = r.rev
from unnest(%(delivery)s::bigint[], %(rev)s::int[]) as r(delivery, rev) where d.id = r.delivery and d.plan_rev < r.rev

-- name: parts
insert into part (system, kind, external_id, delivery_id, case_id, origin)
select * from unnest(%(system)s::text[], %(kind)s::text[], %(external)s::text[], %(delivery)s::bigint[],
                     %(case)s::bigint[], %(origin)s::text[])
on conflict do nothing

-- name: bind
update link set state = 'bound', external_id = %(external)s, url = coalesce(%(url)s, url), facts = facts || %(facts)s,
       bound_at = casebridge.now()
where id = %(link)s and state = 'planned'

-- name: remember
update link set facts = facts || %(facts)s, url = coalesce(%(url)s, url) where id = %(link)s

-- name: succeed
-- A follow-up took a closed object's place: later operations on the old link act on the new one.
with n as (
    insert into link (case_id, system, instance, kind, external_id, exclusive, state, url, facts, bound_at)
    select case_id, system, instance, kind, %(external)s, exclusive, 'bound', %(url)s, %(facts)s, casebridge.now()
    from link where id = %(link)s
    on conflict (case_id, system, instance, kind, external_id) where external_id is not null
    do update set url = excluded.url
    returning id)
update link set state = %(state)s, replaced_by = n.id from n where link.id = %(link)s

-- name: bury
update link set state = 'gone' where id = any(%(links)s) and state in ('bound', 'closed')

-- name: dead_letters
insert into dead_letter (queue, delivery_id, case_id, partner, reason, detail)
select * from unnest(%(queue)s::text[], %(delivery)s::bigint[], %(case)s::bigint[], %(partner)s::text[],
                     %(reason)s::text[], %(detail)s::text[])
returning id

-- name: recent_writes
-- Our own writes to the objects of these lanes' cases within the window: what a per-object limit is counted from
-- (decisions D11). An object may belong to several cases, so the lanes of all of them count. Every delivery that
-- counts has one write or more: the last `amount` of a lane are enough to see that the limit is used up.
with peer as (
    select distinct l.id as lane, p.id, p.head from lane l
    join link own on own.case_id = l.case_id and own.system = l.target and own.external_id is not null
    join link same on same.system = own.system and same.kind = own.kind and same.external_id = own.external_id
    join lane p on p.case_id = same.case_id and p.target = l.target
    where l.id = any(%(lanes)s))
select peer.lane, sum(a.writes)::int,
       extract(epoch from min(a.at) + make_interval(secs => %(seconds)s) - casebridge.now())::float8
from peer join delivery d on d.lane_id = peer.id and d.seq > peer.head - %(amount)s
join attempt a on a.delivery_id = d.id and a.at > casebridge.now() - make_interval(secs => %(seconds)s) and a.writes > 0
group by peer.lane
