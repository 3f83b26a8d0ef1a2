"""Reads all of transformed/ as one table, in one call, by DuckDB and by Polars, and prints what each found."""

import json
import sys

import duckdb
import polars

COLUMNS = ["symbol", "interval", "time", "open", "high", "low", "close", "volume", "has_volume", "is_filled"]


def by_duckdb(folder):
    candles = duckdb.sql(f"select * from read_csv('{folder}/**/*.csv', hive_partitioning = false)")
    volumes = "count(*), count(*) filter (where has_volume), sum(volume) filter (where has_volume)"
    return candles.columns, list(duckdb.sql(f"select {volumes}, count(distinct symbol) from candles").fetchall()[0])


def by_polars(folder):
    table = polars.scan_csv(f"{folder}/**/*.csv", infer_schema_length=None, schema_overrides={"time": polars.String}).collect()
    known = table.filter("has_volume")
    return table.columns, [len(table), len(known), known["volume"].sum(), table["symbol"].n_unique()]


def main(folder):
    for read in (by_duckdb, by_polars):
        columns, found = read(folder)
        assert columns == COLUMNS, columns
        print(json.dumps([float(number) for number in found]))


main(sys.argv[1])
