//! The messages about a file before it is uploaded, and whether it needs confirmation.

use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::key::{ObjectPath, RawKey};
use candlewick_shared::ports::store::ObjectInfo;
use jiff::Timestamp;

use crate::clean::summary::some;

use super::coming::{Coming, Rules, reasons};
use super::compare::Change;
use super::stored::StoredObject;

/// The messages about a file before it is uploaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict<'a> {
    coming: &'a Coming,
    stored: &'a StoredObject,
    /// The raw object that would be replaced, if the current candles come from another one.
    unsettled: Option<String>,
    now: Timestamp,
    is_simulated: bool,
}

impl<'a> Verdict<'a> {
    /// Combines the predicted result, the state of the series and the current raw object at the key.
    pub fn of(coming: &'a Coming, stored: &'a StoredObject, seen: Option<&ObjectInfo>, rules: &Rules) -> Self {
        let is_origin = |info: &&ObjectInfo| stored.origin.as_ref().is_some_and(|(_, etag)| *etag == info.etag);
        let unsettled = seen.filter(|info| !is_origin(info)).map(|info| info.key.clone());
        Self { coming, stored, unsettled, now: rules.now, is_simulated: rules.is_simulated }
    }

    /// Why confirmation is needed.
    pub fn doubt(&self) -> Option<String> {
        if let Some(why) = &self.coming.nothing_usable {
            return Some(format!("{why}{}: it would only become a dead letter", self.cure()));
        }
        match &self.stored.change {
            None => Some("the object at that key cannot be read, so it is unknown what would be lost".to_owned()),
            Some(change) if change.lost > 0 => Some(format!("{} would be lost", self.lost(change))),
            Some(_) => None,
        }
    }

    /// All messages, one per line.
    pub fn words(&self, path: &ObjectPath) -> String {
        let lines = [vec![format!("{path}: {}", self.change())], self.notes(), details(self.coming)];
        lines.concat().join("\n  ")
    }

    fn change(&self) -> String {
        match &self.stored.change {
            None => "cannot be compared with the object at that key".to_owned(),
            Some(_) if self.coming.nothing_usable.is_some() => {
                "no candle; the object at that key would stay".to_owned()
            }
            Some(change) => {
                let counts =
                    format!("{} candles new, {} changed, {} unchanged", change.new, change.changed, change.unchanged);
                if change.lost == 0 { counts } else { format!("{counts}; {} would be lost", self.lost(change)) }
            }
        }
    }

    fn lost(&self, change: &Change) -> String {
        let shown = |time: CandleTime| time.display(self.coming.interval).to_string();
        let span = match change.span {
            Some((first, last)) if first != last => format!(" ({} to {})", shown(first), shown(last)),
            Some((first, _)) => format!(" ({})", shown(first)),
            None => String::new(),
        };
        format!("{} real candle{}{span}", change.lost, if change.lost == 1 { "" } else { "s" })
    }

    fn notes(&self) -> Vec<String> {
        let unsettled = self.unsettled.as_ref().map(|key| {
            format!(
                "the current {key} is not cleaned yet, or was given up: this compares with what was cleaned before it"
            )
        });
        let twin = self.stored.origin.as_ref().map(|(key, _)| key).filter(|origin| self.is_twin(origin));
        let twin =
            twin.map(|origin| format!("the object at that key comes from {origin}, which this file would supersede"));
        let future = self.future();
        let future = (future > 0).then(|| format!("{future} rows lie after {}{}", self.now, self.cure()));
        [unsettled, twin, future].into_iter().flatten().collect()
    }

    fn is_twin(&self, origin: &str) -> bool {
        let gzip = |key: &str| key.parse::<RawKey>().map(|key| key.gzip);
        gzip(origin).is_ok_and(|is_gzip| gzip(&self.coming.report.source.key) != Ok(is_gzip))
    }

    fn future(&self) -> u64 {
        self.coming.report.rows.quarantined.get("future").copied().unwrap_or(0)
    }

    /// What to do about rows in the future.
    fn cure(&self) -> String {
        match (self.future(), self.is_simulated) {
            (0, _) => String::new(),
            (_, true) => format!(" (it is {} by the simulator's clock, and what is later has not happened)", self.now),
            (_, false) => format!(" (the file is taken to be of {}: see --as-of)", self.now),
        }
    }
}

/// How cleaning changed the file.
fn details(Coming { report, first_quarantined, .. }: &Coming) -> Vec<String> {
    let rows = &report.rows;
    let first = first_quarantined.as_ref().map(|words| format!(". {words}")).unwrap_or_default();
    let columns: Vec<_> = some(&report.ignored_columns).collect();
    let quarantined = rows.quarantined_total();
    let dialect = report.dialect.as_ref().map(|dialect| format!("read as: {dialect}"));
    let counts = [
        (quarantined, format!("{quarantined} of {} rows quarantined{}{first}", rows.read, reasons(&rows.quarantined))),
        (rows.filled, format!("{} candles filled", rows.filled)),
        (rows.provisional, format!("{} rows of candles that are still open left out", rows.provisional)),
        (report.ignored_columns.len() as u64, format!("columns not read: {}", columns.join(", "))),
    ];
    let counted = counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words);
    dialect.into_iter().chain(counted).collect()
}
