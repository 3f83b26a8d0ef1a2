#!/usr/bin/env python3
"""Cleaning, by candlewick and by what people use: whole processes in turn, on inputs made from a seed.

    cargo build --release -p candlewick-cli && python3 benches/clean.py

The first run makes the inputs and installs pandas, Polars and DuckDB from PyPI, both under .local/. Every output is held to
candlewick's, value for value. The table has the medians of all rounds, and how many times as much the others take as
candlewick. `cat` is there as a floor, and a low one: it may copy within the kernel, and never holds the whole text.
Look at the load of the machine before you trust a wall time; the CPU times bear it better.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
LOCAL = ROOT / ".local" / "bench"
PEERS = ("pandas", "polars", "duckdb")
# When the source said it: after the last session of the inputs, before the next.
AS_OF = "2024-11-22T00:00:00Z"
INPUTS = ("minutes", "padded", "days", "many")
INTRADAY = ("minutes", "padded")


def python():
    """A Python that has the peers, made where there is none."""
    folder = LOCAL / "venv"
    wanted = (HERE / "peers" / "requirements.txt").read_text()
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        print("installing pandas, Polars and DuckDB ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        requirements = ["-r", HERE / "peers" / "requirements.txt"]
        subprocess.run([folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", *requirements], check=True)
        installed.write_text(wanted)
    return folder / "bin" / "python"


def run(command, stdout):
    """Wall time, CPU time and peak memory of a process of its own, in seconds and megabytes."""
    with open(stdout, "wb") as out, open(LOCAL / "stderr.txt", "wb") as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[:3]} failed:\n{(LOCAL / 'stderr.txt').read_text()[-2000:]}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def commands(name, files, sessions, candlewick, interpreter):
    """What to run on an input, by the name of who runs, and where its output is."""
    interval = "1min" if name in INTRADAY else "1day"
    zone = ["--timezone", "America/New_York"] if name in INTRADAY else []
    own = [candlewick, "clean", *files, "--calendar", "XNYS", "--as-of", AS_OF, "--max-filled", "1", *zone]
    folder = lambda who: LOCAL / "out" / who / name
    several = ["--out", folder("candlewick")] if len(files) > 1 else []
    peer = lambda who: [interpreter, HERE / "peers" / f"clean_{who}.py", interval, sessions, folder(who), *files]
    return {"cat": ["cat", *files], "candlewick": [*own, *several], **{who: peer(who) for who in PEERS}}, folder


def commands_with_parquet(runs, folder):
    """Candlewick without and with Parquet, and DuckDB with Parquet."""
    own = [part for part in runs["candlewick"] if part != "--out" and part != folder("candlewick")]
    out = lambda who, *more: [*own, "--out", folder(who), *more]
    duckdb = ["env", "PARQUET=1", *runs["duckdb"]]
    return {"candlewick": out("candlewick", "--columnar"), "csv alone": out("csv alone"), "duckdb": duckdb}


def clean_files(folder):
    """The clean files of an output, by symbol, wherever their writer put them."""
    found = {}
    for path in folder.rglob("*.csv"):
        if "quarantine" not in path.parts:
            inside = [part for part in path.parts if part.startswith("symbol=")]
            found[inside[-1].removeprefix("symbol=") if inside else path.stem] = path
    return found


def values(line):
    """A row's cells, numbers as numbers, so that 150.0 and 150 are the same."""
    cells = line.rstrip("\n").split(",")
    return [*cells[:3], *map(Decimal, cells[3:8]), *cells[8:]]


def check(name, folder, peers):
    """Holds the output of every peer to candlewick's."""
    own = clean_files(folder("candlewick"))
    for who in peers:
        theirs = clean_files(folder(who))
        if own.keys() != theirs.keys():
            sys.exit(f"{name}: {who} wrote {len(theirs)} files, candlewick {len(own)}")
        for symbol, path in own.items():
            with open(path) as mine, open(theirs[symbol]) as other:
                for line, (one, another) in enumerate(zip(mine, other, strict=True), 1):
                    if one != another and values(one) != values(another):
                        sys.exit(f"{name}: {symbol} line {line}: candlewick has {one}and {who} {another}")


def measure(name, runs, folder, rounds):
    """Every command in turn, so that what else the machine does meets all alike."""
    measured = {who: [] for who in runs}
    for number in range(rounds + 1):
        for who, command in runs.items():
            shutil.rmtree(folder(who), ignore_errors=True)
            folder(who).mkdir(parents=True)
            stdout = folder(who) / ("AAPL.csv" if who == "candlewick" and "--out" not in command else "stdout.txt")
            result = run([str(part) for part in command], stdout)
            # The first round is for the caches of files.
            if number:
                measured[who].append(result)
    return {who: [statistics.median(column) for column in zip(*results)] for who, results in measured.items()}


def table(name, medians):
    own = medians["candlewick"]
    print(f"\n{name:12}{'wall s':>9}{'ratio':>8}{'cpu s':>9}{'ratio':>8}{'peak MB':>9}{'ratio':>8}")
    for who, row in medians.items():
        cells = "".join(f"{value:9.{digits}f}{value / mine:8.2f}" for value, mine, digits in zip(row, own, (3, 3, 0)))
        print(f"{who:12}{cells}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run, after one run that does not count")
    parser.add_argument("--files", type=int, default=2000, help="how many files of days there are in the last input")
    parser.add_argument("--only", choices=INPUTS, help="one input instead of all")
    parser.add_argument("--parquet", action="store_true", help="with Parquet in addition to CSV: candlewick and DuckDB alone")
    parser.add_argument("--candlewick", type=pathlib.Path, default=ROOT / "target" / "release" / "candlewick")
    options = parser.parse_args()
    if not options.candlewick.exists():
        sys.exit(f"{options.candlewick} is not there: cargo build --release -p candlewick-cli")
    interpreter, sessions = python(), LOCAL / "sessions.csv"
    # In a process of its own: the peak memory of whatever is started here is never seen below that of this process.
    subprocess.run([sys.executable, HERE / "inputs.py", LOCAL, str(options.files)], check=True)
    for name in INPUTS:
        if options.only in (None, name):
            files = sorted((LOCAL / name).rglob("*.csv"))[: options.files]
            runs, out = commands(name, files, sessions, options.candlewick, interpreter)
            if options.parquet:
                runs = commands_with_parquet(runs, out)
            medians = measure(name, runs, out, options.rounds)
            check(name, out, [who for who in PEERS if who in runs])
            table(name, medians)


main()
