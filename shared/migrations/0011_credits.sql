-- The API credits of a day, as ingest counts them and the API reports them. The dashboard shows them.

create table credits (
    day date primary key,
    used bigint not null,
    -- The limits; null if the plan has no such limit.
    per_day bigint,
    per_minute bigint
);

-- Who may use it.
grant select, insert, update on credits to ingest_service;
grant select on credits to dashboard_readonly;
