"""The foreign exchange market, which the package has no calendar of.

It has no exchange and so no rule book. By convention its week is that of New York's banks: it opens there on Sunday at
17:00, which is Monday morning in Wellington and Sydney, and closes on Friday at 17:00. Each day ends at 17:00 too
(the value date changes then), so that Monday's session opens on Sunday. Bank holidays close banks and not the market.

On Christmas Day and New Year's Day venues differ. Cboe FX and OANDA skip the session of the holiday
(https://www.cboe.com/about/hours/fx/, OANDA's holiday pages of 2024 to 2026: "FX open at 17:05" on the holiday), banks
and the vendors that collect their prices go on. On the eve some stop at noon or in the afternoon, and in the evening of
the holiday some come back late. So those hours are uncertain: candles of them are read, and none is expected.

Metals against currencies (XAU/USD) have no exchange either. Their market rests with COMEX, for an hour from 17:00 in New
York (https://www.cmegroup.com/markets/metals/precious/gold.contractSpecs.html), so a session opens at 18:00. On holidays
on which COMEX stops early or is closed, the rest of the day is uncertain.
"""

from collections import namedtuple
from datetime import date, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from exchange_calendars import ExchangeCalendar
from exchange_calendars.exchange_calendar_cmes import CMESExchangeCalendar
from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar
from pandas import Timestamp

HOLIDAYS = {(12, 25), (1, 1)}
# Minutes after the midnight of a session's date.
CLOSE = 17 * 60
EVE_ENDS, HOLIDAY_EVENING_ENDS = 13 * 60, 0

Comex = namedtuple("Comex", ["early_closes", "sessions_held"])


class ForexCalendar(ExchangeCalendar):
    name = "forex"
    tz = ZoneInfo("America/New_York")
    open_times = ((None, time(17)),)
    close_times = ((None, time(17)),)
    OPEN = -7 * 60

    @property
    def open_offset(self):
        return -1

    @classmethod
    def bound_max(cls):
        return None

    @classmethod
    def certain_hours(cls, day):
        """The part of a session that every venue holds, as minutes of its date; None if that is all of it."""
        if is_holiday(day):
            return cls.OPEN, cls.OPEN
        start = HOLIDAY_EVENING_ENDS if is_holiday(day - timedelta(days=1)) else cls.OPEN
        end = EVE_ENDS if is_holiday(day + timedelta(days=1)) else CLOSE
        return None if (start, end) == (cls.OPEN, CLOSE) else (start, end)


class MetalsCalendar(ForexCalendar):
    name = "metals"
    open_times = ((None, time(18)),)
    OPEN = -6 * 60

    @classmethod
    def certain_hours(cls, day):
        if Timestamp(day) in comex().early_closes:
            return cls.OPEN, EVE_ENDS
        if Timestamp(day) not in comex().sessions_held:
            return cls.OPEN, cls.OPEN
        return super().certain_hours(day)


@cache
def comex():
    """COMEX keeps the calendar of CME Globex: which dates have sessions, and which of them end early. The package's lacks the
    early end on Juneteenth, so all holidays of New York's exchange count."""
    span = {"start": Timestamp(2006, 12, 1), "end": Timestamp(2049, 12, 31)}
    globex, new_york = CMESExchangeCalendar(**span), XNYSExchangeCalendar(**span)
    return Comex(set(globex.early_closes) | set(globex.sessions) - set(new_york.sessions), set(globex.sessions))


def is_holiday(day: date):
    return (day.month, day.day) in HOLIDAYS
