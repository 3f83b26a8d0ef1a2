"""The addresses of a store."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from candlewick.errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """The addresses of a store. Each source needs only its own."""

    dashboard_url: str | None = None
    token: str | None = None
    bucket: str | None = None
    aws_endpoint_url: str | None = None
    aws_region: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    database_url: str | None = None

    @classmethod
    def find(cls, environment: Mapping[str, str] | None = None, folder: Path | None = None) -> "Settings":
        """The settings of the environment, completed by the `.local/env` of this folder or one above it.

        `CANDLEWICK_ENV` names another file. The file is not read if the environment names an address itself, so that
        two stores are never mixed.
        """
        given = os.environ if environment is None else environment
        known = cls.of(given)
        if known.dashboard_url or known.bucket or known.database_url:
            return known
        file = _env_file(given, folder or Path.cwd())
        return cls.of({**_read(file), **given}) if file else known

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Settings":
        """The settings in these variables. An empty variable counts as missing."""

        def value(name: str) -> str | None:
            return values.get(name) or None

        return cls(
            dashboard_url=value("DASHBOARD_URL"),
            token=value("DASHBOARD_TOKEN"),
            bucket=value("BUCKET"),
            aws_endpoint_url=value("AWS_ENDPOINT_URL"),
            aws_region=value("AWS_REGION"),
            aws_access_key_id=value("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=value("AWS_SECRET_ACCESS_KEY"),
            database_url=value("DATABASE_URL"),
        )

    def required(self, name: str) -> str:
        """A setting that must be there."""
        value = getattr(self, name)
        if not value:
            message = f"{name.upper()} is not set: start a store with `candlewick up`, or set the variable"
            raise SettingsError(message)
        return str(value)


def _env_file(given: Mapping[str, str], folder: Path) -> Path | None:
    if named := given.get("CANDLEWICK_ENV"):
        return Path(named)
    found = (parent / ".local" / "env" for parent in (folder, *folder.parents))
    return next((file for file in found if file.is_file()), None)


def _read(file: Path) -> dict[str, str]:
    """The variables of a file with lines of the form `export NAME='value'`."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{file} cannot be read: {error}"
        raise SettingsError(message) from error
    words = (shlex.split(line, comments=True) for line in text.splitlines())
    pairs = (line[-1].partition("=") for line in words if line)
    return {name: value for name, _, value in pairs}
