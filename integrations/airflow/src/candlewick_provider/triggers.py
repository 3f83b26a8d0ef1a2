"""Waits for a run in the triggerer, by long polls. No worker slot is held, and another triggerer can go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from candlewick_provider.api import WAIT_SECONDS, series_path
from candlewick_provider.hook import PAGE, CandlewickHook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: How long to wait after a request that failed, at first and at most.
FIRST_PAUSE, LONGEST_PAUSE = 1, 30


class RunTrigger(BaseTrigger):
    """Fires when the series of a run are settled, or have got as far as a stage."""

    def __init__(self, run: str, candlewick_conn_id: str, symbol: str | None = None, until: str = "loaded") -> None:
        """`symbol` limits it to the series of one symbol; `until` is `fetched`, `transformed` or `loaded`."""
        super().__init__()
        self.run_name = run
        self.candlewick_conn_id = candlewick_conn_id
        self.symbol = symbol
        self.until = until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """All that another triggerer needs to go on."""
        arguments = {
            "run": self.run_name,
            "candlewick_conn_id": self.candlewick_conn_id,
            "symbol": self.symbol,
            "until": self.until,
        }
        return "candlewick_provider.triggers.RunTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Asks until every page of the answer is complete. A dashboard that is away for a while only delays it."""
        store = await sync_to_async(CandlewickHook(self.candlewick_conn_id).store)()
        pause = FIRST_PAUSE
        after: int | None = 0
        async with httpx.AsyncClient(base_url=store.url, headers=store.headers(), timeout=WAIT_SECONDS + 30) as client:
            while after is not None:
                response = await self._ask(client, after)
                if response is None or response.status_code >= httpx.codes.TOO_MANY_REQUESTS:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                elif response.is_success:
                    pause = FIRST_PAUSE
                    page = response.json()
                    after = page["next"] if page["complete"] else after
                else:
                    yield TriggerEvent(
                        {"run": self.run_name, "error": f"{response.status_code}: {response.text[:500]}"}
                    )
                    return
        yield TriggerEvent({"run": self.run_name, "error": None})

    async def _ask(self, client: httpx.AsyncClient, after: int) -> httpx.Response | None:
        params: dict[str, Any] = {"until": self.until, "wait": f"{WAIT_SECONDS}s", "limit": PAGE, "after": after}
        if self.symbol is not None:
            params["symbol"] = self.symbol
        try:
            return await client.get(series_path(self.run_name), params=params)
        except httpx.HTTPError as error:
            self.log.warning("the dashboard does not answer, and is asked again: %s", error)
            return None
