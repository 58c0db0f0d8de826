-- name: record
insert into audit (actor, action, subject, case_id, reason, hash)
values (%(actor)s, %(action)s, %(subject)s, %(case)s, %(reason)s, %(hash)s)
returning id
