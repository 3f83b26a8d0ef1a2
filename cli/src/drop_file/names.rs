//! What the name of a file says about its candles.

use std::path::Path;

use anyhow::{Context, bail};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::symbol::Symbol;

/// The endings that are not part of a symbol, in lower case. `BRK.B` has none of them.
const ENDINGS: &str = ".gz .zip .bz2 .xz .zst .csv .txt .tsv .prn .asc .dat .log .json .xls .xlsx .parquet .html .htm .bak .tmp \
     .part .crdownload";

/// Words that describe the content of a file. Some are tickers as well: such a file needs `--symbol`.
const WORDS: &str = "adj adjusted all bar bars book candle candles candlestick chart clean cleaned close copy crypto daily \
     data date day days download downloads eod export exports file forex fx full historical history hour \
     hourly hours input intraday kline klines latest market max minute minutes month monthly months ohlc ohlcv \
     out output price prices quote quotes raw report result results sample series sheet stock stocks table \
     test timeseries trades week weekly";

/// The minutes that MetaTrader appends to the name of an instrument: `EURUSD60.csv`.
const MINUTES: [(&str, Interval); 9] = [
    ("1", Interval::Min1),
    ("5", Interval::Min5),
    ("15", Interval::Min15),
    ("30", Interval::Min30),
    ("60", Interval::Hour1),
    ("240", Interval::Hour4),
    ("1440", Interval::Day1),
    ("10080", Interval::Week1),
    ("43200", Interval::Month1),
];

/// The currencies, metals and coins that instruments of MetaTrader are pairs of.
const CURRENCIES: &str = "AUD BRL BTC CAD CHF CNH CNY CZK DKK ETH EUR GBP HKD HUF ILS INR JPY KRW LTC MXN NOK NZD PLN RUB SEK SGD \
     THB TRY USD XAG XAU XBT XPD XPT XRP ZAR";

/// The symbol and the interval that a path names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    pub symbol: Option<Symbol>,
    pub interval: Option<Interval>,
}

impl Named {
    /// Reads the folders `symbol=…` and `interval=…`. Without them, it reads the name of the file, which names a symbol if
    /// it consists of the symbol and perhaps words for an interval, a date or the content, such as `AAPL.csv` and
    /// `BTCUSDT-1m-2024-01.zip`.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        let symbol = folder(path, "symbol=")
            .map(|folder| Symbol::from_key_form(folder).with_context(|| format!("read the folder symbol={folder}")));
        let interval = folder(path, "interval=")
            .map(|folder| folder.parse::<Interval>().with_context(|| format!("read the folder interval={folder}")));
        let symbol = symbol.transpose()?;
        let interval = interval.transpose()?;
        if symbol.is_some() {
            return Ok(Self { symbol, interval });
        }
        let by_name = by_name(&path.file_name().unwrap_or_default().to_string_lossy())?;
        Ok(Self { symbol: by_name.symbol, interval: interval.or(by_name.interval) })
    }
}

fn folder<'a>(path: &'a Path, prefix: &str) -> Option<&'a str> {
    let names = path.parent()?.components().rev().filter_map(|component| component.as_os_str().to_str());
    names.filter_map(|name| name.strip_prefix(prefix)).next()
}

fn by_name(name: &str) -> anyhow::Result<Named> {
    let words: Vec<&str> = stem(name).split(['_', '-', ' ']).filter(|word| !word.is_empty()).collect();
    let interval = words.iter().find_map(|word| interval_of(word));
    let Some((first, rest)) = words.split_first() else { return Ok(Named::default()) };
    if !is_symbol(first) || !rest.iter().all(|word| is_of_file(word)) {
        return Ok(Named { symbol: None, interval });
    }
    let upper = first.to_uppercase();
    match by_metatrader(&upper) {
        None => Ok(Named { symbol: Some(upper.parse()?), interval }),
        Some((pair, minutes)) if is_pair(pair) => {
            Ok(Named { symbol: Some(pair.parse()?), interval: interval.or(Some(minutes)) })
        }
        Some((instrument, minutes)) => bail!(
            "{name} could be {upper}, or {instrument} at {minutes} as MetaTrader names it: add --symbol {upper}, or --symbol \
             {instrument} --interval {minutes}"
        ),
    }
}

/// Strips endings and what browsers and file managers append to the names of copies: ` (1)`.
fn stem(name: &str) -> &str {
    let mut stem = name.trim();
    loop {
        let lower = stem.to_ascii_lowercase();
        let ended =
            ENDINGS.split(' ').find(|ending| lower.ends_with(ending)).map(|ending| &stem[..stem.len() - ending.len()]);
        match ended.or_else(|| without_number_of_copy(stem)) {
            Some(shorter) => stem = shorter.trim_end(),
            None => return stem,
        }
    }
}

fn without_number_of_copy(name: &str) -> Option<&str> {
    let (before, number) = name.strip_suffix(')')?.rsplit_once('(')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(before)
}

fn is_symbol(word: &str) -> bool {
    let is_code = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    is_code && (1..=12).contains(&word.len()) && !is_of_file(word)
}

