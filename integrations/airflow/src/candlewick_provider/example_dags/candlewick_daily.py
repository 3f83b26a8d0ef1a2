"""One DAG, a task group for each variable, and in each a task for extracting, transforming and loading.

Candlewick works without this: the tasks request one run and follow each symbol through it.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pendulum
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import dag

from candlewick_provider.groups import candlewick_series
from candlewick_provider.operators import CandlewickRefreshOperator

#: The variables: symbols of the watchlist.
SYMBOLS = os.environ.get("CANDLEWICK_SYMBOLS", "AAPL,MSFT,BRK.B,BTC/USD").split(",")

#: Since when it is scheduled: `candlewick up` fetches what was due before it started Airflow for the first time.
SINCE = datetime.fromisoformat(os.environ.get("CANDLEWICK_SINCE", "2024-01-01T00:00:00-05:00"))

#: Who gets a mail when a task fails.
OWNER = os.environ.get("CANDLEWICK_OWNER", "")


@dag(
    schedule="30 17 * * 1-5",
    start_date=pendulum.instance(SINCE).in_timezone("America/New_York"),
    catchup=False,
    max_active_runs=1,
    # Another attempt spends nothing, so it need not wait long.
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "on_failure_callback": [SmtpNotifier(to=OWNER)] if OWNER else [],
    },
    tags=["candlewick"],
)
def candlewick_daily() -> None:
    """Refreshes the variables every day after the close in New York."""
    request = CandlewickRefreshOperator(task_id="request", symbols=SYMBOLS, wait_for_completion=False)
    for symbol in SYMBOLS:
        candlewick_series.override(group_id=symbol.replace("/", "_").replace(".", "_"))(request.output, symbol)


candlewick_daily()
