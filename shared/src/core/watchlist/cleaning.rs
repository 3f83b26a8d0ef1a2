//! The cleaning settings of an instrument.

use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use super::formats::UnknownFormat;
use crate::core::calendar::calendars::Calendars;
use crate::core::calendar::choice::{self, CalendarSetting, Choice};
use crate::core::form::{self, Form, SaidForm};
use crate::core::metadata::Instrument;

/// How the candles of an instrument are cleaned.
#[derive(Clone, Debug, PartialEq)]
pub struct CleaningSettings {
    /// The calendar that the owner chose. Without it, the source's metadata decides.
    pub calendar: Option<CalendarSetting>,
    /// The calendars that exist, with those of the owner.
    pub calendars: Calendars,
    /// The maximum number of consecutive vacant slots that are filled. Up to three missing sessions are usually an
    /// error of the feed; more are a suspension, which a chart should show.
    pub max_fill: u32,
    /// The largest share of quarantined rows for which the owner gets no alert.
    pub max_quarantined: Share,
    /// The largest share of filled candles for which the owner gets no alert.
    pub max_filled: Share,
    /// The largest share of a series' candles that a dropped file may remove without an alert to the owner.
    pub max_lost: Share,
    /// Whether prices of zero or less are valid, as for oil futures in April 2020.
    pub allow_negative: bool,
    /// Which candles of a day are wanted.
    pub sessions: Sessions,
    /// What is known of the form of its files.
    pub form: Form,
}

impl Default for CleaningSettings {
    fn default() -> Self {
        Self {
            calendar: None,
            calendars: Calendars::default(),
            max_fill: 3,
            max_quarantined: Share(0.01),
            max_filled: Share(0.05),
            max_lost: Share(0.05),
            allow_negative: false,
            sessions: Sessions::Regular,
            form: Form::default(),
        }
    }
}

impl CleaningSettings {
    /// Chooses the calendar of an instrument that has these settings.
    #[must_use]
    pub fn choose_calendar(&self, instrument: &Instrument) -> Choice {
        choice::choose(&self.calendars, self.calendar.as_ref(), instrument)
    }

    /// Returns the settings of an object where there is no watchlist.
    ///
    /// # Errors
    ///
    /// [`UnknownFormat`] if the object's metadata names a format: only a watchlist has any.
    pub fn without_watchlist(said: &SaidForm) -> Result<Self, UnknownFormat> {
        match &said.format {
            Some(name) if name != form::RAW => Err(UnknownFormat(name.clone())),
            _ => Ok(Self { form: said.form(), ..Self::default() }),
        }
    }

    /// Returns the settings without the time zone of the format if an option or the object's metadata gives one, which
    /// takes precedence.
    #[must_use]
    pub fn in_zone(self, said: Option<&str>) -> Self {
        let timezone = self.form.timezone.clone().filter(|_| said.is_none());
        Self { form: Form { timezone, ..self.form.clone() }, ..self }
    }
}

/// Which candles of a day are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sessions {
    /// Those of the session: others are quarantined.
    #[default]
    Regular,
    /// Also those before and after it. Only those of the session are expected.
    Extended,
}

/// A share of a whole, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(f64);

/// The value is not a number from 0 to 1.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("invalid share {0}: write a number from 0 to 1, such as 0.01 for 1 %")]
pub struct InvalidShare(String);

impl Share {
    /// Returns the share as a number from 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = InvalidShare;

    fn try_from(number: f64) -> Result<Self, InvalidShare> {
        if (0.0..=1.0).contains(&number) { Ok(Self(number)) } else { Err(InvalidShare(number.to_string())) }
    }
}

impl FromStr for Share {
    type Err = InvalidShare;

    fn from_str(text: &str) -> Result<Self, InvalidShare> {
        text.parse::<f64>().map_err(|_| InvalidShare(text.to_owned()))?.try_into()
    }
}
