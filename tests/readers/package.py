"""Uses the package `candlewick` against a running store, as a person does."""

import asyncio
import sys
from datetime import datetime, timezone
from decimal import Decimal

import pyarrow as pa

import candlewick
from candlewick.aio import AsyncStore

BOTH = ["READ/USD", "AAPL"]
PRICES = ("open", "high", "low", "close")


def refused(kind, words, call):
    try:
        call()
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError(f"not refused: {words}")


def sources_agree():
    by = {source: candlewick.candles(BOTH, "1day", source=source) for source in ("api", "s3", "sql")}
    rows = by["api"].table.to_pylist()
    assert len(rows) > 1_000 and rows[0]["symbol"] == "AAPL" and rows[-1]["symbol"] == "READ/USD"
    assert rows[-2]["close"] == Decimal("1.30000000000000000007") and rows[-2]["volume"] is None
    for source, candles in by.items():
        assert candles.table.schema == by["api"].table.schema, source
        assert candles.table.to_pylist() == rows, source
    for source in by:
        some = candlewick.candles("AAPL", "1day", "2024-12-24", datetime(2024, 12, 27), source=source)
        days = [time.day for time in some.table["time"].to_pylist()]
        assert days == [24, 26, 27], (source, days)
        refused(candlewick.NotFoundError, "NOBODY", lambda: candlewick.candles("NOBODY", "1day", source=source))
    assert candlewick.candles(BOTH, "1day").table.to_pylist() == rows
    assert asyncio.run(AsyncStore().candles(BOTH, "1day")).table.to_pylist() == rows


def frames_have_the_numbers():
    candles = candlewick.candles("READ/USD", "1day", "2024-12-27")
    assert candles.to_arrow()["close"][0].as_py() == 2
    assert candles.to_polars()["close"][0] == 2 and candles.to_polars(floats=True)["close"].dtype.is_float()
    assert candles.to_pandas()["close"][0] == Decimal(2) and candles.to_pandas(floats=True)["close"].sum() == 2.0
    assert candles.to_duckdb().aggregate("sum(close)").fetchall() == [(Decimal(2),)]


def what_is_known_of_series():
    overview = {(row["symbol"], row["interval"]): row for row in candlewick.series()}
    assert overview["READ/USD", "1day"]["candles"] == 3
    assert isinstance(candlewick.gaps("AAPL", "1day"), list)
    assert candlewick.quality("AAPL", "1day", days=10)["calendar"]
    assert candlewick.lineage("READ/USD", "1day", "2024-12-26")["object"]["raw_key"].startswith("raw/interval=1day/")
    candlewick.wait_fresh([("AAPL", "1day")], by=100)
    refused(candlewick.NotFoundError, "NOBODY", lambda: candlewick.wait_fresh([("NOBODY", "1day")]))


def loads_are_told():
    whole = list(candlewick.events(0, symbol="READ/USD", follow=False))
    assert whole and whole[-1]["data"]["rows"]["total"] == 3, whole
    assert list(candlewick.events(whole[-1]["cursor"], symbol="READ/USD", follow=False)) == []
    news = candlewick.events(symbol="PY/EVENT")
    frame = pa.table({"time": pa.array([datetime(2024, 12, 2)], pa.timestamp("us"))} | dict.fromkeys(PRICES, pa.array([1.5])))
    candlewick.drop(frame, "PY/EVENT", "1day")
    event = next(news)
    assert event["type"] == "candles.loaded" and event["data"]["rows"]["added"] == 1, event
    assert (event["data"]["from"], event["data"]["to"], event["data"]["run"]) == ("2024-12-02", "2024-12-02", None), event

    async def first():
        async for event in AsyncStore().events(0, symbol="PY/EVENT"):
            return event

    assert asyncio.run(first()) == event
    refused(candlewick.CandlewickError, "begin with 0", lambda: candlewick.events(10**12, follow=False).__next__())


def frames_are_dropped():
    times = pa.array([datetime(2024, 12, 2, 14, 30, tzinfo=timezone.utc), datetime(2024, 11, 4, 14, 30)], pa.timestamp("us"))
    numbers = pa.array([Decimal("1.10"), Decimal("2.00000000000000000001")])
    frame = pa.table({"time": times} | {name: numbers for name in PRICES})
    keys = candlewick.drop(frame, "PY/DROP", "1min")
    assert sorted(keys) == [f"raw/interval=1min/symbol=PY%2FDROP/2024-{month}.csv" for month in (11, 12)], keys
    refused(candlewick.CandlewickError, "replace=True", lambda: candlewick.drop(frame, "PY/DROP", "1min"))
    candlewick.drop(frame, "PY/DROP", "1min", replace=True)
    refused(candlewick.UnfitFrameError, "no column close", lambda: candlewick.drop(frame.drop(["close"]), "X", "1min"))


for check in (sources_agree, frames_have_the_numbers, what_is_known_of_series, loads_are_told, frames_are_dropped):
    check()
    print(f"{check.__name__}: ok")
assert sys.argv[1:] == []
