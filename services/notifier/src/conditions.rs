//! What is wrong, from how things are: for what no service says itself, or died before saying.

use std::collections::{BTreeMap, BTreeSet};

use candlewick_shared::core::alert::{Alert, Kind, State};
use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::message_subject::path_of;
use candlewick_shared::core::report::Fate;
use candlewick_shared::core::topology::Topology;
use jiff::{SignedDuration, Timestamp};

use crate::alerts::Known;
use crate::facts::{Facts, ObjectFact, SeriesFact};
use crate::stale;

/// How long a dead-letter queue may look empty before that is believed: its depth is told with a delay.
const DEPTH_DELAY: SignedDuration = SignedDuration::from_mins(2);

/// The class of dead letters that no service told of.
const UNTOLD: &str = "untold";

/// What is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long after its end a candle must be in the store.
    pub stale_after: SignedDuration,
    /// How long before the end of a calendar the owner hears of it.
    pub horizon: SignedDuration,
}

/// An alert, and the service that it is put down to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The service.
    pub stage: String,
    pub alert: Alert,
}

/// Everything that is wrong. `now` is Candlewick's time: staleness goes by it.
pub fn conditions(facts: &Facts, now: Timestamp, limits: &Limits) -> Vec<Condition> {
    let stale = facts.series.iter().flatten().filter_map(|fact| stale_series(fact, now, limits));
    let horizons = calendars(facts).into_values().filter_map(|calendar| near_horizon(calendar, now, limits));
    let objects = facts.objects.iter().flat_map(|object| dirty(object).into_iter().chain(long_gap(object)));
    let letters = facts.letters.iter().filter_map(|(role, count)| letters(role, *count, facts));
    stale.chain(horizons).chain(objects).chain(failed_run(facts)).chain(letters).collect()
}

fn of(stage: &str, alert: Alert) -> Condition {
    Condition { stage: stage.to_owned(), alert }
}

fn stale_series(fact: &SeriesFact, now: Timestamp, limits: &Limits) -> Option<Condition> {
    let late = stale::late(fact.calendar, fact.series.interval, fact.last, now, limits.stale_after)?;
    let complete = Timestamp::from_second(late.complete).ok()?;
    let text = format!("{} is not in the store; it was complete at {complete}", late.missing);
    Some(of("notifier", Alert::new(Kind::StaleSeries, &fact.series, text).series(Some(fact.series.clone()))))
}

fn calendars(facts: &Facts) -> BTreeMap<&'static str, &'static Calendar> {
    facts.series.iter().flatten().filter_map(|fact| fact.calendar).map(|calendar| (calendar.code(), calendar)).collect()
}

fn near_horizon(calendar: &Calendar, now: Timestamp, limits: &Limits) -> Option<Condition> {
    let last = *calendar.coverage().end();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let is_near = last.duration_since(today) <= limits.horizon;
    let text = format!("{} ends with {last}: later candles are neither held to it nor filled", calendar.name());
    is_near.then(|| of("notifier", Alert::new(Kind::CalendarHorizon, calendar.code(), text)))
}

/// What the transform says at once; here it is said again, for the case that it died before.
fn dirty(object: &ObjectFact) -> Vec<Condition> {
    let Some(path) = path_of(&object.raw_key) else { return Vec::new() };
    let passed = object.touched.each().filter(|(_, _, measured)| measured.passed);
    let condition = |(class, what, measured): (&str, &str, candlewick_shared::core::report::Measured)| {
        let share = measured.share * 100.0;
        let most = measured.threshold * 100.0;
        let text = format!("{share:.2} % was {what}, where {most:.2} % is allowed: see {}", path.report_key());
        let alert = Alert::new(Kind::DirtyObject, &path, text).class(class).series(Some(path.series.clone()));
        of("transform", alert.key(Some(object.raw_key.clone())).cause(format!("{path} {}", object.raw_etag)))
    };
    passed.map(condition).collect()
}

fn long_gap(object: &ObjectFact) -> Option<Condition> {
    let path = path_of(&object.raw_key)?;
    let gaps: Vec<_> = object.gaps.iter().filter(|gap| gap.fate == Fate::TooLong).collect();
    let longest = gaps.iter().max_by_key(|gap| gap.slots)?;
    let text = format!(
        "{} longer than is filled; the longest lacks {} candles, {} to {}",
        if gaps.len() == 1 { "a gap is".to_owned() } else { format!("{} gaps are", gaps.len()) },
        longest.slots,
        longest.first,
        longest.last
    );
    let alert = Alert::new(Kind::LongGap, &path, text).series(Some(path.series.clone()));
    Some(of("transform", alert.key(Some(object.raw_key.clone()))))
}

fn failed_run(facts: &Facts) -> Option<Condition> {
    let run = facts.run.as_ref().filter(|run| run.failed > 0 || run.error.is_some())?;
    let text = match &run.error {
        Some(error) => format!("run {} could not be carried out: {error}", run.id),
        None => format!("run {} ended, and {} of its {} series failed", run.id, run.failed, run.expected),
    };
    Some(of("ingest", Alert::new(Kind::RunFailed, "the newest run", text).run(Some(run.id.clone()))))
}

/// Letters that no service told of: the queue itself moves what kills its consumer each time, and then nobody says a word.
fn letters(role: &str, count: u64, facts: &Facts) -> Option<Condition> {
    let topology = Topology::built_in();
    let told = &facts.told;
    let queue = topology.queue(role)?;
    let untold = count.saturating_sub(told.get(&queue.service).copied().unwrap_or(0));
    let text = format!(
        "{count} messages stand in {}, and {untold} of them nobody told of: they killed their consumer each time",
        topology.dead_letter_name(&queue.name)
    );
    let alert = Alert::new(Kind::DeadLetter, format!("queue {role}"), text).class(UNTOLD);
    (untold > 0).then(|| of(&queue.service, alert))
}

