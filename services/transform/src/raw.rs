//! Opens a raw object: raw CSV, or a file in another form that is converted to raw CSV.

use std::borrow::Cow;

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::raw_csv::cells::{Cells, line};
use candlewick_shared::core::raw_csv::{self, Header, Unreadable, shown, without_mark};
use candlewick_shared::core::time_text::TimeText;
use jiff::tz::TimeZone;

use crate::dialect::{self, Known, Reading};
use crate::ends;
use crate::fault::{Fault, Reason};
use crate::instruments;
use crate::otherwise;
use crate::plain::PlainRows;
use crate::read::{self, Read};
use crate::refusal::Refusal;
use crate::row::Row;
use crate::row_rules::RowRules;
use crate::row_time::TimeRules;
use crate::row_values::{Judged, ValueRules};
use crate::task::Task;

/// A raw object whose header was read.
#[derive(Clone, Debug)]
pub struct Raw<'a> {
    pub text: Cow<'a, [u8]>,
    pub header: Header,
    /// The offset of the first row.
    pub body: usize,
    pub task: &'a Task<'a>,
    /// The calendar that its rows are checked against.
    pub calendar: Option<&'static Calendar>,
    /// The time zone of times without an offset.
    pub zone: TimeZone,
    /// The original file, if it was not raw CSV.
    pub foreign: Option<Foreign<'a>>,
}

/// A file in another form than raw CSV.
#[derive(Clone, Debug)]
pub struct Foreign<'a> {
    /// Its text in UTF-8, which has the same lines.
    pub original: Cow<'a, [u8]>,
    /// A description of its form.
    pub dialect: String,
    /// The instrument in its header, as the name of the header field and its value.
    instrument: Option<(String, String)>,
}

fn first_line(text: &[u8]) -> String {
    let text = without_mark(text);
    shown(&text[..line(text, 0).0])
}

impl<'a> Raw<'a> {
    /// Opens a file as raw CSV, or else in another form.
    pub fn open(text: &'a [u8], task: &'a Task<'a>, calendar: Option<&'static Calendar>) -> Result<Self, Refusal> {
        let plain = raw_csv::open_at(text, Some(&task.series.symbol));
        let is_open = task.settings.form.is_open();
        let is_plain = plain.as_ref().is_ok_and(|(header, _)| is_open && !dialect::are_times_elsewhere(header));
        if !is_plain && let Some(raw) = Self::open_foreign(text, task, calendar)? {
            return Ok(raw);
        }
        match plain {
            Ok((header, body)) if is_open => {
                let text = Cow::Borrowed(text);
                let zone = task.zone.clone();
                let raw = Self { text, header, body, task, calendar, zone, foreign: None }.with_one_volume();
                raw.with_clear_zone()
            }
            Err(unreadable) if is_open => Err(unreadable.into()),
            Err(unreadable @ (Unreadable::Empty | Unreadable::OtherKind { .. } | Unreadable::Json(_))) => {
                Err(unreadable.into())
            }
            _ => Err(Refusal::OtherForm { found: first_line(text) }),
        }
    }

    fn open_foreign(
        text: &'a [u8],
        task: &'a Task<'a>,
        calendar: Option<&'static Calendar>,
    ) -> Result<Option<Self>, Refusal> {
        let series = task.series;
        let form = &task.settings.form;
        let is_intraday = series.interval.is_intraday();
        let is_zone_said = task.instrument.timezone.is_some() || form.timezone.is_some();
        let known = Known { symbol: &series.symbol, is_intraday, is_zone_said, form };
        let Some(reading) = dialect::read(text, known)? else { return Ok(None) };
        let Reading { text, original, header, body, zone, instrument, dialect } = reading;
        let foreign = Some(Foreign { original, dialect, instrument });
        let is_zone_known = zone.is_some();
        let zone = zone.unwrap_or_else(|| task.zone.clone());
        let raw = Self { text, header, body, task, calendar, zone, foreign }.with_one_volume();
        if is_zone_known { Ok(Some(raw)) } else { raw.with_clear_zone().map(Some) }
    }

