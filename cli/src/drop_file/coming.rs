//! Predicts the result of a file by running the transform's cleaning with the information that the transform would
//! have.

use std::collections::BTreeMap;

use anyhow::Context;
use candlewick_shared::core::candle::Candle;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::form::{self, Stamped};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::{Part, RawKey};
use candlewick_shared::core::metadata::{Instrument, RawMetadata};
use candlewick_shared::core::report::{AsOfFrom, Report, Rows, Source};
use candlewick_shared::core::watchlist::CleaningSettings;
use candlewick_transform::clean::clean;
use candlewick_transform::months::MonthText;
use candlewick_transform::refusal::Refusal;
use candlewick_transform::task::Task;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The information that the transform would have about a dropped file.
#[derive(Clone, Debug)]
pub struct Rules {
    zone: TimeZone,
    instrument: Instrument,
    settings: CleaningSettings,
    /// The *now* of the cleaning.
    pub now: Timestamp,
    /// Whether `now` comes from a simulated clock.
    pub is_simulated: bool,
}

impl Rules {
    /// The same for a part of the file, whose metadata says how it was parsed.
    pub fn of_part(&self, metadata: &RawMetadata) -> anyhow::Result<Self> {
        let is_raw = metadata.form.format.as_deref() == Some(form::RAW);
        let form = if is_raw { metadata.form.form() } else { self.settings.form.clone() };
        let settings = CleaningSettings { form, ..self.settings.clone() };
        Self::new(metadata, settings, self.now, self.is_simulated)
    }

    pub fn stamped(&self) -> Option<Stamped> {
        self.settings.form.stamped
    }

    /// Builds the rules from the metadata of the file and the settings of the watchlist; `now` is Candlewick's time.
    pub fn new(
        metadata: &RawMetadata,
        settings: CleaningSettings,
        now: Timestamp,
        is_simulated: bool,
    ) -> anyhow::Result<Self> {
        let instrument = metadata.instrument.clone();
        let zone = match &instrument.timezone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name)
                .with_context(|| format!("--timezone {name} is no IANA time zone, such as America/New_York"))?,
        };
        Ok(Self { zone, instrument, settings, now: metadata.fetched_at.unwrap_or(now), is_simulated })
    }
}

/// The predicted result of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Coming {
    /// The interval of the candles.
    pub interval: Interval,
    /// Every decision, counted.
    pub report: Report,
    /// Why the first quarantined row was quarantined.
    pub first_quarantined: Option<String>,
    pub candles: Vec<Candle>,
    /// Why the transform would reject the file, if none of its rows is a candle.
    pub nothing_usable: Option<String>,
    /// The text of each month, for a file of intraday candles without a known month.
    pub months: Vec<MonthText>,
}

impl Coming {
    /// Cleans a file as the transform would.
    pub fn of(text: &[u8], key: &RawKey, rules: &Rules) -> anyhow::Result<Self> {
        let series = &key.path.series;
        let task = Task {
            series,
            part: key.path.part,
            zone: &rules.zone,
            now: rules.now,
            instrument: &rules.instrument,
            settings: &rules.settings,
            source: Source {
                key: key.to_string(),
                etag: String::new(),
                as_of: rules.now.to_string(),
                as_of_from: AsOfFrom::Said,
            },
            is_by_hand: true,
        };
        let cleaned = match clean(text, &task) {
            Ok(cleaned) => cleaned,
            Err(Refusal::NothingUsable { rows, reasons, first }) => {
                let report = counted(&task, rows, reasons.clone());
                let why = Refusal::NothingUsable { rows, reasons, first }.to_string();
                return Ok(Self { nothing_usable: Some(why), ..Self::empty(report, series.interval) });
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let mut clean = Vec::with_capacity(text.len());
        cleaned.write_candles(&mut clean).context("write the clean candles")?;
        let candles = clean_csv::read(&clean, series).context("read the clean candles")?.candles;
        let first_quarantined = cleaned.first_quarantined();
        let is_of_months = series.interval.is_intraday() && key.path.part == Part::Whole;
        let months = if is_of_months { cleaned.months() } else { Vec::new() };
        Ok(Self { first_quarantined, candles, months, ..Self::empty(cleaned.report, series.interval) })
    }

    fn empty(report: Report, interval: Interval) -> Self {
        Self {
            interval,
            report,
            first_quarantined: None,
            candles: Vec::new(),
            nothing_usable: None,
            months: Vec::new(),
        }
    }
}

/// The report of a file without candles.
fn counted(task: &Task<'_>, read: u64, quarantined: BTreeMap<String, u64>) -> Report {
    let rows = Rows { read, quarantined, ..Rows::default() };
    Report { interval: task.series.interval.to_string(), source: task.source.clone(), rows, ..Report::default() }
}

/// The number of quarantined rows per reason: `: 3 ragged, 1 future`.
pub fn reasons(counts: &BTreeMap<String, u64>) -> String {
    let reasons: Vec<_> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) }
}
