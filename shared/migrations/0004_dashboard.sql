-- What the dashboard needs: a role that can only read, and a word when something is loaded or the owner is told something.

do $$
begin
    if not exists (select from pg_roles where rolname = 'dashboard_readonly') then
        create role dashboard_readonly nologin;
    end if;
exception
    -- Another database of the same server made it at the same moment.
    when duplicate_object or unique_violation then null;
end
$$;

-- The dashboard connects as whoever owns the schema and takes the role on: from then on it can only read.
grant dashboard_readonly to current_user;
grant usage on schema public to dashboard_readonly;
grant select on all tables in schema public to dashboard_readonly;
-- Tables of later versions are read by it too; what it must not see is to be taken back by the version that makes it.
alter default privileges in schema public grant select on tables to dashboard_readonly;
revoke all on _sqlx_migrations, alert_deliveries from dashboard_readonly;

create function notify_loaded() returns trigger language plpgsql as $$
begin
    perform pg_notify('candlewick', json_build_object('kind', 'loaded', 'symbol', new.symbol, 'interval', new.interval,
                                                      'key', new.key)::text);
    return null;
end
$$;

-- The notice goes out when the transaction commits, so that whoever hears it finds the rows.
create trigger objects_loaded after update on objects for each row
    when (new.loaded_at is distinct from old.loaded_at or new.error is distinct from old.error)
    execute function notify_loaded();

create function notify_alert() returns trigger language plpgsql as $$
begin
    perform pg_notify('candlewick', json_build_object('kind', 'alert')::text);
    return null;
end
$$;

create trigger alerts_told after insert or update on alerts for each statement execute function notify_alert();

-- The ledger in the order in which objects were loaded, newest first.
create index objects_loaded_at on objects (loaded_at desc nulls last);
