"""Compares an export in Parquet and Arrow with the same export in CSV, value by value, in each reader."""

import csv
import sys
from datetime import datetime, timezone
from decimal import Decimal

import duckdb
import polars
import pyarrow.feather
import pyarrow.parquet

NUMBERS = ["open", "high", "low", "close"]
NAMES = ["symbol", "interval", "time", *NUMBERS, "volume", "has_volume", "is_filled"]


def instant(text):
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def expected(path):
    """The rows of a CSV file. Python reads decimals exactly."""
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            known = row["has_volume"] == "true"
            yield (
                row["symbol"], row["interval"], instant(row["time"]), *(Decimal(row[name]) for name in NUMBERS),
                Decimal(row["volume"]) if known else None, known, row["is_filled"] == "true",
            )  # fmt: skip


def by_duckdb(path):
    duckdb.sql("set timezone = 'UTC'")
    columns = ", ".join(f"epoch_us({name}) as {name}" if name == "time" else name for name in NAMES)
    for row in duckdb.sql(f"select {columns} from read_parquet('{path}')").fetchall():
        yield (*row[:2], datetime.fromtimestamp(row[2] / 1_000_000, timezone.utc), *row[3:])


def by_arrow(table):
    assert table.column_names == NAMES, table.column_names
    assert str(table.schema.field("close").type) == "decimal128(38, 20)", table.schema
    return (tuple(row.values()) for row in table.to_pylist())


def by_polars(table):
    assert table.columns == NAMES, table.columns
    return table.iter_rows()


def main(csv_file, parquet, arrow):
    wanted = list(expected(csv_file))
    readers = {
        "duckdb, parquet": by_duckdb(parquet),
        "pyarrow, parquet": by_arrow(pyarrow.parquet.read_table(parquet)),
        "pyarrow, arrow": by_arrow(pyarrow.feather.read_table(arrow)),
        "polars, parquet": by_polars(polars.read_parquet(parquet)),
        "polars, arrow": by_polars(polars.read_ipc(arrow)),
    }
    for name, rows in readers.items():
        found = list(rows)
        different = [pair for pair in zip(wanted, found, strict=False) if pair[0] != pair[1]]
        assert len(wanted) == len(found) and not different, (name, len(wanted), len(found), different[:1])
        print(f"{name}: {len(found)} rows equal")


main(*sys.argv[1:])
