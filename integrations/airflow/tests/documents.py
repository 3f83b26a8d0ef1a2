"""The DAG of the documents."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs/airflow.md"


def documented() -> str:
    """The text of the only DAG in docs/airflow.md."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(block)
