//! Alerts about lost candles. The loader records each loss together with the rows, and the sweep judges it once.

use std::sync::Arc;

use anyhow::Context;
use candlewick_shared::adapters::database::SqlTimestamp;
use candlewick_shared::core::alert::{Alert, Kind, State};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::key::{ObjectPath, TransformedKey};
use candlewick_shared::core::metadata::is_by_hand;
use candlewick_shared::core::watchlist::{CleaningSettings, Watchlist};
use sqlx::{FromRow, PgConnection};

use crate::alerts::KnownAlert;
use crate::conditions::Condition;

/// The class of the alert: a new version of an object replaced one with more candles.
const REPLACED: &str = "replaced";

/// The service that the alert is attributed to.
const LOADER: &str = "loader";

/// Real candles that a series lost by one load.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    pub id: i64,
    /// The object that no longer has them.
    pub path: ObjectPath,
    /// The source of the new version, if known.
    pub source: Option<String>,
    /// The raw object of the new version.
    pub raw_key: Option<String>,
    /// The entity tag of the raw object of the previous version.
    pub raw_etag_before: Option<String>,
    /// How many candles are lost.
    pub candles: i64,
    /// How many candles the series had.
    pub of: i64,
    /// The first and the last lost candle.
    pub span: (CandleTime, CandleTime),
}

const OPEN: &str =
    "select l.id, o.key, l.source, l.raw_key, l.raw_etag_before, l.candles, l.of_candles, l.first_time, l.last_time
    from lost_candles l join objects o on o.id = l.object_id where not l.is_judged order by l.id";

/// Returns the losses that were not judged yet and marks them as judged.
pub async fn take_unjudged(database: &mut PgConnection) -> anyhow::Result<Vec<Loss>> {
    let rows: Vec<LossRow> = sqlx::query_as(OPEN).fetch_all(&mut *database).await.context("read the lost candles")?;
    let losses = rows.into_iter().map(LossRow::loss).collect::<anyhow::Result<Vec<_>>>()?;
    let ids: Vec<_> = losses.iter().map(|loss| loss.id).collect();
    let judge = sqlx::query("update lost_candles set is_judged = true where id = any($1)").bind(ids);
    judge.execute(database).await.context("mark the losses as judged")?;
    Ok(losses)
}

#[derive(FromRow)]
struct LossRow {
    id: i64,
    key: String,
    source: Option<String>,
    raw_key: Option<String>,
    raw_etag_before: Option<String>,
    candles: i64,
    of_candles: i64,
    first_time: SqlTimestamp,
    last_time: SqlTimestamp,
}

impl LossRow {
    fn loss(self) -> anyhow::Result<Loss> {
        let key: TransformedKey = self.key.parse()?;
        let time = |time: SqlTimestamp| CandleTime::from_seconds(time.to_jiff().as_second());
        Ok(Loss {
            id: self.id,
            path: key.path,
            source: self.source,
            raw_key: self.raw_key,
            raw_etag_before: self.raw_etag_before,
            candles: self.candles,
            of: self.of_candles,
            span: (time(self.first_time), time(self.last_time)),
        })
    }
}

/// The alerts about losses that are larger than the owner allows.
///
/// A loss is news, which is over only after the owner was notified. If an earlier loss of the same object is still waiting
/// for its notification, one alert covers both.
pub fn alerts(losses: &[Loss], watchlist: Option<&Arc<Watchlist>>, open: &[KnownAlert]) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = Vec::new();
    for loss in losses.iter().filter(|loss| loss.is_too_much(allowed(loss, watchlist))) {
        let text = loss.text(allowed(loss, watchlist));
        let waiting = open.iter().filter(|known| known.alert.state == State::Firing).map(|known| &known.alert);
        let mut pending = conditions.iter().rev().map(|condition| &condition.alert).chain(waiting);
        let text = match pending.find(|alert| loss.is_subject_of(alert)) {
            Some(earlier) => format!("{text}\nBefore that: {}", earlier.text),
            None => text,
        };
        conditions.push(Condition { stage: LOADER.to_owned(), alert: loss.alert(text) });
    }
    conditions
}

/// The share of its candles that a series may lose without an alert. Only dropped files may remove candles, because their
/// owner probably knows what they do.
fn allowed(loss: &Loss, watchlist: Option<&Arc<Watchlist>>) -> f64 {
    if !is_by_hand(loss.source.as_deref()) {
        return 0.0;
    }
    let defaults = CleaningSettings::default();
    let settings = watchlist.map_or(&defaults, |list| list.cleaning(&loss.path.series.symbol));
    settings.max_lost.get()
}

