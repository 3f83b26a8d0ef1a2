#!/usr/bin/env python3
"""The CPU that the stack takes at rest: each process of `candlewick up`, over some minutes in which nothing happens.

    cargo build --release --workspace --bins && python3 benches/idle.py --seconds 300

It starts `candlewick up` in a directory of its own, waits until the watchlist is loaded and some seconds more, and prints the
CPU seconds that each process has used since then, as a share of one core. It exits with 1 if Candlewick's own processes take
1 % of a core or more, or 2 % or more together with the emulator and PostgreSQL.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

from soak import ROOT, SERVICES, Stack

OTHERS = ["localstack", "postgres"]
CALM = 60
TICKS = os.sysconf("SC_CLK_TCK")


def ticks(pid: int) -> int:
    """CPU time of a process and of its children that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])


def family(pid: int) -> list[int]:
    """A process and all processes below it."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, children = [pid], [pid]
    while children:
        children = [child for child, parent in parents.items() if parent in children]
        found += children
    return found


def used(stack: Stack) -> dict[str, float]:
    """The CPU seconds of each part so far. `up` is the parent of the others, which are not counted as its own."""
    parts = {name: family(pid) for name in SERVICES + OTHERS if (pid := stack.process(name))}
    parts["up"] = [stack.up.pid]
    return {name: sum(map(ticks, pids)) / TICKS for name, pids in parts.items()}


def wait_until_loaded(stack: Stack) -> None:
    while any(queue["waiting"] or queue["in_flight"] for queue in stack.queues()):
        time.sleep(1)
    time.sleep(CALM)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=300)
    options.add_argument("--programs", type=pathlib.Path, default=ROOT / "target" / "release")
    options.add_argument("--emulator", default="localstack")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="candlewick-idle-") as state:
        # PostgreSQL does not run as root, and its user must be able to enter the directory.
        pathlib.Path(state).chmod(0o755)
        stack = Stack(chosen.programs, pathlib.Path(state), chosen.emulator)
        try:
            wait_until_loaded(stack)
            before = used(stack)
            time.sleep(chosen.seconds)
            after = used(stack)
        finally:
            stack.stop()
    shares = {name: 100 * (after[name] - before[name]) / chosen.seconds for name in before}
    own = sum(share for name, share in shares.items() if name not in OTHERS)
    for name, share in shares.items():
        print(f"{name:<12} {share:6.3f} %")
    print(f"{'own':<12} {own:6.3f} %\n{'all':<12} {sum(shares.values()):6.3f} %")
    return int(own >= 1 or sum(shares.values()) >= 2)


if __name__ == "__main__":
    sys.exit(main())
