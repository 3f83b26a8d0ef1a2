//! Plans notifications: alerts of one kind and stage form a group, which is one message and is repeated while it lasts.
//!
//! The pace follows Alertmanager (`group_wait`, `group_interval` and `repeat_interval` in its configuration): the first alert
//! of a group waits briefly for others, changes of a group wait longer, and unchanged groups are repeated rarely.

use std::collections::BTreeMap;

use candlewick_shared::core::alert::{Kind, Severity, State};
use jiff::{SignedDuration, Timestamp};

/// How soon and how often the owner is notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long the first alert of a group waits for others.
    pub group_wait: SignedDuration,
    /// How long changes of a group wait after its last notification.
    pub group_interval: SignedDuration,
    /// When an unchanged group is repeated.
    pub repeat_interval: SignedDuration,
}

/// An alert that is firing, or that the owner believes to be firing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub id: i64,
    pub group: Group,
    pub state: State,
    /// Since when it is in that state, in wall-clock time.
    pub changed_at: Timestamp,
    /// The last notification about it.
    pub notified: Option<Notification>,
}

/// A notification about an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification {
    pub state: State,
    pub at: Timestamp,
}

/// Alerts of the same group go into one message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    pub kind: Kind,
    pub stage: String,
}

/// A notification that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub group: Group,
    /// The ids of firing alerts.
    pub firing: Vec<i64>,
    /// The ids of resolved alerts whose last notification said that they were firing.
    pub resolved: Vec<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub due: Vec<Due>,
    /// When the next group becomes due.
    pub next: Option<Timestamp>,
}

/// Decides which notifications are due.
pub fn plan(candidates: &[Candidate], now: Timestamp, pace: &Pace) -> Plan {
    let mut groups: BTreeMap<&Group, Vec<&Candidate>> = BTreeMap::new();
    for alert in candidates {
        groups.entry(&alert.group).or_default().push(alert);
    }
    let mut plan = Plan::default();
    for (group, members) in groups {
        match due_at(group, &members, pace) {
            Some(at) if at <= now => plan.due.push(due(group, &members)),
            Some(at) => plan.next = Some(plan.next.map_or(at, |next| next.min(at))),
            None => {}
        }
    }
    plan
}

/// When the next notification of a group is due; `None` if there is nothing to report.
fn due_at(group: &Group, members: &[&Candidate], pace: &Pace) -> Option<Timestamp> {
    let notified = members.iter().filter_map(|alert| alert.notified).map(|notified| notified.at).max();
    let changed = members.iter().filter(|alert| alert.is_news()).map(|alert| alert.changed_at).min();
    let is_firing = members.iter().any(|alert| alert.state == State::Firing);
    match (changed, notified) {
        (Some(changed), None) => Some(later(changed, pace.group_wait)),
        (Some(changed), Some(notified)) => {
            Some(later(changed, pace.group_wait).max(later(notified, pace.group_interval)))
        }
        (None, Some(notified)) if is_firing && group.kind.severity() == Severity::Error => {
            Some(later(notified, pace.repeat_interval))
        }
        (None, _) => None,
    }
}

