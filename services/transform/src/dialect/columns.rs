//! Finds the role of each column in a header that is not that of raw CSV.

use candlewick_shared::core::form::{Column, Form};
use candlewick_shared::core::raw_csv::{self, Header, Unreadable};
use candlewick_shared::core::symbol::Symbol;

use super::affixes::without_affixes;
use super::names::{self, Role};

/// The columns of a header. The time may be in two columns, or in a column without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// As written in the file.
    pub names: Vec<String>,
    /// The columns that may hold dates, in order of preference.
    pub times: Vec<usize>,
    /// The column that may hold a time of day, or the full time.
    pub clock: Option<usize>,
    /// Open, high, low and close.
    pub prices: [usize; 4],
    pub volume: Option<usize>,
    /// The number of price changes, if there is a volume as well.
    pub tick_volume: Option<usize>,
    /// What all price columns have before or after `open`: `AAPL` in `AAPL.Open`.
    pub affix: Option<String>,
    plain: Vec<String>,
}

impl Columns {
    /// Finds the columns by the names in a header and in `form`. Returns `None` if there are no price columns.
    pub fn of(names: Vec<String>, symbol: &Symbol, form: &Form) -> Result<Option<Self>, Unreadable> {
        let mut plain = renamed(&names, form);
        let affix = without_affixes(&mut plain, &names);
        let header = Named { plain: &plain, given: &names };
        let [open, high, low, close] = [Role::Open, Role::High, Role::Low, Role::Close].map(|role| header.one(role));
        let (Some(open), Some(high), Some(low), Some(close)) = (open?, high?, low?, close?) else { return Ok(None) };
        require_named(&names, form)?;
        let tick = header.one(Role::TickVolume)?;
        let volume = header.one(Role::Volume)?.or_else(|| header.volume_of(symbol)).or(tick);
        header.require_clear_volume(volume)?;
        Ok(Some(Self {
            times: header.all(Role::Time),
            clock: header.one(Role::Clock)?,
            prices: [open, high, low, close],
            volume,
            tick_volume: tick.filter(|tick| Some(*tick) != volume),
            affix,
            plain,
            names,
        }))
    }

    /// Columns in the usual order of files without a header. `time`, `clock` and `open` are the fields of the date,
    /// of the time of day and of the first price; with `has_symbol`, the first field is the instrument.
    pub fn in_order(
        count: usize,
        time: usize,
        clock: Option<usize>,
        open: usize,
        has_volume: bool,
        has_symbol: bool,
    ) -> Self {
        let names: Vec<String> = (1..=count).map(|place| format!("column {place}")).collect();
        let volume = has_volume.then_some(open + 4);
        let prices = [open, open + 1, open + 2, open + 3];
        let mut plain = names.clone();
        if let Some(first) = plain.first_mut().filter(|_| has_symbol) {
            "symbol".clone_into(first);
        }
        Self { names, times: vec![time], clock, prices, volume, tick_volume: None, affix: None, plain }
    }

    /// Whether there is a column with this name, which must be in the form of [`names::plain`].
    pub fn has(&self, name: &str) -> bool {
        self.plain.iter().any(|other| other == name)
    }

    /// The columns that have no role so far.
    pub fn unused(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.names.len()).filter(|field| {
            let used = [self.clock, self.volume, self.tick_volume];
            !self.prices.contains(field) && !used.contains(&Some(*field)) && !self.times.contains(field)
        })
    }

    /// Builds the header. `time` is the field of the time, and `joined` that of a time of day to be joined to it.
    pub fn header(&self, time: usize, joined: Option<usize>, delimiter: u8) -> Header {
        let named = Named { plain: &self.plain, given: &self.names };
        let first = |role: Role| named.all(role).first().copied().filter(|field| *field != time);
        let mut header = Header {
            time,
            prices: self.prices,
            volume: self.volume,
            tick_volume: self.tick_volume,
            has_volume: first(Role::HasVolume),
            is_filled: first(Role::IsFilled),
            symbols: named.in_order(Role::Symbol),
            currencies: named.places(raw_csv::CURRENCIES),
            interval: first(Role::Interval),
            names: self.names.clone(),
            ignored: Vec::new(),
            delimiter,
        };
        let is_ignored =
            |field: &usize| !header.reads(*field) && Some(*field) != joined && !self.names[*field].is_empty();
        header.ignored = (0..self.names.len()).filter(is_ignored).map(|field| self.names[field].clone()).collect();
        header
    }
}

