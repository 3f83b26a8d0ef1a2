//! Whether the watchlist and the calendars that it needs are valid and reach far enough.

use std::collections::BTreeMap;

use candlewick_shared::adapters::postgres;
use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::calendar::choice::CalendarSetting;
use candlewick_shared::core::watchlist::{Location, Watchlist};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::finding::{Examined, Skipped};
use crate::place::Deployment;
use crate::status;

/// How many days before its end a calendar is reported.
const SOON: i64 = 60;

pub async fn examine(examined: &mut Examined, deployment: &Deployment) {
    let skip = |why: &str| Skipped { check: "calendar", why: why.to_owned() };
    let Some(location) = deployment.env.optional("WATCHLIST").and_then(|text| text.parse::<Location>().ok()) else {
        return examined.skipped.push(skip("WATCHLIST is not set"));
    };
    match status::watchlist(&deployment.aws, &deployment.env).await {
        Ok(Some(watchlist)) => {
            let used = used(&watchlist, &stored(deployment).await);
            let now = deployment.env.clock().map_or(Timestamp::now(), |clock| clock.at(Timestamp::now()));
            let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
            ending(examined, used.into_values(), today, &location.calendars());
        }
        Ok(None) => examined.skipped.push(skip("there is no watchlist")),
        Err(error) => examined.find(
            "calendar",
            &location.to_string(),
            format!("{error:#}"),
            "correct what it names: `candlewick watchlist check` repeats it until it is valid",
        ),
    }
}

/// The codes that the sources named for the stored instruments. A database that cannot be read is another finding.
async fn stored(deployment: &Deployment) -> Vec<String> {
    let Some(url) = deployment.env.optional("DATABASE_URL") else { return Vec::new() };
    let Ok(pool) = postgres::connect(url, 1).await else { return Vec::new() };
    let query = sqlx::query_scalar("select distinct calendar from instruments where calendar is not null");
    query.fetch_all(&pool).await.unwrap_or_default()
}

/// The calendars that the settings or the stored instruments name, and those of the owner's files.
fn used(watchlist: &Watchlist, stored: &[String]) -> BTreeMap<&'static str, &'static Calendar> {
    let calendars = watchlist.calendars();
    let settings = watchlist.instruments().filter_map(|(_, instrument)| match &instrument.cleaning.calendar {
        Some(CalendarSetting::Code(code)) => Some(code.as_str()),
        Some(CalendarSetting::None) | None => None,
    });
    let named = settings.chain(stored.iter().map(String::as_str));
    let found = named.filter_map(|code| calendars.find(code).ok().flatten()).chain(calendars.own());
    found.map(|calendar| (calendar.code(), calendar)).collect()
}

fn ending(examined: &mut Examined, used: impl Iterator<Item = &'static Calendar>, today: Date, folder: &Location) {
    let soon = today.saturating_add(SOON.days());
    for calendar in used.filter(|calendar| *calendar.coverage().end() <= soon) {
        let last = *calendar.coverage().end();
        let ends = if last < today { "ended" } else { "ends" };
        let problem =
            format!("{} {ends} on {last}: later candles are neither checked against it nor filled", calendar.name());
        let file = format!("{}/{}.toml", folder.to_string().trim_end_matches('/'), calendar.code().replace('/', "-"));
        let mend = format!("update Candlewick, or put a calendar that reaches further at {file} (docs/calendars.md)");
        examined.find("calendar", calendar.code(), problem, mend);
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn findings(today: Date) -> Vec<String> {
        let watchlist: Watchlist =
            "[groups.a]\nsymbols = [\"A\", \"B\"]\n[instruments.A]\ncalendar = \"XSHE\"".parse().unwrap();
        let used = used(&watchlist, &["XNSE".to_owned(), "XNAI".to_owned(), "XNGS".to_owned()]);
        let mut examined = Examined::default();
        let folder = "s3://b/config/watchlist.toml".parse::<Location>().unwrap().calendars();
        ending(&mut examined, used.into_values(), today, &folder);
        examined.findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_calendar_that_ends_soon_is_reported_with_the_place_of_a_new_one() {
        let soon = findings(date(2026, 11, 10));
        assert_eq!(soon.len(), 2, "{soon:?}");
        assert!(soon[0].starts_with("calendar XBOM: BSE (Bombay) ends on 2026-12-31"), "{soon:?}");
        assert!(soon[1].contains("s3://b/config/calendars/XSHG.toml"), "{soon:?}");
        assert!(findings(date(2027, 1, 5))[0].contains("ended on 2026-12-31"));
        assert_eq!(findings(date(2026, 10, 1)), [""; 0]);
    }
}
