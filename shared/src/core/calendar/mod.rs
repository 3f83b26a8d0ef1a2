//! Trading calendars: the sessions of markets and the candles to expect, from generated and embedded data.
//!
//! Reading order: `definition` is the file format, `session` expands it to sessions, `embedded` finds the calendar of
//! a market, `calendars` adds those of the owner, `period` defines how days, weeks and months are stamped, `slots` lists the candles to expect, `stamping`
//! detects how a source stamps weeks and months, and `choice` selects the calendar of an instrument. Nothing here
//! guesses: a date that the data does not cover is an error.

use std::ops::RangeInclusive;

use jiff::civil::Date;

pub mod calendars;
pub mod choice;
mod definition;
mod embedded;
pub mod error;
pub mod period;
pub mod session;
pub mod slots;
pub mod stamping;
#[cfg(test)]
mod tests;

pub use period::{first_date, last_date};

use definition::Definition;
use error::{BeyondHorizon, InvalidCalendar};
use session::Session;

/// All sessions of one market between two dates.
#[derive(Debug)]
pub struct Calendar {
    code: String,
    name: String,
    timezone: String,
    source: String,
    first: Date,
    last: Date,
    /// The instants at which the first date begins and the last one ends, in the market's own time zone.
    span: (i64, i64),
    /// In ascending order, without overlap.
    sessions: Vec<Session>,
}

impl Calendar {
    fn new(definition: &Definition) -> Result<Self, InvalidCalendar> {
        let zone = definition.zone()?;
        Ok(Calendar {
            code: definition.code.clone(),
            name: if definition.name.is_empty() { &definition.code } else { &definition.name }.clone(),
            timezone: definition.timezone.clone(),
            source: definition.source.clone(),
            first: definition.first.0,
            last: definition.last.0,
            span: session::span(definition, &zone)?,
            sessions: session::expand(definition, &zone)?,
        })
    }

    /// The code of the calendar: the MIC of the market, or `forex`, `24/7` or `24/5`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The name of the market, for display.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The source and the last date of the data, for reports. Two runs with the same version used the same sessions.
    pub fn version(&self) -> String {
        format!("{} {} through {}", self.code, self.source, self.last)
    }

    /// The IANA name of the market's time zone.
    pub fn timezone(&self) -> &str {
        &self.timezone
    }

    /// The first and the last date for which the calendar knows whether there is a session.
    pub fn coverage(&self) -> RangeInclusive<Date> {
        self.first..=self.last
    }

    /// The session of a date, or `None` if the market is closed all day.
    ///
    /// # Errors
    ///
    /// Fails if the calendar does not cover the date.
    pub fn session(&self, date: Date) -> Result<Option<Session>, BeyondHorizon> {
        self.require_covered(date)?;
        let found = self.sessions.binary_search_by_key(&date, |session| session.date);
        Ok(found.ok().and_then(|index| self.sessions.get(index)).copied())
    }

    /// The sessions of a range of dates, in ascending order.
    ///
    /// # Errors
    ///
    /// Fails if the calendar does not cover one of the two ends.
    pub fn sessions(&self, dates: RangeInclusive<Date>) -> Result<impl Iterator<Item = Session>, BeyondHorizon> {
        self.require_covered(*dates.start())?;
        self.require_covered(*dates.end())?;
        let from = self.sessions.partition_point(|session| session.date < *dates.start());
        let through = move |session: &Session| session.date <= *dates.end();
        Ok(self.sessions.iter().skip(from).copied().take_while(through))
    }

    fn require_covered(&self, date: Date) -> Result<(), BeyondHorizon> {
        if self.coverage().contains(&date) { Ok(()) } else { Err(self.beyond_horizon(date)) }
    }

    fn beyond_horizon(&self, asked: Date) -> BeyondHorizon {
        BeyondHorizon { calendar: self.code.clone(), asked, first: self.first, last: self.last }
    }
}
