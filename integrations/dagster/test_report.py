"""What goes over the wire, with a server in place of the dashboard and of Dagster."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import unittest
import urllib.error
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import report


def event(cursor: int, symbol: str, removed: int = 0) -> dict[str, Any]:
    rows = {"total": 10, "added": 1, "changed": 0, "unchanged": 9, "removed": removed}
    place = {"key": f"transformed/interval=1day/symbol={symbol}/candles.csv", "etag": f"etag{cursor}", "run": None}
    data = {"symbol": symbol, "interval": "1day", **place, "rows": rows, "from": "2024-12-30", "to": "2024-12-30"}
    return {"type": "candles.loaded", "id": f"id{cursor}", "cursor": cursor, "data": data}


class Server(ThreadingHTTPServer):
    """A dashboard that has some events, and a Dagster that remembers what is reported and refuses the first so many."""

    def __init__(self, events: list[dict[str, Any]], refused: int = 0) -> None:
        self.events, self.refused, self.reported = events, refused, []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:  # noqa: N802
        after = int(self.path.partition("after=")[2].partition("&")[0])
        rows = [row for row in self.server.events if row["cursor"] > after]
        self.answer(200, {"events": rows, "next": max([after, *(row["cursor"] for row in rows)]), "is_more": False})

    def do_POST(self) -> None:  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.server.refused:
            self.server.refused -= 1
            return self.answer(500, {})
        self.server.reported.append((self.path, self.headers["content-type"], body))
        return self.answer(200, {})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


class Wire(unittest.TestCase):
    def run_once(self, server: Server, cursor: Path) -> None:
        with mock.patch.dict(os.environ, {"DASHBOARD_URL": server.url}):
            report.run(server.url, cursor, follow=False)

    def test_each_load_is_a_materialization_and_a_check(self) -> None:
        server = Server([event(7, "AAPL"), event(9, "BTC/USD", removed=2)])
        with server, tempfile.TemporaryDirectory() as folder:
            cursor = Path(folder) / "cursor"
            self.run_once(server, cursor)
            self.assertEqual(cursor.read_text(), "9")
            self.run_once(server, cursor)
            server.shutdown()
        paths = [path for path, *_ in server.reported]
        self.assertEqual(
            paths,
            [
                "/report_asset_materialization/candlewick/1day/AAPL",
                "/report_asset_check/candlewick/1day/AAPL",
                "/report_asset_materialization/candlewick/1day/BTC_USD",
                "/report_asset_check/candlewick/1day/BTC_USD",
            ],
        )
        (_, kind, first), (_, _, good), (_, _, second), (_, _, bad) = server.reported
        self.assertEqual(kind, "application/json")
        self.assertEqual((first["data_version"], first["metadata"]["added"]), ("etag7", 1))
        self.assertNotIn("run", first["metadata"], "Dagster has no metadata without a value")
        self.assertEqual((good["check_name"], good["passed"]), ("nothing_removed", True))
        self.assertEqual((bad["passed"], bad["severity"], bad["metadata"]["removed"]), (False, "WARN", 2))
        self.assertEqual(second["metadata"]["object"], "transformed/interval=1day/symbol=BTC/USD/candles.csv")

    def test_a_dagster_that_refuses_gets_the_event_at_the_next_start(self) -> None:
        server = Server([event(7, "AAPL")], refused=1)
        with server, tempfile.TemporaryDirectory() as folder:
            cursor = Path(folder) / "cursor"
            with self.assertRaises(urllib.error.HTTPError):
                self.run_once(server, cursor)
            self.assertFalse(cursor.exists())
            self.run_once(server, cursor)
            server.shutdown()
        self.assertEqual(len(server.reported), 2)


if __name__ == "__main__":
    unittest.main()
