//! Derives alerts from the facts, for trouble that no service reports or that a service died before reporting.

use std::collections::{BTreeMap, BTreeSet};

use candlewick_shared::core::alert::{Alert, Kind, State};
use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::due::{Freshness, delay};
use candlewick_shared::core::message_subject::path_of;
use candlewick_shared::core::report::Fate;
use candlewick_shared::core::topology::Topology;
use jiff::{SignedDuration, Timestamp};

use crate::alerts::KnownAlert;
use crate::events::outbox::Waiting;
use crate::facts::{Facts, ObjectFact, SeriesFact};

/// How long a dead-letter queue must look empty before its letters count as gone, because SQS reports depths with a delay.
const DEPTH_DELAY: SignedDuration = SignedDuration::from_mins(2);

/// How long an event may wait for its sink before the owner is notified.
const EVENT_DELAY: SignedDuration = SignedDuration::from_hours(1);

/// The class of dead letters that no service reported.
const UNREPORTED: &str = "untold";

/// The class of the second alert about the end of a calendar.
const LAST_DAYS: &str = "last_days";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long after its end a candle must be in the store.
    pub stale_after: SignedDuration,
    /// How long before the end of a calendar the owner is notified.
    pub horizon: SignedDuration,
}

/// An alert and the service that it is attributed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub stage: String,
    pub alert: Alert,
}

/// Everything that is wrong. `now` is the time of `CLOCK`, by which staleness is judged, and `real_now` the wall-clock time.
pub fn conditions(facts: &Facts, now: Timestamp, real_now: Timestamp, limits: &Limits) -> Vec<Condition> {
    let stale = facts.series.iter().flatten().filter_map(|fact| stale_series(fact, now, limits));
    let horizons = calendars(facts).into_values().flat_map(|calendar| near_horizon(calendar, now, limits));
    let objects = facts.objects.iter().flat_map(|object| dirty(object).into_iter().chain(long_gap(object)));
    let letters = facts.dead_letters.iter().filter_map(|(role, count)| unreported_letters(role, *count, facts));
    let events = facts.events.iter().filter_map(|waiting| undelivered_events(waiting, real_now));
    stale.chain(horizons).chain(objects).chain(failed_run(facts)).chain(letters).chain(events).collect()
}

fn condition(stage: &str, alert: Alert) -> Condition {
    Condition { stage: stage.to_owned(), alert }
}

fn stale_series(fact: &SeriesFact, now: Timestamp, limits: &Limits) -> Option<Condition> {
    let SeriesFact { calendar, series, last } = fact;
    let delay = delay(*calendar, series.interval, Some(*last), now.as_second(), limits.stale_after.as_secs());
    let next = delay.next.filter(|_| delay.freshness == Freshness::Late)?;
    let candle = |stamp| format!("the candle of {}", CandleTime::from_seconds(stamp).display(series.interval));
    let missing = next.stamp.map_or_else(|| "a newer candle".to_owned(), candle);
    let complete = Timestamp::from_second(next.complete).ok()?;
    let text = format!("{missing} is not in the store; it was complete at {complete}");
    Some(condition("notifier", Alert::new(Kind::StaleSeries, series, text).series(Some(series.clone()))))
}

fn calendars(facts: &Facts) -> BTreeMap<&'static str, &'static Calendar> {
    facts.series.iter().flatten().filter_map(|fact| fact.calendar).map(|calendar| (calendar.code(), calendar)).collect()
}

/// One alert when the end is near, and another when half of that time is left.
fn near_horizon(calendar: &Calendar, now: Timestamp, limits: &Limits) -> Vec<Condition> {
    let last = *calendar.coverage().end();
    let left = last.duration_since(now.to_zoned(jiff::tz::TimeZone::UTC).date());
    let ends = if left.is_negative() { "ended" } else { "ends" };
    let text = format!("{} {ends} on {last}: later candles are neither checked against it nor filled", calendar.name());
    let alert = |class| condition("notifier", Alert::new(Kind::CalendarHorizon, calendar.code(), &text).class(class));
    let classes = [("", limits.horizon), (LAST_DAYS, limits.horizon / 2)];
    classes.into_iter().filter(|(_, horizon)| left <= *horizon).map(|(class, _)| alert(class)).collect()
}

