"""Candles of a Candlewick store as data frames.

The functions use the store that the environment names. `Store` names another one, and `candlewick.aio` has the same
functions for asyncio.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from candlewick.errors import CandlewickError, NotFoundError, SettingsError, UnfitFrameError
from candlewick.frames import Candles
from candlewick.settings import Settings
from candlewick.store import Moment, Source, Store

__all__ = [
    "Candles",
    "CandlewickError",
    "NotFoundError",
    "Settings",
    "SettingsError",
    "Store",
    "UnfitFrameError",
    "candles",
    "drop",
    "events",
    "gaps",
    "lineage",
    "quality",
    "series",
    "wait_fresh",
]


def candles(
    symbols: str | Iterable[str],
    interval: str,
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    as_of: Moment | None = None,
    source: Source | None = None,
) -> Candles:
    """The candles of one or several symbols, from `start` to `end` inclusive, ordered by symbol and time.

    With `as_of` they are the candles as they were at that moment, whatever was loaded since.
    """
    return Store().candles(symbols, interval, start, end, as_of=as_of, source=source)


def series() -> list[dict[str, Any]]:
    """An overview of every series: its candles, its first and last time, how late it is."""
    return Store().series()


def gaps(symbol: str, interval: str, start: Moment | None = None, end: Moment | None = None) -> list[dict[str, Any]]:
    """The vacant slots of a series that were left vacant."""
    return Store().gaps(symbol, interval, start, end)


def quality(symbol: str, interval: str, days: int = 90) -> dict[str, Any]:
    """Expected, actual and filled candles of each session of a series."""
    return Store().quality(symbol, interval, days)


def lineage(symbol: str, interval: str, time: Moment) -> dict[str, Any]:
    """Where a candle comes from: the raw object, the transformed object and the load, with their times."""
    return Store().lineage(symbol, interval, time)


def wait_fresh(series: Iterable[tuple[str, str]], by: float = 300.0) -> None:
    """Waits until no candle of these series (symbol, interval) is due. Raises `TimeoutError` after `by` seconds."""
    Store().wait_fresh(series, by)


def events(
    after: int | None = None, *, symbol: str | None = None, interval: str | None = None, follow: bool = True
) -> Iterator[dict[str, Any]]:
    """What loads changed: one event per load, and the loads of a series in their order. See `Store.events`."""
    return Store().events(after, symbol=symbol, interval=interval, follow=follow)


def drop(frame: Any, symbol: str, interval: str, *, replace: bool = False) -> list[str]:
    """Writes a frame to `raw/`, from where it is cleaned and loaded like any other file. Returns the keys."""
    return Store().drop(frame, symbol, interval, replace=replace)
