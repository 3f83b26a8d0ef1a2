"""Candlewick and Airflow as programs of this machine."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import psycopg2
import psycopg2.extras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
SOURCES = Path(__file__).parents[1] / "src"
EXAMPLES = SOURCES / "candlewick_provider" / "example_dags"

#: How long anything may take. It only bounds failures.
PATIENCE = 600


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def eventually(what: str, holds: Callable[[], Any]) -> Any:
    """Waits for a condition, and returns what it found."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, f"it never came to this: {what}"
        time.sleep(0.5)
    return found


class Program:
    """A program and all that it starts, until it is stopped."""

    def __init__(self, arguments: list[str], env: dict[str, str], log: Path) -> None:
        """Starts it in a process group of its own."""
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                arguments,
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Ends the group, and waits for its program."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, by)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Candlewick:
    """A whole store with the simulator, by `candlewick up`."""

    def __init__(self, program: Path, state: Path, symbols: list[str], *options: str) -> None:
        """Starts it, and waits until the watchlist was fetched once."""
        self.state = state
        self.token = secrets.token_hex(24)
        watchlist = state / "tested-watchlist.toml"
        watchlist.write_text(f"[groups.tested]\nsymbols = {json.dumps(symbols)}\n")
        names = (
            "DATABASE_URL",
            "BUCKET",
            "WATCHLIST",
            "TWELVEDATA_API_KEY",
            "TWELVEDATA_API_KEY_FILE",
            "AWS_ENDPOINT_URL",
        )
        env = {name: value for name, value in os.environ.items() if name not in names}
        # With --airflow, the store makes a token itself.
        if "--airflow" not in options:
            env["DASHBOARD_WRITE_TOKEN"] = self.token
        arguments = [str(program), "--state", str(state), "up", "--watchlist", str(watchlist)]
        arguments += options or ("--schedule", "off")
        self.program = Program(arguments, env, state / "up.log")
        eventually("a store that is up", self._is_up)
        lines = (line.partition("=") for line in (state / "env").read_text().splitlines())
        self.settings = {name.removeprefix("export "): value.strip("'\"") for name, _, value in lines}

    def _is_up(self) -> bool:
        said = self.program.log.read_text()
        assert self.program.process.poll() is None, said
        return "Candlewick is up" in said

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """One of its services does nothing during the block."""
        pid = json.loads((self.state / f"run/{service}.pid").read_text())["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def requests(self) -> dict[str, int]:
        """How many series the API was asked for, by symbol."""
        with urllib.request.urlopen(f"{self.settings['TWELVEDATA_URL']}/_simulator/requests") as answer:
            entries = json.load(answer)["requests"]
        counts: dict[str, int] = {}
        for entry in entries:
            if entry["path"] == "/time_series":
                counts[entry["symbol"]] = counts.get(entry["symbol"], 0) + 1
        return counts

    def connection(self) -> str:
        """The connection of Airflow to this store."""
        url = urlsplit(self.settings["DASHBOARD_URL"])
        return json.dumps({"conn_type": "candlewick", "host": url.hostname, "port": url.port, "password": self.token})


class Airflow:
    """Airflow with LocalExecutor, in a database of its own on the store's server."""

    def __init__(self, store: Candlewick, home: Path, symbols: list[str], **dags: str) -> None:
        """Makes the database, and starts everything but triggerers. `dags` are texts of DAGs besides the example."""
        self.home = home
        folder = home / "dags"
        shutil.copytree(EXAMPLES, folder)
        for name, text in dags.items():
            (folder / f"{name}.py").write_text(text)
        for file in folder.glob("*.py"):
            # Only the runs that a test requests.
            file.write_text(file.read_text().replace('schedule="30 17 * * 1-5"', "schedule=None"))
        server = store.settings["DATABASE_URL"]
        self.database = f"{server.rsplit('/', 1)[0]}/airflow"
        self._make_database(server)
        port = free_port()
        self.env = os.environ | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "5",
            # A machine that is busy with other tests is slow.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database.replace("postgres://", "postgresql+psycopg2://"),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "5",
            "AIRFLOW_CONN_CANDLEWICK_DEFAULT": store.connection(),
            "CANDLEWICK_SYMBOLS": ",".join(symbols),
            "PYTHONPATH": str(SOURCES),
        }
        self.command("db", "migrate")
        self.programs = [self.start(name) for name in ("api-server", "scheduler", "dag-processor")]

    def _make_database(self, server: str) -> None:
        connection = psycopg2.connect(server)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("create database airflow")
        connection.close()

    def start(self, name: str) -> Program:
        """Starts one of Airflow's programs."""
        return Program([sys.executable, "-m", "airflow", name], self.env, self.home / f"{name}.log")

    def command(self, *arguments: str) -> str:
        """What Airflow's command says."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments], env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"airflow {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def trigger(self, dag: str, run: str) -> None:
        """Requests a DAG run, once the DAG is known."""
        eventually(f"the DAG {dag}", lambda: self.rows("select 1 as one from dag where dag_id = %s", dag))
        self.command("dags", "unpause", "-y", dag)
        self.command("dags", "trigger", dag, "--run-id", run)

    def ended(self, run: str) -> str:
        """The state of a DAG run, once it has ended."""
        query = "select state from dag_run where run_id = %s and state in ('success', 'failed')"
        return str(eventually(f"the end of DAG run {run}", lambda: self.rows(query, run))[0]["state"])

    def tasks(self, run: str) -> dict[str, str]:
        """The state of each task of a DAG run."""
        rows = self.rows("select task_id, state from task_instance where run_id = %s", run)
        return {row["task_id"]: row["state"] for row in rows}

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows of Airflow's database."""
        connection = psycopg2.connect(self.database, cursor_factory=psycopg2.extras.RealDictCursor)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return [dict(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def __enter__(self) -> Self:
        """Airflow, until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stops what was started, the last first."""
        for program in reversed(self.programs):
            program.stop()
