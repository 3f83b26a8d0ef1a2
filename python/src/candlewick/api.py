"""Reads the API of the dashboard."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pyarrow as pa

from candlewick.errors import CandlewickError, NotFoundError
from candlewick.settings import Settings

#: The longest silence of the API, in seconds. A stream of events has a sign of life every 15 seconds.
PATIENCE = 60.0

_NOT_FOUND = 404


class Api:
    """The API at the address in the settings."""

    def __init__(self, settings: Settings) -> None:
        """Uses the address and the token of the settings."""
        self._base = settings.required("dashboard_url").rstrip("/") + "/api/v1"
        self._token = settings.token

    def series_path(self, symbol: str, interval: str) -> str:
        """The path of a series."""
        return f"/series/{quote(symbol, safe='')}/{quote(interval, safe='')}"

    def json(self, path: str, **query: Any) -> Any:
        """A JSON response."""
        with self._open(path, query) as response:
            return json.load(response)

    def rows(self, path: str) -> list[dict[str, Any]]:
        """All rows of a list with pages."""
        rows: list[dict[str, Any]] = []
        after = None
        while True:
            page = self.json(path, limit=1000, after=after)
            rows.extend(page["rows"])
            after = page["next"]
            if after is None:
                return rows

    def table(self, path: str, **query: Any) -> pa.Table:
        """A table that is read while it arrives."""
        with self._open(path, query) as response, pa.ipc.open_stream(response) as reader:
            return reader.read_all()

    def events(self, timeout: float) -> Iterator[dict[str, Any]]:
        """The events of the store as they happen, and an empty one when the stream is open."""
        with self._open("/events", {}, timeout) as response:
            for line in response:
                if line.startswith(b"data:"):
                    yield json.loads(line[len(b"data:") :])
                elif line.startswith(b":"):
                    yield {}

    def _open(self, path: str, query: Mapping[str, Any], timeout: float = PATIENCE) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        address = f"{self._base}{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            return urlopen(Request(address, headers=headers), timeout=timeout)
        except HTTPError as error:
            kind = NotFoundError if error.code == _NOT_FOUND else CandlewickError
            raise kind(_detail(error)) from error
        except URLError as error:
            message = f"{address} does not answer: {error.reason}"
            raise CandlewickError(message) from error


def _detail(error: HTTPError) -> str:
    """The detail of a problem response."""
    try:
        return f"{error.url}: {json.load(error)['detail']}"
    except (ValueError, KeyError):
        return f"{error.url}: {error.code} {error.reason}"
