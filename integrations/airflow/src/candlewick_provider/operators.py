"""Tasks that request a run, and tasks that wait for a stage of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from candlewick_provider.api import failures, run_id, series_uri
from candlewick_provider.hook import CandlewickHook
from candlewick_provider.triggers import RunTrigger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

#: The asset alias of every series that a task loads.
SERIES = AssetAlias("candlewick")


class _RunOperator(BaseOperator):
    """Waits for a run in the triggerer, or in its worker slot if it is not deferrable."""

    def __init__(
        self,
        *,
        candlewick_conn_id: str = CandlewickHook.default_conn_name,
        deferrable: bool = True,
        timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.candlewick_conn_id = candlewick_conn_id
        self.deferrable = deferrable
        self.timeout = timeout

    def hook(self) -> CandlewickHook:
        """The connection to the store."""
        return CandlewickHook(self.candlewick_conn_id)

    def await_series(self, context: Any, run: str, symbol: str | None, until: str) -> list[dict[str, Any]]:
        """Waits until the series have got as far as `until`, and returns what became of them.

        What is there already needs no trigger, and so no second start of the task. Airflow also takes a task for failed
        whose trigger fires before the scheduler has heard that it was deferred.
        """
        if self.hook().has_reached(run, symbol, until, wait=0):
            return self.finish(context, run, symbol, until)
        if self.deferrable:
            trigger = RunTrigger(run, self.candlewick_conn_id, symbol, until)
            arguments = {"symbol": symbol, "until": until}
            self.defer(trigger=trigger, method_name="resume", kwargs=arguments, timeout=self.timeout)
        end = None if self.timeout is None else time.monotonic() + self.timeout.total_seconds()
        while not self.hook().has_reached(run, symbol, until):
            if end is not None and time.monotonic() > end:
                msg = f"run {run} has not got as far as {until} in {self.timeout}"
                raise AirflowException(msg)
        return self.finish(context, run, symbol, until)

    def resume(self, context: Any, event: dict[str, Any], symbol: str | None, until: str) -> list[dict[str, Any]]:
        """Goes on when the trigger has fired."""
        if event["error"]:
            msg = f"run {event['run']}: {event['error']}"
            raise AirflowFailException(msg)
        return self.finish(context, event["run"], symbol, until)

    def finish(self, context: Any, run: str, symbol: str | None, until: str) -> list[dict[str, Any]]:
        """Fails with the reason of each failed series, or returns the rows and names the assets."""
        rows = self.hook().series(run, symbol)
        state = self.hook().run(run)
        if state["state"] == "failed":
            msg = f"run {run}: {state['error']}"
            raise AirflowFailException(msg)
        # Another attempt would find the same run. The reason says what to do first.
        if told := failures(rows):
            raise AirflowFailException(told)
        if until == "loaded":
            name_assets(context, rows)
        return rows


class CandlewickRefreshOperator(_RunOperator):
    """Requests a run for the DAG run, and waits for its end.

    The id of the run comes from the DAG run, so another attempt, and the task of a second scheduler, find the same run
    and spend no second credit. With ``wait_for_completion=False`` it returns the id at once, for
    :class:`CandlewickStageOperator`.
    """

    template_fields = ("symbols", "intervals", "reason")
    ui_color = "#d9e8fb"

    def __init__(
        self,
        *,
        symbols: Sequence[str] = (),
        intervals: Sequence[str] = (),
        reason: str = "{{ dag.dag_id }}",
        wait_for_completion: bool = True,
        **kwargs: Any,
    ) -> None:
        """No symbols are all of the watchlist, and no intervals all of theirs."""
        kwargs.setdefault("outlets", [SERIES])
        super().__init__(**kwargs)
        self.symbols = symbols
        self.intervals = intervals
        self.reason = reason
        self.wait_for_completion = wait_for_completion

    def execute(self, context: Any) -> Any:
        """Requests the run."""
        run = self.hook().request_run(run_of(context), self.symbols, self.intervals, self.reason)
        self.log.info("run %s is %s", run["id"], run["state"])
        if not self.wait_for_completion:
            return run["id"]
        return self.await_series(context, run["id"], None, "loaded")


class CandlewickStageOperator(_RunOperator):
    """Waits until the series of one symbol have got as far as a stage of a run.

    ``until`` is ``fetched``, ``transformed`` or ``loaded``. It fails with the reason if one of them failed.
    """

    template_fields = ("run", "symbol")
    ui_color = "#e5f2e0"

    def __init__(self, *, run: str, symbol: str, until: str, **kwargs: Any) -> None:
        """`run` is the id that :class:`CandlewickRefreshOperator` returned."""
        if until == "loaded":
            kwargs.setdefault("outlets", [SERIES])
        super().__init__(**kwargs)
        self.run = run
        self.symbol = symbol
        self.until = until

    def execute(self, context: Any) -> Any:
        """Waits for the stage."""
        return self.await_series(context, self.run, self.symbol, self.until)


def run_of(context: Any) -> str:
    """The id of the run of a task: that of its DAG run, and of the task if it is mapped."""
    task = context["ti"]
    mapped = [f"{task.task_id}.{task.map_index}"] if task.map_index >= 0 else [task.task_id]
    return run_id(task.dag_id, context["run_id"], *mapped)


def name_assets(context: Any, rows: list[dict[str, Any]]) -> None:
    """Tells Airflow which series changed, with rows, last candle and version."""
    events = context["outlet_events"]
    for row in rows:
        if row["state"] != "loaded":
            continue
        names = ("symbol", "interval", "rows_new", "rows_changed", "rows_removed", "first", "last", "key", "etag")
        asset = Asset(name=f"{row['symbol']} {row['interval']}", uri=series_uri(row["symbol"], row["interval"]))
        events[SERIES].add(asset, extra={name: row[name] for name in names})
