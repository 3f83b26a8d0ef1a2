"""The same functions for asyncio. Each call runs on a thread, so that it blocks no other task."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from candlewick.frames import Candles
from candlewick.settings import Settings
from candlewick.store import Moment, Source, Store


class AsyncStore:
    """A store of Candlewick for asyncio."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Uses these settings, or those that `Settings.find` finds."""
        self._store = Store(settings)

    async def candles(
        self,
        symbols: str | Iterable[str],
        interval: str,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
        source: Source | None = None,
    ) -> Candles:
        """As `Store.candles`."""
        return await asyncio.to_thread(self._store.candles, symbols, interval, start, end, as_of=as_of, source=source)

    async def series(self) -> list[dict[str, Any]]:
        """As `Store.series`."""
        return await asyncio.to_thread(self._store.series)

    async def gaps(
        self, symbol: str, interval: str, start: Moment | None = None, end: Moment | None = None
    ) -> list[dict[str, Any]]:
        """As `Store.gaps`."""
        return await asyncio.to_thread(self._store.gaps, symbol, interval, start, end)

    async def quality(self, symbol: str, interval: str, days: int = 90) -> dict[str, Any]:
        """As `Store.quality`."""
        return await asyncio.to_thread(self._store.quality, symbol, interval, days)

    async def lineage(self, symbol: str, interval: str, time: Moment) -> dict[str, Any]:
        """As `Store.lineage`."""
        return await asyncio.to_thread(self._store.lineage, symbol, interval, time)

    async def wait_fresh(self, series: Iterable[tuple[str, str]], by: float = 300.0) -> None:
        """As `Store.wait_fresh`."""
        await asyncio.to_thread(self._store.wait_fresh, series, by)

    async def events(
        self, after: int | None = None, *, symbol: str | None = None, interval: str | None = None, follow: bool = True
    ) -> AsyncIterator[dict[str, Any]]:
        """As `Store.events`; from now on is from the first step of the iteration."""
        events = await asyncio.to_thread(self._store.events, after, symbol=symbol, interval=interval, follow=follow)
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield event

    async def drop(self, frame: Any, symbol: str, interval: str, *, replace: bool = False) -> list[str]:
        """As `Store.drop`."""
        return await asyncio.to_thread(self._store.drop, frame, symbol, interval, replace=replace)
