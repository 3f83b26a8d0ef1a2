"""The errors of the package."""


class CandlewickError(Exception):
    """An error of this package."""


class SettingsError(CandlewickError):
    """An address of the store is missing or cannot be used."""


class NotFoundError(CandlewickError):
    """The store has no such series, candle or object."""


class UnfitFrameError(CandlewickError):
    """A frame is not one of candles."""
