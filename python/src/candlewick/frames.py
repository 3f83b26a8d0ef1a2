"""Candles as tables of several libraries."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl

#: Prices and volumes.
NUMBERS = ("open", "high", "low", "close", "volume")

_NAME = pa.dictionary(pa.int32(), pa.string())
_NUMBER = pa.decimal128(38, 20)

#: The schema of candles, the same for every source.
SCHEMA = pa.schema(
    [
        pa.field("symbol", _NAME, nullable=False),
        pa.field("interval", _NAME, nullable=False),
        pa.field("time", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("open", _NUMBER, nullable=False),
        pa.field("high", _NUMBER, nullable=False),
        pa.field("low", _NUMBER, nullable=False),
        pa.field("close", _NUMBER, nullable=False),
        pa.field("volume", _NUMBER),
        pa.field("has_volume", pa.bool_(), nullable=False),
        pa.field("is_filled", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Candles:
    """Candles, ordered by symbol and time. Prices are exact decimals unless floats are asked for."""

    table: pa.Table

    def __len__(self) -> int:
        """The number of candles."""
        return int(self.table.num_rows)

    def to_arrow(self, *, floats: bool = False) -> pa.Table:
        """The candles as an Arrow table."""
        if not floats:
            return self.table
        kind = {name: pa.float64() for name in NUMBERS}
        fields = [pa.field(field.name, kind.get(field.name, field.type), field.nullable) for field in self.table.schema]
        return self.table.cast(pa.schema(fields))

    def to_pandas(self, *, floats: bool = False) -> "pd.DataFrame":
        """The candles as a pandas data frame. Decimals are `decimal.Decimal` objects."""
        return cast("pd.DataFrame", self.to_arrow(floats=floats).to_pandas())

    def to_polars(self, *, floats: bool = False) -> "pl.DataFrame":
        """The candles as a Polars data frame."""
        import polars as pl

        return cast("pl.DataFrame", pl.from_arrow(self.to_arrow(floats=floats)))

    def to_duckdb(self, *, floats: bool = False) -> "duckdb.DuckDBPyRelation":
        """The candles as a DuckDB relation."""
        import duckdb

        return duckdb.from_arrow(self.to_arrow(floats=floats))
