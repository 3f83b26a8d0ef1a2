//! The daily digest. It is sent even if all is well, which shows that messages reach the owner.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Context;
use candlewick_shared::adapters::database::ToSqlx;
use candlewick_shared::core::alert::{Severity, State};
use candlewick_shared::reads::runs;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use sqlx::{FromRow, PgConnection, PgPool};

use crate::alerts::{self, KnownAlert};
use crate::message::{Notice, label};
use crate::outbox;

/// When the digest is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The time of day in `zone`.
    pub at: Time,
    pub zone: TimeZone,
}

impl Schedule {
    /// The date of the newest digest that is due at `now`.
    pub fn due(&self, now: Timestamp) -> Date {
        let local = now.to_zoned(self.zone.clone());
        if local.time() >= self.at { local.date() } else { local.date().saturating_sub(1.day()) }
    }
}

/// The figures of a digest. The last day is by `CLOCK`.
#[derive(Clone, Debug, Default, FromRow, PartialEq, Eq)]
pub struct Day {
    /// How many series have candles.
    pub series: i64,
    /// How many objects were loaded.
    pub objects: i64,
    pub inserted: i64,
    pub updated: i64,
    pub removed: i64,
    /// Filled candles in the loaded objects.
    pub filled: i64,
    /// Quarantined rows of the loaded objects.
    pub quarantined: i64,
    /// Real candles that series lost.
    pub lost: i64,
    /// A summary of the run that ended last.
    #[sqlx(skip)]
    pub run: Option<String>,
    /// Messages that did not reach the owner in the last day of wall-clock time.
    #[sqlx(skip)]
    pub undelivered: i64,
}

/// Puts the digest that is due into the outbox, unless it is there already. The first one is written at the first start.
pub async fn queue_due(
    pool: &PgPool,
    channels: &[String],
    schedule: &Schedule,
    now: Timestamp,
    real_now: Timestamp,
) -> anyhow::Result<()> {
    let name = format!("digest-{}", schedule.due(real_now));
    let known = sqlx::query_scalar("select exists (select from alert_deliveries where name = $1)");
    let is_known: bool = known.bind(&name).fetch_one(pool).await.context("look for the digest")?;
    if is_known || channels.is_empty() {
        return Ok(());
    }
    let mut database = pool.acquire().await.context("connect to the database")?;
    let open = alerts::open(&mut database).await?;
    let day = read(&mut database, now).await.context("read the day")?;
    let day = Day { undelivered: outbox::count_undelivered(pool, real_now).await.context("read the outbox")?, ..day };
    outbox::put(&mut database, channels, &compose(&name, &day, &open), real_now).await.context("fill the outbox")
}

const DAY: &str =
    "select (select count(*) from (select distinct symbol, interval from objects where rows_total > 0) s) as series,
    count(*) as objects, coalesce(sum(rows_inserted), 0)::bigint as inserted,
    coalesce(sum(rows_updated), 0)::bigint as updated, coalesce(sum(rows_removed), 0)::bigint as removed,
    coalesce(sum(q.filled), 0)::bigint as filled, coalesce(sum(q.quarantined), 0)::bigint as quarantined,
    (select coalesce(sum(candles), 0)::bigint from lost_candles
     where lost_at between $1::timestamptz - interval '1 day' and $1) as lost
    from objects o left join quality q on q.object_id = o.id
    where loaded_at between $1::timestamptz - interval '1 day' and $1";

async fn read(database: &mut PgConnection, now: Timestamp) -> anyhow::Result<Day> {
    let day: Day = sqlx::query_as(DAY).bind(now.to_sqlx()).fetch_one(&mut *database).await?;
    let run = runs::newest_ended(&mut *database).await?;
    let run = run.map(|run| format!("{}: {} of {} series failed", run.id, run.failed, run.expected));
    Ok(Day { run, ..day })
}

pub fn compose(name: &str, day: &Day, open: &[KnownAlert]) -> Notice {
    let firing: Vec<_> = open.iter().filter(|known| known.alert.state == State::Firing).collect();
    let errors = firing.iter().filter(|known| known.alert.kind.severity() == Severity::Error).count();
    let date = name.trim_start_matches("digest-");
    let verdict = match (errors, firing.len()) {
        (0, 0) => "all is well".to_owned(),
        (0, notices) => format!("{notices} to note"),
        (errors, _) => format!("{errors} to fix"),
    };
    Notice {
        name: name.to_owned(),
        subject: format!("Candlewick: digest of {date}: {verdict}"),
        body: body(day, &firing),
        payload: json!({
            "type": "digest", "date": date, "series": day.series, "objects_loaded": day.objects,
            "inserted": day.inserted, "updated": day.updated, "removed": day.removed, "lost": day.lost,
            "filled": day.filled, "quarantined": day.quarantined, "firing": firing.len(), "errors": errors,
        }),
    }
}