/// The transform raises this alert at once. The sweep raises it again in case the transform died before that.
fn dirty(object: &ObjectFact) -> Vec<Condition> {
    let Some(path) = path_of(&object.raw_key) else { return Vec::new() };
    let passed = object.touched.each().filter(|(_, _, measured)| measured.passed);
    let exceeded = |(class, what, measured): (&str, &str, candlewick_shared::core::report::Measured)| {
        let share = measured.share * 100.0;
        let most = measured.threshold * 100.0;
        let text = format!("{share:.2} % was {what}, where {most:.2} % is allowed: see {}", path.report_key());
        let alert = Alert::new(Kind::DirtyObject, &path, text).class(class).series(Some(path.series.clone()));
        condition("transform", alert.key(Some(object.raw_key.clone())).cause(format!("{path} {}", object.raw_etag)))
    };
    passed.map(exceeded).collect()
}

fn long_gap(object: &ObjectFact) -> Option<Condition> {
    let path = path_of(&object.raw_key)?;
    let gaps: Vec<_> = object.gaps.iter().filter(|gap| gap.fate == Fate::TooLong).collect();
    let longest = gaps.iter().max_by_key(|gap| gap.slots)?;
    let text = format!(
        "{} too long to be filled; the longest lacks {} candles, {} to {}",
        if gaps.len() == 1 { "a gap is".to_owned() } else { format!("{} gaps are", gaps.len()) },
        longest.slots,
        longest.first,
        longest.last
    );
    let alert = Alert::new(Kind::LongGap, &path, text).series(Some(path.series.clone()));
    Some(condition("transform", alert.key(Some(object.raw_key.clone()))))
}

fn failed_run(facts: &Facts) -> Option<Condition> {
    let run = facts.run.as_ref().filter(|run| run.failed > 0 || run.error.is_some())?;
    let text = match &run.error {
        Some(error) => format!("run {} could not be carried out: {error}", run.id),
        None => format!("run {} ended, and {} of its {} series failed", run.id, run.failed, run.expected),
    };
    Some(condition("ingest", Alert::new(Kind::RunFailed, "the newest run", text).run(Some(run.id.clone()))))
}

/// Dead letters that no service reported. SQS itself moves a message that kills its consumer each time.
fn unreported_letters(role: &str, count: u64, facts: &Facts) -> Option<Condition> {
    let topology = Topology::current();
    let queue = topology.queue(role)?;
    let unreported = count.saturating_sub(facts.reported.get(&queue.service).copied().unwrap_or(0));
    let text = format!(
        "{count} messages are in {}, and {unreported} of them were not reported: they killed their consumer each time",
        topology.dead_letter_name(&queue.name)
    );
    let alert = Alert::new(Kind::DeadLetter, format!("queue {role}"), text).class(UNREPORTED);
    (unreported > 0).then(|| condition(&queue.service, alert))
}

fn undelivered_events(waiting: &Waiting, real_now: Timestamp) -> Option<Condition> {
    let Waiting { sink, events, since, error } = waiting;
    if real_now.duration_since(since.0) <= EVENT_DELAY {
        return None;
    }
    let error = error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    let text = format!("{events} events wait for {sink}, the oldest since {}{error}", since.0);
    Some(condition("notifier", Alert::new(Kind::EventsUndelivered, format!("sink {sink}"), text)))
}

