-- name: ensure
insert into target (name) select unnest(%(names)s::text[]) on conflict do nothing

-- name: block
insert into target (name, blocked_until, reason, detail)
values (%(name)s, casebridge.now() + make_interval(secs => %(seconds)s), %(reason)s, %(detail)s)
on conflict (name) do update set
    blocked_until = greatest(target.blocked_until, excluded.blocked_until), reason = excluded.reason,
    detail = excluded.detail, changed_at = casebridge.now()
returning (select t.reason from target t where t.name = %(name)s) is distinct from %(reason)s

-- name: clear
-- A block that still runs stays: what arrived before the 429, or beside it, says nothing of the time after it.
update target set blocked_until = null, reason = null, detail = null, changed_at = casebridge.now()
where name = %(name)s and reason is not null and not paused and coalesce(blocked_until <= casebridge.now(), true)

-- name: pause
update target set paused = %(paused)s, reason = %(reason)s, changed_at = casebridge.now() where name = %(name)s

-- name: all
select name, paused, greatest(extract(epoch from blocked_until - casebridge.now())::float8, 0), reason, detail
from target order by name
