"""Airflow in one container: its four programs. If one of them ends, the container ends, and the engine starts it again.

``container.py healthcheck`` says whether they are healthy, and ``container.py --version`` which version it is.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.request
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Airflow's command.
AIRFLOW = (sys.executable, "-m", "airflow")

#: Airflow's programs. The logs of tasks are read from the disk, so nothing needs to serve them.
PROGRAMS = (
    ("api-server",),
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),
)

#: The parts whose health Airflow reports.
PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")

#: How long they may take to stop.
PATIENCE = 20

#: Settings that suit one machine, which `candlewick up --airflow` also uses.
SETTINGS = Path(__file__).with_name("settings.json")

BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"


def connection(env: Mapping[str, str]) -> str:
    """The connection to the dashboard. The message says what is missing, where, and what to do."""
    token = env.get("DASHBOARD_WRITE_TOKEN", "")
    if not token:
        sys.exit(
            "DASHBOARD_WRITE_TOKEN is not set, so no run can be requested: put one into .env next to "
            "docker-compose.yml (openssl rand -hex 24), and start again"
        )
    url = env.get("CANDLEWICK_DASHBOARD_URL", "http://dashboard:8470")
    return json.dumps({"conn_type": "candlewick", "host": url, "password": token})


def bundles(home: Path, examples: Path) -> str:
    """Where DAGs are: those of the owner, and the example."""
    folders = {"dags-folder": home / "dags", "candlewick-example": examples}
    named = [{"name": name, "classpath": BUNDLE, "kwargs": {"path": str(path)}} for name, path in folders.items()]
    return json.dumps(named)


def settings(env: Mapping[str, str], home: Path, examples: Path) -> dict[str, str]:
    """Settings of Airflow. The environment may have others."""
    port = env.get("AIRFLOW__API__PORT") or "8080"
    common: dict[str, str] = json.loads(SETTINGS.read_text())
    return common | {
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": bundles(home, examples),
    }


def prepare(env: Mapping[str, str], home: Path) -> None:
    """The folder of the owner's DAGs, and the password of Airflow's pages, which only Airflow reads."""
    (home / "dags").mkdir(parents=True, exist_ok=True)
    passwords = home / "passwords.json"
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps({"admin": env.get("AIRFLOW_PASSWORD") or secrets.token_urlsafe(16)}))


def run(env: dict[str, str]) -> int:
    """Brings the database to its schema, runs the programs until one ends, and stops the others."""
    subprocess.run([*AIRFLOW, "db", "migrate"], env=env, check=True)
    programs = [subprocess.Popen([*AIRFLOW, *program], env=env) for program in PROGRAMS]

    def stop(*_: object) -> None:
        for program in programs:
            program.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    names = {program.pid: name[0] for program, name in zip(programs, PROGRAMS, strict=True)}
    ended, status = os.wait()
    while ended not in names:
        # The first process of a container also inherits processes of others.
        ended, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    print(f"airflow {names[ended]} ended ({code})", flush=True)
    stop()
    for program in programs:
        if program.pid != ended:
            program.wait(PATIENCE)
    return code


def unhealthy(port: str) -> list[str]:
    """The parts that are not healthy, as Airflow says itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=8) as answer:
        health = json.load(answer)
    return [part for part in PARTS if health[part]["status"] != "healthy"]


def main() -> None:
    """Starts Airflow, or says whether it is healthy."""
    if sys.argv[1:] == ["--version"]:
        # Airflow's own command would write to its home.
        print(f"Airflow {version('apache-airflow')}")
        return
    if sys.argv[1:] == ["healthcheck"]:
        parts = unhealthy(os.environ.get("AIRFLOW__API__PORT") or "8080")
        sys.exit(f"not healthy: {', '.join(parts)}" if parts else 0)
    from candlewick_provider import example_dags  # noqa: PLC0415

    home = Path(os.environ["AIRFLOW_HOME"])
    prepare(os.environ, home)
    examples = Path(str(example_dags.__file__)).parent
    given = {name: value for name, value in os.environ.items() if value}
    fixed = {"AIRFLOW_CONN_CANDLEWICK_DEFAULT": connection(os.environ)}
    sys.exit(run(settings(os.environ, home, examples) | given | fixed))


if __name__ == "__main__":
    main()