impl Loss {
    fn share(&self) -> f64 {
        self.candles as f64 / self.of.max(1) as f64
    }

    fn is_too_much(&self, allowed: f64) -> bool {
        self.share() > allowed
    }

    fn is_subject_of(&self, alert: &Alert) -> bool {
        alert.kind == Kind::CandlesLost && alert.class == REPLACED && alert.subject == self.path.to_string()
    }

    fn alert(&self, text: String) -> Alert {
        let alert = Alert::new(Kind::CandlesLost, &self.path, text).class(REPLACED);
        alert.series(Some(self.path.series.clone())).key(self.raw_key.clone())
    }

    fn text(&self, allowed: f64) -> String {
        let by = match (&self.raw_key, is_by_hand(self.source.as_deref())) {
            (None, _) => "a new transformed object".to_owned(),
            (Some(key), true) => format!("a file at {key}"),
            (Some(key), false) => format!("the fetched object {key}"),
        };
        let earlier = self.raw_etag_before.as_ref().map_or_else(String::new, |etag| {
            format!(" The earlier object had the ETag {etag}; a versioned bucket still has it.")
        });
        format!(
            "{} of {} real candles ({:.2} %, where {:.2} % is allowed) are gone, {}: {by} does not have them.{earlier}",
            self.candles,
            self.of,
            self.share() * 100.0,
            allowed * 100.0,
            self.dates()
        )
    }

    fn dates(&self) -> String {
        let (first, last) = self.span;
        let shown = |time: CandleTime| time.display(self.path.series.interval).to_string();
        if first == last { shown(first) } else { format!("{} to {}", shown(first), shown(last)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(candles: i64, source: Option<&str>) -> Loss {
        let key: TransformedKey = "transformed/interval=1day/symbol=AAPL/candles.csv".parse().unwrap();
        let date = |text: &str| CandleTime::from_date(text.parse().unwrap());
        Loss {
            id: 1,
            path: key.path,
            source: source.map(str::to_owned),
            raw_key: Some("raw/interval=1day/symbol=AAPL/candles.csv".to_owned()),
            raw_etag_before: Some("e1".to_owned()),
            candles,
            of: 100,
            span: (date("2024-01-02"), date("2024-12-27")),
        }
    }

    fn texts(losses: &[Loss], watchlist: Option<&str>, open: &[KnownAlert]) -> Vec<String> {
        let watchlist = watchlist.map(|text| Arc::new(text.parse().unwrap()));
        alerts(losses, watchlist.as_ref(), open).into_iter().map(|condition| condition.alert.text).collect()
    }

    #[test]
    fn a_file_may_take_away_a_share_of_a_series_and_no_more() {
        assert_eq!(texts(&[loss(5, Some("drop")), loss(5, None)], None, &[]), [] as [&str; 0]);
        let told = texts(&[loss(6, None)], None, &[]);
        assert_eq!(
            told,
            ["6 of 100 real candles (6.00 %, where 5.00 % is allowed) are gone, 2024-01-02 to 2024-12-27: a file at \
              raw/interval=1day/symbol=AAPL/candles.csv does not have them. The earlier object had the ETag e1; a versioned \
              bucket still has it."]
        );
    }

    #[test]
    fn the_watchlist_says_what_share() {
        let list = "[defaults]\nmax_lost = 0.5\n[groups.all]\nsymbols = [\"AAPL\"]\n";
        assert_eq!(texts(&[loss(50, None)], Some(list), &[]).len(), 0);
        assert_eq!(texts(&[loss(51, None)], Some(list), &[]).len(), 1);
        let own = format!("{list}[instruments.AAPL]\nmax_lost = 0\n");
        assert_eq!(texts(&[loss(1, None)], Some(&own), &[]).len(), 1);
    }

    #[test]
    fn of_what_is_fetched_every_loss_is_told() {
        let told = texts(&[loss(1, Some("twelvedata"))], None, &[]);
        assert!(told[0].contains("0.00 % is allowed") && told[0].contains("the fetched object raw/"), "{told:?}");
    }

    #[test]
    fn a_second_loss_does_not_hide_the_first_one_that_waits_to_be_told() {
        let both = alerts(&[loss(10, None), loss(20, None)], None, &[]);
        let last = &both[1].alert.text;
        assert!(last.starts_with("20 of 100") && last.contains("\nBefore that: 10 of 100"), "{last}");
    }
}
