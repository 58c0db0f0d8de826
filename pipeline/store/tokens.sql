-- name: create
insert into api_token (name, role, sha256, created_by)
values (%(name)s, %(role)s, %(sha256)s, %(actor)s)
returning id

-- name: find
select id, name, role, sha256,
       coalesce(last_used_at < casebridge.now() - interval '1 minute', true)
from api_token where sha256 = %(sha256)s and revoked_at is null

-- name: used
update api_token set last_used_at = casebridge.now() where id = %(id)s

-- name: list
select id, name, role, created_at, created_by, last_used_at, revoked_at from api_token order by id

-- name: revoke
update api_token set revoked_at = casebridge.now() where id = %(id)s and revoked_at is null returning id
