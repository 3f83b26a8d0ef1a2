//! Reads the candles of a range in parts, with their indicators: only one part is in memory at a time.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::candle::CandleTime;
use jiff::ToSpan;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};

use super::rows::{self, Needed, Rows};
use super::source::Source;
use crate::app::App;
use crate::indicators::{Bar, Indicators, Running};
use crate::problem::Problem;
use crate::query::candles::{Range, Take};
use crate::query::fields::{Field, Fields};
use crate::turns::{Turn, Turns};

/// How many candles are read at once.
const PART: usize = 10_000;

/// How many candles of a past moment are read at once. Each part takes a look at the whole series.
const PART_OF_THE_PAST: usize = 100_000;

/// How many candles are read first, without a turn: most ranges have no more.
const FIRST_PART: usize = 2_500;

/// How many additional candles are read before a range to cover its first session: as many minutes as the longest
/// session has.
const SESSION: usize = 1_440;

/// A candle with the values of its indicators.
pub struct CandleRow<'r> {
    pub row: &'r PgRow,
    /// The time of the candle, in seconds since 1970.
    pub time: i64,
    /// The values of the indicators' columns.
    pub values: &'r [Option<f64>],
}

/// Reads a range in parts.
pub struct Reading {
    pool: PgPool,
    turns: Turns,
    source: Source,
    range: Range,
    take: Take,
    needed: Needed,
    indicators: Indicators,
    running: Vec<Box<dyn Running>>,
    session: Option<Session>,
    is_begun: bool,
    /// Whether the range has more candles than were taken. It is known only once all parts are read.
    pub is_more: bool,
    is_done: bool,
}

impl Reading {
    pub async fn new(
        app: &App,
        source: Source,
        range: Range,
        take: Take,
        fields: &Fields,
        indicators: Indicators,
    ) -> Result<Self, Problem> {
        let pool = app.pool.clone();
        let source = with_needed_calendar(app, source, &indicators).await?;
        let running = indicators.iter().map(|each| each.start()).collect();
        let needed = needed(fields, &indicators);
        let turns = app.turns.clone();
        Ok(Self {
            pool,
            turns,
            source,
            range,
            take,
            needed,
            indicators,
            running,
            session: None,
            is_begun: false,
            is_more: false,
            is_done: false,
        })
    }

    /// Waits for the turn to read the next rows and to convert them; `None` if they need none.
    pub async fn turn(&self) -> Option<Turn> {
        let is_large = match self.take {
            _ if self.is_done => false,
            Take::First(_) => self.is_begun || self.source.as_of.is_some(),
            Take::Last(count) => count > FIRST_PART,
        };
        if is_large { self.turns.take().await } else { None }
    }

    /// The next rows, ascending; `None` after the last. The caller holds the [`turn`](Self::turn) for them.
    pub async fn next(&mut self) -> Result<Option<Vec<PgRow>>, Problem> {
        if self.is_done {
            return Ok(None);
        }
        let part = self.part().await?;
        let Some(first) = part.first() else { return Ok(None) };
        if !self.is_begun {
            self.is_begun = true;
            self.run_up(rows::seconds(first)?).await?;
        }
        Ok(Some(part))
    }

    async fn part(&mut self) -> Result<Vec<PgRow>, Problem> {
        let most = match self.source.as_of {
            Some(_) => PART_OF_THE_PAST,
            None if self.is_begun => PART,
            None => FIRST_PART,
        };
        let take = match self.take {
            Take::First(count) => Take::First(count.min(most)),
            last @ Take::Last(_) => last,
        };
        let Rows { rows, is_more } = rows::read(&self.pool, &self.source, self.range, take, self.needed).await?;
        self.is_more = is_more;
        let left = match (self.take, take) {
            (Take::First(count), Take::First(part)) => count - part,
            _ => 0,
        };
        self.is_done = !is_more || left == 0;
        self.take = Take::First(left);
        if let Some(last) = rows.last() {
            self.range.from = rows::seconds(last)? + 1;
        }
        Ok(rows)
    }

    /// Feeds the candles before the range to the indicators.
    async fn run_up(&mut self, first: i64) -> Result<(), Problem> {
        let is_of_session =
            self.source.series.interval.is_intraday() && self.indicators.iter().any(|each| each.is_of_session());
        let count = self.indicators.run_up().max(if is_of_session { SESSION } else { 0 });
        if count == 0 {
            return Ok(());
        }
        let mut values = Vec::new();
        for row in self.before(first, count).await?.iter().rev().flatten() {
            self.step(row, &mut values)?;
        }
        Ok(())
    }

