#!/usr/bin/env python3
"""A soak: the whole stack on one machine under a steady load with faults, and whether its memory stays flat.

    cargo build --release --workspace --bins && python3 benches/soak.py --minutes 60 --rate 20

It starts `candlewick up` in a directory of its own, puts objects into raw/ at the given rate, and disturbs the services: objects
are overwritten while they are processed, some are broken, tools leave files behind, connections to the database are cut and,
during the first half, services are killed (kill -9). At the end every queue must become empty, every broken object must be a
dead letter and nothing else may be one, and `candlewick verify` must find the table equal to the objects. Services are not
killed in the second half, so the memory of each can be compared between the third and the last quarter.

`--programs` names the directory of the programs, `--emulator` the emulator of S3 and SQS.
"""

import argparse
import json
import os
import pathlib
import random
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVICES = ["ingest", "transform", "loader", "notifier", "dashboard"]
# So few series that each is overwritten again and again, and the data does not grow with the time.
SERIES = 400
# One of so many objects is broken, and one of so many is a file that a tool leaves behind.
BROKEN, LEFTOVER = 200, 100
SAMPLE, KILL, CUT = 10, 45, 60
# How much the median of the last quarter may exceed that of the third: noise of the allocator.
GROWTH, NOISE_KIB = 1.15, 2048
SETTLED = 600


def candles(version: int) -> bytes:
    days = [f"2024-12-{day:02}" for day in (16, 17, 18, 19, 20, 23, 24, 26, 27, 30)]
    rows = [f"{day},10,13,9,{10 + version % 3}.{version % 100:02},{100 + version}" for day in days]
    return ("datetime,open,high,low,close,volume\n" + "\n".join(rows) + "\n").encode()


class Stack:
    """`candlewick up`, until it is stopped."""

    def __init__(self, programs: pathlib.Path, state: pathlib.Path, emulator: str, *options: str) -> None:
        self.program, self.state = programs / "candlewick", state
        self.log = open(state / "up.log", "wb")
        command = [self.program, "--state", state, "up", "--emulator", emulator]
        command += options or ("--schedule", "off")
        # The programs are built, and `up` would build them again.
        environment = os.environ | {"CARGO": "true"}
        self.up = subprocess.Popen(command, stdout=self.log, stderr=self.log, cwd=ROOT, env=environment)
        self.wait_until_up()
        words = shlex.split((state / "env").read_text(), comments=True)
        self.env = dict(word.split("=", 1) for word in words if "=" in word)

    def wait_until_up(self) -> None:
        while b"Candlewick is up" not in (self.state / "up.log").read_bytes():
            if self.up.poll() is not None:
                sys.exit((self.state / "up.log").read_text())
            time.sleep(1)

    def call(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.program, "--state", self.state, *words], capture_output=True, text=True)

    def put(self, key: str, body: bytes) -> None:
        url = f"{self.env['AWS_ENDPOINT_URL']}/{self.env['BUCKET']}/{key}"
        urllib.request.urlopen(urllib.request.Request(url, data=body, method="PUT"), timeout=60).read()

    def process(self, name: str) -> int | None:
        try:
            return json.loads((self.state / "run" / f"{name}.pid").read_text())["pid"]
        except (OSError, ValueError):
            return None

    def kill(self, name: str) -> None:
        if pid := self.process(name):
            os.kill(pid, signal.SIGKILL)

    def cut_connections(self) -> None:
        """Ends every connection of the services to the database, as a failover does."""
        sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename <> current_user and datname is not null"
        subprocess.run(["psql", self.env["DATABASE_URL"], "-qAtc", sql], capture_output=True)

    def memory(self) -> dict[str, int]:
        """The memory of each process that is its own, in KiB."""
        found = {"up": self.up.pid} | {name: self.process(name) for name in SERVICES}
        return {name: own for name, pid in found.items() if (own := own_memory(pid))}

    def queues(self) -> list[dict]:
        status = self.call("status", "--json")
        return json.loads(status.stdout)["queues"] if status.returncode == 0 else []

    def stop(self) -> None:
        self.up.send_signal(signal.SIGTERM)
        self.up.wait(120)


def own_memory(pid: int | None) -> int | None:
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon:")), None)


