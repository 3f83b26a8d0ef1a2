"""What the hook asks, and what it makes of the answers."""

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from dashboard import Dashboard

from candlewick_provider.hook import CandlewickHook, store_of


def test_a_run_is_requested_with_the_token(dashboard: Dashboard) -> None:
    dashboard.answers.append((202, {"id": "r", "state": "waiting"}))
    assert CandlewickHook().request_run("r", ["AAPL"], reason="why")["state"] == "waiting"
    body = {"id": "r", "symbols": ["AAPL"], "intervals": [], "reason": "why"}
    assert dashboard.asked == [("POST", "/api/v1/runs", "Bearer writes", body)]


def test_every_page_of_the_series_is_read(dashboard: Dashboard) -> None:
    dashboard.answers += [
        (200, {"rows": [{"symbol": "B"}], "next": 1}),
        (200, {"rows": [{"symbol": "A"}], "next": None}),
    ]
    assert CandlewickHook().symbols() == ["A", "B"]
    assert [path for _, path, *_ in dashboard.asked] == [
        "/api/v1/series?limit=1000&after=0",
        "/api/v1/series?limit=1000&after=1",
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_what_no_repetition_changes_fails_the_task_at_once(dashboard: Dashboard, status: int) -> None:
    dashboard.answers.append((status, {"detail": "set DASHBOARD_WRITE_TOKEN"}))
    with pytest.raises(AirflowFailException, match="DASHBOARD_WRITE_TOKEN"):
        CandlewickHook().request_run("r")


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_what_passes_is_tried_again(dashboard: Dashboard, status: int) -> None:
    dashboard.answers.append((status, ["no problem document"]))
    with pytest.raises(AirflowException) as raised:
        CandlewickHook().run("r")
    assert not isinstance(raised.value, AirflowFailException)


def test_no_token_is_in_an_error(dashboard: Dashboard) -> None:
    dashboard.answers.append((503, {"detail": "no"}))
    with pytest.raises(AirflowException) as raised:
        CandlewickHook().run("r")
    assert "writes" not in str(raised.value)


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ({"host": "candles.example", "schema": "https"}, "https://candles.example"),
        ({"host": "https://candles.example/", "port": 8443}, "https://candles.example:8443"),
        ({"host": "dashboard", "port": 8470}, "http://dashboard:8470"),
        ({}, "http://127.0.0.1"),
    ],
)
def test_a_connection_leads_to_the_dashboard(connection: dict[str, Any], url: str) -> None:
    empty = {"host": None, "schema": None, "port": None, "password": None}
    assert store_of(SimpleNamespace(**{**empty, **connection})).url == url