fn body(day: &Day, firing: &[&KnownAlert]) -> String {
    let Day { series, objects, inserted, updated, removed, filled, quarantined, .. } = day;
    let mut text = format!(
        "Series in the store: {series}\nLoaded in the last day: {objects} objects; {inserted} candles new, {updated} changed, \
         {removed} removed\nIn those objects: {filled} candles filled, {quarantined} rows quarantined\n"
    );
    if day.lost > 0 {
        let _ = writeln!(text, "Real candles lost: {}", day.lost);
    }
    if let Some(run) = &day.run {
        let _ = writeln!(text, "Newest run: {run}");
    }
    if day.undelivered > 0 {
        let _ = writeln!(text, "Messages that did not reach you: {}; see `candlewick alerts`", day.undelivered);
    }
    let mut groups: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for known in firing {
        groups.entry(known.alert.kind).or_default().push(&known.alert.subject);
    }
    text.push_str(if groups.is_empty() { "\nNo alerts are open.\n" } else { "\nOpen:\n" });
    for (kind, subjects) in groups {
        let _ = writeln!(text, "  {}: {}", label(kind), listed(&subjects));
    }
    text
}

fn listed(subjects: &[&str]) -> String {
    let first = subjects.iter().take(10).copied().collect::<Vec<_>>().join(", ");
    if subjects.len() > 10 { format!("{first} and {} more", subjects.len() - 10) } else { first }
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::alert::{Alert, Kind};

    use super::*;

    fn due(now: &str, at: &str, zone: &str) -> String {
        let schedule = Schedule { at: at.parse().unwrap(), zone: TimeZone::get(zone).unwrap() };
        schedule.due(now.parse().unwrap()).to_string()
    }

    #[test]
    fn a_digest_is_due_from_its_time_of_the_day_on_where_its_owner_is() {
        assert_eq!(due("2024-12-31T07:59:59Z", "08:00", "UTC"), "2024-12-30");
        assert_eq!(due("2024-12-31T08:00:00Z", "08:00", "UTC"), "2024-12-31");
        assert_eq!(due("2024-12-31T12:00:00Z", "08:00", "America/New_York"), "2024-12-30");
        assert_eq!(due("2024-12-30T23:30:00Z", "08:00", "Asia/Tokyo"), "2024-12-31");
    }

    #[test]
    fn each_day_has_one_digest_also_where_the_clocks_change() {
        // In New York, 02:30 of 2024-03-10 does not exist.
        let name = |now: &str| due(now, "02:30", "America/New_York");
        assert_eq!(
            (name("2024-03-10T06:59:00Z"), name("2024-03-10T07:00:00Z")),
            ("2024-03-09".into(), "2024-03-10".into())
        );
    }

    fn known(kind: Kind, subject: &str) -> KnownAlert {
        let at = "2024-12-30T22:01:00Z".parse().unwrap();
        let alert = Alert::new(kind, subject, "text");
        let stage = "stage".to_owned();
        KnownAlert {
            id: 1,
            stage,
            alert,
            raised_at: at,
            occurrences: 1,
            loaded_since: false,
            renewed_since: false,
            changed_at: at,
            notified: None,
        }
    }

    #[test]
    fn it_says_so_when_all_is_well() {
        let message = compose("digest-2024-12-31", &Day { series: 10, ..Day::default() }, &[]);
        assert_eq!(message.subject, "Candlewick: digest of 2024-12-31: all is well");
        assert!(message.body.contains("Series in the store: 10\n") && message.body.contains("No alerts are open"));
    }

    #[test]
    fn it_names_what_is_open_and_not_what_is_over() {
        let mut over = known(Kind::StaleSeries, "SPY 1day");
        over.alert = over.alert.resolved();
        let open = [known(Kind::LongGap, "AAPL 1day"), known(Kind::DeadLetter, "QQQ 1day"), over];
        let message = compose("digest-2024-12-31", &Day { undelivered: 2, ..Day::default() }, &open);
        assert_eq!(message.subject, "Candlewick: digest of 2024-12-31: 1 to fix");
        assert!(message.body.contains("  given up: QQQ 1day\n  long gap: AAPL 1day\n"), "{}", message.body);
        assert!(message.body.contains("did not reach you: 2") && !message.body.contains("SPY"));
        assert!(compose("digest-x", &Day::default(), &open[..1]).subject.ends_with("1 to note"));
    }
}