class Load:
    """Objects at a steady rate."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.stack, self.chance, self.number, self.broken, self.late = stack, random.Random(seed), 0, 0, 0
        self.pool, self.puts = ThreadPoolExecutor(8), []

    def next(self) -> None:
        self.number += 1
        series = f"interval=1day/symbol=SOAK{self.chance.randrange(SERIES)}"
        if self.number % BROKEN == 0:
            self.broken += 1
            key, body = f"raw/interval=1day/symbol=BROKEN{self.number}/candles.csv", b"\xff\xfe\x00 no candles"
        elif self.number % LEFTOVER == 0:
            key, body = f"raw/{series}/_SUCCESS", b""
        else:
            key, body = f"raw/{series}/candles.csv", candles(self.number)
        self.puts.append(self.pool.submit(self.stack.put, key, body))
        self.puts = [put for put in self.puts if not put.done() or put.result()]

    def finish(self) -> None:
        self.pool.shutdown()
        for put in self.puts:
            put.result()


def drive(stack: Stack, load: Load, minutes: float, rate: float) -> list[tuple[float, dict[str, int]]]:
    """Loads and disturbs the stack, and returns what each process had in memory over time."""
    begun, end = time.monotonic(), minutes * 60
    samples, due = [], {"sample": 0.0, "kill": KILL, "cut": CUT}
    while (now := time.monotonic() - begun) < end:
        if load.number < now * rate and len(load.puts) < 200:
            load.next()
            continue
        if now >= due["sample"]:
            samples.append((now / end, stack.memory()))
            due["sample"] = now + SAMPLE
        if now >= due["kill"] and now < end / 2:
            stack.kill(load.chance.choice(SERVICES))
            due["kill"] = now + KILL
        if now >= due["cut"]:
            stack.cut_connections()
            due["cut"] = now + CUT
        time.sleep(0.01)
    load.finish()
    return samples


def settle(stack: Stack) -> tuple[float, list[dict]]:
    """Waits until nothing is waiting or in flight."""
    begun = time.monotonic()
    while time.monotonic() - begun < SETTLED:
        queues = stack.queues()
        if queues and not any((queue["waiting"] or 0) + (queue["in_flight"] or 0) for queue in queues):
            return time.monotonic() - begun, queues
        time.sleep(1)
    sys.exit(f"something is still waiting or in flight after {SETTLED} s: {stack.queues()}")


def growth(samples: list[tuple[float, dict[str, int]]]) -> list[str]:
    """Prints each process's memory by quarter, and names those that grow."""
    grown = []
    print(f"{'MiB of its own':<16}" + "".join(f"{quarter:>12}" for quarter in ("1st quarter", "2nd", "3rd", "4th")))
    for name in ["up", *SERVICES]:
        quarters = [[own[name] for at, own in samples if int(at * 4) == number and name in own] for number in range(4)]
        medians = [statistics.median(quarter) if quarter else 0 for quarter in quarters]
        print(f"{name:<16}" + "".join(f"{median / 1024:>12.1f}" for median in medians))
        if medians[3] > medians[2] * GROWTH + NOISE_KIB:
            grown.append(name)
    return grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20, help="objects per second")
    parser.add_argument("--emulator", default="ministack")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "target" / "release")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    state = pathlib.Path(tempfile.mkdtemp(prefix="candlewick-soak-"))
    # PostgreSQL does not run as root, and its user must be able to enter the directory.
    state.chmod(0o755)
    stack = Stack(asked.programs, state, asked.emulator)
    load, faults = Load(stack, asked.seed), []
    try:
        before = sum(queue["dead_letters"] or 0 for queue in stack.queues())
        samples = drive(stack, load, asked.minutes, asked.rate)
        print(f"{load.number} objects in {asked.minutes:.0f} minutes: {load.number / asked.minutes / 60:.1f} per second")
        seconds, queues = settle(stack)
        letters = sum(queue["dead_letters"] or 0 for queue in queues) - before
        print(f"nothing in flight {seconds:.0f} s after the last one; {load.broken} broken objects, {letters} dead letters")
        faults += [f"{name} grows" for name in growth(samples)]
        faults += [f"{letters} dead letters of {load.broken} broken objects"] if letters != load.broken else []
        verified = stack.call("verify")
        print(verified.stdout.strip().splitlines()[-1] if verified.stdout.strip() else verified.stderr.strip())
        faults += ["the table differs from the objects"] if verified.returncode else []
    finally:
        stack.stop()
    if faults:
        sys.exit(f"failed, see {state}: {'; '.join(faults)}")
    shutil.rmtree(state)


if __name__ == "__main__":
    main()
