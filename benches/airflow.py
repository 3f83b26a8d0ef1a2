#!/usr/bin/env python3
"""Ten symbols by Airflow's DAG against `candlewick refresh --wait`: wall time and memory.

    cargo build --release --workspace --bins && python3 benches/airflow.py --rounds 3

It starts `candlewick up --airflow` in a directory of its own. In each round it refreshes ten symbols by the command and then by the
example DAG, with a task group of three tasks for each symbol, and prints the wall time of each and the most memory that was in use:
of Candlewick's services with the command, and of Airflow's processes. Memory is the sum of PSS, which counts a page that several
processes share once; the sum of RSS is next to it.
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator

from idle import family
from soak import ROOT, SERVICES, Stack

SYMBOLS = ["AAPL", "AMZN", "BRK.B", "GOOGL", "MSFT", "NVDA", "QQQ", "SPY", "BTC/USD", "EUR/USD"]
DAG = "candlewick_daily"
AIRFLOW = ["airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"]
# How often memory is read.
SAMPLE = 0.25


def memory(pids: list[int]) -> tuple[float, float, int]:
    """PSS and RSS in megabytes, and how many processes there are."""
    pss = rss = count = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
            values = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
            pss, rss, count = pss + values["Pss"], rss + values["Rss"], count + 1
    return pss / 1000, rss / 1000, count


@contextlib.contextmanager
def peak(pids: Callable[[], list[int]]) -> Iterator[list[float]]:
    """The most memory in use during the block: PSS, RSS and processes."""
    most, done = [0.0, 0.0, 0.0], threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE):
            most[:] = map(max, most, memory(pids()))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()


class Api:
    """Airflow's API, as the user that `up` made."""

    def __init__(self, stack: Stack) -> None:
        self.url, self.headers = stack.env["AIRFLOW_URL"], {"content-type": "application/json"}
        ((user, password),) = json.loads((stack.state / "airflow/passwords.json").read_text()).items()
        token = json.loads(self.ask("/auth/token", {"username": user, "password": password}))["access_token"]
        self.headers["authorization"] = f"Bearer {token}"

    def ask(self, path: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, self.headers)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.read()

    def run(self, run: str) -> None:
        """Requests a DAG run, and waits for its end."""
        self.ask(f"/api/v2/dags/{DAG}/dagRuns", {"dag_run_id": run, "logical_date": None})
        last = self.ask(f"/api/v2/dags/{DAG}/dagRuns/{run}/wait?interval=0.2").splitlines()[-1]
        if json.loads(last)["state"] != "success":
            sys.exit(f"the DAG run {run} ended: {last.decode()}")


def processes(stack: Stack, names: list[str]) -> list[int]:
    return [pid for name in names if (parent := stack.process(name)) for pid in family(parent)]


def by_command(stack: Stack) -> None:
    done = stack.call("refresh", *SYMBOLS, "--wait")
    if done.returncode:
        sys.exit(done.stderr)


def measured(what: Callable[[], None], pids: Callable[[], list[int]]) -> tuple[float, ...]:
    """Seconds, PSS, RSS and processes."""
    with peak(pids) as most:
        begun = time.monotonic()
        what()
        seconds = time.monotonic() - begun
    return (seconds, *most)


def line(name: str, rounds: list[tuple[float, ...]]) -> None:
    seconds, pss, rss, count = (statistics.median(figure) for figure in zip(*rounds, strict=True))
    print(f"| {name} | {seconds:.1f} s | {pss:.0f} MB | {rss:.0f} MB | {count:.0f} |")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--programs", type=pathlib.Path, default=ROOT / "target" / "release")
    options.add_argument("--emulator", default="localstack")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="candlewick-airflow-") as folder:
        state = pathlib.Path(folder)
        # PostgreSQL does not run as root, and its user must be able to enter the directory.
        state.chmod(0o755)
        watchlist = state / "ten.toml"
        watchlist.write_text(f"[groups.ten]\nsymbols = {json.dumps(SYMBOLS)}\n")
        stack = Stack(chosen.programs, state, chosen.emulator, "--airflow", "--watchlist", str(watchlist))
        try:
            measure(stack, chosen.rounds)
        finally:
            stack.stop()


def measure(stack: Stack, rounds: int) -> None:
    api = Api(stack)
    command, dag = [], []
    print(f"Airflow at rest: {memory(processes(stack, AIRFLOW))[0]:.0f} MB")
    for number in range(rounds):
        command.append(measured(lambda: by_command(stack), lambda: processes(stack, SERVICES)))
        dag.append(measured(lambda run=f"bench-{number}": api.run(run), lambda: processes(stack, AIRFLOW)))
    print("| ten symbols | wall time | PSS | RSS | processes |\n|---|---|---|---|---|")
    line("refresh --wait, Candlewick's services", command)
    line("the DAG, Airflow's processes", dag)


if __name__ == "__main__":
    main()
