//! The API in memory: it counts credits, fails, and sometimes leaves candles out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use candlewick_ingest::credits::budget::MinuteUsage;
use candlewick_ingest::fetch::transport::{Lost, LostAt, Response, Transport};
use candlewick_shared::ports::clock::Now;
use candlewick_test_support::lives::Life;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, date};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::support::{Durable, Work};
use crate::vendor::{answer, candle, meta};

/// What the symbols begin with that it does not know.
pub const UNKNOWN: &str = "X";

const DAY_GONE: &str =
    "You have run out of API credits for the day. 40 API credits were used, with the current limit being 40.";
const MINUTE_GONE: &str =
    "You have run out of API credits for the current minute. 9 API credits were used, with the current limit being 8.";
const NOTHING: &str = "No data is available on the specified dates. Try setting different start/end dates.";

/// The API, which outlives every process.
pub struct Api {
    pub now: Now,
    per_minute: u32,
    per_day: u32,
    state: Mutex<State>,
    durable: Arc<Durable>,
}

struct State {
    dice: StdRng,
    used: BTreeMap<(i64, i64), u32>,
    wasted: Vec<String>,
}

/// What one process has of the API.
pub struct Line {
    pub api: Arc<Api>,
    pub life: Arc<Life>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Line")
    }
}

#[async_trait]
impl Transport for Line {
    async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Response, Lost> {
        self.life.call().await;
        let query: BTreeMap<_, _> = query.iter().map(|(name, value)| (*name, value.clone())).collect();
        let (delay, answered) = self.api.answer(path, &query);
        sleep(delay).await;
        self.life.call().await;
        answered
    }
}

type Query<'a> = BTreeMap<&'a str, String>;

fn lost(at: LostAt) -> Result<Response, Lost> {
    Err(Lost { at, reason: "as the dice fell".to_owned() })
}

impl Api {
    pub fn new(now: Now, durable: Arc<Durable>, dice: &mut StdRng) -> Arc<Self> {
        let per_minute = dice.random_range(4..10);
        let per_day = dice.random_range(30..80);
        let state = State { dice: StdRng::seed_from_u64(dice.random()), used: BTreeMap::new(), wasted: Vec::new() };
        Arc::new(Self { now, per_minute, per_day, state: Mutex::new(state), durable })
    }

    /// The requests for what a run had before the work on its message began.
    pub fn wasted(&self) -> Vec<String> {
        self.state.lock().unwrap().wasted.clone()
    }

    /// The answer to a request, and how long it takes.
    fn answer(&self, path: &str, query: &Query<'_>) -> (Duration, Result<Response, Lost>) {
        let mut state = self.state.lock().unwrap();
        let delay = Duration::from_millis(state.dice.random_range(0..3000));
        let fate = state.dice.random_range(0..100);
        if fate < 4 {
            return (delay, lost(LostAt::Connecting));
        }
        let (body, status) = match self.charge(&mut state) {
            Some(gone) => (error(429, gone), 429),
            None => self.body(&mut state, path, query),
        };
        let minute =
            MinuteUsage { used: self.used(&state, 60), left: self.per_minute.saturating_sub(self.used(&state, 60)) };
        match fate {
            4..8 => (delay, lost(LostAt::Waiting)),
            8..11 => (delay, lost(LostAt::Reading)),
            11..13 => (delay, Ok(Response { status: 502, usage: None, body: b"<html>bad gateway".to_vec() })),
            13..15 => (delay, Ok(Response { status, usage: Some(minute), body: body.as_bytes()[..20].to_vec() })),
            15 => (Duration::from_secs(61), lost(LostAt::Waiting)),
            _ => (delay, Ok(Response { status, usage: Some(minute), body: body.into_bytes() })),
        }
    }

    fn used(&self, state: &State, seconds: i64) -> u32 {
        let number = (self.now)().as_second().div_euclid(seconds);
        state.used.get(&(seconds, number)).copied().unwrap_or_default()
    }

    /// Takes a credit, or says that there is none.
    fn charge(&self, state: &mut State) -> Option<&'static str> {
        if self.used(state, 86_400) >= self.per_day {
            return Some(DAY_GONE);
        }
        if self.used(state, 60) >= self.per_minute {
            return Some(MINUTE_GONE);
        }
        for seconds in [60, 86_400] {
            let number = (self.now)().as_second().div_euclid(seconds);
            *state.used.entry((seconds, number)).or_default() += 1;
        }
        None
    }

    fn body(&self, state: &mut State, path: &str, query: &Query<'_>) -> (String, u16) {
        match (path, query.get("symbol")) {
            ("api_usage", _) => (self.usage(state).to_string(), 200),
            (_, Some(symbol)) if symbol.starts_with(UNKNOWN) => (error(404, "**symbol** not found"), 404),
            ("earliest_timestamp", _) => (json!({"datetime": "2024-11-25 14:30:00"}).to_string(), 200),
            _ => self.time_series(state, query),
        }
    }

    fn usage(&self, state: &State) -> Value {
        json!({"current_usage": self.used(state, 60), "plan_limit": self.per_minute,
               "daily_usage": self.used(state, 86_400), "plan_daily_limit": self.per_day})
    }

    fn time_series(&self, state: &mut State, query: &Query<'_>) -> (String, u16) {
        if let Some(wasted) = self.durable.is_had(&Work::current(), query, (self.now)()) {
            state.wasted.push(wasted);
        }
        let from = time(&query["start_date"]);
        let until = time(&query["end_date"]);
        let now = (self.now)().to_zoned(jiff::tz::TimeZone::UTC).datetime();
        let times = times(&query["interval"]).filter(|time| (from..until).contains(time) && *time < now);
        let mut values: Vec<_> = times.map(|time| value(time, &query["interval"])).collect();
        if state.dice.random_bool(0.3) && values.len() > 8 {
            let left_out = state.dice.random_range(0..values.len());
            values.remove(left_out);
        }
        values.reverse();
        match values.is_empty() {
            true => (error(400, NOTHING), 400),
            false => (answer(&meta(&query["symbol"], &query["interval"]), &values), 200),
        }
    }
}

fn error(code: u16, message: &str) -> String {
    json!({"code": code, "message": message, "status": "error"}).to_string()
}

fn time(text: &str) -> DateTime {
    text.parse().or_else(|_| text.parse().map(|date: Date| date.at(0, 0, 0, 0))).unwrap()
}

/// When the candles of an interval are, oldest first.
fn times(interval: &str) -> impl Iterator<Item = DateTime> + use<> {
    let hours = if interval == "1day" { 0..1 } else { 14..16 };
    let days = date(2024, 11, 25).series(jiff::Span::new().days(1)).take(45);
    let open =
        days.filter(|day| !matches!(day.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday));
    open.flat_map(move |day| hours.clone().map(move |hour| day.at(hour, if hour > 0 { 30 } else { 0 }, 0, 0)))
}

fn value(time: DateTime, interval: &str) -> Value {
    let close = 100.0 + f64::from(time.day()) + f64::from(time.hour()) / 100.0;
    let text = if interval == "1day" { time.date().to_string() } else { time.strftime("%F %T").to_string() };
    candle(&text, close)
}

/// The machine's start in the simulation: a Friday evening in New York.
pub fn start() -> Timestamp {
    "2024-12-27T22:00:00Z".parse().unwrap()
}
