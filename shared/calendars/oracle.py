#!/usr/bin/env python3
"""Holds the sessions of generate.py against a second package, pandas_market_calendars, which has calendars of its own for
most of our markets. Each difference is explained in differences.toml, or this fails; and so does an explanation that
explains nothing any more.

    python oracle.py
"""

import sys
import tomllib
from pathlib import Path

import pandas
import pandas_market_calendars

import generate

DIFFERENCES = Path(__file__).parent / "differences.toml"

# Our calendars, and the second package's own. It has none for the others, and takes exchange_calendars' there.
ORACLES = {
    "XNYS": "NYSE",
    "XLON": "LSE",
    "XSWX": "SIX",
    "XTSE": "TSX",
    "XTKS": "JPX",
    "XHKG": "HKEX",
    "XSHG": "SSE",
    "XASX": "ASX",
    "XBOM": "NSE",
    "BVMF": "BMF",
    "CMES": "CMEGlobex_FX",
    "IEPA": "ICEUS",
    "XCBF": "CBOE_Futures",
    "XEUR": "EUREX",
    "XOSL": "OSE",
    "XTAE": "TASE",
    "metals": "CMEGlobex_Metals",
}


def main():
    explanations = [{**each, "count": 0} for each in tomllib.loads(DIFFERENCES.read_text())["difference"]]
    through = generate.recorded_horizon()
    markets = [market for market in generate.MARKETS if market.code in ORACLES]
    found = [each for market in markets for each in differences(generate.cover(market, through))]
    unexplained = [each for each in found if not is_explained(each, explanations)]
    idle = [each for each in explanations if each["count"] == 0]
    for code, day, kind in unexplained:
        print(f"{code} {day}: {kind}: not explained in {DIFFERENCES.name}")
    for each in idle:
        print(f"{each['calendar']}: no difference is explained by: {each['reason']}")
    if unexplained or idle:
        sys.exit(1)
    print(f"{len(markets)} calendars agree but for {len(found)} days, which {len(explanations)} entries explain")


def differences(covered):
    """The calendar's code, the date, and what differs: who has the session, or that both have it at other hours."""
    code = covered.market.code
    ours = {day: tuple(instants) for day, *instants in map(str.split, generate.session_lines(covered))}
    theirs = oracle_sessions(ORACLES[code], min(ours), max(ours))
    for day in sorted({*ours, *theirs}):
        if day not in ours:
            yield code, day, "only theirs"
        elif day not in theirs:
            if is_certain(ours[day]):
                yield code, day, "only ours"
        elif ours[day][:4] != theirs[day] and not is_certain_part_of(ours[day], theirs[day]):
            yield code, day, "other hours"


def is_certain(ours):
    """Whether any part of a session is certain: the last two of six instants are where it starts and ends."""
    return len(ours) == 4 or ours[4] < ours[5]


def is_certain_part_of(ours, theirs):
    """Whether we have only a part of the session as certain, and they have trading in that part."""
    return len(ours) == 6 and (not is_certain(ours) or theirs[0] <= ours[4] and ours[5] <= theirs[1])


def oracle_sessions(name, first, last):
    schedule = pandas_market_calendars.get_calendar(name).schedule(first, last)
    columns = ["market_open", "market_close", "break_start", "break_end"]
    rows = schedule.reindex(columns=columns).itertuples()
    return {str(row.Index.date()): tuple(map(text, row[1:])) for row in rows}


def text(instant):
    return "-" if pandas.isna(instant) else instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_explained(difference, explanations):
    code, day, kind = difference
    for each in explanations:
        dated = day in map(str, each["dates"]) if "dates" in each else day < str(each["before"]) if "before" in each else True
        if (each["calendar"], each["kind"]) == (code, kind) and dated:
            each["count"] += 1
            return True
    return False


if __name__ == "__main__":
    main()
