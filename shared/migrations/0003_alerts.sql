-- What the owner should know, and what was sent to tell them.
drop table alerts;

-- An alert for each thing that can be wrong: the same kind, stage, class and subject is the same alert, seen again.
create table alerts (
    id bigint generated always as identity primary key,
    kind text not null,
    -- The service that raised it.
    stage text not null,
    class text not null default '',
    -- What it affects.
    subject text not null,
    state text not null check (state in ('firing', 'resolved')),
    text text not null,
    symbol text,
    interval text,
    key text,
    run text,
    trace_id text,
    -- The clean object that is made from the object at the key.
    object_key text,
    -- Since when it is wrong, when it was last said, and since when it is well again: by Candlewick's clock.
    raised_at timestamptz not null,
    last_at timestamptz not null,
    resolved_at timestamptz,
    -- How often it was raised since it was last well.
    occurrences bigint not null,
    -- When its object, or any of its series, had last been loaded when it was raised: a later load is a repair.
    loaded_before timestamptz,
    -- What paces the telling goes by the machine's clock, because it is about people. When the state last changed, and
    -- what state the owner was told, and when.
    changed_at timestamptz not null,
    told_state text check (told_state in ('firing', 'resolved')),
    told_at timestamptz,
    unique (kind, stage, class, subject)
);

create index alerts_open on alerts (state, told_state);

-- The events that were taken in, so that one that is delivered again counts once.
create table alert_events (
    id text primary key,
    kind text not null,
    stage text not null,
    state text not null,
    received_at timestamptz not null
);

create index alert_events_received on alert_events (received_at);

-- The outbox: a row for each message and channel. It is written in the transaction that notes what was told.
create table alert_deliveries (
    id bigint generated always as identity primary key,
    channel text not null,
    -- The message's own name, the same at every attempt, by which a receiver can tell a second copy.
    name text not null,
    subject text not null,
    body text not null,
    payload jsonb not null,
    queued_at timestamptz not null,
    -- When it may be tried next; the claim of whoever tries it now moves it on.
    next_at timestamptz not null,
    attempts integer not null default 0,
    sent_at timestamptz,
    given_up_at timestamptz,
    -- What was wrong with the last attempt.
    error text,
    unique (name, channel)
);

create index alert_deliveries_due on alert_deliveries (channel, next_at) where sent_at is null and given_up_at is null;
