-- name: add
with new as (
    insert into config_version (sha256, text, applied_by) values (%(sha256)s, %(text)s, %(actor)s)
    on conflict (sha256) do nothing returning version)
select version from new union all select version from config_version where sha256 = %(sha256)s limit 1

-- name: activate
insert into config_active (version) values (%(version)s)
on conflict (only_row) do update set version = excluded.version, since = casebridge.now()
where config_active.version <> excluded.version
returning version

-- name: active
select v.version, v.sha256 from config_active a join config_version v using (version)

-- name: text
select version, text, applied_at, applied_by from config_version
where version = coalesce(%(version)s, (select version from config_active))

-- name: versions
select v.version, v.sha256, v.applied_at, v.applied_by, a.version is not null
from config_version v left join config_active a using (version) order by v.version desc limit 50
