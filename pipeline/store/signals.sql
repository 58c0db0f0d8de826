-- name: receive
-- One statement, one commit, for whatever came in while the last commit ran (engine.md 3.1). A repeat of a known key
-- wakes nobody. An object whose last reading failed keeps its time: its back-off is not shortened by more webhooks.
with ev as (
    select * from unnest(%(source)s::text[], %(key)s::text[], %(object)s::text[], %(position)s::bigint[],
                         %(via)s::text[], %(headers)s::jsonb[], %(raw)b::bytea[])
        with ordinality as t(source, key, object, position, via, headers, raw, ord)),
sg as (
    insert into signal (source, key, object, position, via)
    select source, key, object, position, via from ev order by ord
    on conflict (source, key) do nothing returning id, source, key, object),
raws as (
    insert into inbox (signal_id, headers, raw)
    select sg.id, ev.headers, ev.raw from sg join ev using (source, key)),
woken as (
    insert into source_object as o (source, object, wanted, due)
    select source, object, count(*), casebridge.now() from sg group by source, object order by source, object
    on conflict (source, object) do update set
        wanted = o.wanted + excluded.wanted,
        due = case when o.nonce is null and o.tries = 0 then least(coalesce(o.due, excluded.due), excluded.due) else o.due end
    returning o.source)
select (select count(*) from sg), (select array_agg(distinct source) from woken)

-- name: bury
with sg as (
    insert into signal (source, key, object, via, state, reason, ended_at)
    values (%(source)s, %(key)s, '', 'webhook', 'dead', %(reason)s, casebridge.now())
    on conflict (source, key) do nothing returning id),
raws as (
    insert into inbox (signal_id, headers, raw) select id, %(headers)s, %(raw)s from sg)
insert into dead_letter (queue, signal_id, reason, detail)
select 'ingest', id, %(reason)s, %(detail)s from sg returning id

-- name: ensure_poll
-- The poll is an object like any other; its cursor is set before the first one (decisions D20).
insert into source_object (source, object, due) values (%(source)s, '*', casebridge.now()) on conflict do nothing

-- name: cursor
select value from cursor where source = %(source)s

-- name: move_cursor
insert into cursor (source, value) values (%(source)s, %(value)s)
on conflict (source) do update set value = excluded.value, moved_at = casebridge.now()

-- name: claim
with d as (
    select id from source_object
    where source = %(source)s and due <= casebridge.now()
      and not exists (select 1 from target t where t.name = %(source)s and t.blocked_until > casebridge.now())
    order by due limit {limit} for update skip locked)
update source_object o set
    nonce = ('x' || translate(left(gen_random_uuid()::text, 18), '-', ''))::bit(64)::bigint,
    owner = %(owner)s, due = casebridge.now() + %(lease)s, tries = o.tries + 1
from d where o.id = d.id
returning o.id, o.source, o.object, o.nonce, o.wanted, o.tries, o.known

-- name: open_signals
-- The oldest of each object; what is more than a reading takes makes the object due again when it settles.
select s.object, s.id, s.key, s.position, coalesce(i.raw, ''::bytea)
from unnest(%(objects)s::text[]) as o(name) cross join lateral (
    select * from signal where source = %(source)s and object = o.name and state = 'open' order by id limit 1000) s
left join inbox i on i.signal_id = s.id
order by s.object, s.position nulls last, s.id

-- name: add_changes
-- What is older than the source's first cursor (ten minutes for the difference of clocks) is history: recorded, not
-- acted on; only a backfill brings it (decisions D20).
with old as (
    select t.*, coalesce(t.at < k.began_at - interval '10 minutes', false) as before
    from unnest(%(source)s::text[], %(external)s::text[], %(object)s::text[], %(kind)s::text[], %(signal)s::bigint[],
                %(record)b::bytea[], %(at)s::timestamptz[])
         with ordinality as t(source, external_id, object, kind, signal_id, record, at, ord)
    left join cursor k on k.source = t.source),
c as (
    insert into change (source, external_id, object, kind, signal_id, record, state, reason, detail, ended_at)
    select source, external_id, object, kind, signal_id, record, case when before then 'skipped' else 'open' end,
           case when before then 'not_routed' end, case when before then 'it happened before casebridge began' end,
           case when before then casebridge.now() end
    from old order by ord
    on conflict (source, external_id) do nothing returning id)
select count(*) from c

-- name: end_signals
update signal set state = %(state)s, reason = %(reason)s, changes = %(changes)s, ended_at = casebridge.now()
where id = any(%(ids)s) and state = 'open'

-- name: settle_object
update source_object set
    known = coalesce(%(known)s, known), nonce = null, owner = null, tries = 0, reason = null, detail = null,
    read_at = casebridge.now(),
    due = case when wanted > %(wanted)s or exists (  -- more than one reading takes, or it came meanwhile
                   select 1 from signal s
                   where s.source = source_object.source and s.object = source_object.object and s.state = 'open')
               then casebridge.now()
               when object = '*' then casebridge.now() + make_interval(secs => %(again)s) end
where id = %(id)s and nonce = %(nonce)s
returning id

-- name: extend_object
update source_object set due = casebridge.now() + %(lease)s where id = %(id)s and nonce = %(nonce)s returning id

-- name: keep_objects
with held as materialized (select id from source_object where id = any(%(id)s) order by id for update)
update source_object o set due = casebridge.now() + %(lease)s
from unnest(%(id)s::bigint[], %(nonce)s::bigint[]) as k(id, nonce) join held using (id)
where o.id = k.id and o.nonce = k.nonce

-- name: postpone_object
update source_object set
    nonce = null, owner = null, due = casebridge.now() + make_interval(secs => %(wait)s),
    tries = case when %(burn)s then tries else greatest(tries - 1, 0) end, reason = %(reason)s, detail = %(detail)s
where id = %(id)s and nonce = %(nonce)s
returning id

-- name: bury_signals
with dead as (
    update signal set state = 'dead', reason = %(reason)s, ended_at = casebridge.now()
    where id = any(%(ids)s) and state = 'open' returning id)
insert into dead_letter (queue, signal_id, reason, detail)
select 'ingest', id, %(reason)s, %(detail)s from dead returning id

-- name: bury_file
insert into dead_letter (queue, change_id, partner, reason, detail)
select 'ingest', id, %(partner)s, %(reason)s, %(detail)s from change
where source = %(source)s and external_id = %(external)s and not exists (
    select 1 from dead_letter
    where queue = 'ingest' and state = 'dead' and reason = %(reason)s and detail = %(detail)s)
returning id

-- name: due_sources
select distinct source from source_object o where due <= casebridge.now()
  and not exists (select 1 from target t where t.name = o.source and t.blocked_until > casebridge.now())

-- name: next_due
select extract(epoch from min(due) - casebridge.now())::float8 from source_object where source = %(source)s

-- name: known
select known from source_object where source = %(source)s and object = %(object)s
