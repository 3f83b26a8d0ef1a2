"""Runs of Candlewick as tasks of Apache Airflow."""

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """What Airflow lists of this provider: its name, and the type of its connections."""
    return {
        "package-name": "airflow-provider-candlewick",
        "name": "Candlewick",
        "description": "Requests runs of Candlewick, and waits for them.",
        "versions": ["0.1.0"],
        "connection-types": [
            {"connection-type": "candlewick", "hook-class-name": "candlewick_provider.hook.CandlewickHook"}
        ],
    }
