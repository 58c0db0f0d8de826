-- name: lock
-- One transformer at a time: the order per case follows from it. Mapping is pure, so nothing waits on the network.
select pg_try_advisory_xact_lock(x'7472616e'::int)

-- name: take
select c.id, c.source, c.object, c.external_id, c.record, c.read_at
from change c
where c.state = 'open' and (c.not_before is null or c.not_before <= casebridge.now())
  and not exists (
    select 1 from change p
    where p.source = c.source and p.object = c.object and p.id < c.id
      and (p.blocks or (p.state = 'open' and p.not_before > casebridge.now())))
order by c.id limit 200 for update skip locked

-- name: append_change
insert into change (source, external_id, object, kind, signal_id, record)
select source, %(external)s, object, %(kind)s, signal_id, %(record)s from change where id = %(cause)s
on conflict (source, external_id) do nothing

-- name: links_of_objects
select id, case_id, system, kind, external_id, state, url, facts, replaced_by from link
where (system, kind, external_id) in (
    select * from unnest(%(system)s::text[], %(kind)s::text[], %(external)s::text[]))

-- name: links_of_cases
select id, case_id, system, kind, external_id, state, url, facts, replaced_by from link
where case_id = any(%(cases)s) order by id

-- name: cases
select id, partner, case_key, previous_id from partner_case where id = any(%(cases)s)

-- name: find_case
-- The newest generation of the key; `stale` when the join window has passed or it was closed before it.
select id, partner, case_key, last_activity_at < casebridge.now() - make_interval(days => %(days)s) as stale, generation
from partner_case where partner = %(partner)s and case_key = %(key)s order by generation desc limit 1

-- name: open_case
insert into partner_case (partner, case_key, generation, previous_id)
values (%(partner)s, %(key)s, %(generation)s, %(previous)s)
on conflict (partner, case_key, generation) do update set last_activity_at = casebridge.now()
returning id

-- name: touch_cases
update partner_case set last_activity_at = casebridge.now() where id = any(%(cases)s)

-- name: bind
insert into link (case_id, system, kind, external_id, exclusive, state, url, bound_at)
values (%(case)s, %(system)s, %(kind)s, %(external)s, %(exclusive)s, 'bound', %(url)s, casebridge.now())
returning id

-- name: plan_link
insert into link (case_id, system, kind, exclusive) values (%(case)s, %(system)s, %(kind)s, %(exclusive)s) returning id

-- name: move_link
with n as (
    insert into link (case_id, system, instance, kind, external_id, exclusive, state, bound_at)
    select case_id, system, instance, kind, %(external)s, false, 'bound', casebridge.now() from link where id = %(link)s
    on conflict (case_id, system, instance, kind, external_id) where external_id is not null
    do update set exclusive = false returning id)
update link set state = 'closed', replaced_by = n.id from n where link.id = %(link)s and link.state = 'bound'

-- name: bury_links
update link set state = 'gone' where id = any(%(links)s) and state <> 'gone'

-- name: by_mark
select d.mark, d.id, d.case_id from delivery d join lane l on l.id = d.lane_id
where d.mark = any(%(marks)s) and l.target = %(target)s

-- name: by_part
select p.kind, p.external_id, p.delivery_id from part p
where p.system = %(system)s and (p.kind, p.external_id) in (select * from unnest(%(kind)s::text[], %(external)s::text[]))

-- name: by_echo
-- A recorded write of the same value that has not come back yet; taken, so that it excuses one change only.
update delivery set echoed_by = %(change)s where id = (
    select d.id from delivery d join lane l on l.id = d.lane_id
    where d.case_id = any(%(cases)s) and l.target = %(target)s and d.echo = %(echo)s and d.echoed_by is null
      and (d.state = 'queued' and d.seq <= l.intent)
    order by d.id limit 1)
returning id

-- name: hop_of
-- Five seconds stand for the difference between two clocks.
select d.id from delivery d join lane l on l.id = d.lane_id join attempt a on a.delivery_id = d.id
where d.case_id = any(%(cases)s) and l.target = %(target)s and d.kind = 'state' and d.echoed_by is null
  and d.state = 'queued' and d.seq <= l.head and %(at)s <= a.at + interval '5 seconds'
order by d.id desc limit 1

-- name: in_flight
-- What was appended after the change was read cannot have caused it; what is known to have failed did not.
select 1 from lane l join delivery d on d.lane_id = l.id and d.seq = l.head + 1
where l.target = %(target)s and l.intent > l.head and d.created_at <= %(read_at)s
  and (d.state = 'queued' or d.reason = 'may_have_happened')
  and (l.case_id = any(%(cases)s) or %(cases)s::bigint[] is null and d.kind = 'create')
limit 1

-- name: overtaken_by
-- Only a requeued change can find a newer one of its object that was routed before it.
select n.record from change c
join change n on n.case_id = any(%(cases)s) and n.id > c.id and n.source = c.source and n.object = c.object
    and n.kind = c.kind and n.state = 'routed'