    /// The last `count` candles before a time, in parts, the latest part first. A part has fewer than requested where
    /// candles are missing.
    async fn before(&self, time: i64, mut count: usize) -> Result<Vec<Vec<PgRow>>, Problem> {
        let mut parts = Vec::new();
        let mut range = Range { from: Range::ALWAYS.from, to: time - 1 };
        while count > 0 {
            let Rows { rows, is_more } =
                rows::read(&self.pool, &self.source, range, Take::Last(count), self.needed).await?;
            let Some(first) = rows.first() else { break };
            range.to = rows::seconds(first)? - 1;
            count = count.saturating_sub(rows.len());
            parts.push(rows);
            if !is_more {
                break;
            }
        }
        Ok(parts)
    }

    /// The values of the indicators at the next candle. Each row must be passed exactly once, in order.
    pub fn candle<'r>(&mut self, row: &'r PgRow, values: &'r mut Vec<Option<f64>>) -> Result<CandleRow<'r>, Problem> {
        let time = self.step(row, values)?;
        Ok(CandleRow { row, time, values })
    }

    fn step(&mut self, row: &PgRow, values: &mut Vec<Option<f64>>) -> Result<i64, Problem> {
        values.clear();
        let time = rows::seconds(row)?;
        if self.running.is_empty() {
            return Ok(time);
        }
        let bar = Bar { session: self.session(time), ..bar(row)? };
        self.running.iter_mut().for_each(|running| running.step(&bar, values));
        Ok(time)
    }

    /// The session of a candle, identified by its end. Each candle of a day or longer is its own session.
    fn session(&mut self, time: i64) -> i64 {
        let calendar = self.source.calendar.filter(|_| self.source.series.interval.is_intraday());
        let Some(calendar) = calendar else { return time };
        if !self.session.is_some_and(|session| session.has(time)) {
            self.session = Some(Session::at(calendar, time));
        }
        self.session.map_or(time, |session| session.open)
    }
}

/// The start and the end of a session.
#[derive(Clone, Copy)]
struct Session {
    open: i64,
    close: i64,
}

impl Session {
    fn has(self, time: i64) -> bool {
        (self.open..self.close).contains(&time)
    }

    /// The session that contains a time, or the whole date if the calendar does not cover it.
    fn at(calendar: &Calendar, time: i64) -> Self {
        const DAY: i64 = 86_400;
        let midnight = time.div_euclid(DAY) * DAY;
        let date = CandleTime::from_seconds(time).date();
        let around = date.and_then(|date| Some(date.checked_sub(1.day()).ok()?..=date.checked_add(1.day()).ok()?));
        let sessions = around.and_then(|dates| calendar.sessions(dates).ok());
        let sessions = sessions.into_iter().flatten().map(|session| Self { open: session.open, close: session.close });
        sessions.filter(|session| session.has(time)).last().unwrap_or(Self { open: midnight, close: midnight + DAY })
    }
}

/// Adds the calendar to a source if its candles or the indicators depend on it.
pub async fn with_needed_calendar(app: &App, source: Source, indicators: &Indicators) -> Result<Source, Problem> {
    let needs_calendar = source.is_derived() || indicators.iter().any(|each| each.is_of_session());
    if !needs_calendar || source.calendar.is_some() {
        return Ok(source);
    }
    source.with_calendar(&app.pool, &app.calendars().await).await
}

fn needed(fields: &Fields, indicators: &Indicators) -> Needed {
    let close = (!indicators.is_empty()).then_some(Field::Close);
    let needs_volume = indicators.iter().any(|each| each.needs_volume());
    let of_volume = [Field::High, Field::Low, Field::Volume].into_iter().filter(|_| needs_volume);
    fields.iter().chain(close).chain(of_volume).fold(Needed::default(), Needed::with)
}

fn bar(row: &PgRow) -> sqlx::Result<Bar> {
    let number = |field: Field| {
        let text: Option<&str> = row.try_get(field as usize)?;
        Ok::<f64, sqlx::Error>(text.and_then(|text| text.parse().ok()).unwrap_or_default())
    };
    Ok(Bar {
        high: number(Field::High)?,
        low: number(Field::Low)?,
        close: number(Field::Close)?,
        volume: number(Field::Volume)?,
        session: 0,
    })
}
