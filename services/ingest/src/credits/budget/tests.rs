use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    format!("2024-12-30T{text}Z").parse().unwrap()
}

fn budget(per_minute: u32, per_day: Option<u32>) -> Budget {
    Budget::new(Plan { per_minute: Some(per_minute), per_day })
}

fn spend(budget: &mut Budget, credits: u32, now: Timestamp) {
    for _ in 0..credits {
        budget.reserve(now).unwrap();
        budget.spend(now, now, None);
    }
}

#[test]
fn a_minutes_credits_come_back_with_the_next_minute() {
    let mut budget = budget(3, None);
    let now = at("22:00:50");
    spend(&mut budget, 3, now);
    let closed = Closed { period: Period::Minute, until: at("22:01:01") };
    assert_eq!((budget.reserve(now), budget.receivable(10, now)), (Err(closed), Err(closed)));
    assert_eq!(budget.receivable(10, at("22:01:00")), Ok(3));
}

#[test]
fn a_days_credits_come_back_with_the_next_day() {
    let mut budget = budget(8, Some(3));
    spend(&mut budget, 3, at("22:00:50"));
    let until = "2024-12-31T00:00:01Z".parse().unwrap();
    assert_eq!(budget.reserve(at("23:59:59")), Err(Closed { period: Period::Day, until }));
    assert_eq!(budget.receivable(10, until), Ok(3));
}

#[test]
fn what_is_reserved_is_not_there_for_another_until_it_is_given_back() {
    let mut budget = budget(2, Some(2));
    let now = at("22:00:00");
    budget.reserve(now).unwrap();
    assert_eq!(budget.receivable(10, now), Ok(1));
    budget.reserve(now).unwrap();
    assert_eq!(budget.reserve(now).unwrap_err().period, Period::Minute, "the day's may still come back");
    budget.release();
    assert_eq!(budget.receivable(10, now), Ok(1));
}

#[test]
fn who_has_a_message_in_hand_goes_before_who_would_receive_another() {
    let mut budget = budget(2, None);
    let now = at("22:00:00");
    budget.begin_waiting();
    assert_eq!(budget.receivable(10, now), Ok(1));
    budget.begin_waiting();
    assert!(budget.receivable(10, now).is_err() && budget.reserve(now).is_ok());
    budget.end_waiting();
    budget.end_waiting();
    assert_eq!(budget.receivable(10, now), Ok(1));
}

#[test]
fn the_limit_of_the_api_holds_where_it_is_the_tighter_and_until_it_is_known_the_free_one() {
    let now = at("22:00:00");
    let mut unset = Budget::default();
    assert_eq!(unset.plan(), Plan::FREE);
    let account = |per_minute, per_day| Account { plan: Plan { per_minute, per_day }, used: 1, used_today: 1 };
    unset.reconcile(account(Some(377), None), now);
    assert_eq!((unset.plan(), unset.receivable(1_000, now)), ("grow".parse().unwrap(), Ok(376)));
    let mut set = budget(20, None);
    set.reconcile(account(Some(8), Some(800)), now);
    assert_eq!(set.plan(), Plan::FREE);
}

#[test]
fn a_restart_does_not_forget_the_day() {
    let mut budget = Budget::default();
    let now = at("22:00:00");
    budget.reconcile(Account { plan: Plan::FREE, used: 1, used_today: 800 }, now);
    assert_eq!(budget.reserve(now).unwrap_err().period, Period::Day);
}

#[test]
fn what_others_use_is_seen_in_the_answers() {
    let mut budget = budget(8, None);
    let now = at("22:00:00");
    budget.reserve(now).unwrap();
    budget.reserve(now).unwrap();
    // The later one of two was answered first: nobody else has used any.
    budget.spend(now, now, Some(MinuteUsage { used: 2, left: 6 }));
    assert_eq!(budget.receivable(10, now), Ok(6));
    budget.spend(now, now, Some(MinuteUsage { used: 5, left: 3 }));
    assert_eq!(budget.receivable(10, now), Ok(3));
    assert_eq!(budget.receivable(10, at("22:01:00")), Ok(8), "the next minute is whole again");
}

#[test]
fn an_answer_that_crossed_the_minutes_end_says_nothing_about_the_new_minute() {
    let mut budget = budget(8, None);
    budget.reserve(at("22:00:59")).unwrap();
    budget.spend(at("22:00:59"), at("22:01:01"), Some(MinuteUsage { used: 8, left: 0 }));
    assert_eq!(budget.receivable(10, at("22:01:01")), Ok(8));
}

#[test]
fn the_apis_word_that_credits_are_used_up_counts_whatever_was_counted_here() {
    let mut budget = budget(8, None);
    let now = at("22:00:00");
    budget.exhausted(Period::Minute, now);
    assert_eq!(budget.reserve(now).unwrap_err().period, Period::Minute);
    assert_eq!(budget.receivable(10, at("22:01:00")), Ok(8));
    budget.exhausted(Period::Day, at("22:01:00"));
    assert_eq!(budget.reserve(at("23:01:00")).unwrap_err().period, Period::Day);
}

#[test]
fn another_plan_is_refused_with_those_there_are() {
    assert!("gold".parse::<Plan>().unwrap_err().contains("grow"));
}

proptest! {
    #[test]
    fn no_minute_and_no_day_ever_spends_more_than_its_limit(
        steps in proptest::collection::vec((0_i64..20, 0_i64..90), 1..400),
        per_minute in 1_u32..10, per_day in 1_u32..60,
    ) {
        let mut budget = budget(per_minute, Some(per_day));
        let mut second = 0;
        let mut minutes = std::collections::BTreeMap::new();
        let mut days = std::collections::BTreeMap::new();
        for (pause, late) in steps {
            second += pause;
            let now = Timestamp::from_second(second).unwrap();
            if budget.reserve(now).is_ok() {
                *minutes.entry(second / 60).or_insert(0) += 1;
                *days.entry(second / 86_400).or_insert(0) += 1;
                second += late;
                budget.spend(now, Timestamp::from_second(second).unwrap(), None);
            }
        }
        prop_assert!(minutes.values().all(|spent| *spent <= per_minute), "{minutes:?}");
        prop_assert!(days.values().all(|spent| *spent <= per_day), "{days:?}");
    }
}
