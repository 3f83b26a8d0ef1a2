-- The store of candles, the ledger of the objects they came from, and what is known of both.

-- The ledger: a row for each clean object. What is said of a version commits with that version's rows.
create table objects (
    id bigint generated always as identity primary key,
    key text not null unique,
    symbol text not null,
    interval text not null,
    -- The version that is loaded; null until one is.
    etag text,
    version_id text,
    -- When the clean object was written, by the store's clock.
    last_modified timestamptz,
    -- When the raw object behind it was written: what decides which of two objects is the newer.
    raw_written timestamptz,
    raw_key text,
    raw_etag text,
    run text,
    trace_id text,
    fetched_at timestamptz,
    transformed_at timestamptz,
    loaded_at timestamptz,
    rows_total bigint not null default 0,
    rows_inserted bigint not null default 0,
    rows_updated bigint not null default 0,
    rows_unchanged bigint not null default 0,
    rows_removed bigint not null default 0,
    first_time timestamptz,
    last_time timestamptz,
    -- What was wrong with the newest version, where that could not be loaded.
    error text,
    error_line bigint,
    error_column text
);

create index objects_series on objects (symbol, interval);

-- The candles: one for each time of a series, owned by the object that it came from.
create table candles (
    symbol text not null,
    interval text not null,
    time timestamptz not null,
    open numeric not null,
    high numeric not null,
    low numeric not null,
    close numeric not null,
    volume numeric,
    is_filled boolean not null,
    object_id bigint not null references objects (id),
    primary key (symbol, interval, time)
);

create index candles_object on candles (object_id);

-- Candles that an object claims and a newer object has. When the newer one gives a time up, the newest claim takes it.
create table shadowed_candles (
    like candles including defaults,
    primary key (symbol, interval, time, object_id),
    foreign key (object_id) references objects (id)
);

create index shadowed_candles_object on shadowed_candles (object_id);

-- What sources say about instruments.
create table instruments (
    symbol text primary key,
    instrument_type text,
    currency text,
    calendar text,
    timezone text,
    updated_at timestamptz not null
);

-- The report on the cleaning of each object.
create table quality (
    object_id bigint primary key references objects (id) on delete cascade,
    rows_read bigint not null,
    kept bigint not null,
    filled bigint not null,
    quarantined bigint not null,
    report jsonb not null
);

-- What the owner was told, and is to be told.
create table alerts (
    id bigint generated always as identity primary key,
    kind text not null,
    subject text not null,
    text text not null,
    raised_at timestamptz not null
);

-- Views with stable names for BI tools, and a role that may read them and nothing else.
create view bi_candles as
select symbol, interval, time, open, high, low, close, volume, is_filled from candles;

create view bi_series as
select c.symbol, c.interval, count(*) as candles, min(c.time) as first_time, max(c.time) as last_time,
       count(*) filter (where c.is_filled) as filled
from candles c
group by c.symbol, c.interval;

do $$
begin
    if not exists (select from pg_roles where rolname = 'bi_readonly') then
        create role bi_readonly nologin;
    end if;
exception
    -- Another database of the same server made it at the same moment.
    when duplicate_object or unique_violation then null;
end
$$;

grant usage on schema public to bi_readonly;
grant select on bi_candles, bi_series to bi_readonly;
