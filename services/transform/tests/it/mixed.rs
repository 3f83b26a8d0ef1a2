//! Files that hold more than one thing, or whose columns are not what they look like: none is mixed without a word.

use crate::support::Case;

#[test]
fn the_instrument_of_a_header_is_the_one_of_the_key_in_every_form() {
    let two_lines = |ticker: &str| {
        format!(
            "Price,Close,High,Low,Open,Volume\nTicker,{0},{0},{0},{0},{0}\n2024-01-02,101,102,99,100,1000\n",
            ticker
        )
    };
    let numbered = |ticker: &str| {
        let names =
            "Date,Unnamed: 1_level_2,Unnamed: 2_level_2,Unnamed: 3_level_2,Unnamed: 4_level_2,Unnamed: 5_level_2";
        two_lines(ticker).replace("\n2024", &format!("\n{names}\n2024"))
    };
    let tuples = |ticker: &str| {
        let names =
            ["Open", "High", "Low", "Close", "Volume"].map(|name| format!("\"('{name}', '{ticker}')\"")).join(",");
        format!("Date,{names}\n2024-01-02,100,102,99,101,1000\n")
    };
    let joined = |ticker: &str| {
        let names = ["Open", "High", "Low", "Close", "Volume"].map(|name| format!("{name}_{ticker}")).join(",");
        format!("Date,{names}\n2024-01-02,100,102,99,101,1000\n")
    };
    let forms: [&dyn Fn(&str) -> String; 4] = [&two_lines, &numbered, &tuples, &joined];
    for file in forms {
        let outcome = Case::new("1day").symbol("ABC").clean(file("ABC"));
        assert_eq!(
            (outcome.rows(), outcome.report.rows.empty),
            (vec!["2024-01-02,100,102,99,101,1000,false".to_owned()], 0),
            "{}",
            file("ABC")
        );
        let other = Case::new("1day").symbol("ABC").try_clean(file("MSFT")).unwrap_err();
        assert!(other.class() == "other_instrument" && other.to_string().contains("MSFT"), "{}: {other}", file("MSFT"));
    }
    let priced = "Date,open (USD),high (USD),low (USD),close (USD)\n2024-01-02,100,102,99,101\n";
    assert!(Case::new("1day").symbol("ABC").try_clean(priced).is_ok());
}

#[test]
fn what_would_mix_two_things_is_refused() {
    let joined = |factor: u32| {
        let days = |factor: u32, volume: u32| {
            (2..7).map(move |day| format!("2024-01-0{day},{0},{0},{0},{0},{volume}\n", factor * 100 + day))
        };
        format!("Date,Open,High,Low,Close,Volume\n{}", days(1, 7).chain(days(factor, 9)).collect::<String>())
    };
    let refusal = Case::new("1day").try_clean(joined(4)).unwrap_err();
    assert!(
        refusal.class() == "several_instruments" && refusal.to_string().contains("5 times have two rows"),
        "{refusal}"
    );
    assert!(refusal.to_string().contains("2024-01-02"), "{refusal}");
    assert!(Case::new("1day").try_clean(joined(1)).is_ok(), "the same instrument with other volumes");
    let prices =
        "Date,Open,High,Low,Close\n2024-01-02,\u{20ac}1,\u{20ac}2,\u{20ac}1,\u{20ac}2\n2024-01-03,$1,$2,$1,$2\n";
    let refusal = Case::new("1day").try_clean(prices).unwrap_err();
    let expected = "in several currencies: line 2: \"\u{20ac}1\", and line 3: \"$1\"";
    assert!(refusal.to_string().contains(expected), "{refusal}");
    let listings =
        "date,open,high,low,close,volume,currency\n2024-01-02,100,102,99,101,5,GBX\n2024-01-03,1,2,1,2,5,GBP\n";
    let refusal = Case::new("1day").try_clean(listings).unwrap_err();
    assert!(
        refusal.to_string().contains("column \"currency\": \"GBP\", and column \"currency\": \"GBX\""),
        "{refusal}"
    );
    assert_eq!(Case::new("1day").clean(listings.replace("GBP", "GBX")).times(), ["2024-01-02", "2024-01-03"]);
    let bonds = "Date;Open;High;Low;Close\n02.01.2024;110'165;110'280;110'16;110'200\n";
    let refusal = Case::new("1day").try_clean(bonds).unwrap_err();
    assert!(refusal.to_string().contains("\"110'16\" is a price in fractions"), "{refusal}");
    let headless = "AAA,20240102,1,3,1,2\nBBB,20240103,1,3,1,2\n";
    assert_eq!(Case::new("1day").symbol("AAA").try_clean(headless).unwrap_err().class(), "several_instruments");
    let one = headless.replace("BBB", "AAA");
    assert_eq!(Case::new("1day").symbol("BBB").try_clean(&one).unwrap_err().class(), "other_instrument");
    assert_eq!(Case::new("1day").symbol("AAA").clean(&one).times(), ["2024-01-02", "2024-01-03"]);
    let numbered = "0,20240102,1,3,1,2\n1,20240103,1,3,1,2\n";
    assert_eq!(Case::new("1day").symbol("AAA").clean(numbered).times(), ["2024-01-02", "2024-01-03"]);
    let per = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\nABC,5,20240102,153000,1,2,1,2,5\n";
    assert_eq!(Case::new("1h").symbol("ABC").try_clean(per).unwrap_err().class(), "other_interval");
}

