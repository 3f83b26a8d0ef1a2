-- The runs: what each refresh expects, what became of each of its series, and when it ended. Whatever decides that is a
-- function below, so that the end of a run commits with the last thing that was missing.

create table runs (
    id text primary key,
    kind text not null check (kind in ('scheduled', 'manual', 'catch_up')),
    -- When it was due, or asked for, by Candlewick's clock.
    requested_at timestamptz not null,
    -- Whether it is of the whole watchlist, and not of some symbols.
    is_whole boolean not null,
    -- The message that begins it: another one with the same id changes nothing.
    begun_by text,
    -- How many pages of the watchlist are laid out, and whether that is all of them.
    pages integer not null default 0,
    is_laid_out boolean not null default false,
    -- Why it does not go on, or never will.
    error text,
    started_at timestamptz,
    -- How far Candlewick's clock is behind the machine's, so that the end has the time of the beginning.
    clock_lag interval not null default '0',
    -- Set at the end, with the counts: expected = loaded + unchanged + superseded + failed. What was fetched is counted
    -- whatever came of it after.
    ended_at timestamptz,
    expected bigint,
    fetched bigint,
    loaded bigint,
    unchanged bigint,
    superseded bigint,
    failed bigint
);

create index runs_requested on runs (requested_at);

-- What a run expects.
create table run_series (
    run text not null references runs (id) on delete cascade,
    symbol text not null,
    interval text not null,
    -- expected: asked for; fetched: its raw objects are written; and the four ends: loaded; unchanged: the source had
    -- nothing new; superseded: what was fetched was fetched again before it was loaded; failed, for a reason.
    state text not null default 'expected'
        check (state in ('expected', 'fetched', 'loaded', 'unchanged', 'superseded', 'failed')),
    is_fetched boolean not null default false,
    objects_expected integer,
    reason text,
    primary key (run, symbol, interval)
);

create index run_series_open on run_series (run) where state in ('expected', 'fetched');
create index run_series_of on run_series (symbol, interval);

-- The clean objects that a series of a run waits for. They go with the run's end.
create table run_objects (
    run text not null,
    symbol text not null,
    interval text not null,
    key text not null,
    -- When the source said it; null where the loader was there before ingest said what it wrote.
    fetched_at timestamptz,
    state text not null check (state in ('waiting', 'loaded', 'superseded')),
    primary key (run, key),
    foreign key (run, symbol, interval) references run_series (run, symbol, interval) on delete cascade
);

create index run_objects_waiting on run_objects (key) where state = 'waiting';
create index run_objects_of on run_objects (run, symbol, interval);

-- Every run with its counts: those of the end, or those of now.
create view run_progress as
select r.id, r.kind, r.requested_at, r.is_whole, r.is_laid_out, r.error, r.started_at, r.ended_at,
       coalesce(r.expected, c.expected) as expected, coalesce(r.fetched, c.fetched) as fetched,
       coalesce(r.loaded, c.loaded) as loaded, coalesce(r.unchanged, c.unchanged) as unchanged,
       coalesce(r.superseded, c.superseded) as superseded, coalesce(r.failed, c.failed) as failed
from runs r cross join lateral (
    select count(*) as expected, count(*) filter (where is_fetched) as fetched,
           count(*) filter (where state = 'loaded') as loaded, count(*) filter (where state = 'unchanged') as unchanged,
           count(*) filter (where state = 'superseded') as superseded, count(*) filter (where state = 'failed') as failed
    from run_series where run = r.id and r.ended_at is null) c;

-- Every function that follows locks the runs it touches before anything else of them, by id: what ends a run sees what
-- all others did, and no two wait for each other.

-- Whether nothing of a run is missing. It looks for one open series, and counts none.
create function run_is_done(of_run text) returns boolean language sql as $$
    select r.ended_at is null and r.is_laid_out and not exists (
        select from run_series where run = of_run and state in ('expected', 'fetched'))
    from runs r where r.id = of_run
