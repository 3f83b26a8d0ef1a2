//! What the owner is told, and when: alerts of one kind and stage go into one message, and are told again while they last.
//!
//! The pace is Alertmanager's (`group_wait`, `group_interval`, `repeat_interval` of its configuration): a first alert waits
//! a little for others of its group; news of a group that was told waits longer; what does not change is repeated seldom.

use std::collections::BTreeMap;

use candlewick_shared::core::alert::{Kind, Severity, State};
use jiff::{SignedDuration, Timestamp};

/// How soon and how often the owner is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long the first alert of a group waits for others.
    pub group_wait: SignedDuration,
    /// How long news of a group wait after the group was told.
    pub group_interval: SignedDuration,
    /// After what time an unchanged group is told again.
    pub repeat_interval: SignedDuration,
}

/// An alert that is wrong, or that the owner believes to be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub id: i64,
    pub group: Group,
    pub state: State,
    /// Since when it is in that state, by the machine's clock.
    pub changed_at: Timestamp,
    /// What the owner was told last.
    pub told: Option<Told>,
}

/// What the owner was told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The state it was said to be in.
    pub state: State,
    /// When.
    pub at: Timestamp,
}

/// Alerts that go into one message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Their kind.
    pub kind: Kind,
    /// The service that raised them.
    pub stage: String,
}

/// A group to tell of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub group: Group,
    /// The ids of what is wrong.
    pub firing: Vec<i64>,
    /// The ids of what is well again, and was told to be wrong.
    pub resolved: Vec<i64>,
}

/// What to do now, and when to look again if nothing happens before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The groups to tell of.
    pub due: Vec<Due>,
    /// When the next group becomes due.
    pub next: Option<Timestamp>,
}

