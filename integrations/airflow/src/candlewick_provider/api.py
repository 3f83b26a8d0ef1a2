"""The addresses of Candlewick's API that the provider uses, and what it makes of the answers. It sends nothing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The longest id of a run.
LONGEST_ID = 200

#: How long an answer may wait. Proxies close connections that are silent for a minute.
WAIT_SECONDS = 30

#: The states in which a series stays.
SETTLED = frozenset({"loaded", "unchanged", "superseded", "failed"})


@dataclass(frozen=True)
class Store:
    """Where the dashboard of a store is, and the token that requests runs there."""

    url: str
    token: str | None

    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def run_id(*parts: str) -> str:
    """The id of the run that belongs to a DAG run, the same for every attempt and every scheduler.

    Characters that an id cannot have are replaced. A digest tells ids apart that are the same otherwise.
    """
    plain = "__".join(parts)
    written = re.sub(r"[^A-Za-z0-9._:+=@~-]", "_", plain)
    if written == plain and len(written) <= LONGEST_ID:
        return written
    digest = hashlib.sha256(plain.encode()).hexdigest()[:16]
    return f"{written[: LONGEST_ID - len(digest) - 1]}-{digest}"


def run_path(run: str) -> str:
    """The address of a run."""
    return f"/api/v1/runs/{quote(run, safe='')}"


def series_path(run: str) -> str:
    """The address of the series of a run."""
    return f"{run_path(run)}/series"


def series_uri(symbol: str, interval: str) -> str:
    """The name of a series as an asset of Airflow."""
    return f"candlewick://series/{interval}/{quote(symbol, safe='')}"


def failures(rows: Sequence[dict[str, Any]]) -> str | None:
    """What is wrong with the failed series, with the object and the next command, or nothing."""
    failed = [row for row in rows if row["state"] == "failed"]
    if not failed:
        return None
    told = (
        f"{row['symbol']} {row['interval']}: {row['reason']} "
        f"(raw/interval={row['interval']}/symbol={quote(row['symbol'], safe='')}/; after it is fixed: {row['next']})"
        for row in failed
    )
    return "; ".join(told)
