"""Compares ways to read a series into an Arrow table, with a store that `candlewick up` runs.

python3 benches/columns.py SYMBOL INTERVAL FILE.parquet

FILE is what `candlewick export --symbol SYMBOL --interval INTERVAL --out FILE.parquet` wrote. Needs the package `candlewick` with
its extra `sql`.
"""

import sys
import time

import pyarrow.parquet

import candlewick


def seconds(read, times=3):
    """The time of the fastest of several runs."""
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        rows = len(read())
        best = min(best, time.perf_counter() - began)
    return best, rows


def main(symbol, interval, file):
    local, rows = seconds(lambda: pyarrow.parquet.read_table(file))
    print(f"{rows} rows; {file} is read in 1.00")
    for source in ("s3", "api", "sql"):
        took, found = seconds(lambda: candlewick.candles(symbol, interval, source=source))
        assert found == rows, (source, found)
        print(f"{source}: {took / local:.2f} of its time")


main(*sys.argv[1:])
