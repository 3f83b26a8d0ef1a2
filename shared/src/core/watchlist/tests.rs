//! Tests of parsing watchlists and of the errors for invalid ones.

use super::*;
use crate::core::calendar::choice::CalendarSetting;

fn series(text: &str) -> Vec<String> {
    text.parse::<Watchlist>().unwrap().series().map(|series| series.to_string()).collect()
}

#[test]
fn an_instrument_has_its_own_settings_before_its_groups_before_everybodys() {
    let text = r#"
        [defaults]
        intervals = ["1day", "1week"]
        [groups.stocks]
        symbols = ["AAPL", "BRK.B"]
        [groups.crypto]
        symbols = ["BTC/USD"]
        intervals = ["1h"]
        [instruments."BRK.B"]
        intervals = ["1month"]
    "#;
    assert_eq!(series(text), ["AAPL 1day", "AAPL 1week", "BRK.B 1month", "BTC/USD 1h"]);
}

#[test]
fn each_cleaning_setting_is_inherited_by_itself() {
    let text = r#"
        [defaults]
        max_fill = 2
        max_filled = 0.5
        max_lost = 0.2
        [groups.stocks]
        symbols = ["AAPL", "SHEL"]
        calendar = "XNYS"
        max_quarantined = 0
        [instruments.SHEL]
        calendar = "XLON"
        max_fill = 0
        allow_negative = true
    "#;
    let watchlist: Watchlist = text.parse().unwrap();
    let of = |symbol: &str| {
        let settings = watchlist.cleaning(&symbol.parse().unwrap()).clone();
        let shares = [settings.max_quarantined, settings.max_filled, settings.max_lost].map(Share::get);
        (settings.calendar, settings.max_fill, shares, settings.allow_negative)
    };
    let code = |code: &str| Some(CalendarSetting::Code(code.to_owned()));
    assert_eq!(of("AAPL"), (code("XNYS"), 2, [0.0, 0.5, 0.2], false));
    assert_eq!(of("SHEL"), (code("XLON"), 0, [0.0, 0.5, 0.2], true));
    assert_eq!(of("NOT.LISTED"), (None, 2, [0.01, 0.5, 0.2], false));
}

#[test]
fn days_are_fetched_where_nothing_is_said() {
    assert_eq!(series("[groups.all]\nsymbols = [\"NA\", \"TRUE\"]"), ["NA 1day", "TRUE 1day"]);
}

#[test]
fn what_is_no_watchlist_is_refused_with_line_and_field() {
    for (text, words) in [
        ("", "the watchlist names no symbol"),
        ("[groups.a]\nsymbols = []", "the watchlist names no symbol"),
        (
            "[groups.a]\nsymbols = [\n  \"A\",\n  \"A B\",\n]",
            "line 4, groups.a.symbols: symbol \"A B\" has a character in it",
        ),
        ("[groups.a]\nsymbol = [\"A\"]", "line 2, groups.a.symbol: unknown field `symbol`"),
        ("[groups.a]\nsymbols = [\"A\"]\nintervals = [\"5h\"]", "line 3, groups.a.intervals: unknown interval \"5h\""),
        ("[groups.a]\nsymbols = [\"A\"]\nintervals = []", "line 3, groups.a.intervals: A has no interval"),
        (
            "[groups.b]\nsymbols = [\"A\"]\n[groups.a]\nsymbols = [\"A\"]",
            "line 4, groups.a.symbols: symbol A is already in group b, on line 2",
        ),
        ("[groups.a]\nsymbols = [\"A\", \"A\"]", "line 2, groups.a.symbols: symbol A is already in group a, on line 2"),
        (
            "[instruments.\"B.C\"]\nintervals = [\"1day\"]",
            "line 1, instruments.\"B.C\": [instruments.\"B.C\"] is in no group",
        ),
        ("[groups.a]\nsymbols = [A]", "line 2"),
        ("[groups.a]\nsymbols = \"A\"", "line 2, groups.a.symbols: invalid type"),
        ("[groups.a]\nsymbols = [7]", "line 2, groups.a.symbols: invalid type"),
        ("[groups.a]\nmax_fill = 1", "line 1, groups.a: missing field `symbols`"),
        ("[group.a]\nsymbols = [\"A\"]", "line 1, group"),
        ("[defaults]\nmax_fil = 1", "line 2, defaults.max_fil: unknown field"),
        ("[groups.a]\nsymbols = [\"A\"]\nmax_fil = 1", "line 3, groups.a.max_fil"),
        ("[defaults]\ncalendar = \"NYSE\"", "line 2, defaults.calendar: no calendar is known by the name \"NYSE\""),
        ("[defaults]\n\nmax_filled = 5", "line 3, defaults.max_filled"),
        ("[defaults]\nmax_quarantined = -0.1", "invalid share -0.1"),
        ("[defaults]\nmax_fill = -1", "line 2, defaults.max_fill"),
        ("[defaults]\nhistory = 0", "line 2, defaults.history: invalid history 0"),
        ("[defaults]\nhistory = \"long\"", "line 2, defaults.history: invalid history \"long\""),
        ("[defaults]\nhistory = 2015-01-01T00:00:00Z", "line 2, defaults.history"),
    ] {
        let error = text.parse::<Watchlist>().unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains('\n'), "{text}: {error}");
    }
}

#[test]
fn history_is_years_or_a_date_for_all_for_a_group_or_for_one() {
    let text = r#"
        [defaults]
        history = 10
        [groups.a]
        symbols = ["A", "B"]
        [groups.c]
        symbols = ["C"]
        history = "2015-06-01"
        [instruments.B]
        history = 2020-02-10
    "#;
    let watchlist: Watchlist = text.parse().unwrap();
    let of = |symbol: &str| watchlist.history(&symbol.parse().unwrap()).to_string();
    assert_eq!(["A", "B", "C", "NONE"].map(of), ["10 years", "since 2020-02-10", "since 2015-06-01", "10 years"]);
    let usual: Watchlist = "[groups.a]\nsymbols = [\"A\"]".parse().unwrap();
    assert_eq!(usual.history(&"A".parse().unwrap()), History::Years(5));
}

#[test]
fn series_go_on_behind_any_other() {
    let text = "[groups.a]\nsymbols = [\"A\", \"C\"]\nintervals = [\"1day\", \"1h\"]";
    let watchlist: Watchlist = text.parse().unwrap();
    let after = |symbol: &str, interval: &str| {
        let last = Series { symbol: symbol.parse().unwrap(), interval: interval.parse().unwrap() };
        watchlist.series_after(Some(&last)).map(|series| series.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(after("A", "1h"), ["A 1day", "C 1h", "C 1day"]);
    assert_eq!(after("A", "1min"), ["A 1h", "A 1day", "C 1h", "C 1day"], "it was removed from the list");
    assert_eq!(after("B", "1day"), ["C 1h", "C 1day"]);
    assert_eq!(after("C", "1day"), [""; 0]);
}

#[test]
fn the_watchlist_that_candlewick_comes_with_is_one() {
    assert!(series(include_str!("../../../../watchlist.toml")).contains(&"AAPL 1day".to_owned()));
}
