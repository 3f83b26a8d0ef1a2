"""Ids, addresses and reasons."""

import pytest

from candlewick_provider.api import failures, run_id, run_path, series_uri


def test_the_id_of_a_dag_run_is_its_own() -> None:
    run = run_id("candlewick_daily", "manual__2024-12-30T22:00:00+00:00", "request")
    assert run == "candlewick_daily__manual__2024-12-30T22:00:00+00:00__request"
    assert run_path(run).endswith("%2B00%3A00__request")


@pytest.mark.parametrize(("one", "other"), [("a b", "a_b"), ("a/b", "a b"), ("é", "è"), ("x" * 300, "x" * 301)])
def test_what_an_id_cannot_have_does_not_make_two_runs_one(one: str, other: str) -> None:
    ids = {run_id(one), run_id(other)}
    assert len(ids) == 2
    assert all(len(run) <= 200 and run.isascii() and " " not in run and "/" not in run for run in ids)


def test_failures_are_told_with_the_object_and_the_next_command() -> None:
    row = {"symbol": "BTC/USD", "interval": "1day", "state": "loaded", "reason": None, "next": None}
    assert failures([row]) is None
    failed = {**row, "state": "failed", "reason": "no_candles: empty", "next": "candlewick refresh BTC/USD"}
    told = failures([row, failed])
    assert told is not None
    for words in (
        "BTC/USD 1day: no_candles: empty",
        "raw/interval=1day/symbol=BTC%2FUSD/",
        "candlewick refresh BTC/USD",
    ):
        assert words in told


def test_the_asset_of_a_series_is_a_uri() -> None:
    assert series_uri("BTC/USD", "1day") == "candlewick://series/1day/BTC%2FUSD"
