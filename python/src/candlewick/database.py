"""Reads the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from candlewick.errors import NotFoundError, SettingsError
from candlewick.frames import SCHEMA
from candlewick.settings import Settings

_CANDLES = """select symbol, interval, time, open, high, low, close, volume, volume is not null, is_filled
    from {view} where symbol = any(%s) and interval = %s and time between %s and %s
    order by symbol collate "C", time"""

#: How many rows are turned into columns at once.
_ROWS = 10_000


def candles(
    settings: Settings,
    symbols: Sequence[str],
    interval: str,
    start: datetime,
    end: datetime,
    *,
    as_of: datetime | None = None,
) -> pa.Table:
    """The candles of some symbols from the view `bi_candles`, or `bi_candles_as_of` if a moment is given."""
    try:
        import psycopg
    except ImportError as error:
        message = "source 'sql' needs psycopg: pip install 'candlewick[sql]'"
        raise SettingsError(message) from error
    with psycopg.connect(settings.required("database_url")) as connection, connection.cursor("candles") as cursor:
        connection.execute("set time zone 'UTC'")
        cursor.itersize = _ROWS
        if as_of:
            connection.execute("select set_config('candlewick.as_of', %s, true)", (as_of.isoformat(),))
        statement = _CANDLES.format(view="bi_candles_as_of" if as_of else "bi_candles")
        cursor.execute(statement, (list(symbols), interval, start, end))
        batches = []
        while rows := cursor.fetchmany(_ROWS):
            batches.append(_batch(rows))
        known = connection.execute("select distinct symbol from objects where interval = %s", (interval,)).fetchall()
    missing = [symbol for symbol in symbols if (symbol,) not in known]
    if missing:
        message = f"the store has no series {missing[0]} {interval}"
        raise NotFoundError(message)
    return pa.Table.from_batches(batches, SCHEMA).unify_dictionaries()


def _batch(rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [_array(list(column), field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values, kind)
