//! Sessions and candles.

use candlewick_simulator::market::bars::{Bar, Feed};
use candlewick_simulator::market::candle::Candle;
use candlewick_simulator::market::holidays;
use candlewick_simulator::market::instruments::Filters;
use candlewick_simulator::market::interval::Interval;
use candlewick_simulator::market::listings::NYSE;
use candlewick_simulator::world::World;
use jiff::civil::{Date, Weekday, date};
use proptest::prelude::*;

/// Weekdays without a session, from the exchange's calendars.
const CLOSURES: &str = "2021-11-25 2021-12-24 2022-01-17 2022-02-21 2022-04-15 2022-05-30 2022-06-20 2022-07-04 \
    2022-09-05 2022-11-24 2022-12-26 2023-01-02 2023-01-16 2023-02-20 2023-04-07 2023-05-29 2023-06-19 2023-07-04 \
    2023-09-04 2023-11-23 2023-12-25 2024-01-01 2024-01-15 2024-02-19 2024-03-29 2024-05-27 2024-06-19 2024-07-04 \
    2024-09-02 2024-11-28 2024-12-25 2025-01-01 2025-01-09 2025-01-20 2025-02-17 2025-04-18 2025-05-26 2025-06-19 \
    2025-07-04 2025-09-01 2025-11-27 2025-12-25 2026-01-01 2026-01-19 2026-02-16 2026-04-03 2026-05-25 2026-06-19 \
    2026-07-03 2026-09-07 2026-11-26 2026-12-25 2027-01-01 2027-01-18 2027-02-15 2027-03-26 2027-05-31 2027-06-18 \
    2027-07-05 2027-09-06";

/// Sessions that end at 13:00, from the exchange's calendars.
const EARLY: &str = "2021-11-26 2022-11-25 2023-07-03 2023-11-24 2024-07-03 2024-11-29 2024-12-24 2025-07-03 2025-11-28 \
    2025-12-24 2026-11-27 2026-12-24";

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(jiff::Span::new().days(1)).take_while(move |day| *day <= last)
}

