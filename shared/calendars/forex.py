"""The foreign exchange market, which the package has no calendar of.

It has no exchange and so no rule book. By convention its week is that of New York's banks: it opens there on Sunday at
17:00, which is Monday morning in Wellington and Sydney, and closes on Friday at 17:00. Each day ends at 17:00 too
(the value date changes then), so that Monday's session opens on Sunday. Bank holidays close banks and not the market.

On Christmas Day and New Year's Day venues differ. Cboe FX and OANDA skip the session of the holiday
(https://www.cboe.com/about/hours/fx/, OANDA's holiday pages of 2024 to 2026: "FX open at 17:05" on the holiday), banks
and the vendors that collect their prices go on. On the eve some stop at noon or in the afternoon, and in the evening of
the holiday some come back late. So those hours are uncertain: candles of them are read, and none is expected.
"""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from exchange_calendars import ExchangeCalendar

HOLIDAYS = {(12, 25), (1, 1)}
# Minutes after the midnight of a session's date.
OPEN, CLOSE = -7 * 60, 17 * 60
EVE_ENDS, HOLIDAY_EVENING_ENDS = 13 * 60, 0


class ForexCalendar(ExchangeCalendar):
    name = "forex"
    tz = ZoneInfo("America/New_York")
    open_times = ((None, time(17)),)
    close_times = ((None, time(17)),)

    @property
    def open_offset(self):
        return -1

    @classmethod
    def bound_max(cls):
        return None


def certain_hours(day):
    """The part of a session that every venue holds, as minutes of its date; None if that is all of it."""
    if is_holiday(day):
        return OPEN, OPEN
    start = HOLIDAY_EVENING_ENDS if is_holiday(day - timedelta(days=1)) else OPEN
    end = EVE_ENDS if is_holiday(day + timedelta(days=1)) else CLOSE
    return None if (start, end) == (OPEN, CLOSE) else (start, end)


def is_holiday(day: date):
    return (day.month, day.day) in HOLIDAYS
