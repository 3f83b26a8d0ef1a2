"""A store and what it has."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from candlewick import database, raw
from candlewick.api import PATIENCE, Api
from candlewick.bucket import Bucket
from candlewick.errors import CandlewickError, SettingsError
from candlewick.frames import SCHEMA, Candles
from candlewick.settings import Settings

#: Where candles come from.
Source = Literal["api", "s3", "sql"]

#: A date, an instant, or the text of one. A time without an offset is UTC. A date as an end includes its whole day.
Moment = str | date | datetime

_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

#: The most symbols in one request to the API.
_AT_ONCE = 100

#: The events of loads in the API, and how long it may hold an answer back.
_EVENTS = "/events/loaded"
_WAIT = "30s"


class Store:
    """A store of Candlewick."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Uses these settings, or those that `Settings.find` finds."""
        self.settings = settings or Settings.find()

    def candles(
        self,
        symbols: str | Iterable[str],
        interval: str,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        as_of: Moment | None = None,
        source: Source | None = None,
    ) -> Candles:
        """The candles of one or several symbols, from `start` to `end` inclusive, ordered by symbol and time.

        Without a `source` it is the first of API, S3 and SQL whose address is known.

        With `as_of` they are the candles as they were at that moment, whatever was loaded since; a date means its end.
        The bucket has present candles only.
        """
        names = sorted({symbols} if isinstance(symbols, str) else set(symbols))
        if not names:
            return Candles(SCHEMA.empty_table())
        first, last = _first(start), _last(end)
        moment = None if as_of is None else _last(as_of)
        match source or self._source():
            case "api":
                table = self._from_api(names, interval, start and first, end and last, moment)
            case "s3" if moment:
                message = "as_of needs the history in the database: use source='api' or 'sql'"
                raise CandlewickError(message)
            case "s3":
                bounds = (pc.field("time") >= pa.scalar(first)) & (pc.field("time") <= pa.scalar(last))
                table = Bucket(self.settings).candles([(name, interval) for name in names], bounds)
            case "sql":
                table = database.candles(self.settings, names, interval, first, last, as_of=moment)
            case other:
                message = f"{other!r} is no source: there are 'api', 's3' and 'sql'"
                raise CandlewickError(message)
        return Candles(table)

    def series(self) -> list[dict[str, Any]]:
        """An overview of every series: its candles, its first and last time, how late it is."""
        return self._api().rows("/series")

    def gaps(
        self, symbol: str, interval: str, start: Moment | None = None, end: Moment | None = None
    ) -> list[dict[str, Any]]:
        """The vacant slots of a series that were left vacant, the first thousand of the range."""
        api = self._api()
        bounds = {"from": _text(start), "to": _text(end)}
        found: list[dict[str, Any]] = api.json(f"{api.series_path(symbol, interval)}/gaps", **bounds)
        return found

    def quality(self, symbol: str, interval: str, days: int = 90) -> dict[str, Any]:
        """Expected, actual and filled candles of each session of a series in the last days."""
        api = self._api()
        found: dict[str, Any] = api.json(f"{api.series_path(symbol, interval)}/sessions", days=days)
        return found

    def lineage(self, symbol: str, interval: str, time: Moment) -> dict[str, Any]:
        """Where a candle comes from: the raw object, the transformed object and the load, with their times."""
        api = self._api()
        found: dict[str, Any] = api.json(f"{api.series_path(symbol, interval)}/lineage", time=_text(time))
        return found

    def wait_fresh(self, series: Iterable[tuple[str, str]], by: float = 300.0) -> None:
        """Waits until no candle of these series (symbol, interval) is due.

        It listens to the events of the store, and looks again at what they are about. Raises `TimeoutError` after `by`
        seconds.
        """
        api = self._api()
        deadline = time.monotonic() + by
        waiting = set(series)
        while waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                names = ", ".join(f"{symbol} {interval}" for symbol, interval in sorted(waiting))
                message = f"not fresh after {by:g} seconds: {names}"
                raise TimeoutError(message)
            waiting = _look(api, waiting, deadline)

    def events(
        self, after: int | None = None, *, symbol: str | None = None, interval: str | None = None, follow: bool = True
    ) -> Iterator[dict[str, Any]]:
        """What loads changed: one event per load, and the loads of a series in their order.

        It begins after the cursor `after`; 0 is before the first event that is kept, and without a cursor only events
        from now on are read. It goes on with events as they happen, unless `follow` is false.

        Each event has a `cursor` from which a later call can go on. An event that is read twice has the same `id`.
        """
        api = self._api()
        selection = {"symbol": symbol, "interval": interval}
        if after is None:
            after = api.json(_EVENTS, **selection)["next"]
        return _follow(api, after, selection, follow=follow)

    def drop(self, frame: Any, symbol: str, interval: str, *, replace: bool = False) -> list[str]:
        """Writes a frame to `raw/`, from where it is cleaned and loaded like any other file. Returns the keys.

        The frame replaces the whole object: the series, or the month of an intraday series. It is therefore refused if
        there is one already, unless `replace` is true.
        """
        objects = raw.objects(frame, symbol, interval)
        bucket = Bucket(self.settings)
        for key in objects:
            if not replace and bucket.exists(key):
                message = f"{key} exists: replace=True replaces all of its candles"
                raise CandlewickError(message)
        for key, body in objects.items():
            bucket.put(key, body)
        return list(objects)

    def _api(self) -> Api:
        return Api(self.settings)

    def _source(self) -> Source:
        if self.settings.dashboard_url:
            return "api"
        if self.settings.bucket:
            return "s3"
        if self.settings.database_url:
            return "sql"
        message = "no store: start one with `candlewick up`, or set DASHBOARD_URL, BUCKET or DATABASE_URL"
        raise SettingsError(message)

    def _from_api(
        self,
        symbols: list[str],
        interval: str,
        first: Moment | None,
        last: Moment | None,
        as_of: Moment | None,
    ) -> pa.Table:
        api = self._api()
        bounds = {"from": _text(first), "to": _text(last), "as_of": _text(as_of)}
        pages = (symbols[at : at + _AT_ONCE] for at in range(0, len(symbols), _AT_ONCE))
        tables = [api.table("/candles.arrow", symbols=",".join(page), interval=interval, **bounds) for page in pages]
        return pa.concat_tables(tables).unify_dictionaries()