/// The changes since the last sweep: conditions that are new, and alerts that are over.
pub fn changes(open: &[KnownAlert], facts: &Facts, conditions: Vec<Condition>, real_now: Timestamp) -> Vec<Condition> {
    let firing: Vec<_> = open.iter().filter(|known| known.alert.state == State::Firing).collect();
    let over = firing.iter().filter(|known| is_over(known, facts, &conditions, real_now));
    let over: Vec<_> = over.map(|known| condition(&known.stage, known.alert.clone().resolved())).collect();
    let raised: BTreeSet<_> = firing.iter().map(|known| identity(&known.stage, &known.alert)).collect();
    let is_new = |condition: &Condition| !raised.contains(&identity(&condition.stage, &condition.alert));
    conditions.into_iter().filter(is_new).chain(over).collect()
}

/// Alerts with the same identity are the same alert.
fn identity<'a>(stage: &'a str, alert: &'a Alert) -> (Kind, &'a str, &'a str, &'a str) {
    (alert.kind, stage, &alert.class, &alert.subject)
}

fn is_over(known: &KnownAlert, facts: &Facts, conditions: &[Condition], real_now: Timestamp) -> bool {
    let holds = || {
        let own = identity(&known.stage, &known.alert);
        conditions.iter().any(|condition| identity(&condition.stage, &condition.alert) == own)
    };
    match known.alert.kind {
        Kind::CalendarHorizon | Kind::StaleSeries => facts.series.is_some() && !holds(),
        Kind::EventsUndelivered | Kind::LongGap | Kind::RunFailed => !holds(),
        // The transform raises it before the loader stores the report that the sweep reads.
        Kind::DirtyObject => known.loaded_since && !holds(),
        Kind::DeadLetter if known.alert.class == UNREPORTED => !holds(),
        Kind::DeadLetter | Kind::IngestFailed => {
            let is_renewed = known.alert.kind == Kind::IngestFailed && known.renewed_since;
            let is_repaired = known.alert.series.is_some() && known.loaded_since || is_renewed;
            is_repaired
                || (has_no_letters(&known.stage, facts) && real_now.duration_since(known.changed_at) > DEPTH_DELAY)
        }
        // No answer about the series is accepted while it lasts.
        Kind::OtherInstrument => known.renewed_since,
        // The services that raise these also resolve them.
        Kind::BadWatchlist
        | Kind::CandlesLost
        | Kind::CreditsGone
        | Kind::HistoryShrank
        | Kind::Outage
        | Kind::SplitFound => false,
    }
}

