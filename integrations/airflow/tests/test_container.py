"""What the container runs. Airflow's command is replaced by a script, and everything else is as in the image."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[1]
sys.path.append(str(PACKAGE))

import container  # noqa: E402

#: Says what it is, and stays until it is stopped. `db migrate` ends at once.
SCRIPT = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.write(1, f"started {' '.join(sys.argv[1:])}\\n".encode())
if sys.argv[1] != "db":
    signal.sigwait({signal.SIGTERM})
    os.write(1, f"stopped {sys.argv[1]}\\n".encode())
"""

#: Runs the container's programs with the script in place of Airflow.
RUN = """
import os, sys, container
container.AIRFLOW = (sys.executable, os.environ["SCRIPT"])
sys.exit(container.run(dict(os.environ)))
"""


def started(process: subprocess.Popen[str], count: int) -> list[str]:
    """The first lines, once there are so many."""
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


@contextmanager
def run(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The container's process, which ends with the block, also if the test fails."""
    script = tmp_path / "airflow.py"
    script.write_text(SCRIPT)
    env = os.environ | {"SCRIPT": str(script), "PYTHONPATH": str(PACKAGE)}
    process = subprocess.Popen(
        [sys.executable, "-c", RUN], env=env, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def child(process: subprocess.Popen[str], name: str) -> int:
    """The pid of one of its programs."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    (found,) = [pid for pid in children if name in Path(f"/proc/{pid}/cmdline").read_text()]
    return int(found)


def test_it_ends_when_one_of_its_programs_ends(tmp_path: Path) -> None:
    with run(tmp_path) as process:
        lines = started(process, 1 + len(container.PROGRAMS))
        assert lines[0] == "started db migrate"
        assert set(lines[1:]) == {f"started {' '.join(program)}" for program in container.PROGRAMS}
        os.kill(child(process, "scheduler"), signal.SIGKILL)
        rest, _ = process.communicate(timeout=60)
    assert "airflow scheduler ended (-9)" in rest
    assert {line for line in rest.splitlines() if line.startswith("stopped")} == {
        "stopped api-server",
        "stopped dag-processor",
        "stopped triggerer",
    }
    assert process.returncode != 0


def test_a_stop_of_the_container_stops_its_programs(tmp_path: Path) -> None:
    with run(tmp_path) as process:
        started(process, 1 + len(container.PROGRAMS))
        process.terminate()
        rest, _ = process.communicate(timeout=60)
    assert rest.count("stopped") == len(container.PROGRAMS)


def test_without_a_token_it_says_what_is_missing_where_and_what_to_do() -> None:
    with pytest.raises(SystemExit, match=r"DASHBOARD_WRITE_TOKEN is not set.*\.env.*openssl rand"):
        container.connection({"DASHBOARD_WRITE_TOKEN": ""})
    connection = json.loads(container.connection({"DASHBOARD_WRITE_TOKEN": 'a"b'}))
    assert connection == {"conn_type": "candlewick", "host": "http://dashboard:8470", "password": 'a"b'}


def test_the_password_is_the_owners_and_only_airflow_reads_it(tmp_path: Path) -> None:
    container.prepare({"AIRFLOW_PASSWORD": "mine"}, tmp_path)
    passwords = tmp_path / "passwords.json"
    assert json.loads(passwords.read_text()) == {"admin": "mine"}
    assert stat.S_IMODE(passwords.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    settings = container.settings({}, tmp_path, tmp_path / "examples")
    assert settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"] == str(passwords)
    paths = [
        bundle["kwargs"]["path"] for bundle in json.loads(settings["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    ]
    assert paths == [str(tmp_path / "dags"), str(tmp_path / "examples")]