def _follow(api: Api, cursor: int, selection: dict[str, str | None], *, follow: bool) -> Iterator[dict[str, Any]]:
    """The events after a cursor, and with `follow` those to come."""
    wait = _WAIT if follow else None
    while True:
        page = api.json(_EVENTS, after=cursor, wait=wait, **selection)
        yield from page["events"]
        cursor = page["next"]
        if not (follow or page["is_more"]):
            return


def _look(api: Api, waiting: set[tuple[str, str]], deadline: float) -> set[tuple[str, str]]:
    """Those that are not fresh yet, at the next event that may have changed it."""
    left = max(deadline - time.monotonic(), 0.1)
    try:
        for _ in api.events(timeout=min(left, PATIENCE)):
            waiting = {series for series in waiting if _state(api, series) != "fresh"}
            if not waiting or time.monotonic() > deadline:
                break
    except TimeoutError:
        # Nothing was said until then.
        pass
    return waiting


def _state(api: Api, series: tuple[str, str]) -> str:
    return str(api.json(api.series_path(*series))["state"])


def _text(moment: Moment | None) -> str | None:
    """A moment in the form of the API."""
    if isinstance(moment, datetime):
        at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return moment.isoformat() if isinstance(moment, date) else moment


def _first(moment: Moment | None) -> datetime:
    return _FIRST if moment is None else _parsed(moment)[0]


def _last(moment: Moment | None) -> datetime:
    return _LAST if moment is None else _parsed(moment)[1]


def _parsed(moment: Moment) -> tuple[datetime, datetime]:
    """The first and the last instant of a moment."""
    value = _of_text(moment) if isinstance(moment, str) else moment
    if isinstance(value, datetime):
        instant = value if value.tzinfo else value.replace(tzinfo=UTC)
        return instant, instant
    day = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return day, day + timedelta(days=1) - timedelta(microseconds=1)


def _of_text(text: str) -> date | datetime:
    try:
        return date.fromisoformat(text) if len(text) == len("2024-12-30") else datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no time: write a date such as 2024-12-30, or an instant such as 2024-12-30T14:30:00Z"
        raise CandlewickError(message) from error