where c.id = %(change)s and exists (select 1 from dead_letter dl where dl.change_id = c.id)

-- name: make_lanes
-- Makes the lanes that are missing; locks none that exists (see `lock_lanes`).
insert into lane (target, case_id, partner)
select * from unnest(%(target)s::text[], %(case)s::bigint[], %(partner)s::text[])
on conflict (case_id, target) do nothing

-- name: lock_lanes
-- In the order of their ids, as everybody who locks several.
select id, target, case_id, head, tail from lane
where (case_id, target) in (select * from unnest(%(case)s::bigint[], %(target)s::text[]))
order by id for update

-- name: waiting_values
-- Absolute values of a lane that have not been sent yet: what a newer one supersedes.
select d.id, d.lane_id, d.operation, d.not_before from delivery d join lane l on l.id = d.lane_id
where d.lane_id = any(%(lanes)s) and d.seq > l.intent and d.state = 'queued' and d.kind = any(%(kinds)s)

-- name: supersede
update delivery set state = 'superseded', reason = 'superseded' where id = any(%(ids)s)

-- name: delivery_ids
select nextval(pg_get_serial_sequence('casebridge.delivery', 'id')) from generate_series(1, %(n)s)

-- name: append
insert into delivery (id, lane_id, seq, case_id, change_id, flow, kind, name, link_id, operation, needs, not_before, key,
                      mark, echo, state, config_version)
overriding system value
select id, lane, seq, case_id, change, flow, kind, name, link, operation,
       coalesce((select array_agg(n::bigint) from unnest(string_to_array(needs, ',')) as n), '{}'),
       case when settle > 0 then coalesce(first, casebridge.now() + make_interval(secs => settle)) end,
       key, mark, echo, state, %(config)s
from unnest(%(id)s::bigint[], %(lane)s::bigint[], %(seq)s::int[], %(case)s::bigint[], %(change)s::bigint[],
            %(flow)s::text[], %(kind)s::text[], %(name)s::text[], %(link)s::bigint[], %(operation)b::bytea[],
            %(needs)s::text[], %(settle)s::float8[], %(first)s::timestamptz[], %(key)s::uuid[], %(mark)s::text[],
            %(echo)s::text[], %(state)s::text[])
     as t(id, lane, seq, case_id, change, flow, kind, name, link, operation, needs, settle, first, key, mark, echo, state)

-- name: known_keys
select key from delivery where key = any(%(keys)s) and redo = 0

-- name: raise_tail
-- An idle lane becomes due with its first new delivery, unless that one waits for another; lease and retry stay.
update lane l set tail = t.tail, partner = t.partner,
    due = case when l.head < l.tail then l.due when t.asleep then null
               else greatest(casebridge.now(), coalesce(d.not_before, casebridge.now())) end,
    waits = case when l.head = l.tail and t.asleep then 'waiting_for' else l.waits end
from unnest(%(lane)s::bigint[], %(tail)s::int[], %(asleep)s::bool[], %(partner)s::text[])
     as t(lane, tail, asleep, partner)
left join delivery d on d.lane_id = t.lane and d.seq = (select head + 1 from lane x where x.id = t.lane)
where l.id = t.lane

-- name: settle_changes
update change c set state = e.state, reason = e.reason, detail = e.detail, case_id = e.case_id, blocks = e.blocks,
    not_before = null, ended_at = casebridge.now()
from unnest(%(id)s::bigint[], %(state)s::text[], %(reason)s::text[], %(detail)s::text[], %(case)s::bigint[],
            %(blocks)s::bool[]) as e(id, state, reason, detail, case_id, blocks)
where c.id = e.id

-- name: defer
update change set reason = %(reason)s, not_before = casebridge.now() + make_interval(secs =>
    greatest(%(seconds)s, least(60, extract(epoch from casebridge.now() - read_at)::float8 / 10)))
where id = any(%(ids)s)

-- name: dead_letters
insert into dead_letter (queue, change_id, case_id, partner, reason, detail)
select 'transform', * from unnest(%(change)s::bigint[], %(case)s::bigint[], %(partner)s::text[], %(reason)s::text[],
                                  %(detail)s::text[])
returning id

-- name: wake_source
with sg as (
    insert into signal (source, key, object, via) values (%(source)s, %(key)s, %(object)s, 'operator')
    on conflict do nothing returning source, object)
insert into source_object as o (source, object, wanted, due) select source, object, 1, casebridge.now() from sg
on conflict (source, object) do update set wanted = o.wanted + 1,
    due = case when o.nonce is null then casebridge.now() else o.due end

-- name: waiting
select 1 from change where state = 'open' and (not_before is null or not_before <= casebridge.now()) limit 1

-- name: get
select record from change where id = %(id)s
