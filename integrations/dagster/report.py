"""Reports every load of Candlewick to Dagster: a materialization of the series, and a check of what it removed.

It uses the Python package `candlewick` and nothing of Dagster's. docs/dagster.md explains it.
"""  # noqa: INP001

from __future__ import annotations

import json
import os
import re
import urllib.request
from pathlib import Path
from typing import Any

import candlewick

#: How long Dagster may take to answer.
PATIENCE = 30


def asset(data: dict[str, Any]) -> str:
    """The key of a series, as a path of names that Dagster accepts: `BTC/USD` is `BTC_USD`."""
    return f"candlewick/{data['interval']}/{re.sub(r'[^A-Za-z0-9_]', '_', data['symbol'])}"


def reports(event: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What Dagster gets for an event: addresses below its own, and their bodies."""
    data, rows = event["data"], event["data"]["rows"]
    # The event has an id, so two reports of one load can be told apart from two loads.
    metadata = {"id": event["id"], "run": data["run"], "object": data["key"], "from": data["from"], "to": data["to"]}
    metadata = {name: value for name, value in (metadata | rows).items() if value is not None}
    check = {"check_name": "nothing_removed", "passed": rows["removed"] == 0, "severity": "WARN"}
    return [
        (f"report_asset_materialization/{asset(data)}", {"data_version": data["etag"], "metadata": metadata}),
        (f"report_asset_check/{asset(data)}", check | {"metadata": {"removed": rows["removed"], "id": event["id"]}}),
    ]


def send(dagster: str, path: str, body: dict[str, Any]) -> None:
    """Reports to Dagster. An answer that is no success is an error: the event is reported again at the next start."""
    request = urllib.request.Request(f"{dagster}/{path}", json.dumps(body).encode())
    request.add_header("content-type", "application/json")
    urllib.request.urlopen(request, timeout=PATIENCE).close()


def run(dagster: str, cursor: Path, *, follow: bool = True) -> None:
    """Reports the events after the cursor in the file, and writes it after each."""
    after = int(cursor.read_text()) if cursor.exists() else 0
    for event in candlewick.events(after, follow=follow):
        for path, body in reports(event):
            send(dagster, path, body)
        new = cursor.with_suffix(".new")
        new.write_text(str(event["cursor"]))
        new.replace(cursor)


if __name__ == "__main__":
    run(os.environ.get("DAGSTER_URL", "http://127.0.0.1:3000").rstrip("/"), Path(os.environ["CURSOR"]))
