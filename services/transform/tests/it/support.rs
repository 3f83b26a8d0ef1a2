//! Cleaning as tests do it: a case says what is known of a file, and an outcome what came of it.

use candlewick_shared::core::calendar::choice::CalendarSetting;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::key::{Part, Series};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::report::{Fate, Report, Source};
use candlewick_shared::core::watchlist::CleaningSettings;
use candlewick_transform::clean::clean;
use candlewick_transform::refusal::Refusal;
use candlewick_transform::task::Task;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What is known of a file beside its bytes.
#[derive(Clone, Debug)]
pub struct Case {
    pub series: Series,
    pub part: Part,
    pub zone: TimeZone,
    pub now: Timestamp,
    pub instrument: Instrument,
    pub settings: CleaningSettings,
    pub is_by_hand: bool,
}

/// What came of a cleaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub csv: String,
    pub quarantine: String,
    pub report: Report,
}

impl Case {
    /// AAPL without a calendar, at an interval, long after everything happened.
    pub fn new(interval: &str) -> Self {
        Self {
            series: Series { symbol: "AAPL".parse().unwrap(), interval: interval.parse().unwrap() },
            part: Part::Whole,
            zone: TimeZone::UTC,
            now: "2024-12-31T23:00:00Z".parse().unwrap(),
            instrument: Instrument::default(),
            settings: CleaningSettings::default(),
            is_by_hand: true,
        }
    }

    pub fn symbol(mut self, symbol: &str) -> Self {
        self.series.symbol = symbol.parse().unwrap();
        self
    }

    pub fn calendar(mut self, code: &str) -> Self {
        self.settings.calendar = Some(code.parse::<CalendarSetting>().unwrap());
        self
    }

    pub fn zone(mut self, name: &str) -> Self {
        self.zone = TimeZone::get(name).unwrap();
        self
    }

    pub fn now(mut self, time: &str) -> Self {
        self.now = time.parse().unwrap();
        self
    }

    pub fn max_fill(mut self, slots: u32) -> Self {
        self.settings.max_fill = slots;
        self
    }

    pub fn month(mut self, year: i16, month: i8) -> Self {
        self.part = Part::Month(candlewick_shared::core::key::Month { year, month });
        self
    }

    pub fn try_clean(&self, text: impl AsRef<[u8]>) -> Result<Outcome, Refusal> {
        let task = Task {
            series: &self.series,
            part: self.part,
            zone: &self.zone,
            now: self.now,
            instrument: &self.instrument,
            settings: &self.settings,
            source: Source::default(),
            is_by_hand: self.is_by_hand,
        };
        let cleaned = clean(text.as_ref(), &task)?;
        let mut csv = Vec::new();
        let mut quarantine = Vec::new();
        cleaned.write_candles(&mut csv).unwrap();
        cleaned.write_quarantine(&mut quarantine).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Outcome { csv: text(csv), quarantine: text(quarantine), report: cleaned.report })
    }

    /// Cleans a text that has a candle.
    pub fn clean(&self, text: impl AsRef<[u8]>) -> Outcome {
        self.checked(self.try_clean(text).unwrap())
    }

    /// The same of any text with the columns of candles; nothing where no candle is left of it, or where its rows look like
    /// candles of another kind, as a few random ones may.
    pub fn clean_any(&self, text: impl AsRef<[u8]>) -> Option<Outcome> {
        match self.try_clean(text) {
            Ok(outcome) => Some(self.checked(outcome)),
            Err(Refusal::NothingUsable { .. } | Refusal::LongerInterval { .. } | Refusal::StampedAtEnd { .. }) => None,
            Err(refusal) => panic!("{refusal}"),
        }
    }

    /// How many rows had which fate in a text that is refused because no candle is left of it.
    pub fn nothing_usable(&self, text: impl AsRef<[u8]>) -> Vec<(String, u64)> {
        match self.try_clean(text) {
            Err(Refusal::NothingUsable { reasons, .. }) => reasons.into_iter().collect(),
            other => panic!("{other:?}"),
        }
    }

    /// Holds an outcome to what every cleaning promises.
    fn checked(&self, outcome: Outcome) -> Outcome {
        let rows = &outcome.report.rows;
        assert_eq!(rows.read, rows.accounted_for(), "every row is in one count: {rows:?}");
        assert_eq!(rows.written, rows.kept + rows.refilled_kept + rows.filled);
        let candles = clean_csv::read(outcome.csv.as_bytes(), &self.series).unwrap();
        assert_eq!(candles.candles.len() as u64, rows.written);
        let filled = candles.candles.iter().filter(|candle| candle.is_filled).count();
        assert_eq!(filled as u64, rows.filled + rows.refilled_kept);
        let rewritten = clean_csv::write(&self.series, &candles).unwrap();
        assert_eq!(String::from_utf8(rewritten).unwrap(), outcome.csv, "the one form that clean CSV has");
        outcome
    }
}

impl Outcome {
    /// The clean rows from their time on, without `has_volume`, and without the volume where that is false.
    pub fn rows(&self) -> Vec<String> {
        self.csv.lines().skip(1).map(|line| compact(line.splitn(3, ',').nth(2).unwrap())).collect()
    }

    /// The times of the clean rows.
    pub fn times(&self) -> Vec<String> {
        self.rows().into_iter().map(|row| row.split_once(',').unwrap().0.to_owned()).collect()
    }

    /// Line, column, reason and row of each quarantined row.
    pub fn quarantined(&self) -> Vec<(u64, String, String, String)> {
        let mut reader = csv::Reader::from_reader(self.quarantine.as_bytes());
        let rows: Vec<(u64, String, String, String, String)> = reader.deserialize().collect::<Result<_, _>>().unwrap();
        rows.into_iter().map(|(line, column, reason, row, _)| (line, column, reason, row)).collect()
    }

    /// The detail of each quarantined row.
    pub fn details(&self) -> Vec<String> {
        let mut reader = csv::Reader::from_reader(self.quarantine.as_bytes());
        let rows: Vec<(u64, String, String, String, String)> = reader.deserialize().collect::<Result<_, _>>().unwrap();
        rows.into_iter().map(|(_, _, _, _, detail)| detail).collect()
    }

    /// The reasons alone, with the rows' lines.
    pub fn reasons(&self) -> Vec<(u64, String)> {
        self.quarantined().into_iter().map(|(line, _, reason, _)| (line, reason)).collect()
    }

    /// First slot, last slot, number of slots and fate of each gap.
    pub fn gaps(&self) -> Vec<(&str, &str, u64, Fate)> {
        self.report.gaps.iter().map(|gap| (gap.first.as_str(), gap.last.as_str(), gap.slots, gap.fate)).collect()
    }
}

fn compact(row: &str) -> String {
    let cells: Vec<&str> = row.split(',').collect();
    let [prices @ .., volume, has_volume, is_filled] = cells.as_slice() else { panic!("{row}") };
    let prices = prices.join(",");
    if *has_volume == "true" { format!("{prices},{volume},{is_filled}") } else { format!("{prices},{is_filled}") }
}
