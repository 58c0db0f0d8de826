-- The ledger. PostgreSQL 14+, no extension. Words: decisions D1; counters and claims: engine.md 2-3.
-- Times are the database's: casebridge.now() is the only clock, so that tests can move it (decisions D15).

create function casebridge.now() returns timestamptz
    language sql stable as $$ select clock_timestamp() $$;
comment on function casebridge.now() is 'The only clock. STABLE, so that "due <= now()" can be an index condition.';

-- Which state may follow which; the same table stands in pipeline/domain/states.py, a test compares them.
create table state_move (
    entity text not null check (entity in ('signal', 'change', 'delivery', 'dead_letter', 'link')),
    before text not null,
    after text not null,
    primary key (entity, before, after)
);
insert into state_move (entity, before, after) values
    ('signal', 'open', 'expanded'), ('signal', 'open', 'nothing_new'), ('signal', 'open', 'skipped'),
    ('signal', 'open', 'dead'), ('signal', 'dead', 'open'), ('signal', 'dead', 'skipped'),
    ('change', 'open', 'routed'), ('change', 'open', 'echo'), ('change', 'open', 'skipped'),
    ('change', 'open', 'dead'), ('change', 'dead', 'open'), ('change', 'dead', 'skipped'),
    ('delivery', 'queued', 'skipped'), ('delivery', 'queued', 'superseded'), ('delivery', 'queued', 'dead'),
    ('delivery', 'queued', 'cancelled'), ('delivery', 'dead', 'queued'), ('delivery', 'dead', 'requeued'),
    ('delivery', 'dead', 'cancelled'),
    ('dead_letter', 'dead', 'requeued'), ('dead_letter', 'dead', 'discarded'),
    ('link', 'planned', 'bound'), ('link', 'planned', 'gone'), ('link', 'bound', 'closed'), ('link', 'bound', 'gone'),
    ('link', 'closed', 'bound'), ('link', 'closed', 'gone');

create function casebridge.check_state_move() returns trigger language plpgsql as $$
begin
    if new.state is distinct from old.state and not exists (
        select 1 from casebridge.state_move m
        where m.entity = tg_argv[0] and m.before = old.state and m.after = new.state
    ) then
        raise exception 'a % cannot go from % to %', tg_argv[0], old.state, new.state using errcode = 'check_violation';
    end if;
    return new;
end $$;

create function casebridge.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- Signals: "object X may have changed". The row is small; the raw bytes lie in inbox, which retention may cut.
create table signal (
    id bigint generated always as identity primary key,
    source text not null,
    key text not null,
    object text not null,                       -- '*' = the poll itself
    position bigint,                            -- the source's own order within the object
    via text not null check (via in ('webhook', 'poll', 'operator')),
    state text not null default 'open' check (state in ('open', 'expanded', 'nothing_new', 'skipped', 'dead')),
    reason text,
    changes int not null default 0,
    received_at timestamptz not null default casebridge.now(),
    ended_at timestamptz,
    unique (source, key)
);
create index signal_open on signal (source, object, id) where state = 'open';
create trigger signal_move before update of state on signal
    for each row execute function casebridge.check_state_move('signal');

create table inbox (
    signal_id bigint not null,
    received_at timestamptz not null default casebridge.now(),
    headers jsonb not null default '{}',
    raw bytea not null,
    primary key (signal_id, received_at)
) partition by range (received_at);
create table inbox_default partition of inbox default;

-- One row per object of a source, and one ('*') per source for its poll: claimed like lanes, so that ten webhooks
-- cost one read and one object has one reader.
create table source_object (
    id bigint generated always as identity primary key,
    source text not null,
    object text not null,
    wanted int not null default 0,              -- signals so far; a reader that sees it grow reads again
    due timestamptz,                            -- when to read; held: end of the lease; null: nothing to do
    nonce bigint,
    owner text,
    tries int not null default 0,
    reason text,
    detail text,
    known bytea not null default '{}',          -- what the last reading asked to remember (JSON)
    read_at timestamptz,
    unique (source, object)
);
create index source_object_due on source_object (source, due) where due is not null;

create table cursor (
    source text primary key,
    value jsonb not null,
    began_at timestamptz not null default casebridge.now(),   -- what happened before is history: backfill's, not ours
    moved_at timestamptz not null default casebridge.now()
);

