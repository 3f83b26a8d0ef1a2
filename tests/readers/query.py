"""Runs the examples of docs/query.md: each block of SQL or Python as it is printed, in one folder with exports."""

import os
import re
import sys
from pathlib import Path

import duckdb
import psycopg
import pyarrow

# What readers of the page put in themselves.
HERE = {
    "endpoint": os.environ["AWS_ENDPOINT_URL"],
    "bucket": os.environ["BUCKET"],
    "dashboard": os.environ["DASHBOARD_URL"],
}
BLOCK = re.compile(r"```(sql|python)\n(.*?)```", re.DOTALL)


def run_sql(text):
    place = re.match(r"-- (\w+)\n", text)
    if place is None:
        return len(duckdb.sql(text.split(";")[0]).fetchall()) + len(duckdb.sql(text.split(";")[1]).fetchall())
    if place[1] == "postgresql":
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            *before, last = [statement for statement in text.split(";") if statement.strip()]
            for statement in before:
                connection.execute(statement)
            return len(connection.execute(last).fetchall())
    # Athena needs AWS, and DuckDB's httpfs is installed from the internet.
    return None


def rows_of(value):
    return value.num_rows if isinstance(value, pyarrow.Table) else len(value)


def run_python(text):
    names = dict(HERE)
    exec(text, names)
    tables = [value for name, value in names.items() if name in ("days", "table", "frame", "prices")]
    tables = [table for table in tables if hasattr(table, "columns") or isinstance(table, pyarrow.Table)]
    assert tables, "it makes no table"
    return min(rows_of(table) for table in tables)


def main(page, folder):
    os.chdir(folder)
    for number, (language, text) in enumerate(BLOCK.findall(Path(page).read_text(encoding="utf-8")), 1):
        found = run_sql(text) if language == "sql" else run_python(text)
        assert found is None or found > 0, text
        print(f"{number} {language}: " + ("not run here" if found is None else f"{found} rows"))


main(*sys.argv[1:])
