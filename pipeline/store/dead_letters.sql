-- name: lock
select queue, signal_id, change_id, delivery_id, case_id from dead_letter where id = %(id)s and state = 'dead' for update

-- name: end
update dead_letter set state = %(state)s, ended_at = casebridge.now(), ended_by = %(actor)s, note = %(note)s
where id = %(id)s

-- name: reopen_signal
with s as (
    update signal set state = 'open', reason = null, ended_at = null
    where id = %(id)s and state = 'dead' and object <> '' returning source, object),
o as (
    insert into source_object as o (source, object, wanted, due) select source, object, 1, casebridge.now() from s
    on conflict (source, object) do update set wanted = o.wanted + 1, tries = 0,
        due = case when o.nonce is null then casebridge.now() else o.due end)
select source from s

-- name: reopen_change
update change set state = 'open', reason = null, detail = null, blocks = false, not_before = null, ended_at = null
where id = %(id)s and state = 'dead' returning id

-- name: lane_of
select l.id, l.target, l.head, l.tail, d.seq, d.state, d.redo from delivery d join lane l on l.id = d.lane_id
where d.id = %(id)s for update of l

-- name: reopen_delivery
update delivery set state = 'queued', reason = null where id = %(id)s and state = 'dead'

-- name: newer_values
-- What was sent, or is about to be, after this one: of the same kind, for the same object.
select n.operation from delivery d
join delivery n on n.lane_id = d.lane_id and n.seq > d.seq and n.kind = d.kind and n.link_id is not distinct from d.link_id
where d.id = %(id)s and n.state in ('queued', 'skipped')

-- name: operation
select operation from delivery where id = %(id)s

-- name: overtake
update delivery set state = 'cancelled', reason = 'superseded' where id = %(id)s and state = 'dead'

-- name: restart_lane
update lane set due = casebridge.now(), tries = 0, waits = null where id = %(lane)s and nonce is null

-- name: redo
with old as (
    update delivery set state = 'requeued' where id = %(id)s and state = 'dead' returning *),
new as (
    insert into delivery (lane_id, seq, case_id, change_id, flow, kind, name, link_id, operation, needs, key, redo, mark,
                          plan_rev, echo, config_version)
    select lane_id, %(seq)s, case_id, change_id, flow, kind, name, link_id, operation, needs, key,
           (select max(redo) + 1 from delivery d where d.key = old.key), mark, plan_rev, echo, config_version
    from old returning id),
dependants as (
    update delivery d set needs = array_replace(d.needs, %(id)s, new.id) from new, old
    where d.case_id = old.case_id and %(id)s = any(d.needs))
select id from new

-- name: lengthen_lane
update lane set tail = tail + 1, due = case when head = tail then casebridge.now() else due end where id = %(lane)s

-- name: discard_signal
update signal set state = 'skipped', reason = 'discarded', ended_at = casebridge.now() where id = %(id)s and state = 'dead'

-- name: discard_change
update change set state = 'skipped', reason = 'discarded', blocks = false, ended_at = casebridge.now()
where id = %(id)s and state = 'dead'

-- name: discard_delivery
update delivery set state = 'cancelled', reason = 'discarded' where id = %(id)s and state = 'dead'

-- name: give_link_up
-- What a discarded create would have made will never be: nothing more is planned for it.
update link set state = 'gone'
where state = 'planned' and id = (select link_id from delivery where id = %(id)s and kind = 'create')

-- name: cancel_dependants
-- What names it in its needs, what needs those, and what acts on the object that it would have made.
with recursive hit as (
    select d.id from delivery d where d.case_id = %(case)s and d.state = 'queued'
      and (%(id)s = any(d.needs) or d.link_id = (
        select k.id from delivery c join link k on k.id = c.link_id
        where c.id = %(id)s and c.kind = 'create' and k.state = 'planned'))
    union
    select d.id from delivery d join hit on hit.id = any(d.needs) where d.case_id = %(case)s and d.state = 'queued')
update delivery set state = 'cancelled', reason = 'cancelled' where id in (select id from hit) returning id

-- name: count_dependants
select count(*) from delivery d where d.case_id = %(case)s and d.state = 'queued'
  and (%(id)s = any(d.needs) or d.link_id = (
    select k.id from delivery c join link k on k.id = c.link_id
    where c.id = %(id)s and c.kind = 'create' and k.state = 'planned'))

-- name: list
select dl.id, dl.queue, dl.reason, dl.detail, dl.died_at, dl.case_id, dl.partner, dl.signal_id, dl.change_id,
       dl.delivery_id, dl.state, coalesce(d.kind, c.kind, 'signal') as kind
from dead_letter dl left join delivery d on d.id = dl.delivery_id left join change c on c.id = dl.change_id
where (%(id)s::bigint is null or dl.id = %(id)s)
  and (%(id)s::bigint is not null or dl.state = 'dead')
  and (%(queue)s::text is null or dl.queue = %(queue)s)
  and (%(reason)s::text is null or dl.reason = %(reason)s)
  and (%(partner)s::text is null or dl.partner = %(partner)s)
order by dl.id limit %(limit)s

-- name: counts
select queue, count(*)::int from dead_letter where state = 'dead' group by queue order by queue

-- name: ids
select id from dead_letter where state = 'dead' and queue = %(queue)s order by id
