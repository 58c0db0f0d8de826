-- name: parts
select case_id, origin, kind, external_id from part
where case_id = any(%(cases)s) and system = %(system)s and origin = any(%(origins)s)

-- name: changes
select id, record, read_at < casebridge.now() - make_interval(secs => %(seconds)s) as stale from change where id = any(%(ids)s)

-- name: named_in_needs
select distinct n.id from delivery d cross join unnest(d.needs) as n(id) where d.case_id = any(%(cases)s) and n.id = any(%(ids)s)

-- name: recipes
select id, operation, key from delivery where id = any(%(ids)s)
