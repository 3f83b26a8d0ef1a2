//! The names that sources give to the columns of candles.

use candlewick_shared::core::raw_csv::{self, is_in_money};

/// The role of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A date, perhaps with a time of day.
    Time,
    /// A time of day, or the full time.
    Clock,
    Open,
    High,
    Low,
    Close,
    Volume,
    /// How often the price changed.
    TickVolume,
    /// Whether the volume is known.
    HasVolume,
    /// Whether an earlier cleaning filled the candle.
    IsFilled,
    Symbol,
    Interval,
}

/// Names in the form of [`plain`], by role and in order of preference: a name is only searched for if the header has
/// none of the names in the lines before it.
const NAMES: &[(Role, &[&str])] = &[
    (Role::Time, &["datetime", "date", "timestamp", "date time"]),
    (
        Role::Time,
        &[
            "unix",
            "unix time",
            "unix timestamp",
            "epoch",
            "open time",
            "opentime",
            "window start",
            "ts event",
            "ts",
            "gmt time",
            "local time",
            "time utc",
            "utc time",
            "date utc",
            "datetime utc",
            "timestamp utc",
            "utc",
            "dt",
            "day",
            "trade date",
            "tradedate",
            "trading date",
            "traddt",
            "date1",
            "dtyyyymmdd",
            "period start",
            "start time",
            "starttime",
            "start",
            "begins at",
            "bar time",
            "session",
            "time stamp",
            "snapped at",
            "time eet",
            "time est",
            "time et",
            "data",
            "datum",
            "дата",
            "tarih",
            "日付け",
            "timeopen",
            "time open",
            "fecha",
            "日期",
            "交易日期",
            "日付",
            "날짜",
            "일자",
            "t",
        ],
    ),
    (
        Role::Clock,
        &[
            "time",
            "hour",
            "time of day",
            "godzina",
            "uhrzeit",
            "heure",
            "hora",
            "czas",
            "zeit",
            "时间",
            "時間",
            "時刻",
            "시간",
        ],
    ),
    (Role::Open, &["open"]),
    (
        Role::Open,
        &[
            "open price",
            "openprice",
            "opening price",
            "opening",
            "opnpric",
            "otwarcie",
            "откр",
            "открытие",
            "acilis",
            "px open",
            "eroffnung",
            "eroffn",
            "eroffnungskurs",
            "erster",
            "ouverture",
            "ouv",
            "apertura",
            "abertura",
            "开盘",
            "开盘价",
            "始値",
            "시가",
            "o",
        ],
    ),
    (Role::High, &["high"]),
    (
        Role::High,
        &[
            "high price",
            "highprice",
            "hghpric",
            "najwyzszy",
            "макс",
            "максимум",
            "yuksek",
            "hoog",
            "高",
            "px high",
            "hoch",
            "hochst",
            "tageshoch",
            "plus haut",
            "haut",
            "massimo",
            "max",
            "maximo",
            "maxima",
            "maximum",
            "最高",
            "最高价",
            "高値",
            "고가",
            "h",
        ],
    ),
    (Role::Low, &["low"]),
    (
        Role::Low,
        &[
            "low price",
            "lowprice",
            "lwpric",
            "najnizszy",
            "мин",
            "минимум",
            "dusuk",
            "laag",
            "低",
            "px low",
            "tief",
            "tiefst",
            "tagestief",
            "plus bas",
            "bas",
            "minimo",
            "min",
            "minima",
            "minimum",
            "最低",
            "最低价",
            "安値",
            "저가",
            "l",
        ],
    ),
    (Role::Close, &["close"]),
    (
        Role::Close,
        &[
            "close price",
            "closeprice",
            "closing price",
            "clspric",
            "close last",
            "close close price adjusted for splits",
            "zamkniecie",
            "цена",
            "закрытие",
            "simdi",
            "laatste",
            "slotkoers",
            "ostatnio",
            "px last",
            "px close",
            "schluss",
            "schlusskurs",
            "zuletzt",
            "cloture",
            "dernier",
            "chiusura",
            "ultimo",
            "cierre",
            "fechamento",
            "收盘",
            "收盘价",
            "終値",
            "종가",
            "c",
        ],
    ),
    (Role::Close, &["price", "last", "last price", "latest", "kurs"]),
    // Where a German site has both, `Volumen` is the turnover in money.
    (Role::Volume, &["stuecke", "stucke", "stuck"]),
    (Role::Volume, &["volume"]),
    (Role::Volume, &["vol", "volumes", "real volume"]),
    (Role::Volume, &["volumefrom", "volume from", "base volume", "base asset volume"]),
    (Role::Volume, &["volume shares", "shares volume", "share volume"]),
    (
        Role::Volume,
        &[
            "tottrdqty",
            "total traded quantity",
            "total traded qty",
            "ttl trd qnty",
            "ttltradgvol",
            "traded quantity",
            "shares traded",
            "no of shares",
            "number of shares",
            "total volume",
            "trade volume",
            "quantity",
            "qty",
            "wolumen",
            "wol",
            "объем",
            "объём",
            "hac",
            "hacim",
            "交易量",
            "px volume",
            "volumen",
            "成交量",
            "出来高",
            "거래량",
            "v",
        ],
    ),
    (Role::TickVolume, &["tickvol", "tick vol", "tick volume", "tickvolume"]),
    (Role::HasVolume, &["has volume"]),
    (Role::IsFilled, &["is filled"]),
    (Role::Symbol, raw_csv::SYMBOLS),
    (Role::Symbol, &["tckrsymb", "act symbol", "ts code", "股票代码", "代码", "证券代码"]),
    (Role::Interval, &["interval", "timeframe", "time frame", "per", "period"]),
];

/// The names of the time at which a candle begins, where other columns have other times of it.
pub const BEGINNINGS: &[&str] =
    &["timeopen", "time open", "open time", "opentime", "window start", "period start", "start time", "starttime"];

/// The names of a role, in order of preference.
pub fn of(role: Role) -> impl Iterator<Item = &'static [&'static str]> {
    NAMES.iter().filter(move |(of, _)| *of == role).map(|(_, names)| *names)
}

/// A name in lower case and without accents, with one space in place of all characters that are neither letters nor
/// digits. The sign of a currency makes a volume a turnover.
pub fn plain(name: &str) -> String {
    let spaced: String = name.chars().flat_map(char::to_lowercase).map(unaccented).collect();
    let plain = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if is_in_money(name) && is_volume(&plain) { plain + " in money" } else { plain }
}

/// Whether a plain name is one of a volume, in any language, or contains the word volume or an abbreviation of it.
pub fn is_volume(plain: &str) -> bool {
    let is_named = of(Role::Volume).flatten().any(|name| *name == plain);
    is_named || raw_csv::is_volume(plain)
}

fn unaccented(letter: char) -> char {
    match letter {
        'ą' | 'á' | 'à' | 'â' | 'ä' | 'ã' => 'a',
        'ć' | 'ç' => 'c',
        'ę' | 'é' | 'è' | 'ê' => 'e',
        'í' | 'ì' | 'î' => 'i',
        'ł' => 'l',
        'ń' | 'ñ' => 'n',
        'ó' | 'ö' | 'ô' | 'õ' => 'o',
        'ś' | 'ş' => 's',
        'ğ' => 'g',
        'ı' => 'i',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ż' | 'ź' => 'z',
        letter if letter.is_alphanumeric() => letter,
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_has_two_roles() {
        let mut names: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        assert!(names.iter().all(|name| plain(name) == **name));
    }
}
