"""How the trigger waits."""

import asyncio

import pytest
from dashboard import Dashboard

from candlewick_provider import triggers
from candlewick_provider.triggers import RunTrigger


def fired(trigger: RunTrigger) -> dict[str, str | None]:
    async def first() -> dict[str, str | None]:
        return (await anext(aiter(trigger.run()))).payload

    return asyncio.run(first())


def page(*, complete: bool, after: int | None = None) -> tuple[int, dict[str, object]]:
    return 200, {"rows": [], "complete": complete, "next": after}


def test_it_asks_until_every_page_is_complete(dashboard: Dashboard) -> None:
    dashboard.answers += [page(complete=False, after=1000), page(complete=True, after=1000), page(complete=True)]
    assert fired(RunTrigger("a:b", "candlewick_default", "BTC/USD", "fetched")) == {"run": "a:b", "error": None}
    path = "/api/v1/runs/a%3Ab/series?until=fetched&wait=30s&limit=1000&after={}&symbol=BTC%2FUSD"
    assert [asked for _, asked, *_ in dashboard.asked] == [path.format(after) for after in (0, 0, 1000)]


def test_a_dashboard_that_is_away_only_delays_it(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggers, "FIRST_PAUSE", 0.01)
    dashboard.answers += [(503, {}), (429, {}), page(complete=True)]
    assert fired(RunTrigger("r", "candlewick_default"))["error"] is None
    assert len(dashboard.asked) == 3


def test_an_answer_that_stays_the_same_ends_it(dashboard: Dashboard) -> None:
    dashboard.answers.append((404, {"detail": "there is no run r"}))
    assert "there is no run r" in str(fired(RunTrigger("r", "candlewick_default"))["error"])


def test_another_triggerer_goes_on_with_the_same(dashboard: Dashboard) -> None:
    _, arguments = RunTrigger("r", "candlewick_default", "AAPL", "transformed").serialize()
    dashboard.answers.append(page(complete=True))
    assert fired(RunTrigger(**arguments))["run"] == "r"
