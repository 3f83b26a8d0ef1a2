"""Turns a data frame into raw CSV."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from candlewick.bucket import series_folder
from candlewick.errors import UnfitFrameError

_COLUMNS = ("time", "open", "high", "low", "close", "volume")

#: The intervals of one object per series; all others have one object per month.
_WHOLE = {"1day", "1week", "1month"}


def objects(frame: Any, symbol: str, interval: str) -> dict[str, bytes]:
    """The raw objects of a frame by key: one for daily and longer candles, otherwise one for each month."""
    table = _table(frame)
    folder = f"raw/{series_folder(symbol, interval)}"
    if interval in _WHOLE:
        dates = pc.strftime(table["time"], format="%Y-%m-%d")
        return {f"{folder}/candles.csv": _csv(table, dates)}
    instants = pc.strftime(table["time"], format="%Y-%m-%dT%H:%M:%SZ")
    months = pc.strftime(table["time"], format="%Y-%m")
    parts = {}
    for month in pc.unique(months).to_pylist():
        is_of_month = pc.equal(months, month)
        parts[f"{folder}/{month}.csv"] = _csv(table.filter(is_of_month), instants.filter(is_of_month))
    return parts


def _table(frame: Any) -> pa.Table:
    """The columns of a frame of Arrow, Polars or pandas. A pandas index that is named time is a column too."""
    table = _as_arrow(frame)
    missing = [name for name in _COLUMNS[:5] if name not in table.column_names]
    if missing:
        message = f"the frame has no column {missing[0]}: candles have {', '.join(_COLUMNS)}"
        raise UnfitFrameError(message)
    if table.num_rows == 0:
        message = "the frame has no rows"
        raise UnfitFrameError(message)
    table = table.select([name for name in _COLUMNS if name in table.column_names])
    time = table["time"]
    if pa.types.is_date(time.type):
        time = time.cast(pa.timestamp("s"))
    if not pa.types.is_timestamp(time.type):
        message = f"the column time is {time.type}: candles have dates or timestamps"
        raise UnfitFrameError(message)
    # Times without a zone are UTC. strftime writes the time in the zone of the type.
    kind = pa.timestamp("s", "UTC")
    return table.set_column(0, "time", time.cast(kind))


def _as_arrow(frame: Any) -> pa.Table:
    if isinstance(frame, pa.Table):
        return frame
    if hasattr(frame, "to_arrow"):
        return frame.to_arrow()
    if hasattr(frame, "reset_index"):
        with_time = frame if "time" in frame.columns else frame.reset_index(names="time")
        return pa.Table.from_pandas(with_time, preserve_index=False)
    message = f"{type(frame).__name__} is no frame: give an Arrow table, or a data frame of Polars or pandas"
    raise UnfitFrameError(message)


def _csv(table: pa.Table, times: pa.ChunkedArray) -> bytes:
    """Writes numbers as text that reads as the same number."""
    columns = {"time": times}
    columns.update({name: pc.cast(table[name], pa.string()) for name in table.column_names[1:]})
    out = io.BytesIO()
    options = pyarrow.csv.WriteOptions(quoting_style="none")
    pyarrow.csv.write_csv(pa.table(columns), out, options)
    return out.getvalue()
