"""The cleaning with DuckDB, as somebody who knows it well would write it: SQL from the files to the files."""

import os
import pathlib
import sys

import duckdb

MAX_FILL = 3

COLUMNS = "{'datetime': '%s', 'open': 'DOUBLE', 'high': 'DOUBLE', 'low': 'DOUBLE', 'close': 'DOUBLE', 'volume': 'BIGINT'}"

SLOTS = {
    "1day": "select date as time from read_csv('{sessions}')",
    "1min": "select unnest(range(open, close, interval 1 minute)) as time from read_csv('{sessions}')",
}
TIME = {
    "1day": "datetime",
    "1min": "(datetime at time zone 'America/New_York') at time zone 'UTC'",
}
TEXT = {"1day": "time", "1min": "strftime(time, '%Y-%m-%dT%H:%M:%SZ')"}

# Every row is sorted once, by its slot and its volume: of rows of one slot the last is the one with the most volume, and the
# slot of the next row tells how many vacant ones lie between.
CLEAN = """
with slots as (select row_number() over (order by time) as slot, time from ({slots})),
rows as (
    select {symbol} as symbol, {time} as time, open, high, low, close, volume
    from read_csv({files}, columns = {columns}, header = true, delim = ',', quote = '"', filename = {filename})
    where datetime is not null
),
placed as (
    select symbol, slot, open, high, low, close, volume,
        lead(slot) over (partition by symbol order by slot, volume) as next
    from rows join slots using (time)
),
spread as (
    select *, unnest(range(slot, case when next - slot <= {most} + 1 then next else slot + 1 end)) as place
    from placed where next is null or next > slot
)
select symbol, '{interval}' as interval, {text} as time,
    case when place = spread.slot then open else close end as open,
    case when place = spread.slot then high else close end as high,
    case when place = spread.slot then low else close end as low,
    close, case when place = spread.slot then volume else 0 end as volume, true as has_volume,
    place <> spread.slot as is_filled
from spread join slots on slots.slot = place order by {order}
"""


# The columns of Candlewick's Parquet.
COLUMNAR = """select symbol, interval, time::timestamptz as time, open::decimal(38, 20) as open, high::decimal(38, 20) as high,
    low::decimal(38, 20) as low, close::decimal(38, 20) as close, volume::decimal(38, 20) as volume, has_volume, is_filled
from clean"""
PARQUET = "format parquet, compression zstd, compression_level 1"


def main(interval, sessions, folder, *files):
    one = pathlib.Path(files[0]).parent.name.removeprefix("symbol=") if len(files) == 1 else None
    query = CLEAN.format(
        slots=SLOTS[interval].format(sessions=sessions),
        symbol=f"'{one}'" if one else "regexp_extract(filename, 'symbol=([^/]*)/', 1)",
        time=TIME[interval],
        text=TEXT[interval],
        files=list(files),
        filename="false" if one else "true",
        columns=COLUMNS % ("DATE" if interval == "1day" else "TIMESTAMP"),
        interval=interval,
        most=MAX_FILL,
        order="place" if one else "symbol, place",
    )
    database = duckdb.connect()
    if one:
        if "PARQUET" not in os.environ:
            database.execute(f"copy ({query}) to '{folder}/{one}.csv' (header)")
            return
        database.execute(f"create temp table clean as {query}")
        database.execute(f"copy clean to '{folder}/{one}.csv' (header)")
        database.execute(f"copy ({COLUMNAR}) to '{folder}/{one}.parquet' ({PARQUET})")
        return
    # Each thread writes files of its own, and a folder that is not kept open gets a second file: one thread, all folders.
    database.execute(f"create temp table clean as {query}")
    database.execute(f"set threads = 1; set partitioned_write_max_open_files = {len(files)}")
    options = "format csv, header, partition_by (symbol), write_partition_columns true, overwrite_or_ignore"
    database.execute(f"copy clean to '{folder}' ({options})")
    if "PARQUET" in os.environ:
        options = options.replace("format csv, header", PARQUET)
        database.execute(f"copy ({COLUMNAR}) to '{folder}/columnar' ({options})")


main(*sys.argv[1:])
