"""A task group per variable: extract, transform, load."""

from __future__ import annotations

from typing import Any

from airflow.sdk import task_group

from candlewick_provider.hook import CandlewickHook
from candlewick_provider.operators import CandlewickStageOperator


@task_group
def candlewick_series(run: Any, symbol: str, candlewick_conn_id: str = CandlewickHook.default_conn_name) -> None:
    """Follows one symbol through a run. A symbol that fails fails its own group alone.

    Use it once per symbol, ``candlewick_series.override(group_id="AAPL")(run, "AAPL")``, or mapped over the watchlist:
    ``candlewick_series.partial(run=run).expand(symbol=symbols)``.
    """
    common: dict[str, Any] = {
        "run": run,
        "symbol": symbol,
        "candlewick_conn_id": candlewick_conn_id,
        "map_index_template": "{{ task.symbol }}",
    }
    extract = CandlewickStageOperator(task_id="extract", until="fetched", **common)
    transform = CandlewickStageOperator(task_id="transform", until="transformed", **common)
    load = CandlewickStageOperator(task_id="load", until="loaded", **common)
    extract >> transform >> load
