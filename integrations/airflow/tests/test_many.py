"""Fifty symbols by a mapped DAG, and a task that is forced to retry. CANDLEWICK_PROGRAM names the built command."""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from documents import documented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stack import Airflow, Candlewick

PROGRAM = os.environ.get("CANDLEWICK_PROGRAM")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="CANDLEWICK_PROGRAM names no program")

CURRENCIES = ["USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "NZD"]
SYMBOLS = sorted(f"{base}/{quote}" for base, quote in permutations(CURRENCIES, 2))[:50]
RETRIES = 20

RETRIED = f'''
from datetime import timedelta

from airflow.sdk import dag

from candlewick_provider.operators import CandlewickRefreshOperator, CandlewickStageOperator


class Forced(CandlewickRefreshOperator):
    """Requests the run, and then fails: nobody knows whether the request was made."""

    def execute(self, context):
        run = super().execute(context)
        if context["ti"].try_number <= {RETRIES}:
            raise RuntimeError("forced")
        return run


@dag(schedule=None)
def retried():
    request = Forced(
        task_id="request",
        symbols=["{SYMBOLS[0]}"],
        wait_for_completion=False,
        retries={RETRIES},
        retry_delay=timedelta(0),
    )
    CandlewickStageOperator(task_id="load", run=request.output, symbol="{SYMBOLS[0]}", until="loaded")


retried()
'''


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Candlewick]:
    from stack import Candlewick  # noqa: PLC0415

    store = Candlewick(Path(str(PROGRAM)), tmp_path_factory.mktemp("store"), SYMBOLS)
    yield store
    store.program.stop()


@pytest.fixture(scope="module")
def airflow(store: Candlewick, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    from stack import Airflow  # noqa: PLC0415

    home = tmp_path_factory.mktemp("airflow") / "home"
    with Airflow(store, home, SYMBOLS, documented=documented(), retried=RETRIED) as airflow:
        yield airflow


def test_fifty_mapped_symbols_hold_no_worker_slot_while_they_wait(store: Candlewick, airflow: Airflow) -> None:
    from stack import eventually  # noqa: PLC0415

    before = store.requests()
    by_state = "select state, count(*) as tasks from task_instance where run_id = %s and task_id like %s group by state"
    waiting = [{"state": "deferred", "tasks": len(SYMBOLS)}]
    with store.paused("ingest"):
        airflow.trigger("watchlist", "fifty")
        # Nothing is fetched, so all of them wait at the same time. Four slots would not be enough if one task held one.
        eventually("fifty deferred tasks", lambda: airflow.rows(by_state, "fifty", "%.extract") == waiting)
        held = airflow.rows("select task_id from task_instance where state in ('queued', 'running')")
        assert not held
    airflow.programs.append(airflow.start("triggerer"))
    assert airflow.ended("fifty") == "success"
    for stage in ("extract", "transform", "load"):
        loaded = [{"state": "success", "tasks": len(SYMBOLS)}]
        assert airflow.rows(by_state, "fifty", f"%.{stage}") == loaded
    after = store.requests()
    assert {symbol: after[symbol] - before[symbol] for symbol in SYMBOLS} == dict.fromkeys(SYMBOLS, 1)


def test_twenty_forced_retries_spend_no_second_credit(store: Candlewick, airflow: Airflow) -> None:
    before = store.requests()
    airflow.trigger("retried", "again")
    assert airflow.ended("again") == "success"
    (request,) = airflow.rows("select try_number from task_instance where run_id = 'again' and task_id = 'request'")
    assert request["try_number"] == RETRIES + 1
    after = store.requests()
    assert {symbol: after[symbol] - before[symbol] for symbol in SYMBOLS} == dict.fromkeys(SYMBOLS, 0) | {SYMBOLS[0]: 1}