#[test]
fn an_average_price_or_a_turnover_is_no_volume() {
    let exchange = "1704067200,100,102,99,101,100.5,1250.5,100\n1704070800,101,103,100,102,101.5,950.5,90\n";
    let outcome = Case::new("1h").clean(exchange);
    let expected = ["2024-01-01T00:00:00Z,100,102,99,101,false", "2024-01-01T01:00:00Z,101,103,100,102,false"];
    assert_eq!(outcome.rows(), expected);
    assert_eq!(outcome.report.ignored_columns, ["column 6", "column 7", "column 8"]);
    let site = "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen\n2024-01-03;100,5;102,5;99,5;101,5;1.234;125.000\n";
    assert_eq!(Case::new("1day").clean(site).rows(), ["2024-01-03,100.5,102.5,99.5,101.5,1234,false"]);
}

#[test]
fn rows_of_several_kinds_are_refused_with_the_column_that_names_them() {
    for (column, kinds) in
        [("type", ["bid", "ask"]), ("exchange", ["NYSE", "NASDAQ"]), ("expiry", ["2024-03", "2024-06"])]
    {
        let rows: String = ["2024-01-02", "2024-01-03"]
            .iter()
            .map(|date| format!("{date},{},100,102,99,101,10\n{date},{},101,103,100,102,20\n", kinds[0], kinds[1]))
            .collect();
        let text = format!("date,{column},open,high,low,close,volume\n{rows}");
        let refusal = Case::new("1day").try_clean(&text).unwrap_err();
        assert_eq!(refusal.class(), "several_instruments", "{column}");
        assert!(refusal.to_string().contains(&format!("differ in column {column:?}")), "{refusal}");
    }
    let partial = "date,trades,open,high,low,close,volume\n2024-01-02,7,1,2,1,2,10\n2024-01-02,9,1,3,1,2,20\n2024-01-03,7,1,2,1,2,10\n\
                   2024-01-03,8,1,3,1,2,30\n";
    assert_eq!(Case::new("1day").clean(partial).times(), ["2024-01-02", "2024-01-03"]);
    let isins = "ISIN,Date,Open,High,Low,Close\nUS5949181045,2024-01-02,1,2,1,2\nUS0378331005,2024-01-03,1,2,1,2\n";
    assert_eq!(Case::new("1day").try_clean(isins).unwrap_err().class(), "several_instruments");
    assert!(Case::new("1day").try_clean(isins.replace("US5949181045", "US0378331005")).is_ok());
}
