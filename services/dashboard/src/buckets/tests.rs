use super::*;

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

fn rule(code: &str, stored: Interval, target: Interval) -> Rule {
    Rule::new(Calendar::for_mic(code).unwrap().unwrap(), stored, target)
}

fn always(first: &str, last: &str) -> Wanted {
    Wanted { labels: (at("1990-01-01T00:00:00Z"), at("2100-01-01T00:00:00Z")), data: (at(first), at(last)) }
}

fn shown(buckets: &Buckets) -> Vec<(String, String)> {
    let time = |seconds| jiff::Timestamp::from_second(seconds).unwrap().strftime("%d %H:%M").to_string();
    buckets.buckets.iter().map(|bucket| (time(bucket.label), time(bucket.start))).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(label, start)| ((*label).to_owned(), (*start).to_owned())).collect()
}

#[test]
fn hours_begin_at_the_open_of_the_session() {
    let rule = rule("XNYS", Interval::Min1, Interval::Hour1);
    let wanted = always("2024-12-26T15:45:00Z", "2024-12-27T15:00:00Z");
    let all = rule.first(wanted, 100).unwrap();
    let expected = ["15:30", "16:30", "17:30", "18:30", "19:30", "20:30"].map(|hour| format!("26 {hour}"));
    assert_eq!(shown(&all).iter().map(|(label, _)| label.clone()).collect::<Vec<_>>()[..6], expected);
    assert_eq!(shown(&all).last().unwrap().0, "27 14:30");
    assert_eq!(all.end, at("2024-12-27T15:30:00Z"));
    assert_eq!(shown(&rule.last(wanted, 2).unwrap()), pairs(&[("26 20:30", "26 20:30"), ("27 14:30", "27 14:30")]));
    assert_eq!(rule.first(wanted, 1).unwrap().end, at("2024-12-26T16:30:00Z"));
}

#[test]
fn a_day_of_currencies_begins_on_the_evening_before() {
    let rule = rule("forex", Interval::Min1, Interval::Day1);
    let all = rule.first(always("2024-06-03T12:00:00Z", "2024-06-04T12:00:00Z"), 9).unwrap();
    assert_eq!(shown(&all), pairs(&[("03 00:00", "02 21:00"), ("04 00:00", "03 21:00")]));
}

#[test]
fn weeks_and_months_have_the_stamps_of_the_source() {
    let weeks = rule("XNYS", Interval::Day1, Interval::Week1);
    let wanted = always("2024-12-26T00:00:00Z", "2025-01-06T00:00:00Z");
    let expected = pairs(&[("23 00:00", "23 00:00"), ("30 00:00", "30 00:00"), ("06 00:00", "06 00:00")]);
    assert_eq!(shown(&weeks.first(wanted, 9).unwrap()), expected);
    // The Monday of that week is a holiday, but still labels it.
    let minutes = rule("XNYS", Interval::Min1, Interval::Week1);
    let labor_day = always("2025-09-02T14:00:00Z", "2025-09-03T14:00:00Z");
    assert_eq!(shown(&minutes.first(labor_day, 9).unwrap()), pairs(&[("01 00:00", "02 13:30")]));
    let months = rule("XNYS", Interval::Day1, Interval::Month1);
    assert_eq!(shown(&months.last(wanted, 9).unwrap()), pairs(&[("01 00:00", "01 00:00"), ("01 00:00", "01 00:00")]));
}

#[test]
fn a_bucket_whose_label_lies_outside_of_the_range_is_left_out_whole() {
    let rule = rule("XNYS", Interval::Day1, Interval::Week1);
    let data = (at("2024-12-02T00:00:00Z"), at("2024-12-31T00:00:00Z"));
    let labels = (at("2024-12-10T00:00:00Z"), at("2024-12-24T00:00:00Z"));
    let all = rule.first(Wanted { labels, data }, 9).unwrap();
    assert_eq!(shown(&all), pairs(&[("16 00:00", "16 00:00"), ("23 00:00", "23 00:00")]));
    assert_eq!(all.end, at("2024-12-30T00:00:00Z"));
}

#[test]
fn the_last_buckets_are_those_that_the_first_would_come_to() {
    for (code, stored, target) in [
        ("XNYS", Interval::Min1, Interval::Min5),
        ("24/7", Interval::Min1, Interval::Hour4),
        ("XTKS", Interval::Min1, Interval::Day1),
        ("forex", Interval::Min5, Interval::Week1),
        ("XNYS", Interval::Day1, Interval::Month1),
    ] {
        let rule = rule(code, stored, target);
        let wanted = always("2023-03-01T15:00:00Z", "2024-03-28T15:00:00Z");
        let all = rule.first(wanted, usize::MAX).unwrap();
        for count in [1, 7, 5_000] {
            let last = rule.last(wanted, count).unwrap();
            let skipped = all.buckets.len().saturating_sub(count);
            assert_eq!((&last.buckets[..], last.end), (&all.buckets[skipped..], all.end), "{code} {target} {count}");
        }
    }
}

#[test]
fn only_whole_multiples_are_derived() {
    assert!(can_derive(Interval::Min15, Interval::Min45) && can_derive(Interval::Min1, Interval::Month1));
    assert!(!can_derive(Interval::Min30, Interval::Min45) && !can_derive(Interval::Hour1, Interval::Min30));
    assert!(!can_derive(Interval::Week1, Interval::Month1) && !can_derive(Interval::Day1, Interval::Hour8));
    assert!(!can_derive(Interval::Day1, Interval::Day1));
}
