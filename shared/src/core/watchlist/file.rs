//! The structure of `watchlist.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::cleaning::{CleaningSettings, Sessions, Share};
use super::formats::FileFormat;
use super::history::History;
use crate::core::calendar::calendars::Calendars;
use crate::core::calendar::choice::CalendarSetting;
use crate::core::interval::Interval;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) defaults: Settings,
    #[serde(default)]
    pub(super) groups: BTreeMap<Spanned<String>, Group>,
    #[serde(default)]
    pub(super) instruments: BTreeMap<Spanned<String>, Settings>,
    #[serde(default)]
    pub(super) formats: BTreeMap<Spanned<String>, FileFormat>,
}

impl File {
    /// Every `calendar` that is written in the file.
    pub(super) fn calendars(&self) -> impl Iterator<Item = &Spanned<CalendarSetting>> {
        let groups = self.groups.values().filter_map(|group| group.calendar.as_ref());
        let instruments = self.instruments.values().filter_map(|settings| settings.calendar.as_ref());
        self.defaults.calendar.iter().chain(groups).chain(instruments)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    // Parsed later, so that the error about an invalid symbol has the symbol's line, which may be far below the
    // field's.
    pub(super) symbols: Vec<Spanned<String>>,
    // Repeated from `Settings`, because serde cannot reject unknown fields in a struct with a flattened one.
    intervals: Option<Spanned<Vec<Interval>>>,
    history: Option<History>,
    pub(super) calendar: Option<Spanned<CalendarSetting>>,
    max_fill: Option<u32>,
    max_quarantined: Option<Share>,
    max_filled: Option<Share>,
    max_lost: Option<Share>,
    allow_negative: Option<bool>,
    sessions: Option<Sessions>,
}

/// The settings that the defaults, a group or one instrument may have.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) intervals: Option<Spanned<Vec<Interval>>>,
    pub(super) history: Option<History>,
    pub(super) calendar: Option<Spanned<CalendarSetting>>,
    max_fill: Option<u32>,
    max_quarantined: Option<Share>,
    max_filled: Option<Share>,
    max_lost: Option<Share>,
    allow_negative: Option<bool>,
    sessions: Option<Sessions>,
}

impl Group {
    pub(super) fn settings(&self) -> Settings {
        Settings {
            intervals: self.intervals.clone(),
            history: self.history,
            calendar: self.calendar.clone(),
            max_fill: self.max_fill,
            max_quarantined: self.max_quarantined,
            max_filled: self.max_filled,
            max_lost: self.max_lost,
            allow_negative: self.allow_negative,
            sessions: self.sessions,
        }
    }
}

impl Settings {
    /// Takes each setting that is not set from `fallback`.
    pub(super) fn or(self, fallback: Self) -> Self {
        Self {
            intervals: self.intervals.or(fallback.intervals),
            history: self.history.or(fallback.history),
            calendar: self.calendar.or(fallback.calendar),
            max_fill: self.max_fill.or(fallback.max_fill),
            max_quarantined: self.max_quarantined.or(fallback.max_quarantined),
            max_filled: self.max_filled.or(fallback.max_filled),
            max_lost: self.max_lost.or(fallback.max_lost),
            allow_negative: self.allow_negative.or(fallback.allow_negative),
            sessions: self.sessions.or(fallback.sessions),
        }
    }

    pub(super) fn cleaning(&self, calendars: &Calendars) -> CleaningSettings {
        let defaults = CleaningSettings::default();
        CleaningSettings {
            calendar: self.calendar.as_ref().map(|setting| setting.get_ref().clone()),
            calendars: calendars.clone(),
            max_fill: self.max_fill.unwrap_or(defaults.max_fill),
            max_quarantined: self.max_quarantined.unwrap_or(defaults.max_quarantined),
            max_filled: self.max_filled.unwrap_or(defaults.max_filled),
            max_lost: self.max_lost.unwrap_or(defaults.max_lost),
            allow_negative: self.allow_negative.unwrap_or(defaults.allow_negative),
            sessions: self.sessions.unwrap_or_default(),
            form: defaults.form,
        }
    }
}