-- Cases: (partner, case key) names one; the constraint decides, not a read before a write (flows.md rule 1).
create table partner_case (
    id bigint generated always as identity primary key,
    partner text not null,
    case_key text not null,
    generation int not null default 1,          -- rises when the join window has passed
    previous_id bigint references partner_case,
    opened_at timestamptz not null default casebridge.now(),
    last_activity_at timestamptz not null default casebridge.now(),
    closed_at timestamptz,
    unique (partner, case_key, generation)
);

create table link (
    id bigint generated always as identity primary key,
    case_id bigint not null references partner_case,
    system text not null,
    instance text not null default '',
    kind text not null,
    external_id text,                           -- null while planned
    exclusive boolean not null default true,    -- false: the object may belong to several cases (Z1.2)
    state text not null default 'planned' check (state in ('planned', 'bound', 'closed', 'gone')),
    url text,
    facts jsonb not null default '{}',
    replaced_by bigint references link,
    bound_at timestamptz,
    check ((state = 'planned') = (external_id is null) or state = 'gone')
);
create unique index link_object on link (system, instance, kind, external_id) where exclusive and external_id is not null;
create unique index link_case_object on link (case_id, system, instance, kind, external_id) where external_id is not null;
create index link_by_object on link (system, kind, external_id);
create index link_by_case on link (case_id);
create trigger link_move before update of state on link
    for each row execute function casebridge.check_state_move('link');

-- Changes: one new thing at a source, immutable but for what became of it.
create table change (
    id bigint generated always as identity primary key,
    source text not null,
    external_id text not null,
    object text not null,
    kind text not null,
    signal_id bigint,
    record bytea not null,                      -- schemas.change.Change as JSON
    state text not null default 'open' check (state in ('open', 'routed', 'echo', 'skipped', 'dead')),
    reason text,
    detail text,
    blocks boolean not null default false,      -- dead, and later changes of the object wait for it
    not_before timestamptz,
    case_id bigint references partner_case,
    read_at timestamptz not null default casebridge.now(),
    ended_at timestamptz,
    unique (source, external_id)
);
create index change_open on change (id) where state = 'open';
create index change_blocking on change (source, object, id) where state = 'open' or blocks;
create index change_case on change (case_id, id);
create trigger change_move before update of state on change
    for each row execute function casebridge.check_state_move('change');

