"""Waits until a series is fresh, by whatever run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from candlewick_provider.hook import CandlewickHook

if TYPE_CHECKING:
    from collections.abc import Sequence


class CandlewickFreshSensor(BaseSensorOperator):
    """Succeeds when no candle of a series is late, by its calendar. It holds no worker slot between two looks."""

    template_fields: Sequence[str] = ("symbol", "interval")

    def __init__(
        self,
        *,
        symbol: str,
        interval: str = "1day",
        candlewick_conn_id: str = CandlewickHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Looks once a minute, unless ``poke_interval`` says otherwise."""
        kwargs.setdefault("mode", "reschedule")
        super().__init__(**kwargs)
        self.symbol = symbol
        self.interval = interval
        self.candlewick_conn_id = candlewick_conn_id

    def poke(self, context: Any) -> bool:  # noqa: ARG002
        """Whether the series is fresh, or its next candle is due for a short time only."""
        overview = CandlewickHook(self.candlewick_conn_id).overview(self.symbol, self.interval)
        self.log.info("%s %s is %s, up to %s", self.symbol, self.interval, overview["state"], overview["last"])
        return bool(overview["state"] in {"fresh", "due"})
