"""The cleaning with pandas, as somebody who knows it well would write it: arrays, no loops over rows."""

import pathlib
import sys

import numpy as np
import pandas as pd

MAX_FILL = 3
PRICES = ["open", "high", "low", "close"]


def slots(path, interval):
    sessions = pd.read_csv(path, parse_dates=["date", "open", "close"])
    if interval == "1day":
        return sessions["date"].to_numpy("datetime64[s]")
    begin, end = (sessions[name].to_numpy("datetime64[s]") for name in ("open", "close"))
    length = (end - begin).astype("timedelta64[m]").astype(np.int64)
    within = np.arange(length.sum()) - np.repeat(length.cumsum() - length, length)
    return np.repeat(begin, length) + within.astype("timedelta64[m]").astype("timedelta64[s]")


def read(path, interval):
    rows = pd.read_csv(path, dtype={name: "float64" for name in [*PRICES, "volume"]}).dropna(how="all")
    form = "%Y-%m-%d" if interval == "1day" else "%Y-%m-%d %H:%M:%S"
    time = pd.to_datetime(rows.pop("datetime"), format=form)
    if interval != "1day":
        time = time.dt.tz_localize("America/New_York").dt.tz_convert("UTC").dt.tz_localize(None)
    rows.index = pd.DatetimeIndex(time).as_unit("s")
    rows = rows.sort_values("volume", ascending=False)
    return rows[~rows.index.duplicated()].sort_index()


def clean(rows, grid):
    rows = rows[rows.index.isin(grid)]
    grid = grid[(grid >= rows.index[0]) & (grid <= rows.index[-1])]
    real = np.searchsorted(grid, rows.index.to_numpy())
    run = np.diff(real, append=real[-1] + 1)
    # Each real row stands for itself and, where the run behind it is short enough, for the vacant slots of that run.
    copies = np.where(run - 1 <= MAX_FILL, run, 1)
    source = np.repeat(np.arange(len(real)), copies)
    offset = np.arange(copies.sum()) - np.repeat(copies.cumsum() - copies, copies)
    out = rows.iloc[source]
    filled = offset > 0
    out.index = grid[real[source] + offset]
    for name in PRICES[:3]:
        out.loc[filled, name] = out["close"].to_numpy()[filled]
    out.loc[filled, "volume"] = 0
    return out.assign(has_volume="true", is_filled=np.where(filled, "true", "false"), volume=out["volume"].astype("int64"))


def write(out, path, symbol, interval):
    text = np.datetime_as_string(out.index.to_numpy(), unit="D" if interval == "1day" else "s")
    out.insert(0, "time", text if interval == "1day" else np.char.add(text, "Z"))
    out.insert(0, "interval", interval)
    out.insert(0, "symbol", symbol)
    out.to_csv(path, index=False)


def main(interval, sessions, folder, *files):
    grid = slots(sessions, interval)
    for file in files:
        symbol = pathlib.Path(file).parent.name.removeprefix("symbol=")
        write(clean(read(file, interval), grid), pathlib.Path(folder) / f"{symbol}.csv", symbol, interval)


main(*sys.argv[1:])
