//! Reads the API credits of today, and when a run will have fetched everything.

use candlewick_shared::adapters::database::ToSqlx;
use candlewick_shared::reads::runs::RunProgress;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::Serialize;
use sqlx::{FromRow, PgPool};
use utoipa::ToSchema;

/// The API credits of today, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Credits {
    /// How many are spent, by anybody who uses the account.
    pub used: i64,
    /// How many are left; null if the plan has no daily limit.
    pub left: Option<i64>,
    /// How many may be spent in a minute; null if the plan has no such limit.
    pub per_minute: Option<i64>,
    /// When the last run can have fetched its series at the earliest, at one credit each; null if it has.
    #[schema(value_type = Option<String>)]
    pub fetched_by: Option<Timestamp>,
}

/// The recorded credits of a day.
#[derive(Clone, Copy, Debug, FromRow)]
struct Recorded {
    used: i64,
    per_day: Option<i64>,
    per_minute: Option<i64>,
}

/// The limits of an earlier day apply to today, whose credits nobody has spent yet.
const TODAY: &str = "select case when day = $1 then used else 0 end as used, per_day, per_minute
    from credits where day <= $1 order by day desc limit 1";

/// The credits of today; `None` if ingest has recorded none.
pub async fn today(pool: &PgPool, run: Option<&RunProgress>, now: Timestamp) -> sqlx::Result<Option<Credits>> {
    let day = now.to_zoned(TimeZone::UTC).date();
    let recorded: Option<Recorded> = sqlx::query_as(TODAY).bind(day.to_sqlx()).fetch_optional(pool).await?;
    let remaining = run.filter(|run| run.ended_at.is_none()).map_or(0, remaining);
    Ok(recorded.map(|recorded| Credits {
        used: recorded.used,
        left: recorded.left(),
        per_minute: recorded.per_minute,
        fetched_by: recorded.fetched_by(remaining, now),
    }))
}

/// How many series of a run are still to be fetched.
fn remaining(run: &RunProgress) -> i64 {
    (run.expected - run.fetched - run.failed).max(0)
}

impl Recorded {
    fn left(self) -> Option<i64> {
        self.per_day.map(|limit| (limit - self.used).max(0))
    }

    /// When this many credits are spent at the earliest: today's first, then those of the following days.
    fn fetched_by(self, credits: i64, now: Timestamp) -> Option<Timestamp> {
        if credits == 0 {
            return None;
        }
        let later = self.left().map_or(0, |left| (credits - left).max(0));
        if later == 0 {
            return now.checked_add(self.lasts(credits)).ok();
        }
        let per_day = self.per_day.filter(|limit| *limit > 0)?;
        let days = (later - 1) / per_day + 1;
        let midnight = now.to_zoned(TimeZone::UTC).date().checked_add(days.days()).ok()?;
        let midnight = midnight.to_zoned(TimeZone::UTC).ok()?.timestamp();
        midnight.checked_add(self.lasts(later - (days - 1) * per_day)).ok()
    }

    /// How long it takes to spend credits within a day.
    fn lasts(self, credits: i64) -> SignedDuration {
        let minutes = self.per_minute.filter(|limit| *limit > 0).map_or(0, |limit| (credits - 1) / limit);
        SignedDuration::from_mins(minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetched_by(used: i64, per_day: Option<i64>, credits: i64) -> Option<String> {
        let recorded = Recorded { used, per_day, per_minute: Some(8) };
        let by = recorded.fetched_by(credits, "2024-12-31T12:00:30Z".parse().unwrap());
        by.map(|time| time.to_string())
    }

    #[test]
    fn a_run_has_fetched_all_when_its_credits_can_be_spent() {
        let at = |text: &str| Some(text.to_owned());
        assert_eq!(fetched_by(10, Some(800), 0), None);
        assert_eq!(fetched_by(10, Some(800), 8), at("2024-12-31T12:00:30Z"));
        assert_eq!(fetched_by(10, Some(800), 9), at("2024-12-31T12:01:30Z"));
        assert_eq!(fetched_by(790, Some(800), 11), at("2025-01-01T00:00:00Z"));
        assert_eq!(fetched_by(800, Some(800), 801), at("2025-01-02T00:00:00Z"));
        assert_eq!(fetched_by(900, Some(800), 17), at("2025-01-01T00:02:00Z"));
        assert_eq!((fetched_by(0, None, 17), fetched_by(0, Some(0), 1)), (at("2024-12-31T12:02:30Z"), None));
    }

    #[test]
    fn what_has_failed_is_not_fetched_any_more() {
        let run = RunProgress { expected: 10, fetched: 4, failed: 1, ..RunProgress::default() };
        assert_eq!(remaining(&run), 5);
        assert_eq!(remaining(&RunProgress { failed: 9, ..run }), 0);
    }
}