-- Lanes: one case at one target; the only hot row that is updated.   0 <= head <= intent <= tail, none ever falls.
create table lane (
    id bigint generated always as identity primary key,
    target text not null,
    case_id bigint not null references partner_case,
    partner text not null,
    tail int not null default 0,                -- last delivery written
    intent int not null default 0,              -- last delivery whose intent is durable: it may have happened
    head int not null default 0,                -- last delivery with a final outcome
    tries int not null default 0,               -- of delivery head + 1
    due timestamptz,                            -- ready or retry: when; held: end of the lease; null: nothing to do
    nonce bigint,                               -- fence of the holder; null = free
    owner text,
    waits text,                                 -- why due is null although head < tail, or why a retry waits
    unique (case_id, target),
    check (0 <= head and head <= intent and intent <= tail)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
create index lane_due on lane (target, due) where due is not null;
-- What every sweep looks for among however many idle lanes: those that sleep on a need.
create index lane_asleep on lane (id) where nonce is null and due is null and head < tail;

-- Deliveries: insert only in the normal case; 'queued' with seq <= lane.head means done.
create table delivery (
    id bigint generated always as identity primary key,
    lane_id bigint not null references lane,
    seq int not null,
    case_id bigint not null,
    change_id bigint references change,
    flow text not null,
    kind text not null,
    name text not null,                         -- the step's name within its flow
    link_id bigint,
    operation bytea not null,                   -- schemas.operation.AnyOperation as JSON
    needs bigint[] not null default '{}',       -- deliveries of the same case that must be done first
    not_before timestamptz,
    key uuid not null,                          -- UUIDv5 of (change, flow, step): the same however often it is routed
    redo int not null default 0,                -- sent again after others went ahead
    mark text not null,                         -- what our write carries at the target
    plan_rev smallint not null default 1,
    echo text,                                  -- digest of what may come back without a mark
    echoed_by bigint,
    state text not null default 'queued'
        check (state in ('queued', 'skipped', 'superseded', 'dead', 'requeued', 'cancelled')),
    reason text,
    config_version int,
    created_at timestamptz not null default casebridge.now(),
    unique (lane_id, seq),
    unique (key, redo)
);
create index delivery_change on delivery (change_id);
create index delivery_mark on delivery (mark);
create index delivery_echo on delivery (case_id, echo) where echo is not null and echoed_by is null;
create index delivery_not_done on delivery (lane_id, seq) where state <> 'queued';
create trigger delivery_move before update of state on delivery
    for each row execute function casebridge.check_state_move('delivery');

create table attempt (
    delivery_id bigint not null,
    n int not null,
    at timestamptz not null default casebridge.now(),
    ms real not null,
    verdict text not null,
    reason text not null,
    detail text,
    looked boolean not null default false,
    writes smallint not null default 0,         -- writes that it really sent: what a per-object limit is counted from
    nonce bigint not null,
    exchanges bytea not null,                   -- masked requests and answers (JSON)
    primary key (delivery_id, at, n)
) partition by range (at);
create table attempt_default partition of attempt default;

-- What our deliveries left at their targets: the surest sign of an echo, and the way to redact a copy.
create table part (
    system text not null,
    kind text not null,
    external_id text not null,
    delivery_id bigint not null,
    case_id bigint not null,
    origin text not null default '',            -- the source part that this one mirrors
    primary key (system, kind, external_id, delivery_id)
);
create index part_origin on part (case_id, origin) where origin <> '';

create table target (
    name text primary key,
    paused boolean not null default false,
    blocked_until timestamptz,                  -- 429, 503, refused log-in: nothing is claimed before
    reason text,
    detail text,
    changed_at timestamptz not null default casebridge.now()
);

-- Dead letters: one row each, and one message in dead.<queue>; the sweep rebuilds a lost queue from these rows.
create table dead_letter (
    id bigint generated always as identity primary key,
    queue text not null,                        -- ingest, transform, or a target
    signal_id bigint,
    change_id bigint,
    delivery_id bigint,
    case_id bigint,
    partner text,
    reason text not null,
    detail text not null default '',
    state text not null default 'dead' check (state in ('dead', 'requeued', 'discarded')),
    died_at timestamptz not null default casebridge.now(),
    ended_at timestamptz,
    ended_by text,
    note text,
    check (num_nonnulls(signal_id, change_id, delivery_id) = 1)
);
create index dead_letter_dead on dead_letter (queue, id) where state = 'dead';
create index dead_letter_change on dead_letter (change_id);
create index dead_letter_delivery on dead_letter (delivery_id);
create index dead_letter_signal on dead_letter (signal_id);
create trigger dead_letter_move before update of state on dead_letter
    for each row execute function casebridge.check_state_move('dead_letter');

-- The audit trail: ids, actors, actions, reason codes, hashes; no personal text (decisions D12).
create table audit (
    id bigint generated always as identity primary key,
    tx xid8 not null default pg_current_xact_id(),
    at timestamptz not null default casebridge.now(),
    actor text not null,
    action text not null,
    subject text not null,                      -- delivery:17, dead_letter:3, config:2, token:1, target:gemini
    case_id bigint,
    reason text,
    hash text,                                  -- SHA-256 of what was sent or decided
    salt uuid not null default gen_random_uuid()
);
create index audit_case on audit (case_id, id);
create index audit_subject on audit (subject, id);
create trigger audit_append_only before update or delete on audit
    for each row execute function casebridge.refuse_change();
create trigger audit_no_truncate before truncate on audit
    for each statement execute function casebridge.refuse_change();

create table config_version (
    version int generated always as identity primary key,
    sha256 text not null unique,
    text text not null,
    applied_at timestamptz not null default casebridge.now(),
    applied_by text not null
);
create table config_active (
    only_row boolean primary key default true check (only_row),
    version int not null references config_version,
    since timestamptz not null default casebridge.now()
);

create table api_token (
    id bigint generated always as identity primary key,
    name text not null,
    role text not null check (role in ('viewer', 'operator', 'admin')),
    sha256 text not null unique,                -- of a 256-bit random token: no slow hash needed
    created_at timestamptz not null default casebridge.now(),
    created_by text not null,
    last_used_at timestamptz,
    revoked_at timestamptz
);
