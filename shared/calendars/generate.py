#!/usr/bin/env python3
"""Writes the trading calendars next to this file, from the exchange_calendars package, from forex.py, and with what
corrections.toml puts right. No calendar is edited by hand.

    pip install --require-hashes -r requirements.txt
    python generate.py --through 2027-11-22     writes every calendar, and sessions.sha256
    python generate.py --check                  fails if a file is not what it would write
    python generate.py --print-sessions         prints every session, for the Rust test to compare
    python generate.py --through 2028-12-31 --only XBOM > XBOM.toml
                                                writes one calendar, to put next to the watchlist

The last date is an argument and not "a year from today", so that the same command writes the same bytes on any day.
"""

import argparse
import hashlib
import itertools
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field, replace
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
# Nobody asks for older candles often enough to check the lists of holidays before it.
FIRST = date(1990, 1, 1)
MARGIN = timedelta(days=60)
DIGESTS = "sessions.sha256"
CODES = "codes.toml"
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
    # The first date, where the package has sessions of a time that its holidays don't reach or before the market began.
    first: date = FIRST
    # Whether some products have no session on the holidays on which others close early.
    early_is_uncertain: bool = False

    @property
    def path(self):
        return HERE / f"{self.code.replace('/', '-')}.toml"


LATE = "Covered from 1998 on: at first it did not trade on every weekday."
FLOOR = "Covered from 2008 on: before, the holidays of the trading floors applied to many products."

