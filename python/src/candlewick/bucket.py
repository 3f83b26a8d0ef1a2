"""Reads and writes the bucket."""

from collections.abc import Iterable
from urllib.parse import quote

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet

from candlewick.errors import CandlewickError, NotFoundError
from candlewick.frames import SCHEMA
from candlewick.settings import Settings


class Bucket:
    """The bucket in the settings."""

    def __init__(self, settings: Settings) -> None:
        """Uses the bucket, the endpoint and the credentials of the settings, or else those of the environment."""
        self._bucket = settings.required("bucket")
        endpoint = settings.aws_endpoint_url
        scheme, _, host = endpoint.partition("://") if endpoint else ("https", "", None)
        self._files = pyarrow.fs.S3FileSystem(
            access_key=settings.aws_access_key_id,
            secret_key=settings.aws_secret_access_key,
            region=settings.aws_region,
            endpoint_override=host,
            scheme=scheme,
        )

    def candles(self, series: Iterable[tuple[str, str]], bounds: pa.compute.Expression | None) -> pa.Table:
        """The candles of these series from their Parquet objects. Only row groups within the bounds are read."""
        files = [file for symbol, interval in series for file in self._parquet(symbol, interval)]
        tables = (
            pyarrow.parquet.read_table(file, filesystem=self._files, filters=bounds, partitioning=None)
            for file in files
        )
        return pa.concat_tables([table.cast(SCHEMA) for table in tables]).unify_dictionaries()

    def exists(self, key: str) -> bool:
        """Whether there is an object at a key."""
        found = self._files.get_file_info(f"{self._bucket}/{key}")
        return bool(found.type != pyarrow.fs.FileType.NotFound)

    def put(self, key: str, body: bytes) -> None:
        """Writes an object."""
        with self._files.open_output_stream(f"{self._bucket}/{key}") as out:
            out.write(body)

    def _parquet(self, symbol: str, interval: str) -> list[str]:
        folder = f"{self._bucket}/columnar/{series_folder(symbol, interval)}"
        found = self._files.get_file_info(pyarrow.fs.FileSelector(folder, allow_not_found=True))
        files = sorted(info.path for info in found if info.path.endswith(".parquet"))
        if not files:
            message = f"s3://{folder} has no Parquet: the store has no series {symbol} {interval}, or COLUMNAR is off"
            raise NotFoundError(message)
        return files


def series_folder(symbol: str, interval: str) -> str:
    """The folder of a series below a prefix."""
    if not symbol or not interval:
        message = "a series has a symbol and an interval"
        raise CandlewickError(message)
    encoded = quote(symbol, safe="._-").replace("~", "%7E")
    return f"interval={interval}/symbol={encoded}"
