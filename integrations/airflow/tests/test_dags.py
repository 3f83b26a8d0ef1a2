"""The DAGs of the documents and of the examples, as Airflow reads them."""

from __future__ import annotations

from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from documents import documented

PACKAGE = Path(__file__).parents[1]


def read(folder: Path, dag: str) -> set[str]:
    """The tasks of a DAG in a folder."""
    bag = DagBag(dag_folder=str(folder))
    assert not bag.import_errors
    return set(bag.dags[dag].task_ids)


def test_the_example_has_a_group_for_each_symbol() -> None:
    tasks = read(PACKAGE / "src/candlewick_provider/example_dags", "candlewick_daily")
    stages = {
        f"{group}.{task}" for group in ("AAPL", "MSFT", "BRK_B", "BTC_USD") for task in ("extract", "transform", "load")
    }
    assert tasks == {"request"} | stages


def test_the_dag_of_the_documents_is_mapped_over_the_watchlist(tmp_path: Path) -> None:
    (tmp_path / "documented.py").write_text(documented())
    tasks = read(tmp_path, "watchlist")
    assert tasks == {"symbols", "request", *(f"candlewick_series.{task}" for task in ("extract", "transform", "load"))}


def test_airflow_knows_the_type_of_the_connections() -> None:
    from candlewick_provider import get_provider_info  # noqa: PLC0415
    from candlewick_provider.hook import CandlewickHook  # noqa: PLC0415

    (connection,) = get_provider_info()["connection-types"]
    assert connection["connection-type"] == CandlewickHook.conn_type
    assert connection["hook-class-name"] == f"{CandlewickHook.__module__}.{CandlewickHook.__name__}"
