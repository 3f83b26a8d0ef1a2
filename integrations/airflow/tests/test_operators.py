"""What the tasks do with a run, on Airflow's own classes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from candlewick_provider.operators import SERIES, CandlewickRefreshOperator, CandlewickStageOperator
from candlewick_provider.sensors import CandlewickFreshSensor

if TYPE_CHECKING:
    from dashboard import Dashboard

RUN = {"id": "r", "state": "ended", "error": None}


class Events(dict[Any, Any]):
    """The events of assets that a task emitted."""

    def __missing__(self, _: object) -> Events:
        """The same events, whatever the alias."""
        return self

    def add(self, asset: Any, extra: dict[str, Any]) -> None:
        """Keeps an event."""
        self[asset.uri] = extra


def context(map_index: int = -1) -> dict[str, Any]:
    task = SimpleNamespace(dag_id="d", task_id="request", map_index=map_index)
    return {"ti": task, "run_id": "manual__1", "outlet_events": Events()}


def row(state: str, **more: Any) -> dict[str, Any]:
    counts = {"rows_new": 2, "rows_changed": 1, "rows_removed": 0}
    place = {"first": "2019-12-31", "last": "2024-12-30", "key": "transformed/x", "etag": "e"}
    told = {"reason": None, "next": None}
    return {"symbol": "AAPL", "interval": "1day", "state": state, **counts, **place, **told, **more}


def page(*rows: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, {"rows": list(rows), "next": None, "complete": True}


def test_the_id_comes_from_the_dag_run_whatever_the_attempt(dashboard: Dashboard) -> None:
    operator = CandlewickRefreshOperator(task_id="request", wait_for_completion=False)
    for _ in range(2):
        dashboard.answers.append((202, {"id": "r", "state": "waiting"}))
        assert operator.execute(context()) == "r"
    dashboard.answers.append((202, {"id": "r", "state": "waiting"}))
    operator.execute(context(map_index=3))
    ids = [body["id"] for *_, body in dashboard.asked]
    assert ids == ["d__manual__1__request", "d__manual__1__request", "d__manual__1__request.3"]


WAITING = 200, {"rows": [], "next": None, "complete": False}


def test_it_waits_in_the_triggerer(dashboard: Dashboard) -> None:
    dashboard.answers += [(202, {"id": "r", "state": "waiting"}), WAITING]
    with pytest.raises(TaskDeferred) as raised:
        CandlewickRefreshOperator(task_id="request").execute(context())
    _, arguments = raised.value.trigger.serialize()
    assert arguments == {"run": "r", "candlewick_conn_id": "candlewick_default", "symbol": None, "until": "loaded"}


def test_what_is_there_already_needs_no_trigger(dashboard: Dashboard) -> None:
    dashboard.answers += [page(row("loaded")), page(row("loaded")), (200, RUN)]
    operator = CandlewickStageOperator(task_id="load", run="r", symbol="AAPL", until="loaded")
    assert [found["state"] for found in operator.execute(context())] == ["loaded"]
    assert "wait=0s" in dashboard.asked[0][1], "a worker slot waits for nothing"


def test_without_a_triggerer_it_waits_in_its_slot(dashboard: Dashboard) -> None:
    dashboard.answers += [(202, {"id": "r", "state": "waiting"}), WAITING, WAITING, page(row("loaded"))]
    dashboard.answers += [page(row("loaded"), row("unchanged", symbol="MSFT")), (200, RUN)]
    where = context()
    rows = CandlewickRefreshOperator(task_id="request", deferrable=False).execute(where)
    assert len(rows) == 2
    extra = where["outlet_events"]["candlewick://series/1day/AAPL"]
    assert (extra["rows_new"], extra["last"], extra["etag"]) == (2, "2024-12-30", "e")
    assert len(where["outlet_events"]) == 1, "nothing was loaded for MSFT"


def test_a_failed_series_fails_the_task_with_its_reason_and_no_retry(dashboard: Dashboard) -> None:
    failed = row("failed", reason="no_candles: it is empty", next="candlewick refresh AAPL")
    dashboard.answers += [page(failed), (200, RUN)]
    operator = CandlewickStageOperator(task_id="extract", run="r", symbol="AAPL", until="fetched")
    with pytest.raises(AirflowFailException, match=r"no_candles: it is empty.*candlewick refresh AAPL"):
        operator.resume(context(), {"run": "r", "error": None}, "AAPL", "fetched")


def test_a_run_that_was_given_up_fails_the_task(dashboard: Dashboard) -> None:
    dashboard.answers += [page(), (200, {**RUN, "state": "failed", "error": "X is not on the watchlist"})]
    operator = CandlewickStageOperator(task_id="load", run="r", symbol="X", until="loaded")
    with pytest.raises(AirflowFailException, match="not on the watchlist"):
        operator.resume(context(), {"run": "r", "error": None}, "X", "loaded")
    with pytest.raises(AirflowFailException, match="there is no run"):
        operator.resume(context(), {"run": "r", "error": "404: there is no run r"}, "X", "loaded")


def test_only_loading_is_an_event_of_an_asset() -> None:
    stage = {"run": "r", "symbol": "AAPL"}
    assert CandlewickStageOperator(task_id="load", until="loaded", **stage).outlets == [SERIES]
    assert not CandlewickStageOperator(task_id="extract", until="fetched", **stage).outlets


@pytest.mark.parametrize(("state", "fresh"), [("fresh", True), ("due", True), ("late", False), ("empty", False)])
def test_the_sensor_looks_at_the_calendar_of_the_store(dashboard: Dashboard, state: str, fresh: bool) -> None:  # noqa: FBT001
    dashboard.answers.append((200, {"state": state, "last": "2024-12-30"}))
    sensor = CandlewickFreshSensor(task_id="fresh", symbol="BTC/USD")
    assert sensor.poke({}) is fresh
    assert sensor.mode == "reschedule"
    assert dashboard.asked[0][1] == "/api/v1/series/BTC%2FUSD/1day"
