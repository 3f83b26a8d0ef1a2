//! The cleaning: bytes in, candles, report and quarantine out. No I/O, no clock.

use std::collections::{BTreeMap, HashMap};

use candlewick_shared::core::clean_csv::CleanCandles;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::raw_csv::{self, Unreadable};
use candlewick_shared::core::report::{Report, Rows, SCHEMA, Source};
use csv::ByteRecord;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::duplicates::{self, Resolved, Row};
use crate::quarantine::{Quarantined, Reason};
use crate::row::{self, Fault, RowRules};

/// The version of the cleaning rules: it changes whenever the same input could give other bytes.
pub const RULES: u32 = 1;

/// What is known of a raw object beside its bytes.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The series that its key names.
    pub series: &'a Series,
    /// The zone of times that name no offset.
    pub zone: &'a TimeZone,
    /// When the source said it: what was in the future then, is.
    pub now: Timestamp,
    /// Which object it is.
    pub source: Source,
}

/// What cleaning makes of a raw object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned {
    /// The candles.
    pub candles: CleanCandles,
    /// The rows that were set aside, by line.
    pub quarantined: Vec<Quarantined>,
    /// Every decision, counted.
    pub report: Report,
}

/// Cleans a raw object.
///
/// # Errors
/// [`Unreadable`], where the bytes are no raw CSV; rows that are wrong one by one are quarantined.
pub fn clean(bytes: &[u8], task: &Task<'_>) -> Result<Cleaned, Unreadable> {
    let mut read = read_rows(bytes, task)?;
    let resolved = duplicates::resolve(std::mem::take(&mut read.rows));
    let quarantined = read.quarantined_with(bytes, &resolved);
    let report = report(task, &read, &resolved, &quarantined);
    let candles = resolved.kept.into_iter().map(|row| row.candle).collect();
    Ok(Cleaned { candles: CleanCandles { has_volume: read.has_volume, candles }, quarantined, report })
}

/// A raw object, row by row.
#[derive(Default)]
struct Read {
    has_volume: bool,
    ignored_columns: Vec<String>,
    rows: Vec<Row>,
    faults: Vec<(u64, Fault)>,
    /// Where each row lies in the object, by its line.
    extents: HashMap<u64, std::ops::Range<usize>>,
    read: u64,
    empty: u64,
}

fn read_rows(bytes: &[u8], task: &Task<'_>) -> Result<Read, Unreadable> {
    let (header, mut reader) = raw_csv::open(bytes)?;
    let rules = RowRules { header: &header, interval: task.series.interval, zone: task.zone, now: task.now };
    let mut read =
        Read { has_volume: header.volume.is_some(), ignored_columns: header.ignored.clone(), ..Read::default() };
    let mut record = ByteRecord::new();
    let offset = bytes.len() - raw_csv::without_mark(bytes).len();
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        let (line, start) = record.position().map_or((0, 0), |position| (position.line(), position.byte() as usize));
        read.extents.insert(line, offset + start..offset + reader.position().byte() as usize);
        read.take(&rules, &record, line);
    }
    Ok(read)
}

impl Read {
    fn take(&mut self, rules: &RowRules<'_>, record: &ByteRecord, line: u64) {
        self.read += 1;
        if row::is_empty(record) {
            self.empty += 1;
            return;
        }
        match rules.candle(record) {
            Ok(candle) => self.rows.push(Row { line, candle }),
            Err(fault) => self.faults.push((line, fault)),
        }
    }

    fn quarantined_with(&self, bytes: &[u8], resolved: &Resolved) -> Vec<Quarantined> {
        let losers = resolved.quarantined.iter().map(|&(line, reason)| (line, Fault { column: "time", reason }));
        let mut all: Vec<_> = self.faults.iter().copied().chain(losers).collect();
        all.sort_unstable_by_key(|(line, _)| *line);
        let row = |line| self.extents.get(&line).and_then(|extent| bytes.get(extent.clone())).unwrap_or_default();
        let entry = |(line, Fault { column, reason })| Quarantined {
            line,
            column,
            reason,
            row: row(line).trim_ascii_end().to_vec(),
        };
        all.into_iter().map(entry).collect()
    }
}

