//! What `watchlist.toml` may say.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::cleaning::{CleaningSettings, Sessions, Share};
use super::formats::FileFormat;
use super::history::History;
use crate::core::calendar::choice::CalendarSetting;
use crate::core::interval::Interval;

/// The file, as it is written.
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    // As text: a symbol that is none is told by its own line, which may be far below the field's name.
    pub(super) symbols: Vec<Spanned<String>>,
    // Repeated from `Settings`: serde cannot refuse unknown fields where it flattens one struct into another.
    intervals: Option<Spanned<Vec<Interval>>>,
    history: Option<History>,
    calendar: Option<CalendarSetting>,
    max_fill: Option<u32>,
    max_quarantined: Option<Share>,
    max_filled: Option<Share>,
    max_lost: Option<Share>,
    allow_negative: Option<bool>,
    sessions: Option<Sessions>,
}

/// What can be set for all, for a group or for one instrument.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) intervals: Option<Spanned<Vec<Interval>>>,
    pub(super) history: Option<History>,
    calendar: Option<CalendarSetting>,
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
    /// These, and `wider` ones where these say nothing.
    pub(super) fn or(self, wider: Self) -> Self {
        Self {
            intervals: self.intervals.or(wider.intervals),
            history: self.history.or(wider.history),
            calendar: self.calendar.or(wider.calendar),
            max_fill: self.max_fill.or(wider.max_fill),
            max_quarantined: self.max_quarantined.or(wider.max_quarantined),
            max_filled: self.max_filled.or(wider.max_filled),
            max_lost: self.max_lost.or(wider.max_lost),
            allow_negative: self.allow_negative.or(wider.allow_negative),
            sessions: self.sessions.or(wider.sessions),
        }
    }

    pub(super) fn cleaning(&self) -> CleaningSettings {
        let usual = CleaningSettings::default();
        CleaningSettings {
            calendar: self.calendar.clone(),
            max_fill: self.max_fill.unwrap_or(usual.max_fill),
            max_quarantined: self.max_quarantined.unwrap_or(usual.max_quarantined),
            max_filled: self.max_filled.unwrap_or(usual.max_filled),
            max_lost: self.max_lost.unwrap_or(usual.max_lost),
            allow_negative: self.allow_negative.unwrap_or(usual.allow_negative),
            sessions: self.sessions.unwrap_or_default(),
            form: usual.form,
        }
    }
}
