-- The history of loads: a row for each load of an object, with what it changed. The dashboard shows it as what changed.

create table loads (
    id bigint generated always as identity primary key,
    object_id bigint not null references objects (id) on delete cascade,
    symbol text not null,
    interval text not null,
    etag text,
    run text,
    loaded_at timestamptz not null,
    rows_total bigint not null,
    rows_inserted bigint not null,
    rows_updated bigint not null,
    rows_unchanged bigint not null,
    rows_removed bigint not null
);

create index loads_at on loads (loaded_at);
create index loads_series on loads (symbol, interval, id);
create index loads_object on loads (object_id, loaded_at);

-- Notes a load, in its transaction. An object's loads are kept for 90 days.
create function note_load() returns trigger language plpgsql as $$
begin
    insert into loads (object_id, symbol, interval, etag, run, loaded_at, rows_total, rows_inserted, rows_updated,
                       rows_unchanged, rows_removed)
    values (new.id, new.symbol, new.interval, new.etag, new.run, new.loaded_at, new.rows_total, new.rows_inserted,
            new.rows_updated, new.rows_unchanged, new.rows_removed);
    delete from loads where object_id = new.id and loaded_at < new.loaded_at - interval '90 days';
    return null;
end
$$;

create trigger objects_noted after update on objects for each row
    when (new.loaded_at is distinct from old.loaded_at and new.loaded_at is not null and new.error is null)
    execute function note_load();

-- Who may use it.
grant select, insert, delete on loads to loader_service;
grant select on loads, lost_candles to dashboard_readonly;