/// Whether a word of a name is a number, an interval or a word that describes the content.
fn is_of_file(word: &str) -> bool {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    is_number || interval_of(word).is_some() || is_short_interval(word) || is_in(WORDS, &word.to_lowercase())
}

fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|each| each == word)
}

/// Whether a word is a number of minutes, hours, days, weeks, months or years, such as `10m` and `1Y`, or `d` for daily.
fn is_short_interval(word: &str) -> bool {
    let lower = word.to_lowercase();
    let unit = lower.trim_start_matches(|c: char| c.is_ascii_digit());
    let has_number = unit.len() < lower.len();
    lower == "d" || (has_number && matches!(unit, "m" | "min" | "h" | "d" | "day" | "w" | "wk" | "mo" | "y" | "yr"))
}

/// The interval that a word of a name says. `1M` is not one: it could be a minute or a month.
fn interval_of(word: &str) -> Option<Interval> {
    let lower = word.to_lowercase();
    let own = match lower.as_str() {
        _ if word == "1M" => return None,
        "1m" | "m1" => "1min",
        "5m" | "m5" => "5min",
        "15m" | "m15" => "15min",
        "30m" | "m30" => "30min",
        "45m" => "45min",
        "h1" | "60m" | "60min" | "hourly" => "1h",
        "h4" => "4h",
        "1d" | "d1" | "daily" => "1day",
        "1w" | "1wk" | "w1" | "weekly" => "1week",
        "1mo" | "mn1" | "monthly" => "1month",
        other => other,
    };
    own.parse().ok()
}

/// Splits the minutes of MetaTrader from the name of an instrument.
fn by_metatrader(word: &str) -> Option<(&str, Interval)> {
    let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let (_, interval) = MINUTES.iter().find(|(minutes, _)| *minutes == &word[name.len()..])?;
    (!name.is_empty() && !name.ends_with('.')).then_some((name, *interval))
}

/// Whether a name is a pair of currencies, perhaps with the suffix of a broker: `EURUSD.A`.
fn is_pair(name: &str) -> bool {
    let bare = name.split_once('.').map_or(name, |(bare, _)| bare);
    let parts = bare.split_at_checked(3).filter(|_| bare.len() == 6);
    parts.is_some_and(|(one, other)| is_in(CURRENCIES, one) && is_in(CURRENCIES, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> (String, String) {
        let Named { symbol, interval } = Named::of(Path::new(path)).unwrap();
        let text = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
        (text(symbol.map(|symbol| symbol.to_string())), text(interval.map(|interval| interval.to_string())))
    }

    #[test]
    fn a_name_says_the_symbol_where_it_says_nothing_else() {
        for (path, symbol, interval) in [
            ("AAPL.csv", "AAPL", "?"),
            ("AAPL.CSV", "AAPL", "?"),
            ("aapl.txt", "AAPL", "?"),
            ("AAPL.csv.gz", "AAPL", "?"),
            ("AAPL.csv (1)", "AAPL", "?"),
            ("AAPL (2).csv", "AAPL", "?"),
            ("AAPL - Copy.csv", "AAPL", "?"),
            ("aapl_daily.csv.gz", "AAPL", "1day"),
            ("BTCUSDT-1m-2024-01.zip", "BTCUSDT", "1min"),
            ("BRK.B.csv", "BRK.B", "?"),
            ("raw/interval=1day/symbol=BTC%2FUSD/candles.csv", "BTC/USD", "1day"),
            ("my prices of AAPL.csv", "?", "?"),
            ("2024-01.csv", "?", "?"),
            ("-", "?", "?"),
        ] {
            assert_eq!(named(path), (symbol.to_owned(), interval.to_owned()), "{path}");
        }
    }

    #[test]
    fn words_that_describe_a_file_are_no_symbols() {
        for name in [
            "ohlc.csv",
            "minutes.csv",
            "data.csv",
            "candles.csv",
            "Prices.CSV",
            "daily.csv",
            "export (1).csv",
            "1h.csv",
            "M5.csv",
            "download.xlsx",
            "1M.csv",
        ] {
            assert_eq!(named(name).0, "?", "{name}");
        }
    }

    #[test]
    fn metatraders_minutes_are_the_interval_and_not_part_of_the_symbol() {
        for (name, symbol, interval) in [
            ("EURUSD60.csv", "EURUSD", "1h"),
            ("EURUSD1440.csv", "EURUSD", "1day"),
            ("eurusd.a5.csv", "EURUSD.A", "5min"),
            ("EURUSD_M5.csv", "EURUSD", "5min"),
            ("XAUUSD-H1.csv", "XAUUSD", "1h"),
            ("EURUSD.csv", "EURUSD", "?"),
            ("STOXX50.csv", "STOXX50", "?"),
        ] {
            assert_eq!(named(name), (symbol.to_owned(), interval.to_owned()), "{name}");
        }
        let error = Named::of(Path::new("US30.csv")).unwrap_err().to_string();
        assert!(error.contains("add --symbol US30, or --symbol US --interval 30min"), "{error}");
    }
}