fn report(task: &Task<'_>, read: &Read, resolved: &Resolved, quarantined: &[Quarantined]) -> Report {
    let Series { symbol, interval } = task.series;
    let time = |row: &Row| row.candle.time.display(*interval).to_string();
    let kept = resolved.kept.len() as u64;
    Report {
        schema: SCHEMA,
        rules: RULES,
        symbol: symbol.to_string(),
        interval: interval.to_string(),
        source: task.source.clone(),
        rows: Rows {
            read: read.read,
            empty: read.empty,
            collapsed: resolved.collapsed,
            quarantined: by_reason(quarantined.iter().map(|entry| entry.reason)),
            kept,
            filled: 0,
            written: kept,
        },
        first: resolved.kept.first().map(time),
        last: resolved.kept.last().map(time),
        ignored_columns: read.ignored_columns.clone(),
    }
}

fn by_reason(reasons: impl Iterator<Item = Reason>) -> BTreeMap<String, u64> {
    reasons.fold(BTreeMap::new(), |mut counts, reason| {
        *counts.entry(reason.code().to_owned()).or_default() += 1;
        counts
    })
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::clean_csv;
    use proptest::prelude::*;

    use super::*;

    fn series() -> Series {
        Series { symbol: "AAPL".parse().unwrap(), interval: "1day".parse().unwrap() }
    }

    fn cleaned(text: impl AsRef<[u8]>) -> Cleaned {
        let task = Task {
            series: &series(),
            zone: &TimeZone::UTC,
            now: "2024-12-30T22:00:00Z".parse().unwrap(),
            source: Source::default(),
        };
        clean(text.as_ref(), &task).unwrap()
    }

    fn csv_of(cleaned: &Cleaned) -> String {
        String::from_utf8(clean_csv::write(&series(), &cleaned.candles).unwrap()).unwrap()
    }

    const HEADER: &str = "datetime,open,high,low,close,volume\n";

    #[test]
    fn rows_become_candles_in_order_with_their_digits() {
        let text = format!(
            "{HEADER}2024-12-30,252.23,253.5,250.75,252.20001,35557500\n2024-12-27,257.83,258.7,253.06,255.59,42355300\n"
        );
        let expected = "symbol,interval,time,open,high,low,close,volume,is_filled\n\
            AAPL,1day,2024-12-27,257.83,258.7,253.06,255.59,42355300,false\n\
            AAPL,1day,2024-12-30,252.23,253.5,250.75,252.20001,35557500,false\n";
        assert_eq!(csv_of(&cleaned(text)), expected);
    }

    #[test]
    fn each_fault_sets_its_row_aside_with_line_column_and_reason() {
        for (row, column, reason) in [
            (",1,2,1,2,5", "time", "missing"),
            ("30/12/2024,1,2,1,2,5", "time", "unreadable"),
            ("2024-12-27 09:30:00,1,2,1,2,5", "time", "other_interval"),
            ("2025-01-02,1,2,1,2,5", "time", "future"),
            ("2024-12-27,,2,1,2,5", "open", "missing"),
            ("2024-12-27,1,N/A,1,2,5", "high", "missing"),
            ("2024-12-27,1,2,nan,2,5", "low", "missing"),
            ("2024-12-27,1,2,1,two,5", "close", "unreadable"),
            ("2024-12-27,1,2,1,0,5", "close", "not_positive"),
            ("2024-12-27,-1,2,1,2,5", "open", "not_positive"),
            ("2024-12-27,1,1e99,1,2,5", "high", "too_many_digits"),
            ("2024-12-27,1,2,1,2,", "volume", "missing"),
            ("2024-12-27,1,2,1,2", "volume", "missing"),
            ("2024-12-27,1,2,1,2,-5", "volume", "negative"),
            ("2024-12-27,2,1,2,2,5", "high", "high_below_low"),
            ("2024-12-27,3,2,1,2,5", "open", "outside_range"),
            ("2024-12-27,1,2,1,0.5,5", "close", "outside_range"),
        ] {
            let cleaned = cleaned(format!("{HEADER}2024-12-26,1,2,1,2,5\n{row}\n"));
            let entry = &cleaned.quarantined[0];
            assert_eq!((entry.line, entry.column, entry.reason.code()), (3, column, reason), "{row}");
            assert_eq!(String::from_utf8_lossy(&entry.row), row);
            assert_eq!((cleaned.report.rows.kept, cleaned.report.rows.quarantined_total()), (1, 1));
        }
    }

    #[test]
    fn empty_rows_are_counted_and_dropped() {
        let rows = cleaned(format!("{HEADER},,,,,\n2024-12-27,1,2,1,2,5\n , ,,,,\n")).report.rows;
        assert_eq!((rows.read, rows.empty, rows.kept), (3, 2, 1));
    }

    #[test]
    fn a_header_alone_is_a_file_with_no_candles() {
        let cleaned = cleaned(HEADER);
        assert_eq!((cleaned.report.rows.read, cleaned.report.first.clone()), (0, None));
        assert_eq!(csv_of(&cleaned), "symbol,interval,time,open,high,low,close,volume,is_filled\n");
    }

    #[test]
    fn a_quoted_line_break_does_not_upset_lines_and_rows() {
        let text = format!(
            "\u{feff}{}note\n2024-12-26,1,2,1,2,5,\"a\nb\"\n2024-12-27,x,2,1,2,5,\n",
            HEADER.replace('\n', ",")
        );
        let cleaned = cleaned(text);
        let entry = &cleaned.quarantined[0];
        assert_eq!((entry.line, String::from_utf8_lossy(&entry.row).as_ref()), (4, "2024-12-27,x,2,1,2,5,"));
        assert_eq!(cleaned.report.ignored_columns, ["note"]);
    }

    fn any_row() -> impl Strategy<Value = String> {
        let day = 1..29_u8;
        let price = prop_oneof![
            Just("1".to_owned()),
            Just("2".to_owned()),
            Just("1.50".to_owned()),
            Just("x".to_owned()),
            Just(String::new())
        ];
        let prices = proptest::collection::vec(price, 5);
        prop_oneof![
            8 => (day, prices).prop_map(|(day, prices)| format!("2024-11-{day:02},{}", prices.join(","))),
            1 => Just(",,,,,".to_owned()),
            1 => "\\PC{0,20}".prop_map(|text| text.replace(['"', '\r', '\n'], "")),
        ]
    }

    proptest! {
        #[test]
        fn every_row_is_accounted_for(rows in proptest::collection::vec(any_row(), 0..60)) {
            let rows = cleaned(format!("{HEADER}{}", rows.join("\n"))).report.rows;
            prop_assert_eq!(rows.read, rows.empty + rows.collapsed + rows.quarantined_total() + rows.kept);
        }

        #[test]
        fn the_order_of_rows_changes_nothing(mut rows in proptest::collection::vec(any_row(), 0..30)) {
            let forwards = cleaned(format!("{HEADER}{}", rows.join("\n")));
            rows.reverse();
            let backwards = cleaned(format!("{HEADER}{}", rows.join("\n")));
            prop_assert_eq!(csv_of(&forwards), csv_of(&backwards));
            prop_assert_eq!(forwards.report, backwards.report);
        }

        #[test]
        fn cleaning_what_is_clean_changes_nothing(rows in proptest::collection::vec(any_row(), 0..60)) {
            let once = csv_of(&cleaned(format!("{HEADER}{}", rows.join("\n"))));
            prop_assert_eq!(&csv_of(&cleaned(&once)), &once);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), headed: bool) {
            let bytes = if headed { [HEADER.as_bytes(), &bytes].concat() } else { bytes };
            let task = Task { series: &series(), zone: &TimeZone::UTC, now: Timestamp::UNIX_EPOCH, source: Source::default() };
            let _ = clean(&bytes, &task);
        }
    }
}
