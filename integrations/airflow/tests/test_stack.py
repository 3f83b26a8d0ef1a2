"""The example DAG on a real Airflow and a whole store. CANDLEWICK_PROGRAM names the built command."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stack import Airflow, Candlewick

PROGRAM = os.environ.get("CANDLEWICK_PROGRAM")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="CANDLEWICK_PROGRAM names no program")

DAG = "candlewick_daily"
GOOD = ["AAPL", "MSFT", "NVDA", "AMZN", "TSLA", "GOOGL", "META", "BTC/USD", "EUR/USD"]
BAD = "NOSUCHSYMBOL"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Candlewick]:
    from stack import Candlewick  # noqa: PLC0415

    store = Candlewick(Path(str(PROGRAM)), tmp_path_factory.mktemp("store"), [*GOOD, BAD])
    yield store
    store.program.stop()


@pytest.fixture(scope="module")
def airflow(store: Candlewick, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    from stack import Airflow  # noqa: PLC0415

    with Airflow(store, tmp_path_factory.mktemp("airflow") / "home", [*GOOD, BAD]) as airflow:
        airflow.programs.append(airflow.start("scheduler"))
        yield airflow


def group(symbol: str) -> str:
    return symbol.replace("/", "_").replace(".", "_")


def test_a_symbol_fails_its_own_group_alone_whatever_dies(store: Candlewick, airflow: Airflow) -> None:
    """Two schedulers, and a triggerer that is killed."""
    from stack import eventually  # noqa: PLC0415

    before = store.requests()
    with store.paused("ingest"):
        airflow.trigger(DAG, "first")
        # Nothing is fetched, so every first task waits, and no worker slot is held.
        waiting = len(GOOD) + 1
        eventually("ten deferred tasks", lambda: list(airflow.tasks("first").values()).count("deferred") == waiting)
        assert "running" not in airflow.tasks("first").values()
    doomed = airflow.start("triggerer")
    eventually("a triggerer", lambda: airflow.rows("select 1 as one from job where job_type = 'TriggererJob'"))
    doomed.stop(signal.SIGKILL)
    airflow.programs.append(airflow.start("triggerer"))
    assert airflow.ended("first") == "failed"
    expected = {"request": "success"}
    for symbol in GOOD:
        expected |= {f"{group(symbol)}.{task}": "success" for task in ("extract", "transform", "load")}
    expected[f"{BAD}.extract"] = "failed"
    expected |= {f"{BAD}.{task}": "upstream_failed" for task in ("transform", "load")}
    assert airflow.tasks("first") == expected
    after = store.requests()
    assert {symbol: after[symbol] - before[symbol] for symbol in GOOD} == dict.fromkeys(GOOD, 1)


def test_the_assets_say_what_was_loaded(airflow: Airflow) -> None:
    rows = airflow.rows("select a.uri, e.extra from asset_event e join asset a on a.id = e.asset_id")
    events = {row["uri"]: row["extra"] for row in rows}
    assert set(events) <= {f"candlewick://series/1day/{symbol.replace('/', '%2F')}" for symbol in GOOD}
    for extra in events.values():
        assert extra["last"] > "2024-12"
        assert extra["etag"]
