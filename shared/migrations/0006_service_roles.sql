-- What each service may do in the database. A service logs in as a member of its group; only the owner, who migrates,
-- changes the schema. A later migration that makes a table says who may use it.

do $$
declare
    service text;
begin
    foreach service in array array['ingest_service', 'loader_service', 'notifier_service'] loop
        begin
            if not exists (select from pg_roles where rolname = service) then
                execute format('create role %I nologin', service);
            end if;
        exception
            -- Another database of the same server made it at the same moment.
            when duplicate_object or unique_violation then null;
        end;
    end loop;
end
$$;

-- PostgreSQL 14 and older let everybody create tables here.
revoke create on schema public from public;
grant usage on schema public to ingest_service, loader_service, notifier_service;

-- Temporary tables are for the loader, which stages candles in one.
do $$
begin
    execute format('revoke temporary on database %I from public', current_database());
    execute format('grant temporary on database %I to loader_service', current_database());
end
$$;

-- Runs: ingest lays them out, the loader and the notifier settle series and end them (migrations 0002 and 0005).
grant select, insert, update on runs to ingest_service, loader_service, notifier_service;
grant select, insert, update, delete on run_series, run_objects to ingest_service, loader_service, notifier_service;
grant select on run_progress to ingest_service, loader_service, notifier_service;

-- Ingest and the notifier, which call the internet, read the ledger and never write to it or to the candles.
grant select on objects to ingest_service, notifier_service;

-- The loader alone writes candles and what is known of them.
grant select, insert, update, delete on objects, candles, shadowed_candles, instruments, quality to loader_service;

grant select on candles, quality, instruments to notifier_service;
grant select, insert, update, delete on alerts, alert_events, alert_deliveries to notifier_service;

-- The dashboard reads the tables that it was granted, and not every table to come.
alter default privileges in schema public revoke select on tables from dashboard_readonly;
