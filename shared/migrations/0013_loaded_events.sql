-- The event candles.loaded: each load tells programs outside which candles it changed (docs/events.md).
--
-- A load is its own event. In its transaction a delivery is added for each sink, and the notifier sends it.

alter table loads
    -- The id of the event, the same in every delivery.
    add column event_id uuid not null default gen_random_uuid(),
    -- The version of the object, and the trace in which it was fetched.
    add column version_id text,
    add column trace_id text,
    -- The first and the last candle that the load added, changed or removed; null if there is none.
    add column first_changed timestamptz,
    add column last_changed timestamptz;

-- The last id that was taken for a load.
create function last_load() returns bigint language sql volatile as $$
    select case when is_called then last_value else 0 end from loads_id_seq
$$;

-- As in migration 0012, and with a lock that says from where on ids may still be missing. Ids are taken before the commit, so a
-- reader in their order would pass over a load that is committed later. The lock's second key has the last 31 bits of an id
-- below that of the load; loads_are_complete_to() reads it.
create or replace function current_load() returns bigint language plpgsql as $$
declare
    load bigint := nullif(current_setting('candlewick.load', true), '')::bigint;
begin
    if load is null then
        perform pg_advisory_xact_lock_shared(1819238756, (last_load() & 2147483647)::int);
        load := nextval('loads_id_seq');
        perform set_config('candlewick.load', load::text, true);
    end if;
    return load;
end
$$;

-- The id up to which every load is committed or gone. 'known' is what last_load() returned before: a load that takes its lock
-- after these are read has a larger id. A lock may be above it, which restricts nothing.
create function loads_are_complete_to(known bigint) returns bigint language sql volatile as $$
    select known - coalesce(max(lag) filter (where lag < 1073741824), 0)
    from (select (known - objid::bigint) & 2147483647 as lag from pg_locks
          where locktype = 'advisory' and classid = 1819238756 and objsubid = 2
              and database = (select oid from pg_database where datname = current_database())) open_loads
$$;

-- Where events go. The notifier registers the sinks of its settings.
create table event_sinks (
    name text primary key
);

-- The outbox: events that a sink has not accepted yet.
create table event_deliveries (
    sink text not null references event_sinks (name) on delete cascade,
    load_id bigint not null references loads (id) on delete cascade,
    symbol text not null,
    interval text not null,
    -- When it was added, and when it may be tried next, by the machine's clock. The claim of the notifier that tries it moves
    -- next_at on.
    queued_at timestamptz not null default now(),
    next_at timestamptz not null default now(),
    attempts integer not null default 0,
    -- What was wrong with the last attempt.
    error text,
    primary key (sink, load_id)
);

create index event_deliveries_series on event_deliveries (sink, symbol, interval, load_id);
create index event_deliveries_due on event_deliveries (sink, next_at);

-- The first and the last candle that a load changed. The object's new version is given, because its row says what was added
-- at the end.
create function changed_span(load bigint, version objects, out first_changed timestamptz, out last_changed timestamptz)
language sql stable as $$
    select min(time), max(time) from (
        select h.time from candle_history h where h.load_id = load
        union all select l.first_time from late_candles l where l.load_id = load
        union all select l.last_time from late_candles l where l.load_id = load
        union all select version.inserted_from where version.inserted_from < 'infinity'
        union all select version.last_time where version.inserted_from < 'infinity') changed
$$;

-- As in migration 0012, and with the event.
create or replace function note_load() returns trigger language plpgsql as $$
declare
    load bigint := current_load();
    keep int := coalesce(nullif(current_setting('candlewick.history_days', true), '')::int, 90);
    horizon timestamptz := new.loaded_at - make_interval(days => keep);
    forgotten bigint[];
begin
    -- A candle that went from one object to another with the same values did not change.
    delete from candle_history h using candles c
    where h.load_id = load and c.symbol = h.symbol and c.interval = h.interval and c.time = h.time
        and (c.open, c.high, c.low, c.close, c.volume, c.is_filled)
            is not distinct from (h.open, h.high, h.low, h.close, h.volume, h.is_filled);
    insert into loads (id, object_id, symbol, interval, etag, run, loaded_at, rows_total, rows_inserted, rows_updated,
                       rows_unchanged, rows_removed, inserted_from, version_id, trace_id, first_changed, last_changed)
    overriding system value
    select load, new.id, new.symbol, new.interval, new.etag, new.run, new.loaded_at, new.rows_total, new.rows_inserted,
           new.rows_updated, new.rows_unchanged, new.rows_removed, new.inserted_from, new.version_id, new.trace_id,
           span.first_changed, span.last_changed
    from changed_span(load, new) span;
    insert into event_deliveries (sink, load_id, symbol, interval)
        select name, load, new.symbol, new.interval from event_sinks;
    perform set_config('candlewick.load', '', true);
    with gone as (delete from loads where object_id = new.id and loaded_at < horizon returning id)
    select array_agg(id) into forgotten from gone;
    if forgotten is not null then
        delete from candle_history where load_id = any(forgotten);
        delete from late_candles where load_id = any(forgotten);
        insert into history_begins as b values (new.symbol, new.interval, horizon)
        on conflict (symbol, interval) do update set since = greatest(b.since, excluded.since);
    end if;
    return null;
end
$$;

-- Who may use it.
grant select on event_sinks, loads_id_seq to loader_service;
grant insert on event_deliveries to loader_service;
grant select, insert, delete on event_sinks to notifier_service;
grant select, update, delete on event_deliveries to notifier_service;
grant select on loads to notifier_service;
grant select on event_sinks, event_deliveries, loads_id_seq to dashboard_readonly;