/// Whether all dead-letter queues of a service were read and are empty.
fn has_no_letters(stage: &str, facts: &Facts) -> bool {
    let queues = &Topology::current().queues;
    let mut own =
        facts.dead_letters.iter().filter(|(role, _)| queues.get(*role).is_some_and(|queue| queue.service == stage));
    own.clone().next().is_some() && own.all(|(_, count)| *count == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candlewick_shared::adapters::database::DbTime;
    use candlewick_shared::reads::runs::RunProgress;

    const LIMITS: Limits =
        Limits { stale_after: SignedDuration::from_hours(26), horizon: SignedDuration::from_hours(1440) };

    fn now() -> Timestamp {
        "2024-12-30T22:00:00Z".parse().unwrap()
    }

    fn facts(letters: u64, reported: u64) -> Facts {
        let dead_letters = [("raw".to_owned(), letters)].into();
        let reported = [("transform".to_owned(), reported)].into();
        Facts { dead_letters, reported, ..Facts::default() }
    }

    fn subjects(changes: &[Condition]) -> Vec<(&str, State)> {
        changes.iter().map(|change| (change.alert.subject.as_str(), change.alert.state)).collect()
    }

    fn known(alert: Alert, changed_minutes_ago: i64) -> KnownAlert {
        let changed_at = now() - SignedDuration::from_mins(changed_minutes_ago);
        let stage = "transform".to_owned();
        let notified = None;
        KnownAlert {
            id: 1,
            stage,
            alert,
            raised_at: now(),
            occurrences: 1,
            loaded_since: false,
            renewed_since: false,
            changed_at,
            notified,
        }
    }

    fn swept(open: &[KnownAlert], facts: &Facts) -> Vec<Condition> {
        changes(open, facts, conditions(facts, now(), now(), &LIMITS), now())
    }

    #[test]
    fn letters_that_nobody_told_of_are_told_of_until_they_are_gone() {
        assert_eq!(subjects(&swept(&[], &facts(2, 2))), []);
        let raised = swept(&[], &facts(3, 2));
        assert!(raised[0].alert.text.contains("3 messages are in candlewick-raw-dlq, and 1 of them"), "{raised:?}");
        let open = [known(raised[0].alert.clone(), 0)];
        assert_eq!(subjects(&swept(&open, &facts(3, 2))), []);
        assert_eq!(subjects(&swept(&open, &facts(0, 2))), [("queue raw", State::Resolved)]);
    }

    #[test]
    fn a_letter_is_over_when_its_queue_stays_empty() {
        let letter = |minutes| [known(Alert::new(Kind::DeadLetter, "message 1", "text").class("bad_message"), minutes)];
        assert_eq!(subjects(&swept(&letter(5), &facts(1, 1))), []);
        assert_eq!(subjects(&swept(&letter(1), &facts(0, 1))), [], "the depth is reported with a delay");
        assert_eq!(subjects(&swept(&letter(5), &facts(0, 1))), [("message 1", State::Resolved)]);
        assert_eq!(subjects(&swept(&letter(5), &Facts::default())), [], "a queue that was not read is not empty");
    }

    #[test]
    fn a_run_with_failures_is_told_of_until_a_later_one_has_none() {
        let run = |id: &str, failed| {
            let run = RunProgress { id: id.to_owned(), expected: 10, failed, ..RunProgress::default() };
            Facts { run: Some(run), ..Facts::default() }
        };
        let raised = swept(&[], &run("one", 2));
        assert_eq!(raised[0].alert.text, "run one ended, and 2 of its 10 series failed");
        let mut open = [known(raised[0].alert.clone(), 0)];
        open[0].stage.clone_from(&raised[0].stage);
        assert_eq!(subjects(&swept(&open, &run("two", 1))), []);
        assert_eq!(subjects(&swept(&open, &run("three", 0))), [("the newest run", State::Resolved)]);
    }

    #[test]
    fn events_that_wait_for_an_hour_are_told_of_until_the_sink_takes_them() {
        let facts = |minutes| {
            let since = DbTime(now() - SignedDuration::from_mins(minutes));
            let error = Some("the server answered 503".to_owned());
            Facts { events: vec![Waiting { sink: "webhook".to_owned(), events: 3, since, error }], ..Facts::default() }
        };
        assert_eq!(subjects(&swept(&[], &facts(60))), []);
        let raised = swept(&[], &facts(61));
        let text = "3 events wait for webhook, the oldest since 2024-12-30T20:59:00Z: the server answered 503";
        assert_eq!((raised[0].alert.kind, raised[0].alert.text.as_str()), (Kind::EventsUndelivered, text));
        let mut open = [known(raised[0].alert.clone(), 0)];
        open[0].stage.clone_from(&raised[0].stage);
        assert_eq!(subjects(&swept(&open, &facts(90))), []);
        assert_eq!(subjects(&swept(&open, &Facts::default())), [("sink webhook", State::Resolved)]);
    }

    #[test]
    fn another_instrument_is_over_when_its_series_is_taken_again() {
        let alert = Alert::new(Kind::OtherInstrument, "AAPL 1day", "text").run(Some("run-1".to_owned()));
        let mut open = [known(alert, 600)];
        assert_eq!(subjects(&swept(&open, &facts(0, 0))), []);
        open[0].renewed_since = true;
        assert_eq!(subjects(&swept(&open, &facts(0, 0))), [("AAPL 1day", State::Resolved)]);
    }

    #[test]
    fn what_its_stage_alone_can_judge_the_sweep_leaves_alone() {
        let open = [known(Alert::new(Kind::CreditsGone, "the day", "text"), 600)];
        assert_eq!(subjects(&swept(&open, &facts(0, 0))), []);
    }
}
