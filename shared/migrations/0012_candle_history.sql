-- The history of candles: what a load changed or removed, so that a series can be read as it was at a past moment.
--
-- A load is identified by its row in loads. It left in candle_history what a candle was before it, and in loads and late_candles
-- which candles did not exist before it. So the state after a load follows from the candles of today, step by step back.

-- The values that a candle had until a load changed or removed it.
create table candle_history (
    symbol text not null,
    interval text not null,
    time timestamptz not null,
    load_id bigint not null,
    open numeric not null,
    high numeric not null,
    low numeric not null,
    close numeric not null,
    volume numeric,
    is_filled boolean not null,
    -- The object that the candle came from.
    object_id bigint not null,
    primary key (symbol, interval, time, load_id)
);

create index candle_history_load on candle_history (load_id);

-- From this time on, all candles of the series were new with the load: what it added at the end. Infinity if it added none there.
alter table objects add column inserted_from timestamptz not null default 'infinity';
alter table loads add column inserted_from timestamptz not null default 'infinity';

-- Candles that a load added before others: all from first_time to last_time were new with it.
create table late_candles (
    load_id bigint not null,
    first_time timestamptz not null,
    last_time timestamptz not null,
    primary key (load_id, first_time)
);

-- Since when the history of a series is complete, where that is not its first load.
create table history_begins (
    symbol text not null,
    interval text not null,
    since timestamptz not null,
    primary key (symbol, interval)
);

-- Before this migration, loads kept no old values.
insert into history_begins
    select symbol, interval, max(loaded_at) from objects where loaded_at is not null group by symbol, interval;

-- The id of the load that this transaction is. It is taken before the load's row is written, because that comes last.
create function current_load() returns bigint language plpgsql as $$
declare
    load bigint := nullif(current_setting('candlewick.load', true), '')::bigint;
begin
    if load is null then
        load := nextval(pg_get_serial_sequence('loads', 'id'));
        perform set_config('candlewick.load', load::text, true);
    end if;
    return load;
end
$$;

-- Keeps the values that a statement replaced. The first ones of a load are those from before it.
create function keep_replaced_candles() returns trigger language plpgsql as $$
begin
    insert into candle_history
        select o.symbol, o.interval, o.time, current_load(), o.open, o.high, o.low, o.close, o.volume, o.is_filled, o.object_id
        from old_candles o join new_candles n using (symbol, interval, time)
        where (o.open, o.high, o.low, o.close, o.volume, o.is_filled)
            is distinct from (n.open, n.high, n.low, n.close, n.volume, n.is_filled)
        on conflict do nothing;
    return null;
end
$$;

create function keep_removed_candles() returns trigger language plpgsql as $$
begin
    insert into candle_history
        select symbol, interval, time, current_load(), open, high, low, close, volume, is_filled, object_id from old_candles
        on conflict do nothing;
    return null;
end
$$;

create trigger candles_replaced after update on candles referencing old table as old_candles new table as new_candles
    for each statement execute function keep_replaced_candles();
create trigger candles_removed after delete on candles referencing old table as old_candles
    for each statement execute function keep_removed_candles();

-- Notes a load, in its transaction, and forgets the loads of its object that are older than candlewick.history_days.
create or replace function note_load() returns trigger language plpgsql as $$
declare
    load bigint := current_load();
    keep int := coalesce(nullif(current_setting('candlewick.history_days', true), '')::int, 90);
    horizon timestamptz := new.loaded_at - make_interval(days => keep);
    forgotten bigint[];
begin
    insert into loads (id, object_id, symbol, interval, etag, run, loaded_at, rows_total, rows_inserted, rows_updated,
                       rows_unchanged, rows_removed, inserted_from)
    overriding system value
    values (load, new.id, new.symbol, new.interval, new.etag, new.run, new.loaded_at, new.rows_total, new.rows_inserted,
            new.rows_updated, new.rows_unchanged, new.rows_removed, new.inserted_from);
    perform set_config('candlewick.load', '', true);
    -- A candle that went from one object to another with the same values did not change.
    delete from candle_history h using candles c
    where h.load_id = load and c.symbol = h.symbol and c.interval = h.interval and c.time = h.time
        and (c.open, c.high, c.low, c.close, c.volume, c.is_filled)
            is not distinct from (h.open, h.high, h.low, h.close, h.volume, h.is_filled);
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

-- Every load is noted, also one at the same moment as the last.
drop trigger objects_noted on objects;
create trigger objects_noted after update of loaded_at on objects for each row
    when (new.loaded_at is not null and new.error is null)
    execute function note_load();

-- The candles of a series as they were after one of its loads; with 0, before the first.
create function candles_after_load(of_symbol text, of_interval text, after_load bigint) returns setof candles
language sql stable security definer set search_path from current rows 10000 as $$
    with later as (
        select id, inserted_from from loads where symbol = of_symbol and interval = of_interval and id > after_load),
    late as (
        select r.load_id, r.first_time, r.last_time from late_candles r join later on later.id = r.load_id),
    changed as (
        select distinct on (time) * from candle_history
        where symbol = of_symbol and interval = of_interval and load_id > after_load
        order by time, load_id)
    select c.* from candles c
    where c.symbol = of_symbol and c.interval = of_interval
        and c.time < coalesce((select min(inserted_from) from later), 'infinity')
        and not exists (select from late where c.time between late.first_time and late.last_time)
        and not exists (select from changed where changed.time = c.time)
    union all
    select symbol, interval, time, open, high, low, close, volume, is_filled, object_id from changed
    where not exists (select from later where later.id < changed.load_id and later.inserted_from <= changed.time)
        and not exists (select from late
                        where late.load_id < changed.load_id and changed.time between late.first_time and late.last_time)
$$;

-- The candles of a series as they were at a moment. The loads until then are counted by their time, and the order of loads by
-- their id.
create function candles_as_of(of_symbol text, of_interval text, as_of timestamptz) returns setof candles
language plpgsql stable security definer set search_path from current rows 10000 as $$
declare
    begins timestamptz := (select since from history_begins where symbol = of_symbol and interval = of_interval);
begin
    if as_of is null then
        raise exception 'no moment is given' using errcode = 'invalid_parameter_value',
            hint = 'For bi_candles_as_of: set candlewick.as_of = ''2026-01-31''';
    end if;
    if as_of < begins then
        raise exception 'the history of % % begins at %', of_symbol, of_interval, begins
            using errcode = 'invalid_parameter_value', hint = 'HISTORY_DAYS of the loader says how long it is kept';
    end if;
    return query select * from candles_after_load(of_symbol, of_interval,
        coalesce((select max(id) from loads where symbol = of_symbol and interval = of_interval and loaded_at <= as_of), 0));
end
$$;

-- All series as they were at the moment that the session sets: set candlewick.as_of = '2026-01-31'.
create view bi_candles_as_of as
select s.symbol, s.interval, c.time, c.open, c.high, c.low, c.close, c.volume, c.is_filled
from (select distinct symbol, interval from objects) s,
    candles_as_of(s.symbol, s.interval, nullif(current_setting('candlewick.as_of', true), '')::timestamptz) c;

-- Who may use it.
revoke execute on function candles_after_load, candles_as_of from public;
grant execute on function candles_after_load, candles_as_of to dashboard_readonly, bi_readonly;
grant select on bi_candles_as_of to bi_readonly, dashboard_readonly;
grant select, insert, delete on candle_history, late_candles to loader_service;
grant select, insert, update on history_begins to loader_service;
grant usage on sequence loads_id_seq to loader_service;
grant select on candle_history, late_candles, history_begins to dashboard_readonly;
