-- Runs that are requested by the API: what was requested, who may request one, and a notice of each step of a series.

alter table runs
    -- What the API was asked for, sorted and without duplicates; empty means everything. Null: the run has another origin.
    add column symbols text[],
    add column intervals text[],
    -- Why, in the words of the request.
    add column reason text;

-- Records a requested run. Returns what is to be done: 'send' its message, because no service has begun it; nothing,
-- because it is 'known'; or nothing, because the name 'differs' in what was requested by it before.
--
-- The dashboard, which can only read otherwise, calls this with the rights of the owner.
create function run_request(of_run text, requested timestamptz, of_symbols text[], of_intervals text[], of_reason text)
returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
    known runs;
begin
    insert into runs (id, kind, requested_at, is_whole, symbols, intervals, reason)
        values (of_run, 'manual', requested, cardinality(of_symbols) = 0 and cardinality(of_intervals) = 0, of_symbols,
                of_intervals, of_reason)
        on conflict do nothing;
    select * into known from runs where id = of_run;
    if known.symbols <> of_symbols or known.intervals <> of_intervals then
        return 'differs';
    end if;
    return case when known.started_at is null and known.ended_at is null then 'send' else 'known' end;
end $$;

revoke execute on function run_request(text, timestamptz, text[], text[], text) from public;
grant execute on function run_request(text, timestamptz, text[], text[], text) to dashboard_readonly;

-- A notice of each step of a series, and when no other series will be added. The end of a run has a notice of its own
-- (migration 0002).
create function notify_run(of_run text) returns void language sql as $$
    select pg_notify('candlewick', json_build_object('kind', 'run', 'run', of_run)::text)
$$;

create function notify_run_series() returns trigger language plpgsql as $$
begin
    perform notify_run(new.run);
    return null;
end
$$;

create trigger run_series_told after update on run_series for each row when (new.state is distinct from old.state)
    execute function notify_run_series();

create function notify_run_laid_out() returns trigger language plpgsql as $$
begin
    perform notify_run(new.id);
    return null;
end
$$;

create trigger runs_laid_out_told after update on runs for each row when (new.is_laid_out and not old.is_laid_out)
    execute function notify_run_laid_out();

-- For the rows that the loads of a run changed.
create index loads_run on loads (run, symbol, interval) where run is not null;