$$;

-- Ends a run with the counts of now, and tells of it.
create function run_end(of_run text) returns void language plpgsql as $$
declare
    done runs;
begin
    update runs r set ended_at = clock_timestamp() - r.clock_lag, expected = c.expected, fetched = c.fetched,
        loaded = c.loaded, unchanged = c.unchanged, superseded = c.superseded, failed = c.failed
        from run_progress c where r.id = of_run and c.id = r.id returning r.* into done;
    delete from run_objects where run = of_run;
    perform runs_forget(done.requested_at);
    perform runs_tell(done);
end $$;

-- Ends those runs of which nothing is missing.
create function runs_end(touched text[]) returns void language plpgsql as $$
declare
    of_run text;
begin
    foreach of_run in array coalesce(touched, '{}') loop
        if run_is_done(of_run) then
            perform run_end(of_run);
        end if;
    end loop;
end $$;

-- What became of single series is kept for thirty days, and the counts for ever.
create function runs_forget(now timestamptz) returns void language sql as $$
    delete from run_series s using runs r
    where r.id = s.run and r.ended_at is not null and r.requested_at < now - interval '30 days'
$$;

create function runs_tell(run runs) returns void language sql as $$
    select pg_notify('candlewick', json_build_object(
        'kind', 'run', 'run', run.id, 'expected', run.expected, 'fetched', run.fetched, 'loaded', run.loaded,
        'unchanged', run.unchanged, 'superseded', run.superseded, 'failed', run.failed)::text)
$$;

-- Begins a run, and says whether this message is the one to do it. A run that was given up is begun again.
create function run_begin(of_run text, of_kind text, requested timestamptz, whole boolean, message text, now timestamptz)
returns boolean language plpgsql as $$
declare
    known runs;
begin
    insert into runs (id, kind, requested_at, is_whole) values (of_run, of_kind, requested, whole) on conflict do nothing;
    select * into known from runs where id = of_run for update;
    if known.ended_at is not null and known.error is not null and not known.is_laid_out then
        update runs set ended_at = null, expected = null, fetched = null, loaded = null, unchanged = null,
            superseded = null, failed = null where id = of_run;
    elsif known.ended_at is not null or known.begun_by <> message then
        return false;
    end if;
    update runs set begun_by = message, error = null, started_at = coalesce(started_at, now),
        clock_lag = clock_timestamp() - now where id = of_run;
    return true;
end $$;

-- Notes why a run does not go on; it may yet.
create function run_waits(of_run text, why text) returns void language sql as $$
    update runs set error = why where id = of_run and ended_at is null
$$;

-- Ends a run that can never be laid out: what it expects so far is all there will be, and what is open of it has failed.
create function run_fails(of_run text, why text) returns void language plpgsql as $$
begin
    perform from runs where id = of_run and ended_at is null for update;
    if not found then
        return;
    end if;
    update run_series set state = 'failed', reason = why where run = of_run and state in ('expected', 'fetched');
    update runs set error = why where id = of_run;
    perform run_end(of_run);
end $$;

-- Adds series to what a run expects. That must be known before anybody is asked for them.
create function run_expects(of_run text, symbols text[], intervals text[]) returns void language plpgsql as $$
begin
    perform from runs where id = of_run for update;
    insert into run_series (run, symbol, interval) select of_run, s, i from unnest(symbols, intervals) as t (s, i)
        on conflict do nothing;
end $$;

-- Notes that a page is laid out: each series of it is asked for, and so is the next page. Behind the last one the run can end.
create function run_page_done(of_run text, page integer, is_last boolean) returns void language plpgsql as $$
begin
    perform from runs where id = of_run for update;
    update runs set pages = greatest(pages, page + 1), is_laid_out = is_laid_out or is_last, error = null
        where id = of_run and ended_at is null;
    perform runs_end(array[of_run]);
end $$;

