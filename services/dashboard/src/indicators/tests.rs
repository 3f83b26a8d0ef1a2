use super::*;

fn over(name: &str, closes: &[f64]) -> Vec<Vec<Option<f64>>> {
    let mut running = name.parse::<Indicator>().unwrap().start();
    let mut step = |close: &f64| {
        let mut values = Vec::new();
        running.step(&Bar { high: *close, low: *close, close: *close, volume: 1.0, session: 0 }, &mut values);
        values
    };
    closes.iter().map(&mut step).collect()
}

fn first(name: &str, closes: &[f64]) -> Vec<Option<f64>> {
    over(name, closes).into_iter().map(|values| values[0]).collect()
}

#[test]
fn values_follow_from_the_definitions() {
    assert_eq!(first("sma2", &[1.0, 2.0, 3.0]), [None, Some(1.5), Some(2.5)]);
    assert_eq!(first("ema3", &[1.0, 2.0, 3.0, 6.0]), [None, None, Some(2.0), Some(4.0)]);
    let bands = over("bb8x2", &[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
    assert_eq!((&bands[6], &bands[7]), (&vec![None; 3], &vec![Some(1.0), Some(5.0), Some(9.0)]));
    assert_eq!(first("rsi3", &[1.0, 2.0, 3.0, 4.0])[2..], [None, Some(100.0)]);
    assert_eq!(first("rsi3", &[1.0; 4]).last(), Some(&Some(50.0)));
    assert_eq!(first("rsi2", &[10.0, 11.0, 10.0, 12.0])[1..], [None, Some(50.0), Some(250.0 / 3.0)]);
    assert_eq!(first("vwap2", &[1.0, 3.0, 5.0]), [None, Some(2.0), Some(4.0)]);
}

#[test]
fn the_vwap_of_a_session_begins_anew_with_the_next() {
    let mut running = Indicator::Vwap.start();
    let mut values = Vec::new();
    for (price, volume, session) in [(1.0, 1.0, 1), (2.0, 3.0, 1), (9.0, 0.0, 2), (8.0, 2.0, 2)] {
        running.step(&Bar { high: price, low: price, close: price, volume, session }, &mut values);
    }
    assert_eq!(values, [Some(1.0), Some(1.75), None, Some(8.0)]);
}

#[test]
fn after_the_run_up_it_does_not_matter_where_an_indicator_began() {
    let closes: Vec<f64> = (0..4_000).map(|at| 100.0 + f64::from(at % 37) * 1.37 + f64::from(at) * 0.01).collect();
    for name in ["sma50", "ema26", "bb20x2", "rsi14", "macd12x26x9", "vwap20"] {
        let run_up = name.parse::<Indicator>().unwrap().run_up();
        let whole = over(name, &closes);
        let part = over(name, &closes[3_000 - run_up..]);
        for (at, (whole, part)) in whole[3_000..].iter().zip(&part[run_up..]).enumerate() {
            for (one, other) in whole.iter().zip(part) {
                let one = one.unwrap();
                let other = other.unwrap();
                assert!((one - other).abs() <= 1e-12 * one.abs().max(1.0), "{name} at {at}: {one} {other}");
            }
        }
    }
}

#[test]
fn names_are_read_back_and_others_refused() {
    for (text, name) in
        [("sma", "sma20"), ("bb20", "bb20x2"), ("bb20x2.5", "bb20x2.5"), ("macd", "macd12x26x9"), ("vwap", "vwap")]
    {
        assert_eq!(text.parse::<Indicator>().unwrap().to_string(), name);
        assert_eq!(name.parse::<Indicator>().unwrap().to_string(), name);
    }
    for text in
        ["", "20", "sma0", "sma501", "sma-1", "sma2x3", "bb20xNaN", "bb20xinf", "macd12x26", "smä20", "sma 20", "vwap0"]
    {
        assert!(text.parse::<Indicator>().is_err(), "{text}");
    }
    assert!(Indicators::try_from((1..=17).map(|n| format!("sma{n}")).collect::<Vec<_>>().join(",")).is_err());
    assert_eq!(Indicators::try_from("sma,sma20, ,ema5".to_owned()).unwrap().iter().count(), 2);
}