    /// Refuses local times next to a column of time zones, which is not read, unless the zone was said.
    fn with_clear_zone(self) -> Result<Self, Refusal> {
        const ZONES: [&str; 5] = ["timezone", "time zone", "tz", "time_zone", "zone"];
        let is_said = self.task.instrument.timezone.is_some() || self.task.settings.form.timezone.is_some();
        let column = self.header.ignored.iter().find(|name| ZONES.contains(&name.to_lowercase().as_str()));
        match column.filter(|_| !is_said && self.task.series.interval.is_intraday() && self.is_first_time_local()) {
            Some(column) => Err(Refusal::UnclearZone { column: column.clone() }),
            None => Ok(self),
        }
    }

    fn is_first_time_local(&self) -> bool {
        let mut cells = self.cells();
        let (length, _) = line(&self.text, self.body);
        let row = self.text.get(self.body..self.body + length).unwrap_or_default();
        let is_split = cells.split(row).is_ok();
        let time = std::str::from_utf8(cells.get(self.header.time)).unwrap_or_default();
        is_split && matches!(TimeText::read(time), Some(TimeText::Local(_)))
    }

    fn with_one_volume(mut self) -> Self {
        let has_two = self.header.volume.filter(|_| self.header.tick_volume.is_some());
        let is_all_zero = has_two.is_some_and(|field| read::is_all_zero(&self.text, self.body, &self.header, field));
        self.header = self.header.with_one_volume(is_all_zero);
        self
    }

    /// Reads the rows. If most rows of raw CSV would be quarantined, the file is read in another form that explains
    /// them. If it has several possible forms, the rows that fit as raw CSV are kept.
    pub fn read_in_any_form(self, text: &'a [u8]) -> Result<(Self, Read), Refusal> {
        let read = self.read();
        if self.foreign.is_some()
            || self.fits(&read)
            || !dialect::may_read_more(&self.text, &read.quarantined, &self.header)
        {
            return Ok((self, read));
        }
        match Self::open_foreign(text, self.task, self.calendar) {
            Ok(Some(raw)) => {
                let read = raw.read();
                Ok((raw, read))
            }
            Err(refusal) if read.rows.is_empty() => Err(refusal),
            Ok(None) | Err(_) => Ok((self, read)),
        }
    }

    /// Whether the file is raw CSV: at least half of its rows fit, and no row shows that the others are misread.
    fn fits(&self, read: &Read) -> bool {
        let kept = read.rows.len() + read.filled.len();
        let is_misread = || {
            let checked = otherwise::check(&self.text, &read.quarantined, &self.header, &self.task.series.symbol);
            matches!(checked, Err(Refusal::DecimalComma { .. }))
        };
        kept >= read.quarantined.len() && (read.quarantined.is_empty() || !is_misread())
    }

    fn read(&self) -> Read {
        let plain = PlainRows::new(&self.header, self.task.series.interval, &self.zone);
        read::rows(&self.text, self.body, &self.rules(), plain)
    }

    /// Checks what the header and the rows name against the key.
    pub fn check_instrument(&self, read: &Read) -> Result<(), Refusal> {
        let in_header = self.foreign.as_ref().and_then(|foreign| foreign.instrument.as_ref());
        in_header.map_or(Ok(()), |(column, name)| instruments::check_name(column, name, self.task.series))?;
        read.instruments.check(self.task.series)
    }

    /// The rules for its rows.
    pub fn rules(&self) -> RowRules<'_> {
        let Task { series, now, settings, .. } = *self.task;
        let zone = &self.zone;
        let header = &self.header;
        let calendar = self.calendar;
        RowRules {
            times: TimeRules {
                field: header.time,
                interval: series.interval,
                zone,
                now,
                calendar,
                shift: ends::shift(self.task),
            },
            values: ValueRules { header, allow_negative: settings.allow_negative },
        }
    }

    pub fn cells(&self) -> Cells {
        Cells::new(self.header.delimiter)
    }

    /// Parses a row again from the text.
    pub fn judge(&self, row: &Row, cells: &mut Cells) -> Result<Judged, Fault> {
        let (length, _) = line(&self.text, row.start);
        let broken = |_| Fault { column: "row", reason: Reason::OpenQuote };
        cells.split(&self.text[row.start..row.start + length]).map_err(broken)?;
        self.rules().values.read(row.time, cells)
    }
}