struct Named<'a> {
    plain: &'a [String],
    given: &'a [String],
}

impl Named<'_> {
    fn places(&self, accepted: &[&str]) -> Vec<usize> {
        (0..self.plain.len()).filter(|field| accepted.contains(&self.plain[*field].as_str())).collect()
    }

    fn all(&self, role: Role) -> Vec<usize> {
        names::of(role).flat_map(|accepted| self.places(accepted)).collect()
    }

    /// The columns of a role in the order of the file.
    fn in_order(&self, role: Role) -> Vec<usize> {
        let mut places = self.all(role);
        places.sort_unstable();
        places
    }

    /// The column of a role by its most preferred name.
    fn one(&self, role: Role) -> Result<Option<usize>, Unreadable> {
        let places = names::of(role).map(|accepted| self.places(accepted)).find(|places| !places.is_empty());
        match places.as_deref() {
            None => Ok(None),
            Some([place]) => Ok(Some(*place)),
            Some(several) => Err(self.ambiguous(role, several)),
        }
    }

    fn ambiguous(&self, role: Role, places: &[usize]) -> Unreadable {
        let names: Vec<_> = places.iter().map(|at| format!("{} {:?}", at + 1, self.given[*at])).collect();
        let column = match role {
            Role::Open => "open",
            Role::High => "high",
            Role::Low => "low",
            Role::Close => "close",
            Role::Volume | Role::TickVolume => "volume",
            _ => "datetime",
        };
        Unreadable::AmbiguousColumn { column, names: names.join(" and ") }
    }

    /// Finds the column `volume btc` of `BTC/USD`.
    fn volume_of(&self, symbol: &Symbol) -> Option<usize> {
        let plain = names::plain(symbol.as_str());
        let base = plain.split(' ').next()?;
        let unit = |name: &String| name.strip_prefix("volume ").or(name.strip_prefix("vol ")).map(str::to_owned);
        self.plain.iter().position(|name| unit(name).is_some_and(|unit| unit == base))
    }

    /// Refuses columns that could be the volume if none of them is known to be it.
    fn require_clear_volume(&self, volume: Option<usize>) -> Result<(), Unreadable> {
        match self.plain.iter().position(|name| names::is_volume(name)).filter(|_| volume.is_none()) {
            Some(place) => Err(Unreadable::UnclearVolume(self.given[place].clone())),
            None => Ok(()),
        }
    }
}

/// The names in the form of [`names::plain`]. A column that `form` names gets the standard name of its role.
fn renamed(names: &[String], form: &Form) -> Vec<String> {
    let said: Vec<(Role, usize)> = form
        .columns
        .iter()
        .filter_map(|(column, name)| Some((role(*column), names.iter().position(|other| is_same(other, name))?)))
        .collect();
    let rename = |(at, name): (usize, &String)| match said.iter().find(|(_, field)| *field == at) {
        Some((role, _)) => {
            names::of(*role).next().and_then(<[_]>::first).map(|name| (*name).to_owned()).unwrap_or_default()
        }
        // The form names another column for this role.
        None => {
            Some(names::plain(name)).filter(|name| !said.iter().any(|(role, _)| is_of(*role, name))).unwrap_or_default()
        }
    };
    names.iter().enumerate().map(rename).collect()
}

/// Refuses a header without a column that `form` names: another column in its place would be a guess.
fn require_named(names: &[String], form: &Form) -> Result<(), Unreadable> {
    let is_missing = |(_, wanted): &(&Column, &String)| !names.iter().any(|name| is_same(name, wanted));
    match form.columns.iter().find(is_missing) {
        None => Ok(()),
        Some((column, wanted)) => {
            let found = names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            Err(Unreadable::MissingNamed { column: column_name(*column), wanted: wanted.clone(), found })
        }
    }
}

