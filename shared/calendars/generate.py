#!/usr/bin/env python3
"""Writes the trading calendars next to this file, from the exchange_calendars package, from forex.py, and with what
corrections.toml puts right. No calendar is edited by hand.

    pip install --require-hashes -r requirements.txt
    python generate.py --through 2027-11-22     writes every calendar, and sessions.sha256
    python generate.py --check                  fails if a file is not what it would write
    python generate.py --print-sessions         prints every session, for the Rust test to compare

The last date is an argument and not "a year from today", so that the same command writes the same bytes on any day.
"""

import argparse
import hashlib
import itertools
import re
import sys
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import exchange_calendars
import pandas
from exchange_calendars.calendar_utils import _default_calendar_factories as PACKAGE_CALENDARS

import forex

HERE = Path(__file__).parent
SOURCE = f"exchange_calendars {exchange_calendars.__version__}"
CORRECTIONS = HERE / "corrections.toml"
FIRST = date(2005, 1, 1)
DIGESTS = "sessions.sha256"
WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@dataclass
class Market:
    """A calendar to write: what the package doesn't say about it."""

    code: str
    name: str
    # The codes of other markets that keep the same sessions.
    serves: list[str] = field(default_factory=list)
    note: str = ""
    # What makes its calendar, where that is not the package.
    factory: type[exchange_calendars.ExchangeCalendar] | None = None

    @property
    def path(self):
        return HERE / f"{self.code.replace('/', '-')}.toml"


MARKETS = [
    Market("XNYS", "New York Stock Exchange", ["XNAS", "XNGS", "XNMS", "XNCM", "ARCX", "XASE", "BATS"]),
    Market("XLON", "London Stock Exchange"),
    Market("XETR", "Xetra", ["XFRA"]),
    Market("XPAR", "Euronext Paris"),
    Market("XAMS", "Euronext Amsterdam"),
    Market("XSWX", "SIX Swiss Exchange"),
    Market("XMIL", "Borsa Italiana"),
    Market("XMAD", "Bolsa de Madrid"),
    Market("XTSE", "Toronto Stock Exchange"),
    Market("XTKS", "Tokyo Stock Exchange"),
    Market("XHKG", "Hong Kong Stock Exchange"),
    Market("XSHG", "Shanghai Stock Exchange"),
    Market("XASX", "Australian Securities Exchange"),
    Market(
        "XBOM",
        "BSE (Bombay)",
        ["XNSE"],
        "The package has no calendar of the National Stock Exchange of India (XNSE): BSE's serves for it.",
    ),
    Market("BVMF", "B3 (Sao Paulo)"),
    Market("24/7", "Every day, all day: crypto"),
    Market("24/5", "Monday to Friday, all day in UTC", [], "Forex has a calendar of its own: forex."),
    Market("forex", "Foreign exchange", [], "Made by forex.py, which says what it goes by.", forex.ForexCalendar),
]


@dataclass
class Hours:
    """When a session opens, closes and pauses: minutes after the local midnight of its date, negative on the day before."""

    open: int
    close: int
    pause: tuple[int, int] | None = None
    # The part that every venue holds, as start and end: the same twice if there is no such part, None if it is all.
    certain: tuple[int, int] | None = None

    def __str__(self):
        text = f'open = "{clock(self.open)}", close = "{clock(self.close)}"'
        return text + f", break = {span(self.pause)}" if self.pause else text

    def same_times(self, other):
        return (self.open, self.close, self.pause) == (other.open, other.close, other.pause)


@dataclass
class Covered:
    """A market's sessions from FIRST through `last`."""

    market: Market
    zone: ZoneInfo
    open_days: list[str]
    last: date
    # The regular hours, each from its date on.
    regular: list[tuple[date, Hours]]
    sessions: dict[date, Hours]
    is_corrected: bool = False

    @property
    def source(self):
        """What the sessions come from. Where that is a file of ours, their digest tells its versions apart."""
        digest = hashlib.sha256("".join(session_lines(self)).encode()).hexdigest()[:8]
        if self.market.factory:
            return f"forex.py {digest}"
        return f"{SOURCE} corrected {digest}" if self.is_corrected else SOURCE


def main():
    options = parse_options()
    through = options.through or recorded_horizon()
    covered = [cover(market, through) for market in MARKETS]
    if options.print_sessions:
        for each in covered:
            sys.stdout.writelines(f"{each.market.code} {line}" for line in session_lines(each))
        return
    wanted = {each.market.path: calendar_file(each) for each in covered}
    wanted[HERE / DIGESTS] = digest_file(covered)
    if options.check:
        check(wanted)
    else:
        for path, text in wanted.items():
            path.write_text(text)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--through", type=date.fromisoformat, help="the last date to write: needed to write")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--print-sessions", action="store_true")
    options = parser.parse_args()
    if not (options.through or options.check or options.print_sessions):
        parser.error("say how far to write: --through YYYY-MM-DD")
    return options


