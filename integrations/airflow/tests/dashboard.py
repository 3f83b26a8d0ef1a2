"""A dashboard that answers as a test says."""

from __future__ import annotations

import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Dashboard:
    """Answers each request with the next of its answers, and remembers what it was asked."""

    def __init__(self) -> None:
        """Listens on a free port of this machine."""
        self.answers: deque[tuple[int, Any]] = deque()
        self.asked: list[tuple[str, str, str | None, Any]] = []
        dashboard = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                token = self.headers.get("authorization")
                dashboard.asked.append((self.command, self.path, token, json.loads(body) if body else None))
                status, answer = dashboard.answers.popleft()
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server.server_address[1])

    def __enter__(self) -> Self:
        """Starts it."""
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self.server.shutdown()
        self.server.server_close()
