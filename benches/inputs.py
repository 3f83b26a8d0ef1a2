"""What is cleaned: raw CSV as the API gives it, made from a seed, newest first, with what real files suffer from."""

import csv
import pathlib
import random
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
HEADER = "datetime,open,high,low,close,volume\n"
FIRST, LAST = date(2019, 11, 22), date(2024, 11, 21)

# Weekdays without a session between FIRST and LAST, and those that close at 13:00.
CLOSED = """2019-11-28 2019-12-25 2020-01-01 2020-01-20 2020-02-17 2020-04-10 2020-05-25 2020-07-03 2020-09-07 2020-11-26
2020-12-25 2021-01-01 2021-01-18 2021-02-15 2021-04-02 2021-05-31 2021-07-05 2021-09-06 2021-11-25 2021-12-24 2022-01-17
2022-02-21 2022-04-15 2022-05-30 2022-06-20 2022-07-04 2022-09-05 2022-11-24 2022-12-26 2023-01-02 2023-01-16 2023-02-20
2023-04-07 2023-05-29 2023-06-19 2023-07-04 2023-09-04 2023-11-23 2023-12-25 2024-01-01 2024-01-15 2024-02-19 2024-03-29
2024-05-27 2024-06-19 2024-07-04 2024-09-02""".split()
EARLY = "2019-11-29 2019-12-24 2020-11-27 2020-12-24 2021-11-26 2022-11-25 2023-07-03 2023-11-24 2024-07-03".split()


def sessions():
    """Date, open and close of every session, the latter in New York's time."""
    day = FIRST
    while day <= LAST:
        if day.weekday() < 5 and day.isoformat() not in CLOSED:
            close = 13 if day.isoformat() in EARLY else 16
            yield day, datetime(day.year, day.month, day.day, 9, 30), datetime(day.year, day.month, day.day, close)
        day += timedelta(days=1)


def noisy(cents):
    """With the noise of a float behind most."""
    whole, rest = divmod(cents, 100)
    return f"{whole}.{rest:02d}" + ("001" if cents % 10 < 7 else "")


def padded(cents):
    """As TwelveData writes it: five decimals, zeros at the end."""
    return f"{cents // 100}.{cents % 100:02d}000"


def rows(times, generator, price):
    """A random walk of candles, oldest first."""
    cents = 15000
    for time in times:
        opening, cents = cents, max(1000, cents + generator.randint(-30, 30))
        high, low = max(opening, cents) + generator.randint(0, 20), min(opening, cents) - generator.randint(0, 20)
        volume = generator.randint(100, 400000)
        yield f"{time},{price(opening)},{price(high + 2)},{price(low - 2)},{price(cents)},{volume}\n"


def damaged(lines, generator):
    """Without one row in two hundred, with some blank and some twice, newest first."""
    out = []
    for place, line in enumerate(lines):
        chance = generator.random()
        if 0 < place and chance < 0.005:
            continue
        out.append(line)
        if chance > 0.999:
            out.append(line)
        elif chance > 0.998:
            out.append(",,,,,\n")
    return reversed(out)


def write(path, times, seed, price=noisy):
    """One file; nothing where it is there already."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = random.Random(seed)
    lines = list(rows(times, generator, price))
    path.write_text(HEADER + "".join(damaged(lines, generator)))


def minutes():
    return [start + timedelta(minutes=at) for _, start, end in sessions() for at in range(int((end - start).seconds / 60))]


def days():
    return [day for day, _, _ in sessions()]


def calendar(folder):
    """The sessions for those who bring no calendar of their own: date, open and close in UTC."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "sessions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "open", "close"])
        for day, start, end in sessions():
            instants = [at.replace(tzinfo=NEW_YORK).astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S") for at in (start, end)]
            writer.writerow([day, *instants])


if __name__ == "__main__":
    folder, files = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    calendar(folder)
    write(folder / "minutes" / "interval=1min" / "symbol=AAPL" / "candles.csv", minutes(), 1)
    write(folder / "padded" / "interval=1min" / "symbol=AAPL" / "candles.csv", minutes(), 1, padded)
    write(folder / "days" / "interval=1day" / "symbol=AAPL" / "candles.csv", days(), 2)
    for number in range(files):
        write(folder / "many" / "interval=1day" / f"symbol=S{number:04d}" / "candles.csv", days(), 1000 + number)
