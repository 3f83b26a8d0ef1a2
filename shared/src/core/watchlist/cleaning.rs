//! How an instrument's candles are cleaned.

use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use crate::core::calendar::choice::CalendarSetting;
use crate::core::form::Form;

/// How an instrument's candles are cleaned.
#[derive(Clone, Debug, PartialEq)]
pub struct CleaningSettings {
    /// The calendar, where the owner says one; otherwise the source's word decides.
    pub calendar: Option<CalendarSetting>,
    /// The longest run of vacant slots that is filled. Three sessions are a feed's hiccup; more is a suspension, which a
    /// chart should show.
    pub max_fill: u32,
    /// The largest share of rows that may be set aside before somebody should look.
    pub max_quarantined: Share,
    /// The largest share of candles that may be put in before somebody should look.
    pub max_filled: Share,
    /// The largest share of a series' candles that a dropped file may take away before the owner hears of it.
    pub max_lost: Share,
    /// Whether prices of zero or less are possible, as those of oil futures were in April 2020.
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

/// Which candles of a day are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sessions {
    /// Those of the session: others are set aside.
    #[default]
    Regular,
    /// Also those before and after it. Only those of the session are expected.
    Extended,
}

/// A share of a whole, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(f64);

/// The number is no share of a whole.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{0} is no share: write one from 0 to 1, such as 0.01 for one in a hundred")]
pub struct NoShare(String);

impl Share {
    /// From 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = NoShare;

    fn try_from(number: f64) -> Result<Self, NoShare> {
        if (0.0..=1.0).contains(&number) { Ok(Self(number)) } else { Err(NoShare(number.to_string())) }
    }
}

impl FromStr for Share {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        text.parse::<f64>().map_err(|_| NoShare(text.to_owned()))?.try_into()
    }
}
