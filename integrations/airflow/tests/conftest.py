"""An Airflow home of the tests' own, set before Airflow is imported."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = tempfile.mkdtemp(prefix="candlewick-airflow-")
os.environ.update(
    AIRFLOW_HOME=HOME,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(Path(HOME) / "dags"),
)
TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "src")]

from dashboard import Dashboard  # noqa: E402


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    """A dashboard, to which the default connection leads."""
    with Dashboard() as dashboard:
        connection = {"conn_type": "candlewick", "host": "127.0.0.1", "port": dashboard.port, "password": "writes"}
        monkeypatch.setenv("AIRFLOW_CONN_CANDLEWICK_DEFAULT", json.dumps(connection))
        yield dashboard
