-- What series lost: a row for each load that left a series with fewer real candles than it had, written in the load's
-- transaction. The notifier judges each once, so that no loss goes untold because somebody died after the commit.

create table lost_candles (
    id bigint generated always as identity primary key,
    -- The object whose new version took them away.
    object_id bigint not null references objects (id) on delete cascade,
    -- Who said what that version says; null where nobody says.
    source text,
    raw_key text,
    raw_etag text,
    -- The raw object that the version before was made from.
    raw_etag_before text,
    -- How many real candles are gone, or filled ones now, and how many the series had.
    candles bigint not null,
    of_candles bigint not null,
    -- The first and the last of them.
    first_time timestamptz not null,
    last_time timestamptz not null,
    -- When, by Candlewick's clock.
    lost_at timestamptz not null,
    is_judged boolean not null default false
);

create index lost_candles_open on lost_candles (id) where not is_judged;
create index lost_candles_at on lost_candles (lost_at);
create index lost_candles_object on lost_candles (object_id);
