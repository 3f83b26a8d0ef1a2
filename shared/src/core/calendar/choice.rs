//! Chooses the calendar of an instrument.

use std::convert::Infallible;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use super::Calendar;
use super::calendars::Calendars;
use crate::core::metadata::Instrument;

/// The `calendar` setting of an instrument: the code of a calendar, or `none`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum CalendarSetting {
    /// The calendar with this code: `XNYS`, `XNGS`, `forex`. [`CalendarSetting::require_known`] checks that it exists.
    Code(String),
    /// No calendar: the candles are cleaned, but no slot is expected and therefore none is filled.
    None,
}

/// The text is not the code of a calendar.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "no calendar is known by the name {0:?}: use a market's MIC such as XNYS, or forex, metals, 24/7, 24/5 or none, or \
     put a calendar of your own next to the watchlist (docs/calendars.md)"
)]
pub struct UnknownCalendar(String);

impl FromStr for CalendarSetting {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

impl From<String> for CalendarSetting {
    fn from(text: String) -> Self {
        if text == "none" { Self::None } else { Self::Code(text) }
    }
}

impl CalendarSetting {
    /// Checks that the calendar exists.
    ///
    /// # Errors
    ///
    /// Fails if there is no calendar of this code.
    pub fn require_known(&self, calendars: &Calendars) -> Result<(), UnknownCalendar> {
        match self {
            Self::None => Ok(()),
            Self::Code(code) if matches!(calendars.find(code), Ok(Some(_))) => Ok(()),
            Self::Code(code) => Err(UnknownCalendar(code.clone())),
        }
    }
}

/// The calendar of an instrument, if it has one, and the reason for the choice.
#[derive(Clone, Debug)]
pub struct Choice {
    /// `None` if no calendar is known for the instrument, or if the settings say `none`.
    pub calendar: Option<&'static Calendar>,
    /// Why this calendar was chosen, or why there is none; shown in the report.
    pub reason: String,
}

/// Chooses the calendar: from the settings, else from the exchange that the source names, else from the type of the
/// instrument.
///
/// The symbol is never used: `EUR/USD` trades five days a week and `BTC/USD` seven, and the two texts do not show it.
#[must_use]
pub fn choose(calendars: &Calendars, setting: Option<&CalendarSetting>, instrument: &Instrument) -> Choice {
    let of = |code: &str, why: &str| of(calendars, code, why);
    match (setting, instrument.calendar.as_deref(), instrument.instrument_type.as_deref()) {
        (Some(CalendarSetting::None), _, _) => without("the settings say that it has none".to_owned()),
        (Some(CalendarSetting::Code(code)), _, _) => of(code, "the settings name it"),
        (None, Some(code), _) => of(code, "the source names it"),
        (None, None, Some("Digital Currency")) => of("24/7", "the source says Digital Currency"),
        (None, None, Some("Physical Currency")) => of("forex", "the source says Physical Currency"),
        (None, None, _) => without("neither the settings nor the source name one".to_owned()),
    }
}

fn of(calendars: &Calendars, code: &str, why: &str) -> Choice {
    match calendars.find(code) {
        Ok(Some(calendar)) => Choice { calendar: Some(calendar), reason: format!("{why}: {code}") },
        Ok(None) => without(format!("no calendar is known by the name {code:?} ({why})")),
        Err(error) => without(error.to_string()),
    }
}

fn without(reason: String) -> Choice {
    Choice { calendar: None, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(setting: Option<&str>, calendar: Option<&str>, kind: Option<&str>) -> (Option<&'static str>, String) {
        let setting = setting.map(|text| CalendarSetting::from(text.to_owned()));
        let text = |text: Option<&str>| text.map(str::to_owned);
        let instrument = Instrument { calendar: text(calendar), instrument_type: text(kind), ..Instrument::default() };
        let choice = choose(&Calendars::default(), setting.as_ref(), &instrument);
        (choice.calendar.map(Calendar::code), choice.reason)
    }

    #[test]
    fn the_setting_goes_before_the_exchange_and_the_exchange_before_the_kind() {
        assert_eq!(chosen(Some("XLON"), Some("XNGS"), Some("Digital Currency")).0, Some("XLON"));
        assert_eq!(chosen(Some("none"), Some("XNGS"), None).0, None);
        assert_eq!(chosen(None, Some("XNGS"), Some("Common Stock")).0, Some("XNYS"));
        assert_eq!(chosen(None, None, Some("Digital Currency")).0, Some("24/7"));
        assert_eq!(chosen(None, None, Some("Physical Currency")).0, Some("forex"));
    }

    #[test]
    fn where_none_is_known_none_is_guessed_and_the_reason_is_said() {
        assert_eq!(
            chosen(None, None, Some("Common Stock")),
            (None, "neither the settings nor the source name one".to_owned())
        );
        assert_eq!(
            chosen(None, Some("XNAI"), None),
            (None, "no calendar is known by the name \"XNAI\" (the source names it)".to_owned())
        );
    }

    #[test]
    fn a_setting_must_name_a_calendar_that_is_known() {
        let known = |code: &str| CalendarSetting::from(code.to_owned()).require_known(&Calendars::default());
        assert_eq!((known("XNYS"), known("XNGS"), known("none")), (Ok(()), Ok(()), Ok(())));
        let error = known("NYSE").unwrap_err().to_string();
        assert!(error.contains("\"NYSE\"") && error.contains("XNYS"), "{error}");
    }
}
