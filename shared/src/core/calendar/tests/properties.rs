//! Properties of the slots of every calendar, at all times that it covers.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{INTRADAY, LONGER, calendar, utc};
use crate::core::calendar::Calendar;
use crate::core::calendar::session::Session;
use crate::core::interval::Interval;

/// A calendar, and a window of up to 20 days within its coverage.
fn windows() -> impl Strategy<Value = (&'static Calendar, i64, i64)> {
    let codes: Vec<_> = Calendar::codes().unwrap().collect();
    (proptest::sample::select(codes), 0.0..1.0, 0..20 * 86_400_i64).prop_map(|(code, position, length)| {
        let (begin, end) = calendar(code).span;
        let from = begin + ((end - begin - length) as f64 * position) as i64;
        (calendar(code), from, from + length - 1)
    })
}

proptest! {
    #[test]
    fn slots_ascend_within_sessions_and_outside_of_breaks(
        (calendar, from, through) in windows(),
        interval in proptest::sample::select(&INTRADAY),
    ) {
        let mut before = from - 1;
        for slot in calendar.slots(interval, from..=through).unwrap() {
            prop_assert!(before < slot && slot <= through);
            let inside = |session: &&Session| session.open <= slot && slot < session.close;
            let session = calendar.sessions.iter().find(inside).unwrap();
            prop_assert!(session.certain.0 <= slot && slot < session.certain.1);
            let break_ = session.break_;
            prop_assert!(break_.is_none_or(|pause| slot < pause.start || pause.end <= slot));
            let end = calendar.slot_end(interval, slot).unwrap().unwrap();
            prop_assert!(slot < end && end <= slot + interval.seconds().unwrap());
            before = slot;
        }
    }

    #[test]
    fn possible_slots_are_exactly_the_stamps_that_are_a_slot(
        (calendar, from, through) in windows(),
        interval in proptest::sample::select(&INTRADAY),
    ) {
        let slots: BTreeSet<_> = calendar.possible_slots(interval, from..=through).unwrap().collect();
        for stamp in (from.div_euclid(60) * 60 + 60..=through).step_by(60) {
            prop_assert_eq!(slots.contains(&stamp), calendar.is_slot(interval, stamp).unwrap(), "{}", utc(stamp));
        }
        prop_assert!(slots.iter().all(|slot| calendar.is_slot(interval, *slot).unwrap()));
        prop_assert!(slots.iter().all(|slot| !calendar.is_slot(interval, slot + 1).unwrap()));
    }

    #[test]
    fn slots_are_the_possible_ones_that_are_certain(
        (calendar, from, through) in windows(),
        interval in proptest::sample::select(&INTRADAY),
    ) {
        let slots: Vec<_> = calendar.slots(interval, from..=through).unwrap().collect();
        let is_certain = |slot: &i64| {
            let (start, end) = calendar.sessions.iter().find(|session| *slot < session.close).unwrap().certain;
            (start..end).contains(slot)
        };
        let possible = calendar.possible_slots(interval, from..=through).unwrap();
        prop_assert_eq!(slots, possible.filter(is_certain).collect::<Vec<_>>());
    }

    #[test]
    fn the_next_open_is_where_slots_go_on((calendar, from, through) in windows()) {
        let is_open = |session: &Session| {
            session.is_certain() && session.parts().any(|(start, end)| (start..end).contains(&from))
        };
        match calendar.next_open(from) {
            Some(open) => {
                prop_assert!(from < open && calendar.is_slot(Interval::Min1, open).unwrap());
                let between = calendar.slots(Interval::Min1, from..=through.min(open - 1)).unwrap();
                prop_assert_eq!(between.count(), 0);
            }
            None => prop_assert!(
                calendar.sessions.iter().any(is_open) || calendar.sessions.iter().all(|session| session.close <= from)
            ),
        }
    }

    #[test]
    fn longer_slots_are_exactly_the_dates_that_are_a_slot(
        (calendar, from, through) in windows(),
        interval in proptest::sample::select(&LONGER),
    ) {
        let covered = calendar.covered_stamps(interval);
        let from = from.max(*covered.start());
        let through = through.min(*covered.end());
        prop_assume!(from <= through);
        let slots: Vec<_> = calendar.possible_slots(interval, from..=through).unwrap().collect();
        let midnights = (from.div_euclid(86_400) * 86_400..=through).step_by(86_400).filter(|stamp| from <= *stamp);
        let expected: Vec<_> = midnights.filter(|stamp| calendar.is_slot(interval, *stamp).unwrap()).collect();
        prop_assert_eq!(slots, expected);
    }
}