MARKETS = [
    Market("24/5", "Monday to Friday, all day in UTC", [], "Forex has a calendar of its own: forex."),
    Market("24/7", "Every day, all day: crypto"),
    Market("AIXK", "Astana International Exchange", first=date(2018, 11, 14)),
    Market("ASEX", "Athens Stock Exchange", ["XATH"]),
    Market("BVMF", "B3 (Sao Paulo)"),
    Market("CMES", "CME Globex (Chicago)", ["XCME", "XCBT", "XCEC", "XNYM"], FLOOR, None, date(2008, 1, 1), True),
    Market("IEPA", "ICE Futures US", ["IFUS"], FLOOR, None, date(2008, 1, 1), True),
    Market("XAMS", "Euronext Amsterdam"),
    Market("XASX", "Australian Securities Exchange"),
    Market("XBDA", "Bermuda Stock Exchange"),
    Market("XBEL", "Belgrade Stock Exchange", [], "Covered from 2002 on: before, few shares traded.", None, date(2002, 1, 1)),
    Market("XBKK", "Stock Exchange of Thailand"),
    Market("XBOG", "Bolsa de Valores de Colombia", [], "Its hours follow the clocks of New York."),
    Market(
        "XBOM",
        "BSE (Bombay)",
        ["XNSE"],
        "The package has no calendar of the National Stock Exchange of India (XNSE): BSE's serves for it.",
    ),
    Market("XBRA", "Bratislava Stock Exchange", [], LATE, None, date(1998, 1, 1)),
    Market("XBRU", "Euronext Brussels", ["ALXB", "MLXB"]),
    Market("XBSE", "Bucharest Stock Exchange", [], LATE, None, date(1998, 1, 1)),
    Market("XBUD", "Budapest Stock Exchange", first=date(1990, 6, 21)),
    Market("XBUE", "Bolsas y Mercados Argentinos (Buenos Aires)"),
    Market("XCBF", "Cboe Futures Exchange", first=date(2004, 3, 26)),
    Market("XCSE", "Nasdaq Copenhagen", ["DSME", "FNDK"]),
    Market("XCYS", "Cyprus Stock Exchange", [], LATE, None, date(1998, 1, 1)),
    Market("XDUB", "Euronext Dublin", ["XMSM", "XESM"]),
    Market("XDUS", "Boerse Duesseldorf", ["XBER", "XHAN", "XMUN"], "It serves the other regional exchanges of Germany."),
    Market("XEEE", "European Energy Exchange", first=date(2002, 7, 1)),
    Market("XETR", "Xetra", ["XETA", "XETB"]),
    Market("XEUR", "Eurex", first=date(1998, 9, 28)),
    Market("XFRA", "Frankfurt Stock Exchange", ["FRAA", "FRAB"]),
    Market("XHAM", "Hamburg Stock Exchange"),
    Market("XHEL", "Nasdaq Helsinki", ["FNFI"]),
    Market("XHKG", "Hong Kong Stock Exchange"),
    Market("XICE", "Nasdaq Iceland", ["FNIS"]),
    Market("XIDX", "Indonesia Stock Exchange", [], "Its holidays are known from 2002 on.", None, date(2002, 1, 1)),
    Market("XIST", "Borsa Istanbul"),
    Market("XJSE", "Johannesburg Stock Exchange"),
    Market("XKAR", "Pakistan Stock Exchange", [], "Its holidays are known from 2002 on.", None, date(2002, 1, 1)),
    Market("XKLS", "Bursa Malaysia"),
    Market("XKRX", "Korea Exchange", ["XKOS"]),
    Market("XLIM", "Bolsa de Valores de Lima"),
    Market("XLIS", "Euronext Lisbon", ["ALXL", "ENXL"]),
    Market("XLIT", "Nasdaq Vilnius", [], LATE, None, date(1998, 1, 1)),
    Market("XLJU", "Ljubljana Stock Exchange", [], LATE, None, date(1998, 1, 1)),
    Market("XLON", "London Stock Exchange", ["AIMX"]),
    Market("XLUX", "Luxembourg Stock Exchange"),
    Market("XMAD", "Bolsa de Madrid", ["BMEX", "XMCE"]),
    Market("XMEX", "Bolsa Mexicana de Valores"),
    Market("XMIL", "Borsa Italiana", ["MTAA", "ETFP"]),
    Market("XMOS", "Moscow Exchange", ["MISX", "RTSX"], "Its working Saturdays are known from 1999 on.", None, date(1999, 1, 1)),
    Market(
        "XNYS",
        "New York Stock Exchange",
        [
            *["XNAS", "XNGS", "XNMS", "XNCM", "ARCX", "XASE", "BATS", "BATY", "EDGA", "EDGX", "IEXG", "LTSE", "MEMX"],
            *["XBOS", "XCHI", "XCIS", "XPHL", "XPSX", "EXPM", "OOTC", "OTCB", "OTCM", "OTCQ", "PINX", "PSGM"],
        ],
    ),
    Market("XNZE", "New Zealand Exchange"),
    Market("XOSL", "Euronext Oslo", ["MERK", "XOAS"]),
    Market("XPAR", "Euronext Paris", ["ALXP", "XMLI"]),
    Market("XPHS", "Philippine Stock Exchange", [], "Its holidays are known from 2002 on.", None, date(2002, 1, 1)),
    Market("XPRA", "Prague Stock Exchange", [], LATE, None, date(1998, 1, 1)),
    Market("XRIS", "Nasdaq Riga", [], LATE, None, date(1998, 1, 1)),
    Market("XSAU", "Saudi Exchange", [], "The package covers it from 2021 on: since 2013 it rests on Friday and Saturday."),
    Market("XSES", "Singapore Exchange"),
    Market("XSGO", "Bolsa de Santiago"),
    Market("XSHG", "Shanghai Stock Exchange", ["XSHE"], "Its holidays are known from 1999 on.", None, date(1999, 1, 1)),
    Market("XSTO", "Nasdaq Stockholm", ["SSME", "FNSE"]),
    Market("XSTU", "Boerse Stuttgart"),
    Market("XSWX", "SIX Swiss Exchange", ["XVTX"]),
    Market("XTAE", "Tel Aviv Stock Exchange"),
    Market(
        "XTAI",
        "Taiwan Stock Exchange",
        ["ROCO"],
        "Covered from 2001 on: before, it also traded on some Saturdays, which the package lacks.",
        None,
        date(2001, 1, 1),
    ),
    Market("XTAL", "Nasdaq Tallinn", [], LATE, None, date(1998, 1, 1)),
    Market("XTKS", "Tokyo Stock Exchange", ["XJPX"]),
    Market("XTSE", "Toronto Stock Exchange", ["XTSX", "NEOE", "XCNQ"]),
    Market("XWAR", "Warsaw Stock Exchange", ["XNCO"], LATE, None, date(1998, 1, 1)),
    Market("XWBO", "Wiener Boerse"),
    Market("XZAG", "Zagreb Stock Exchange", [], LATE, None, date(1998, 1, 1)),
    Market("forex", "Foreign exchange", [], "Made by forex.py, which says what it goes by.", forex.ForexCalendar),
    Market(
        "metals",
        "Gold, silver, platinum and palladium, as on COMEX",
        [],
        "Made by forex.py, which says what it goes by.",
        forex.MetalsCalendar,
        date(2007, 1, 1),
    ),
    Market("us_futures", "Futures in the United States", [], FLOOR, None, date(2008, 1, 1), True),
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
class Regular:
    """The hours of some days of the week from a date on. Entries of one date belong together."""

    since: date
    days: list[str]
    hours: Hours


@dataclass
class Covered:
    """A market's sessions from `first` through `last`."""

    market: Market
    zone: ZoneInfo
    # The days of the week with sessions, unless an entry of the regular hours has its own.
    open_days: list[str]
    first: date
    last: date
    regular: list["Regular"]
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
    if options.only:
        covered = [cover(market, through, strict=False) for market in MARKETS if market.code in options.only]
        sys.stdout.writelines(calendar_file(each) for each in covered)
        return
    covered = [cover(market, through) for market in MARKETS]
    if options.print_sessions:
        for each in covered:
            sys.stdout.writelines(f"{each.market.code} {line}" for line in session_lines(each))
        return
    wanted = {each.market.path: calendar_file(each) for each in covered}
    wanted[HERE / CODES] = code_file()
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
    parser.add_argument("--only", metavar="CODE", nargs="+", help="print the files of these calendars instead of writing all")
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


def cover(market, through, strict=True):
    """The sessions of a market, as far as they are asked for or as far as they are known. Strict is to refuse corrections that
    the package does not need: a later release of it may have them."""
    factory = market.factory or PACKAGE_CALENDARS[market.code]
    first = max(each for each in (market.first, bound(factory.bound_min())) if each)
    last = min(each for each in (through, bound(factory.bound_max())) if each)
    calendar = made(factory, first, last)
    require_special_weeks(market, calendar, first, last)
    for code in market.serves:
        require_same_sessions(code, market, calendar, first, last)
    return with_uncertain(corrected(as_it_comes(market, calendar, first, last), strict))


def bound(timestamp):
    return None if timestamp is None else timestamp.date()


def as_it_comes(market, calendar, first, last):
    open_days = week(calendar.weekmask)
    schedule = calendar.schedule.loc[str(first) : str(last)]
    sessions = {row.Index.date(): local_hours(calendar, row) for row in schedule.itertuples()}
    regular = regular_hours(calendar, sessions, first, last)
    return Covered(market, calendar.tz, open_days, first, last, regular, sessions)


def with_uncertain(covered):
    for day, hours in covered.sessions.items():
        if covered.market.factory:
            hours.certain = covered.market.factory.certain_hours(day)
        elif covered.market.early_is_uncertain and is_holiday_of_some(covered, day, hours):
            hours.certain = (hours.open, hours.open)
    return covered


def is_holiday_of_some(covered, day, hours):
    return pandas.Timestamp(day) in forex.comex().early_closes or not hours.same_times(usual_hours(covered.regular, day))


def corrected(covered, strict):
    """The sessions as corrections.toml has them. A correction that changes nothing is an error: it is not needed."""
    data = tomllib.loads(CORRECTIONS.read_text())
    for correction in data["hours"]:
        if correction["calendar"] == covered.market.code:
            correct_hours(covered, correction, strict)
            covered.is_corrected = True
    for correction in data["session"]:
        if correction["calendar"] == covered.market.code:
            correct_sessions(covered, correction, strict)
            covered.is_corrected = True
    return covered


def correct_hours(covered, correction, strict):
    regular = [Regular(each["from"], each.get("days", covered.open_days), file_hours(each)) for each in correction["from"]]
    if strict and regular == covered.regular:
        sys.exit(f"{covered.market.code}: the package has the corrected hours by now")
    for day, hours in covered.sessions.items():
        if hours == hours_at(covered.regular, day):
            covered.sessions[day] = replace(hours_at(regular, day))
    covered.regular = regular


def correct_sessions(covered, correction, strict):
    if not (correction["source"] and correction["reason"]):
        sys.exit(f"{covered.market.code}: a correction says neither why nor where from")
    for day in correction["dates"]:
        hours = None if correction.get("closed") else file_hours(correction)
        if not covered.first <= day <= covered.last or covered.sessions.get(day) == hours:
            if strict:
                sys.exit(f"{covered.market.code}: the correction of {day} changes nothing")
            continue
        covered.sessions.pop(day, None)
        if hours:
            covered.sessions[day] = hours
    covered.sessions = dict(sorted(covered.sessions.items()))


def file_hours(table):
    open, close = minutes_of(table["open"]), minutes_of(table["close"])
    pause, certain = (tuple(map(minutes_of, table[key])) if key in table else None for key in ("break", "certain"))
    return Hours(open, close, pause, (open, open) if certain == () else certain)


def made(factory, first, last):
    """The package takes the last date that it is asked for as the last session of a year, so it is asked for more."""
    bounds = factory.bound_min(), factory.bound_max()
    start, end = pandas.Timestamp(first) - MARGIN, pandas.Timestamp(last) + MARGIN
    return factory(start=max(start, bounds[0] or start), end=min(end, bounds[1] or end))


def require_special_weeks(market, calendar, first, last):
    """The package names weeks with a session on a Saturday, and has lost those sessions under another pandas."""
    weeks = [(pandas.date_range(start, end), mask) for start, end, mask in special_weeks(calendar, first, last)]
    extra = [day for days, mask in weeks for day in days if mask[day.weekday()] > calendar.weekmask[day.weekday()]]
    lost = set(extra) - set(calendar.sessions)
    # Some are holidays.
    if len(lost) * 4 > len(extra):
        sys.exit(f"{market.code}: the package lost its special sessions: {min(lost).date()} and others")


def special_weeks(calendar, first, last):
    """The package's spans with other days of the week, as far as they are asked for: first date, last date and mask."""
    for start, end, days in getattr(calendar, "special_weekmasks", []):
        start = max(start.date(), first) if start else first
        end = min(end.date(), last) if end else last
        if start <= end:
            yield start, end, days


def require_same_sessions(code, market, calendar, first, last):
    """A code that has a calendar of its own in the package is served by another's only while the two agree."""
    if code in PACKAGE_CALENDARS and not made(PACKAGE_CALENDARS[code], first, last).schedule.equals(calendar.schedule):
        sys.exit(f"{code} no longer has the sessions of {market.code}: give it a calendar of its own")


def calendar_file(covered):
    market, sessions = covered.market, covered.sessions
    days = {d: hours_at(covered.regular, d) is not None for d in covered_dates(covered)}
    unusual = {d: hours for d, hours in sessions.items() if not hours.same_times(usual_hours(covered.regular, d))}
    uncertain = {d: hours.certain for d, hours in sessions.items() if hours.certain}
    lines = [
        f"# Written by generate.py from {covered.source}: never edited by hand.",
        *[f"# {line}" for line in market.note.splitlines()],
        f'code = "{market.code}"',
        f'name = "{market.name}"',
        f"serves = {strings(market.serves)}",
        f'timezone = "{covered.zone}"',
        f'source = "{covered.source}"',
        f"first = {covered.first}",
        f"last = {covered.last}",
        f"days = {strings(covered.open_days)}",
        "",
        "# The regular hours in local time, each from its date on, and of some days of the week where they differ.",
        "hours = [",
        *[f"    {{ {regular_entry(covered, each)} }}," for each in covered.regular],
        "]",
        "",
        "# The days of the week above on which there is no session, a line a year.",
        *date_lines("closed = [", [d for d, is_open in days.items() if is_open and d not in sessions], "]"),
        "",
        "# The sessions on other days of the week.",
        *date_lines("extra = [", [d for d, is_open in days.items() if not is_open and d in sessions], "]"),
        "",
        "# The sessions with other hours than the regular ones: early closes, late opens, half days without a break.",
        "unusual = [",
        *grouped(unusual, key=str, head=lambda hours: f"{hours}, "),
        "]",
        "",
        "# The sessions that only some venues hold, each with the part that all of them hold, if any.",
        "uncertain = [",
        *grouped(uncertain, key=str, head=lambda part: "" if part[0] == part[1] else f"certain = {span(part)}, "),
        "]",
    ]
    return re.sub(r"\[\n\]", "[]", "\n".join(lines) + "\n")


def regular_entry(covered, entry):
    days = "" if entry.days == covered.open_days else f"days = {strings(entry.days)}, "
    return f"from = {entry.since}, {days}{entry.hours}"


def grouped(values, key, head):
    """The dates of each value, in the order of their first dates."""
    groups = {}
    for day, value in values.items():
        groups.setdefault(key(value), (value, []))[1].append(day)
    for value, days in groups.values():
        lines = date_lines(f"{{ {head(value)}dates = [", days, "] },")
        yield from (f"    {line}" for line in lines)


def covered_dates(covered):
    return [covered.first + timedelta(days=n) for n in range((covered.last - covered.first).days + 1)]


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


def regular_hours(calendar, sessions, first, last):
    """The usual hours of each day of the week, between the dates on which the package's times or days of the week change."""
    weeks = [each for each in special_weeks(calendar, first, last) if is_lasting(each)]
    starts = [first, *sorted(day for day in changes(calendar, weeks) if first < day <= last)]
    result = []
    for start, end in itertools.pairwise([*starts, date.max]):
        masks = [mask for begin, until, mask in weeks if begin <= start <= until]
        days = week(masks[-1] if masks else calendar.weekmask)
        usual = {day: most_common(calendar, sessions, day, start, end) for day in days}
        for hours in unique(usual.values()):
            result.append(Regular(start, [day for day in days if usual[day] == hours], hours))
    return [each for i, each in enumerate(result) if i == 0 or not continues(result, each)]


def continues(entries, entry):
    """Whether an entry says what the entries before it say, as a change far from its calendar's sessions may."""
    of = lambda since: [(each.days, each.hours) for each in entries if each.since == since]
    earlier = [each.since for each in entries if each.since < entry.since]
    return bool(earlier) and of(earlier[-1]) == of(entry.since)


def changes(calendar, weeks):
    times = [*calendar.open_times, *calendar.close_times, *(calendar.break_start_times or ()), *(calendar.break_end_times or ())]
    days = [since.date() for since, _ in times if since]
    return {*days, *(start for start, _, _ in weeks), *(end + timedelta(days=1) for _, end, _ in weeks)}


def is_lasting(weeks):
    """Whether other days of the week are the rule for a time, and not a single working Saturday."""
    return weeks[1] - weeks[0] > timedelta(days=100)


def week(mask):
    return [WEEK[i] for i, flag in enumerate(mask) if flag == "1"]


def most_common(calendar, sessions, weekday, start, end):
    """The hours of more than half of the sessions on a day of the week, else those that the package calls regular."""
    found = [hours for day, hours in sessions.items() if start <= day < end and WEEK[day.weekday()] == weekday]
    regular = package_hours(calendar, start)
    text, count = Counter(map(str, found)).most_common(1)[0] if found else ("", 0)
    return next(each for each in found if str(each) == text) if count * 2 > len(found) else regular


def package_hours(calendar, day):
    """The hours that the package calls regular, which change each by itself, as a whole."""
    start, end = time_at(calendar.break_start_times or (), day), time_at(calendar.break_end_times or (), day)
    return Hours(
        time_at(calendar.open_times, day) + calendar.open_offset * 24 * 60,
        time_at(calendar.close_times, day) + calendar.close_offset * 24 * 60,
        None if start is None else (start, end),
    )


def unique(values):
    return list({str(value): value for value in values}.values())


def time_at(times, day):
    """The time in force on a day, of the package's (from, time) pairs, whose first has no date."""
    in_force = [time for since, time in times if since is None or since.date() <= day]
    return in_force[-1].hour * 60 + in_force[-1].minute if in_force and in_force[-1] else None


def hours_at(regular, day):
    """The regular hours of a date, or None on a day of the week without sessions."""
    return next((each.hours for each in entries_at(regular, day) if WEEK[day.weekday()] in each.days), None)


def usual_hours(regular, day):
    """The hours that a session has unless the file names others, also on a day of the week without regular ones."""
    return hours_at(regular, day) or entries_at(regular, day)[0].hours


def entries_at(regular, day):
    since = max(each.since for each in regular if each.since <= day)
    return [each for each in regular if each.since == since]


def session_lines(covered):
    """Every session as one line: its date, then in UTC its open, its close, start and end of the break, and start and end
    of what is certain where that is not the whole."""
    for day, hours in covered.sessions.items():
        minutes = (hours.open, hours.close, *(hours.pause or (None, None)), *(hours.certain or ()))
        instants = [None if each is None else instant_at(covered.zone, day, each) for each in minutes]
        texts = ["-" if each is None else each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in instants]
        yield " ".join([str(day), *texts]) + "\n"


def code_file():
    """The calendar of every code, so that a program finds one without parsing all files."""
    codes = {code: market.code for market in MARKETS for code in (market.code, *market.serves)}
    lines = [f'"{code}" = "{calendar}"\n' for code, calendar in sorted(codes.items())]
    return "# Written by generate.py: the calendar of every code.\n" + "".join(lines)


def digest_file(every):
    """Per calendar and year: how many sessions there are, and the beginning of the SHA-256 of their lines."""
    result = [f"# Written by generate.py, with {SOURCE}: calendar, year, sessions, SHA-256 of their lines (16 digits).\n"]
    for covered in every:
        for year, lines in itertools.groupby(session_lines(covered), key=lambda line: line[:4]):
            lines = list(lines)
            digest = hashlib.sha256("".join(lines).encode()).hexdigest()[:16]
            result.append(f"{covered.market.code} {year} {len(lines)} {digest}\n")
    return "".join(result)


def date_lines(head, days, tail):
    years = sorted({d.year for d in days})
    return [head, *["    " + ", ".join(str(d) for d in days if d.year == year) + "," for year in years], tail]


def strings(values):
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def span(minutes):
    return "[" + ", ".join(f'"{clock(each)}"' for each in minutes) + "]"


def clock(minutes):
    if minutes < 0:
        return f"{clock(minutes + 24 * 60)} the day before"
    return f"{minutes // 60:02}:{minutes % 60:02}"


def minutes_of(text):
    time, before, _ = text.partition(" the day before")
    hour, minute = time.split(":")
    return int(hour) * 60 + int(minute) - (24 * 60 if before else 0)


if __name__ == "__main__":
    main()