-- Decides what a series came to: its objects, once all are known, are loaded or were superseded.
create function run_series_settle(of_run text, of_symbol text, of_interval text) returns void language sql as $$
    update run_series s set state = case when c.superseded > 0 then 'superseded' else 'loaded' end, reason = null
    from (select count(*) filter (where state = 'waiting') as waiting,
                 count(*) filter (where state = 'superseded') as superseded
          from run_objects where run = of_run and symbol = of_symbol and interval = of_interval) c
    where s.run = of_run and s.symbol = of_symbol and s.interval = of_interval and s.is_fetched
        and s.objects_expected > 0 and c.waiting = 0
$$;

-- Notes that a series was fetched, and the clean objects that will come of it; none says that there was nothing new. What
-- the loader has seen already, or something newer, is not waited for.
create function series_fetched(of_run text, of_symbol text, of_interval text, keys text[], fetched timestamptz[])
returns void language plpgsql as $$
begin
    perform from runs where id = of_run and ended_at is null for update;
    if not found then
        return;
    end if;
    update run_series set state = case when cardinality(keys) = 0 then 'unchanged' else 'fetched' end,
        is_fetched = true, objects_expected = cardinality(keys), reason = null
        where run = of_run and symbol = of_symbol and interval = of_interval;
    if not found then
        return;
    end if;
    insert into run_objects as known (run, symbol, interval, key, fetched_at, state)
        select of_run, of_symbol, of_interval, k, f,
            case when o.run is distinct from of_run and o.fetched_at > f then 'superseded' else 'waiting' end
        from unnest(keys, fetched) as t (k, f) left join objects o on o.key = k
        on conflict (run, key) do update set fetched_at = excluded.fetched_at, state = excluded.state
            where known.state <> 'loaded' or known.fetched_at < excluded.fetched_at;
    perform run_series_settle(of_run, of_symbol, of_interval);
    perform runs_end(array[of_run]);
end $$;

-- Notes that an object is loaded, for the run that fetched it (null: a file of somebody's own), and for the runs whose older
-- object at the same key will never be. What nobody knows the age of is the newest: it is what stands there.
create function series_loaded(of_run text, of_symbol text, of_interval text, of_key text, fetched timestamptz)
returns void language plpgsql as $$
declare
    touched text[];
begin
    select array_agg(id) into touched from (
        select id from runs
        where ended_at is null and (id = of_run or id in (
            select run from run_objects where key = of_key and state = 'waiting'))
        order by id for update) locked;
    if touched is null then
        return;
    end if;
    insert into run_objects as known (run, symbol, interval, key, fetched_at, state)
        select run, symbol, interval, of_key, fetched, 'loaded' from run_series
        where run = of_run and run = any (touched) and symbol = of_symbol and interval = of_interval
        on conflict (run, key) do update set state = 'loaded', fetched_at = excluded.fetched_at
            where (known.fetched_at > excluded.fetched_at) is not true;
    update run_objects set state = 'superseded'
        where run = any (touched) and run is distinct from of_run and key = of_key and state = 'waiting'
            and (fetched_at > fetched) is not true;
    perform run_series_settle(r, of_symbol, of_interval) from unnest(touched) as t (r);
    perform runs_end(touched);
end $$;

-- Notes that a series can never be loaded, in a run, or (null) in every run that is still open. What is loaded all the same
-- while the run is open, after somebody mended it, counts as loaded.
create function series_failed(of_run text, of_symbol text, of_interval text, why text) returns void language plpgsql as $$
declare
    touched text[];
begin
    select array_agg(id) into touched from (
        select id from runs r
        where ended_at is null and (of_run is null or id = of_run) and exists (
            select from run_series where run = r.id and symbol = of_symbol and interval = of_interval
                and state in ('expected', 'fetched'))
        order by id for update) locked;
    update run_series set state = 'failed', reason = why
        where run = any (touched) and symbol = of_symbol and interval = of_interval and state in ('expected', 'fetched');
    perform runs_end(touched);
end $$;