fn is_weekday(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn written(days: impl Iterator<Item = Date>) -> String {
    days.map(|day| day.to_string()).collect::<Vec<_>>().join(" ")
}

/// All candles of an interval, newest first, as they stand at the end of a date in New York.
fn bars(world: &World, symbol: &str, interval: &str, last: Date, count: usize) -> Vec<Bar> {
    let instrument = world.catalog.find(symbol, &Filters::default()).unwrap();
    let now = last.at(23, 59, 0, 0).in_tz("America/New_York").unwrap().timestamp();
    let feed = Feed { series: world.series(&instrument), splits: &[], adjusted: true, now };
    feed.newest_first(Interval::parse(interval).unwrap(), last).take(count).collect()
}

fn joined(bars: impl DoubleEndedIterator<Item = Bar>) -> Candle {
    bars.rev().map(|bar| bar.candle).reduce(Candle::followed_by).unwrap()
}

#[test]
fn the_rule_of_holidays_gives_the_closures_of_seven_years() {
    let closed =
        days(date(2021, 11, 22), date(2027, 9, 30)).filter(|day| is_weekday(*day) && holidays::is_holiday(*day));
    assert_eq!(written(closed), CLOSURES);
}

#[test]
fn the_rule_of_early_closes_gives_those_of_six_years() {
    let session = |day: &Date| is_weekday(*day) && !holidays::is_holiday(*day);
    let early = days(date(2021, 11, 22), date(2026, 12, 31)).filter(session).filter(|day| holidays::closes_early(*day));
    assert_eq!(written(early), EARLY);
}

#[test]
fn sessions_are_the_days_of_the_record() {
    let file = include_str!("../../data/aapl_daily_2019_2024.csv");
    let recorded: Vec<_> = file.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    let world = World::new(1).unwrap();
    let sessions = world.catalog.calendar(&NYSE).sessions_from(date(2019, 1, 1));
    let dates: Vec<_> = sessions.take(recorded.len()).map(|session| session.date.to_string()).collect();
    assert_eq!(dates, recorded);
}

#[test]
fn a_session_opens_at_half_past_nine_in_summer_and_in_winter() {
    let world = World::new(1).unwrap();
    let calendar = world.catalog.calendar(&NYSE);
    let opens = |day| calendar.session(day).unwrap().opens.to_string();
    assert_eq!(opens(date(2024, 3, 8)), "2024-03-08T14:30:00Z");
    assert_eq!(opens(date(2024, 3, 11)), "2024-03-11T13:30:00Z");
    assert_eq!(calendar.session(date(2024, 7, 3)).unwrap().closes().to_string(), "2024-07-03T17:00:00Z");
}

#[test]
fn the_slots_of_a_day_join_into_the_day() {
    let world = World::new(1).unwrap();
    // A recorded day, a made-up one, an early close, and days around the clock.
    let cases = [
        ("AAPL", date(2024, 6, 3)),
        ("MSFT", date(2025, 6, 3)),
        ("MSFT", date(2025, 7, 3)),
        ("BTC/USD", date(2025, 6, 1)),
    ];
    for (symbol, day) in cases {
        let whole = bars(&world, symbol, "1day", day, 1)[0];
        for interval in Interval::all().filter(|interval| interval.is_intraday()) {
            let later = day.tomorrow().unwrap();
            let slots: Vec<_> = bars(&world, symbol, interval.name(), later, 3000)
                .into_iter()
                .filter(|bar| bar.starts.date() == day)
                .collect();
            assert_eq!(joined(slots.into_iter()), whole.candle, "{symbol} {day} {}", interval.name());
        }
    }
}

#[test]
fn weeks_and_months_join_the_days_of_the_calendar() {
    let world = World::new(1).unwrap();
    let last = date(2024, 9, 30);
    let days = bars(&world, "AAPL", "1day", last, 400);
    let within =
        |first: Date, last: Date| days.iter().copied().filter(move |bar| (first..=last).contains(&bar.starts.date()));
    // The week of Labor Day is dated by its Monday, which has no session; September by its first, a Sunday.
    let weeks = bars(&world, "AAPL", "1week", last, 52);
    let labor_week = weeks.iter().find(|bar| bar.starts.date() == date(2024, 9, 2)).unwrap();
    assert_eq!(labor_week.candle, joined(within(date(2024, 9, 3), date(2024, 9, 6))));
    let september = bars(&world, "AAPL", "1month", last, 1)[0];
    assert_eq!(september.starts.date(), date(2024, 9, 1));
    assert_eq!(september.candle, joined(within(date(2024, 9, 1), last)));
}

#[test]
fn what_is_made_up_joins_the_record_without_a_jump() {
    let world = World::new(1).unwrap();
    for last in [date(2025, 1, 10), date(2019, 1, 10)] {
        for pair in bars(&world, "AAPL", "1day", last, 10).windows(2) {
            let change = pair[0].candle.close.units() as f64 / pair[1].candle.close.units() as f64;
            assert!((0.88..1.12).contains(&change), "{pair:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn candles_are_sound_and_the_same_however_they_are_asked_for(
        seed in any::<u64>(), symbol in "[A-F][A-Z]{0,3}|BTC/USD|EUR/USD|XRP/JPY",
        days_on in 0i64..4000, interval in prop::sample::select(vec!["1day", "1h", "15min", "1week"]),
    ) {
        let world = World::new(seed).unwrap();
        let last = date(2020, 6, 1).checked_add(jiff::Span::new().days(days_on)).unwrap();
        let later = last.checked_add(jiff::Span::new().days(11)).unwrap();
        let known = bars(&world, &symbol, interval, later, 400);
        for bar in bars(&world, &symbol, interval, last, 20) {
            let Candle { open, high, low, close, .. } = bar.candle;
            prop_assert!(low.units() > 0 && low <= open.min(close) && open.max(close) <= high, "{:?}", bar);
            // The newest candle of the earlier request may still have been open.
            let again = known.iter().find(|known| known.starts == bar.starts);
            prop_assert!(again == Some(&bar) || bar.starts.date() >= last.checked_sub(jiff::Span::new().days(7)).unwrap());
        }
    }
}
