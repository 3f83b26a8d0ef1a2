"""The connection to the API of a Candlewick dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from candlewick_provider.api import WAIT_SECONDS, Store, run_path, series_path

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The most series of one answer.
PAGE = 1000


class CandlewickHook(BaseHook):
    """Requests runs and reads what became of them.

    The connection has the address of the dashboard as its host (and port, and ``https`` as its schema), and the write
    token (``DASHBOARD_WRITE_TOKEN``) as its password.
    """

    conn_name_attr = "candlewick_conn_id"
    default_conn_name = "candlewick_default"
    conn_type = "candlewick"
    hook_name = "Candlewick"

    def __init__(self, candlewick_conn_id: str = default_conn_name) -> None:
        """The store of this connection."""
        super().__init__()
        self.candlewick_conn_id = candlewick_conn_id

    def store(self) -> Store:
        """Where the store is."""
        return store_of(self.get_connection(self.candlewick_conn_id))

    def request_run(
        self, run: str, symbols: Sequence[str] = (), intervals: Sequence[str] = (), reason: str | None = None
    ) -> dict[str, Any]:
        """Requests a run. The same id again is the same run, and spends no second credit."""
        body = {"id": run, "symbols": list(symbols), "intervals": list(intervals), "reason": reason}
        return self._ask("POST", "/api/v1/runs", json=body)

    def run(self, run: str, wait: int = 0) -> dict[str, Any]:
        """A run; the answer comes when it has ended, or after so many seconds."""
        return self._ask("GET", run_path(run), params={"wait": f"{wait}s"})

    def series(self, run: str, symbol: str | None = None) -> list[dict[str, Any]]:
        """The series of a run, and what became of each."""
        params: dict[str, Any] = {"limit": PAGE}
        if symbol is not None:
            params["symbol"] = symbol
        return self._rows(series_path(run), params)

    def has_reached(self, run: str, symbol: str | None, until: str, wait: int = WAIT_SECONDS) -> bool:
        """Waits so many seconds for the series of a run, and says whether all have got as far as that."""
        params: dict[str, Any] = {"limit": PAGE, "until": until, "wait": f"{wait}s"}
        if symbol is not None:
            params["symbol"] = symbol
        page: dict[str, Any] = {"next": 0, "complete": True}
        while page["complete"] and page["next"] is not None:
            page = self._ask("GET", series_path(run), params={**params, "after": page["next"]})
        return bool(page["complete"])

    def symbols(self, group: str | None = None) -> list[str]:
        """The symbols of the store and of its watchlist, or those of a group of the watchlist."""
        params: dict[str, Any] = {"limit": PAGE}
        if group is not None:
            params["group"] = group
        return sorted({row["symbol"] for row in self._rows("/api/v1/series", params)})

    def overview(self, symbol: str, interval: str) -> dict[str, Any]:
        """What the store has of a series, and whether a candle is late."""
        return self._ask("GET", f"/api/v1/series/{quote(symbol, safe='')}/{interval}")

    def test_connection(self) -> tuple[bool, str]:
        """Whether the dashboard answers."""
        try:
            self._ask("GET", "/api/v1/health")
        except AirflowException as error:
            return False, str(error)
        return True, "the dashboard answers"

    def _rows(self, path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next": 0}
        while page["next"] is not None:
            page = self._ask("GET", path, params={**params, "after": page["next"]})
            rows += page["rows"]
        return rows

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        store = self.store()
        try:
            with httpx.Client(base_url=store.url, headers=store.headers(), timeout=WAIT_SECONDS + 30) as client:
                return answer(client.request(method, path, **request))
        except httpx.HTTPError as error:
            # Airflow tries again; the same id makes that harmless.
            msg = f"the dashboard at {store.url} does not answer: {error}"
            raise AirflowException(msg) from error


def store_of(connection: Any) -> Store:
    """Where the store of a connection is. The host may be a whole URL."""
    host = connection.host or "127.0.0.1"
    url = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    port = f":{connection.port}" if connection.port else ""
    return Store(f"{url.rstrip('/')}{port}", connection.password)


def answer(response: httpx.Response) -> dict[str, Any]:
    """The JSON of an answer. What no repetition would change fails the task at once."""
    if response.is_success:
        answered: dict[str, Any] = response.json()
        return answered
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.text[:200]
    msg = f"{response.request.method} {response.request.url.path}: {response.status_code}: {detail}"
    # 429 and 5xx pass.
    is_lasting = httpx.codes.BAD_REQUEST <= response.status_code < httpx.codes.TOO_MANY_REQUESTS
    raise AirflowFailException(msg) if is_lasting else AirflowException(msg)