/// What a sweep says: alerts that are raised, and alerts that are over.
pub fn changes(open: &[Known], facts: &Facts, conditions: Vec<Condition>, real_now: Timestamp) -> Vec<Condition> {
    let firing: Vec<_> = open.iter().filter(|known| known.alert.state == State::Firing).collect();
    let over = firing.iter().filter(|known| is_over(known, facts, &conditions, real_now));
    let over: Vec<_> = over.map(|known| of(&known.stage, known.alert.clone().resolved())).collect();
    let told: BTreeSet<_> = firing.iter().map(|known| identity(&known.stage, &known.alert)).collect();
    let is_new = |condition: &Condition| !told.contains(&identity(&condition.stage, &condition.alert));
    conditions.into_iter().filter(is_new).chain(over).collect()
}

/// What makes two alerts one.
fn identity<'a>(stage: &'a str, alert: &'a Alert) -> (Kind, &'a str, &'a str, &'a str) {
    (alert.kind, stage, &alert.class, &alert.subject)
}

fn is_over(known: &Known, facts: &Facts, conditions: &[Condition], real_now: Timestamp) -> bool {
    let holds = || {
        let own = identity(&known.stage, &known.alert);
        conditions.iter().any(|condition| identity(&condition.stage, &condition.alert) == own)
    };
    match known.alert.kind {
        Kind::CalendarHorizon | Kind::StaleSeries => facts.series.is_some() && !holds(),
        Kind::LongGap | Kind::RunFailed => !holds(),
        // The transform says it before the loader writes the report that the sweep reads.
        Kind::DirtyObject => known.loaded_since && !holds(),
        Kind::DeadLetter if known.alert.class == UNTOLD => !holds(),
        Kind::DeadLetter | Kind::IngestFailed => {
            let is_renewed = known.alert.kind == Kind::IngestFailed && known.renewed_since;
            let is_repaired = known.alert.series.is_some() && known.loaded_since || is_renewed;
            is_repaired || (no_letters(&known.stage, facts) && real_now.duration_since(known.changed_at) > DEPTH_DELAY)
        }
        // Nothing of the series is taken while it lasts.
        Kind::OtherInstrument => known.renewed_since,
        // Whoever raises these says when they are over.
        Kind::BadWatchlist
        | Kind::CandlesLost
        | Kind::CreditsGone
        | Kind::HistoryShrank
        | Kind::Outage
        | Kind::SplitFound => false,
    }
}

/// Whether nothing stands in the dead-letter queues of a service.
fn no_letters(stage: &str, facts: &Facts) -> bool {
    let queues = &Topology::built_in().queues;
    let mut own =
        facts.letters.iter().filter(|(role, _)| queues.get(*role).is_some_and(|queue| queue.service == stage));
    own.clone().next().is_some() && own.all(|(_, count)| *count == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::EndedRun;

    const LIMITS: Limits =
        Limits { stale_after: SignedDuration::from_hours(26), horizon: SignedDuration::from_hours(1440) };

    fn now() -> Timestamp {
        "2024-12-30T22:00:00Z".parse().unwrap()
    }

    fn facts(letters: u64, told: u64) -> Facts {
        let letters = [("raw".to_owned(), letters)].into();
        Facts { letters, told: [("transform".to_owned(), told)].into(), ..Facts::default() }
    }

    fn subjects(changes: &[Condition]) -> Vec<(&str, State)> {
        changes.iter().map(|change| (change.alert.subject.as_str(), change.alert.state)).collect()
    }

    fn known(alert: Alert, changed_minutes_ago: i64) -> Known {
        let changed_at = now() - SignedDuration::from_mins(changed_minutes_ago);
        let stage = "transform".to_owned();
        let told = None;
        Known {
            id: 1,
            stage,
            alert,
            raised_at: now(),
            occurrences: 1,
            loaded_since: false,
            renewed_since: false,
            changed_at,
            told,
        }
    }

    /// What a sweep changes where these alerts are open.
    fn swept(open: &[Known], facts: &Facts) -> Vec<Condition> {
        changes(open, facts, conditions(facts, now(), &LIMITS), now())
    }

    #[test]
    fn letters_that_nobody_told_of_are_told_of_until_they_are_gone() {
        assert_eq!(subjects(&swept(&[], &facts(2, 2))), []);
        let raised = swept(&[], &facts(3, 2));
        assert!(raised[0].alert.text.contains("3 messages stand in candlewick-raw-dlq, and 1 of them"), "{raised:?}");
        let open = [known(raised[0].alert.clone(), 0)];
        assert_eq!(subjects(&swept(&open, &facts(3, 2))), []);
        assert_eq!(subjects(&swept(&open, &facts(0, 2))), [("queue raw", State::Resolved)]);
    }

    #[test]
    fn a_letter_is_over_when_its_queue_stays_empty() {
        let letter = |minutes| [known(Alert::new(Kind::DeadLetter, "message 1", "text").class("bad_message"), minutes)];
        assert_eq!(subjects(&swept(&letter(5), &facts(1, 1))), []);
        assert_eq!(subjects(&swept(&letter(1), &facts(0, 1))), [], "the depth is told with a delay");
        assert_eq!(subjects(&swept(&letter(5), &facts(0, 1))), [("message 1", State::Resolved)]);
        assert_eq!(subjects(&swept(&letter(5), &Facts::default())), [], "a queue that was not looked at is not empty");
    }

    #[test]
    fn a_run_with_failures_is_told_of_until_a_later_one_has_none() {
        let run = |id: &str, failed| {
            let run = EndedRun { id: id.to_owned(), expected: 10, failed, error: None };
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