def recorded_horizon():
    """The date of the last --through: the furthest that any file reaches."""
    return max(tomllib.loads(market.path.read_text())["last"] for market in MARKETS)


def check(wanted):
    stale = [path.name for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if stale:
        sys.exit(f"not what generate.py would write: {', '.join(stale)}")
    print(f"{len(wanted)} files are what generate.py would write")


def cover(market, through):
    """The sessions of a market, as far as they are asked for or as far as they are known."""
    factory = market.factory or PACKAGE_CALENDARS[market.code]
    bound = factory.bound_max()
    last = min(through, bound.date()) if bound is not None else through
    calendar = made(factory, last)
    require_special_weeks(market, calendar)
    for code in market.serves:
        require_same_sessions(code, market, calendar, last)
    return corrected(as_it_comes(market, calendar, last))


def as_it_comes(market, calendar, last):
    open_days = [WEEK[i] for i, flag in enumerate(calendar.weekmask) if flag == "1"]
    sessions = {row.Index.date(): local_hours(calendar, row) for row in calendar.schedule.itertuples()}
    covered = Covered(market, calendar.tz, open_days, last, regular_hours(calendar), sessions)
    if market.factory:
        for day, hours in sessions.items():
            hours.certain = forex.certain_hours(day)
    return covered


def corrected(covered):
    """The sessions as corrections.toml has them. A correction that changes nothing is an error: it is not needed."""
    data = tomllib.loads(CORRECTIONS.read_text())
    for correction in data["hours"]:
        if correction["calendar"] == covered.market.code:
            correct_hours(covered, correction)
            covered.is_corrected = True
    for correction in data["session"]:
        if correction["calendar"] == covered.market.code:
            correct_sessions(covered, correction)
            covered.is_corrected = True
    return covered


def correct_hours(covered, correction):
    regular = [(each["from"], file_hours(each)) for each in correction["from"]]
    if regular == covered.regular:
        sys.exit(f"{covered.market.code}: the package has the corrected hours by now")
    for day, hours in covered.sessions.items():
        if hours == hours_at(covered.regular, day):
            covered.sessions[day] = hours_at(regular, day)
    covered.regular = regular


def correct_sessions(covered, correction):
    if not (correction["source"] and correction["reason"]):
        sys.exit(f"{covered.market.code}: a correction says neither why nor where from")
    for day in correction["dates"]:
        hours = None if correction.get("closed") else file_hours(correction)
        if not FIRST <= day <= covered.last or covered.sessions.get(day) == hours:
            sys.exit(f"{covered.market.code}: the correction of {day} changes nothing")
        covered.sessions.pop(day, None)
        if hours:
            covered.sessions[day] = hours
    covered.sessions = dict(sorted(covered.sessions.items()))


def file_hours(table):
    open, close = minutes_of(table["open"]), minutes_of(table["close"])
    pause, certain = (tuple(map(minutes_of, table[key])) if key in table else None for key in ("break", "certain"))
    return Hours(open, close, pause, (open, open) if certain == () else certain)


def made(factory, last):
    return factory(start=pandas.Timestamp(FIRST), end=pandas.Timestamp(last))


def require_special_weeks(market, calendar):
    """The package names weeks with a session on a Saturday, and has lost those sessions under another pandas."""
    sessions = set(calendar.sessions)
    for start, end, days in getattr(calendar, "special_weekmasks", []):
        for day in pandas.date_range(start, end):
            if days[day.weekday()] == "1" and day not in sessions and day not in calendar.adhoc_holidays:
                sys.exit(f"{market.code}: the package lost its special session of {day.date()}")


def require_same_sessions(code, market, calendar, last):
    """A code that has a calendar of its own in the package is served by another's only while the two agree."""
    if code in PACKAGE_CALENDARS and not made(PACKAGE_CALENDARS[code], last).schedule.equals(calendar.schedule):
        sys.exit(f"{code} no longer has the sessions of {market.code}: give it a calendar of its own")


def calendar_file(covered):
    market, sessions = covered.market, covered.sessions
    days = {d: WEEK[d.weekday()] in covered.open_days for d in dates_through(covered.last)}
    unusual = {d: hours for d, hours in sessions.items() if not hours.same_times(hours_at(covered.regular, d))}
    uncertain = {d: hours for d, hours in sessions.items() if hours.certain}
    lines = [
        f"# Written by generate.py from {covered.source}: never edited by hand.",
        *[f"# {line}" for line in market.note.splitlines()],
        f'code = "{market.code}"',
        f'name = "{market.name}"',
        f"serves = {strings(market.serves)}",
        f'timezone = "{covered.zone}"',
        f'source = "{covered.source}"',
        f"first = {FIRST}",
        f"last = {covered.last}",
        f"days = {strings(covered.open_days)}",
        "",
        "# The regular hours in local time, each from its date on.",
        "hours = [",
        *[f"    {{ from = {d}, {hours} }}," for d, hours in covered.regular],
        "]",
        "",
        "# The days of the week above on which there is no session, a line a year.",
        *date_lines("closed", [d for d, is_open in days.items() if is_open and d not in sessions]),
        "",
        "# The sessions on other days of the week.",
        *date_lines("extra", [d for d, is_open in days.items() if not is_open and d in sessions]),
        "",
        "# The sessions with other hours than the regular ones: early closes, late opens, half days without a break.",
        "unusual = [",
        *[f"    {{ date = {d}, {hours} }}," for d, hours in unusual.items()],
        "]",
        "",
        "# The sessions that only some venues hold, each with the part that all of them hold, if any.",
        "uncertain = [",
        *[f"    {{ {uncertain_session(d, hours)} }}," for d, hours in uncertain.items()],
        "]",
    ]
    return re.sub(r"\[\n\]", "[]", "\n".join(lines) + "\n")


def uncertain_session(day, hours):
    start, end = hours.certain
    return f"date = {day}" if start == end else f"date = {day}, certain = {span(hours.certain)}"


def dates_through(last):
    return [FIRST + timedelta(days=n) for n in range((last - FIRST).days + 1)]


def local_hours(calendar, row):
    midnight = row.Index.to_pydatetime()

    def minutes(instant):
        local = instant.to_pydatetime().astimezone(calendar.tz).replace(tzinfo=None) - midnight
        whole = local // timedelta(minutes=1)
        if local != timedelta(minutes=whole) or not -24 * 60 < whole <= 24 * 60:
            sys.exit(f"{calendar.name}: {instant} is no whole minute of {midnight.date()}, which the files can't say")
        if instant_at(calendar.tz, row.Index.date(), whole) != instant:
            sys.exit(f"{calendar.name}: {instant} is in an hour that the clocks repeat, which the files can't say")
        return whole

    pause = None if pandas.isna(row.break_start) else (minutes(row.break_start), minutes(row.break_end))
    return Hours(minutes(row.open), minutes(row.close), pause)


def instant_at(zone, day, minutes):
    """The instant of a local time that is so many minutes after a date's midnight by the clock."""
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    return local.replace(tzinfo=zone).astimezone(UTC)


def regular_hours(calendar):
    """The package's regular times, which change each by itself, as whole sets of hours."""
    starts, ends = calendar.break_start_times or (), calendar.break_end_times or ()
    times = [*calendar.open_times, *calendar.close_times, *starts, *ends]
    changes = [since.date() for since, _ in times if since]
    result = []
    for day in [FIRST, *sorted({d for d in changes if d > FIRST})]:
        start, end = time_at(starts, day), time_at(ends, day)
        hours = Hours(
            time_at(calendar.open_times, day) + calendar.open_offset * 24 * 60,
            time_at(calendar.close_times, day) + calendar.close_offset * 24 * 60,
            None if start is None else (start, end),
        )
        result.append((day, hours))
    return result


def time_at(times, day):
    """The time in force on a day, of the package's (from, time) pairs, whose first has no date."""
    in_force = [time for since, time in times if since is None or since.date() <= day]
    return in_force[-1].hour * 60 + in_force[-1].minute if in_force and in_force[-1] else None


def hours_at(regular, day):
    return [hours for since, hours in regular if since <= day][-1]


def session_lines(covered):
    """Every session as one line: its date, then in UTC its open, its close, start and end of the break, and start and end
    of what is certain where that is not the whole."""
    for day, hours in covered.sessions.items():
        minutes = (hours.open, hours.close, *(hours.pause or (None, None)), *(hours.certain or ()))
        instants = [None if each is None else instant_at(covered.zone, day, each) for each in minutes]
        texts = ["-" if each is None else each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in instants]
        yield " ".join([str(day), *texts]) + "\n"


def digest_file(every):
    """Per calendar and year: how many sessions there are, and the SHA-256 of their lines."""
    result = [f"# Written by generate.py, with {SOURCE}: calendar, year, sessions, SHA-256 of their lines.\n"]
    for covered in every:
        for year, lines in itertools.groupby(session_lines(covered), key=lambda line: line[:4]):
            lines = list(lines)
            digest = hashlib.sha256("".join(lines).encode()).hexdigest()
            result.append(f"{covered.market.code} {year} {len(lines)} {digest}\n")
    return "".join(result)


def date_lines(key, days):
    years = sorted({d.year for d in days})
    return [f"{key} = [", *["    " + ", ".join(str(d) for d in days if d.year == year) + "," for year in years], "]"]


def strings(values):
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def span(minutes):
    return "[" + ", ".join(f'"{clock(each)}"' for each in minutes) + "]"


def clock(minutes):
    if minutes < 0:
        return f"{clock(minutes + 24 * 60)} the day before"
    return f"{minutes // 60:02}:{minutes % 60:02}"


def minutes_of(text):
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


if __name__ == "__main__":
    main()