/// Decides what is due.
pub fn plan(standing: &[Standing], now: Timestamp, pace: &Pace) -> Plan {
    let mut groups: BTreeMap<&Group, Vec<&Standing>> = BTreeMap::new();
    for alert in standing {
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

/// When a group is to be told of; none where there is nothing to say.
fn due_at(group: &Group, members: &[&Standing], pace: &Pace) -> Option<Timestamp> {
    let told = members.iter().filter_map(|alert| alert.told).map(|told| told.at).max();
    let changed = members.iter().filter(|alert| alert.is_news()).map(|alert| alert.changed_at).min();
    let is_wrong = members.iter().any(|alert| alert.state == State::Firing);
    match (changed, told) {
        (Some(changed), None) => Some(later(changed, pace.group_wait)),
        (Some(changed), Some(told)) => Some(later(changed, pace.group_wait).max(later(told, pace.group_interval))),
        (None, Some(told)) if is_wrong && group.kind.severity() == Severity::Error => {
            Some(later(told, pace.repeat_interval))
        }
        (None, _) => None,
    }
}

fn later(time: Timestamp, wait: SignedDuration) -> Timestamp {
    time.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn due(group: &Group, members: &[&Standing]) -> Due {
    let ids = |wanted: &dyn Fn(&Standing) -> bool| members.iter().filter(|m| wanted(m)).map(|m| m.id).collect();
    Due {
        group: group.clone(),
        firing: ids(&|alert| alert.state == State::Firing),
        resolved: ids(&|alert| alert.state == State::Resolved && alert.is_news()),
    }
}

impl Standing {
    /// Whether the owner believes something else. What came and went before they were told is nothing to them.
    pub fn is_news(&self) -> bool {
        match self.told {
            Some(told) => told.state != self.state,
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

    fn alert(id: i64, kind: Kind, state: State, changed: i64, told: Option<(State, i64)>) -> Standing {
        let group = Group { kind, stage: "transform".to_owned() };
        let told = told.map(|(state, second)| Told { state, at: at(second) });
        Standing { id, group, state, changed_at: at(changed), told }
    }

    fn firing(id: i64, changed: i64, told: Option<(State, i64)>) -> Standing {
        alert(id, Kind::DeadLetter, State::Firing, changed, told)
    }

    fn resolved(id: i64, changed: i64, told: Option<(State, i64)>) -> Standing {
        alert(id, Kind::DeadLetter, State::Resolved, changed, told)
    }

    /// What fires and what is resolved, of each message that is due.
    type Messages = Vec<(Vec<i64>, Vec<i64>)>;

    /// The ids told of at a second, and the second of the next look.
    fn planned(standing: &[Standing], second: i64) -> (Messages, Option<i64>) {
        let Plan { due, next } = plan(standing, at(second), &PACE);
        (due.into_iter().map(|due| (due.firing, due.resolved)).collect(), next.map(Timestamp::as_second))
    }

    #[test]
    fn a_first_alert_waits_for_others_and_one_message_has_all_of_them() {
        let standing = [firing(1, 100, None), firing(2, 120, None)];
        assert_eq!(planned(&standing, 129), (vec![], Some(130)));
        assert_eq!(planned(&standing, 130), (vec![(vec![1, 2], vec![])], None));
    }

    #[test]
    fn kinds_and_stages_are_told_apart() {
        let mut standing = [firing(1, 0, None), firing(2, 0, None), alert(3, Kind::RunFailed, State::Firing, 0, None)];
        standing[1].group.stage = "loader".to_owned();
        assert_eq!(planned(&standing, 30).0.len(), 3);
    }

    #[test]
    fn news_of_a_group_that_was_told_wait_for_its_interval() {
        let standing = [firing(1, 0, Some((State::Firing, 30))), firing(2, 40, None)];
        assert_eq!(planned(&standing, 329), (vec![], Some(330)));
        assert_eq!(planned(&standing, 330), (vec![(vec![1, 2], vec![])], None));
    }

    #[test]
    fn what_does_not_change_is_repeated_seldom_and_what_presses_not_is_not() {
        let told = Some((State::Firing, 30));
        assert_eq!(planned(&[firing(1, 0, told)], 43_229), (vec![], Some(43_230)));
        assert_eq!(planned(&[firing(1, 0, told)], 43_230), (vec![(vec![1], vec![])], None));
        let notice = alert(1, Kind::LongGap, State::Firing, 0, told);
        assert_eq!(planned(&[notice], 1_000_000), (vec![], None));
    }

    #[test]
    fn that_it_is_well_again_is_told_once() {
        let standing = [resolved(1, 500, Some((State::Firing, 30)))];
        assert_eq!(planned(&standing, 530), (vec![(vec![], vec![1])], None));
        assert_eq!(planned(&[resolved(1, 500, Some((State::Resolved, 530)))], 1_000_000), (vec![], None));
    }

    #[test]
    fn what_came_and_went_before_it_was_told_is_not_told() {
        assert_eq!(planned(&[resolved(1, 10, None)], 1_000), (vec![], None));
        let back = firing(1, 200, Some((State::Firing, 30)));
        assert_eq!(planned(&[back], 400).0, vec![], "it was well for a moment, and is as it was told");
    }

    /// What one second of a made-up life does.
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

    fn change(alert: &mut Standing, state: State, second: i64) {
        if alert.state != state {
            (alert.state, alert.changed_at) = (state, at(second));
        }
    }

    proptest! {
        /// Whatever happens, the owner comes to know how things are; and is never told the same twice within an interval.
        #[test]
        fn the_owner_comes_to_know_the_truth_and_is_not_flooded(steps in steps()) {
            let mut alerts: Vec<_> = (0..4).map(|id| resolved(id, 0, None)).collect();
            let mut now = 0;
            let mut told_at = Vec::new();
            for step in steps.into_iter().chain([Step::Wait(5_000), Step::Wait(5_000)]) {
                match step {
                    Step::Fire(which) => change(&mut alerts[which], State::Firing, now),
                    Step::Resolve(which) => change(&mut alerts[which], State::Resolved, now),
                    Step::Wait(seconds) => now += seconds,
                }
                let Plan { due, next } = plan(&alerts, at(now), &PACE);
                prop_assert!(next.is_none_or(|next| next > at(now)));
                for due in due {
                    told_at.push(now);
                    for alert in alerts.iter_mut().filter(|a| due.firing.contains(&a.id) || due.resolved.contains(&a.id)) {
                        alert.told = Some(Told { state: alert.state, at: at(now) });
                    }
                }
            }
            prop_assert!(alerts.iter().all(|alert| !alert.is_news()), "{alerts:?}");
            prop_assert!(told_at.windows(2).all(|pair| pair[1] - pair[0] >= 300), "{told_at:?}");
        }
    }
}