fn later(time: Timestamp, wait: SignedDuration) -> Timestamp {
    time.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn due(group: &Group, members: &[&Candidate]) -> Due {
    let ids = |wanted: &dyn Fn(&Candidate) -> bool| members.iter().filter(|m| wanted(m)).map(|m| m.id).collect();
    Due {
        group: group.clone(),
        firing: ids(&|alert| alert.state == State::Firing),
        resolved: ids(&|alert| alert.state == State::Resolved && alert.is_news()),
    }
}

impl Candidate {
    /// Whether the owner's last information differs. An alert that was resolved before the first notification is not news.
    pub fn is_news(&self) -> bool {
        match self.notified {
            Some(notified) => notified.state != self.state,
            None => self.state == State::Firing,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PACE: Pace = Pace {
        group_wait: SignedDuration::from_secs(30),
        group_interval: SignedDuration::from_secs(300),
        repeat_interval: SignedDuration::from_secs(43_200),
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn alert(id: i64, kind: Kind, state: State, changed: i64, notified: Option<(State, i64)>) -> Candidate {
        let group = Group { kind, stage: "transform".to_owned() };
        let notified = notified.map(|(state, second)| Notification { state, at: at(second) });
        Candidate { id, group, state, changed_at: at(changed), notified }
    }

    fn firing(id: i64, changed: i64, notified: Option<(State, i64)>) -> Candidate {
        alert(id, Kind::DeadLetter, State::Firing, changed, notified)
    }

    fn resolved(id: i64, changed: i64, notified: Option<(State, i64)>) -> Candidate {
        alert(id, Kind::DeadLetter, State::Resolved, changed, notified)
    }

    /// The firing and resolved alerts of each message that is due.
    type Messages = Vec<(Vec<i64>, Vec<i64>)>;

    /// The messages that are due at a second, and the second of the next plan.
    fn planned(candidates: &[Candidate], second: i64) -> (Messages, Option<i64>) {
        let Plan { due, next } = plan(candidates, at(second), &PACE);
        (due.into_iter().map(|due| (due.firing, due.resolved)).collect(), next.map(Timestamp::as_second))
    }

    #[test]
    fn a_first_alert_waits_for_others_and_one_message_has_all_of_them() {
        let candidates = [firing(1, 100, None), firing(2, 120, None)];
        assert_eq!(planned(&candidates, 129), (vec![], Some(130)));
        assert_eq!(planned(&candidates, 130), (vec![(vec![1, 2], vec![])], None));
    }

    #[test]
    fn kinds_and_stages_are_told_apart() {
        let mut candidates =
            [firing(1, 0, None), firing(2, 0, None), alert(3, Kind::RunFailed, State::Firing, 0, None)];
        candidates[1].group.stage = "loader".to_owned();
        assert_eq!(planned(&candidates, 30).0.len(), 3);
    }

    #[test]
    fn news_of_a_group_that_was_told_wait_for_its_interval() {
        let candidates = [firing(1, 0, Some((State::Firing, 30))), firing(2, 40, None)];
        assert_eq!(planned(&candidates, 329), (vec![], Some(330)));
        assert_eq!(planned(&candidates, 330), (vec![(vec![1, 2], vec![])], None));
    }

    #[test]
    fn what_does_not_change_is_repeated_seldom_and_what_presses_not_is_not() {
        let notified = Some((State::Firing, 30));
        assert_eq!(planned(&[firing(1, 0, notified)], 43_229), (vec![], Some(43_230)));
        assert_eq!(planned(&[firing(1, 0, notified)], 43_230), (vec![(vec![1], vec![])], None));
        let notice = alert(1, Kind::LongGap, State::Firing, 0, notified);
        assert_eq!(planned(&[notice], 1_000_000), (vec![], None));
    }

    #[test]
    fn that_it_is_well_again_is_told_once() {
        let candidates = [resolved(1, 500, Some((State::Firing, 30)))];
        assert_eq!(planned(&candidates, 530), (vec![(vec![], vec![1])], None));
        assert_eq!(planned(&[resolved(1, 500, Some((State::Resolved, 530)))], 1_000_000), (vec![], None));
    }

    #[test]
    fn what_came_and_went_before_it_was_told_is_not_told() {
        assert_eq!(planned(&[resolved(1, 10, None)], 1_000), (vec![], None));
        let back = firing(1, 200, Some((State::Firing, 30)));
        assert_eq!(planned(&[back], 400).0, vec![], "it was resolved for a moment, and is again as the owner knows it");
    }

    /// A step of a random history.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Fire(usize),
        Resolve(usize),
        Wait(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..4_usize).prop_map(Step::Fire),
            (0..4_usize).prop_map(Step::Resolve),
            (1..2_000_i64).prop_map(Step::Wait)
        ];
        proptest::collection::vec(step, 1..60)
    }

    fn change(alert: &mut Candidate, state: State, second: i64) {
        if alert.state != state {
            alert.state = state;
            alert.changed_at = at(second);
        }
    }

    proptest! {
        /// Whatever happens, the owner is eventually up to date, and is notified at most once per interval.
        #[test]
        fn the_owner_comes_to_know_the_truth_and_is_not_flooded(steps in steps()) {
            let mut alerts: Vec<_> = (0..4).map(|id| resolved(id, 0, None)).collect();
            let mut now = 0;
            let mut notified_at = Vec::new();
            for step in steps.into_iter().chain([Step::Wait(5_000), Step::Wait(5_000)]) {
                match step {
                    Step::Fire(which) => change(&mut alerts[which], State::Firing, now),
                    Step::Resolve(which) => change(&mut alerts[which], State::Resolved, now),
                    Step::Wait(seconds) => now += seconds,
                }
                let Plan { due, next } = plan(&alerts, at(now), &PACE);
                prop_assert!(next.is_none_or(|next| next > at(now)));
                for due in due {
                    notified_at.push(now);
                    for alert in alerts.iter_mut().filter(|a| due.firing.contains(&a.id) || due.resolved.contains(&a.id)) {
                        alert.notified = Some(Notification { state: alert.state, at: at(now) });
                    }
                }
            }
            prop_assert!(alerts.iter().all(|alert| !alert.is_news()), "{alerts:?}");
            prop_assert!(notified_at.windows(2).all(|pair| pair[1] - pair[0] >= 300), "{notified_at:?}");
        }
    }
}
