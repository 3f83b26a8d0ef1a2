"""`candlewick up --airflow`, from nothing to a DAG run. CANDLEWICK_PROGRAM names the built command."""

from __future__ import annotations

import json
import os
import signal
import stat
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stack import Candlewick

PROGRAM = os.environ.get("CANDLEWICK_PROGRAM")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="CANDLEWICK_PROGRAM names no program")

SYMBOLS = ["AAPL", "BTC/USD", "EUR/USD"]
DAG = "candlewick_daily"
PARTS = ("api-server", "scheduler", "dag-processor", "triggerer")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Candlewick]:
    from stack import Candlewick  # noqa: PLC0415

    store = Candlewick(Path(str(PROGRAM)), tmp_path_factory.mktemp("store"), SYMBOLS, "--airflow")
    yield store
    store.program.stop()


class Api:
    """Airflow's API, as the user that `up` made."""

    def __init__(self, store: Candlewick) -> None:
        """Logs in."""
        self.url = store.settings["AIRFLOW_URL"]
        (login,) = json.loads((store.state / "airflow/passwords.json").read_text()).items()
        self.headers: dict[str, str] = {}
        answer = self.ask("/auth/token", {"username": login[0], "password": login[1]})
        self.headers = {"authorization": f"Bearer {json.loads(answer)['access_token']}"}

    def ask(self, path: str, body: Any = None) -> bytes:
        """The answer, once it is complete."""
        data = None if body is None else json.dumps(body).encode()
        headers = self.headers | {"content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}{path}", data, headers), timeout=600) as answer:
            return bytes(answer.read())

    def run(self, run: str) -> str:
        """Requests a DAG run, and returns its state when it has ended."""
        self.ask(f"/api/v2/dags/{DAG}/dagRuns", {"dag_run_id": run, "logical_date": None})
        lines = self.ask(f"/api/v2/dags/{DAG}/dagRuns/{run}/wait?interval=1").splitlines()
        return str(json.loads(lines[-1])["state"])


def processes(store: Candlewick) -> dict[str, int]:
    """The pid of each of Airflow's programs."""
    files = {part: store.state / f"run/airflow-{part}.pid" for part in PARTS}
    return {part: json.loads(file.read_text())["pid"] for part, file in files.items() if file.exists()}


def tree(pids: dict[str, int]) -> list[psutil.Process]:
    """The programs, and all that they started."""
    programs = [psutil.Process(pid) for pid in pids.values()]
    return programs + [child for program in programs for child in program.children(recursive=True)]


def test_the_dag_is_there_and_a_run_of_it_succeeds(store: Candlewick) -> None:
    api = Api(store)
    dag = json.loads(api.ask(f"/api/v2/dags/{DAG}"))
    assert not dag["is_paused"], "it drives, because Candlewick's own schedule is off"
    assert store.settings["SCHEDULE"] == "off"
    since = (store.state / "airflow/since").read_text()
    runs = json.loads(api.ask(f"/api/v2/dags/{DAG}/dagRuns"))["dag_runs"]
    assert all(run["logical_date"] > since for run in runs), "what was due before was fetched by `up`"
    before = store.requests()
    assert api.run("first") == "success"
    after = store.requests()
    assert all(after[symbol] > before[symbol] for symbol in SYMBOLS)
    tasks = json.loads(api.ask(f"/api/v2/dags/{DAG}/dagRuns/first/taskInstances"))["task_instances"]
    assert len(tasks) == 1 + 3 * len(SYMBOLS)
    health = json.loads(api.ask("/api/v2/monitor/health"))
    assert {health[part]["status"] for part in ("scheduler", "dag_processor", "triggerer")} == {"healthy"}


def test_it_listens_on_the_loopback_only(store: Candlewick) -> None:
    listening = [
        connection.laddr
        for process in tree(processes(store))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_the_token_of_the_run_is_in_no_log(store: Candlewick) -> None:
    file = store.state / "airflow/write-token"
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    secrets = [file.read_text(), *json.loads((store.state / "airflow/passwords.json").read_text()).values()]
    logs = [store.program.log, *(path for path in store.state.glob("**/*.log"))]
    assert len(logs) > len(PARTS)
    for log in logs:
        text = log.read_text(errors="replace")
        assert not any(secret in text for secret in secrets), f"a secret is in {log}"
    assert file.read_text() not in (store.state / "env").read_text()


def test_a_killed_program_comes_back_and_leaves_nothing(store: Candlewick) -> None:
    from stack import eventually  # noqa: PLC0415

    before = processes(store)
    workers = psutil.Process(before["scheduler"]).children(recursive=True)
    assert workers
    for part in ("scheduler", "triggerer"):
        os.kill(before[part], signal.SIGKILL)
    psutil.wait_procs(workers, timeout=60)
    assert not [worker for worker in workers if worker.is_running()]
    restarted = [(part, pid) for part, pid in before.items() if part in ("scheduler", "triggerer")]
    others = before.items() - set(restarted)
    eventually("new programs", lambda: len(now := processes(store)) == len(PARTS) and not now.items() & set(restarted))
    assert processes(store).items() >= others
    assert Api(store).run("second") == "success"


def test_airflow_stops_with_the_rest(store: Candlewick) -> None:
    running = tree(processes(store))
    assert len(running) > len(PARTS)
    os.kill(store.program.process.pid, signal.SIGTERM)
    assert store.program.process.wait(120) == 0
    assert not [process for process in running if process.is_running()]
    assert not processes(store)
