//! When markets trade: which sessions and candles there must be, from data that is generated and embedded.
//!
//! Reading order: `definition` is a file as it is written, `session` makes sessions of it, `embedded` finds the
//! calendar of a market, `period` says how days, weeks and months are stamped, `slots` which candles to expect, `stamping`
//! how a source stamps weeks and months otherwise, and `choice` which market's calendar an instrument goes by.
//! Nothing here guesses: a date that the data does not cover is an error that says so.

use std::ops::RangeInclusive;

use jiff::civil::Date;

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

/// The sessions of one market, every one of them between two dates.
#[derive(Debug)]
pub struct Calendar {
    code: String,
    name: String,
    timezone: String,
    source: String,
    first: Date,
    last: Date,
    /// The instants at which the first date begins and the last one ends, where the market is.
    span: (i64, i64),
    /// Ascending, without overlap.
    sessions: Vec<Session>,
}

impl Calendar {
    /// The calendar of a market, by its MIC or a segment's (`XNYS`, `XNGS`), or `forex`, `24/7` or `24/5` by that name.
    ///
    /// `None` is an answer: the market is unknown, so nothing can be said of its sessions. The first call reads all
    /// files, the first one for a market makes its sessions (milliseconds), and later ones look into a map.
    ///
    /// # Errors
    /// An embedded file is invalid, which a test rules out.
    pub fn for_mic(mic: &str) -> Result<Option<&'static Calendar>, InvalidCalendar> {
        embedded::find(mic)
    }

    /// The codes of all embedded calendars, without those of the segments that they serve.
    ///
    /// # Errors
    /// An embedded file is invalid, which a test rules out.
    pub fn codes() -> Result<impl Iterator<Item = &'static str>, InvalidCalendar> {
        embedded::codes()
    }

    fn new(definition: &Definition) -> Result<Self, InvalidCalendar> {
        let zone = definition.zone()?;
        Ok(Calendar {
            code: definition.code.clone(),
            name: definition.name.clone(),
            timezone: definition.timezone.clone(),
            source: definition.source.clone(),
            first: definition.first.0,
            last: definition.last.0,
            span: session::span(definition, &zone)?,
            sessions: session::expand(definition, &zone)?,
        })
    }

    /// The code by which the market is known: its MIC, or `forex`, `24/7` or `24/5`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The market's name, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the sessions come from and how far they reach, for reports: two runs that name the same version agree.
    pub fn version(&self) -> String {
        format!("{} {} through {}", self.code, self.source, self.last)
    }

    /// The IANA name of the market's time zone.
    pub fn timezone(&self) -> &str {
        &self.timezone
    }

    /// The first and the last date of which it is known whether there is a session.
    pub fn coverage(&self) -> RangeInclusive<Date> {
        self.first..=self.last
    }

    /// The session of a date, or none where the market is closed all day.
    ///
    /// # Errors
    /// The date is outside of the coverage.
    pub fn session(&self, date: Date) -> Result<Option<Session>, BeyondHorizon> {
        self.require_covered(date)?;
        let found = self.sessions.binary_search_by_key(&date, |session| session.date);
        Ok(found.ok().and_then(|index| self.sessions.get(index)).copied())
    }

    /// The sessions from a date through another, ascending.
    ///
    /// # Errors
    /// One of the dates is outside of the coverage.
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