fn column_name(column: Column) -> &'static str {
    match column {
        Column::Time => "time",
        Column::TimeOfDay => "time of day",
        Column::Open => "open",
        Column::High => "high",
        Column::Low => "low",
        Column::Close => "close",
        Column::Volume => "volume",
    }
}

fn role(column: Column) -> Role {
    match column {
        Column::Time => Role::Time,
        Column::TimeOfDay => Role::Clock,
        Column::Open => Role::Open,
        Column::High => Role::High,
        Column::Low => Role::Low,
        Column::Close => Role::Close,
        Column::Volume => Role::Volume,
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one == other || names::plain(one) == names::plain(other)
}

fn is_of(role: Role, name: &str) -> bool {
    names::of(role).any(|accepted| accepted.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &str) -> Result<Option<Columns>, Unreadable> {
        Columns::of(header.split(',').map(str::to_owned).collect(), &"BTC/USD".parse().unwrap(), &Form::default())
    }

    #[test]
    fn columns_of_many_sources_are_known() {
        for (header, prices, volume, times) in [
            ("timestamp,1. open,2. high,3. low,4. close,5. volume", [1, 2, 3, 4], Some(5), vec![0]),
            ("Index,AAPL.Open,AAPL.High,AAPL.Low,AAPL.Close,AAPL.Volume", [1, 2, 3, 4], Some(5), vec![]),
            ("Date,Price,Open,High,Low,Vol.,Change %", [2, 3, 4, 1], Some(5), vec![0]),
            ("Date,Close/Last,Volume,Open,High,Low", [3, 4, 5, 1], Some(2), vec![0]),
            ("Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen", [1, 2, 3, 4], Some(5), vec![0]),
            ("日期,开盘,收盘,最高,最低,成交量,成交额", [1, 3, 4, 2], Some(5), vec![0]),
            ("v,vw,o,c,h,l,t,n", [2, 4, 5, 3], Some(0), vec![6]),
            ("ticker,volume,open,close,high,low,window_start,transactions", [2, 4, 5, 3], Some(1), vec![6]),
            ("unix,date,symbol,open,high,low,close,Volume BTC,Volume USD", [3, 4, 5, 6], Some(7), vec![1, 0]),
            ("time,open (USD),high (USD),low (USD),close (USD),volume", [1, 2, 3, 4], Some(5), vec![]),
        ] {
            let read = columns(header).unwrap().unwrap();
            assert_eq!((read.prices, read.volume, read.times), (prices, volume, times), "{header}");
        }
        assert_eq!(
            columns("Index,AAPL.Open,AAPL.High,AAPL.Low,AAPL.Close").unwrap().unwrap().affix.as_deref(),
            Some("AAPL")
        );
        assert_eq!(
            columns("Date,('Open' 'BRK.B'),('High' 'BRK.B'),('Low' 'BRK.B'),('Close' 'BRK.B')")
                .unwrap()
                .unwrap()
                .affix
                .as_deref(),
            Some("BRK.B")
        );
    }

    #[test]
    fn a_column_that_the_format_names_must_be_there() {
        let form = Form { columns: [(Column::Close, "Adj Close".to_owned())].into(), ..Form::default() };
        let read =
            |header: &str| Columns::of(header.split(',').map(str::to_owned).collect(), &"ABC".parse().unwrap(), &form);
        assert_eq!(read("Date,Open,High,Low,Close,adj close").unwrap().unwrap().prices[3], 5);
        let error = read("Date,Open,High,Low,Close").unwrap_err().to_string();
        assert!(error.contains("\"Adj Close\"") && error.contains("\"Low\", \"Close\""), "{error}");
        assert_eq!(read("a banner"), Ok(None));
    }

    #[test]
    fn what_is_no_header_of_candles_is_none() {
        for header in
            ["", "https://www.example.com", "2024-01-02,1,2,1,2", "Price,Close,High,Low,Volume", "bid open,ask open"]
        {
            assert_eq!(columns(header), Ok(None), "{header}");
        }
        assert!(columns("date,open,high,low,close,Volume USD,Volume EUR").is_err());
        assert!(columns("date,open,high,low,price,last,vol").is_err());
    }
}
