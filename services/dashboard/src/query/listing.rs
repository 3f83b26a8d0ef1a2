//! Parameters that select and sort the series of a list.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::str::FromStr;

use candlewick_shared::core::due::Freshness;
use candlewick_shared::core::key::Series;
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::problem::Problem;
use crate::read::overview::Overview;

/// Selects and sorts series.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeriesQuery {
    /// Only series whose symbol contains this text; case is ignored.
    pub search: Option<String>,
    /// Only series of this group of the watchlist.
    pub group: Option<String>,
    /// Only series with this condition.
    #[param(inline)]
    pub only: Option<Only>,
    /// The sort order: `symbol`, `close`, `change`, `age`, `candles`, `gaps`, `quarantined` or `filled`; with a `-` in
    /// front, descending [default: symbol].
    #[param(value_type = Option<Sort>, inline)]
    pub sort: Option<Sort>,
    /// The maximum number of rows: 1 to 1000 [default: 100].
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 1000>")]
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<i64>,
}

/// Selects series by their names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsQuery {
    /// Names such as `AAPL 1day`, separated by commas: 1 to 200.
    pub series: String,
}

impl RowsQuery {
    /// The series, each once.
    pub fn series(&self) -> Result<Vec<Series>, Problem> {
        const MOST: usize = 200;
        let name = |text: &str| {
            let (symbol, interval) = text.trim().split_once(' ')?;
            Some(Series { symbol: symbol.parse().ok()?, interval: interval.parse().ok()? })
        };
        let names: Option<BTreeSet<_>> = self.series.split(',').map(name).collect();
        let invalid = || Problem::bad_request(format!("series: write 1 to {MOST} names such as AAPL 1day"));
        let names = names.filter(|names| names.len() <= MOST).ok_or_else(invalid)?;
        Ok(names.into_iter().collect())
    }
}

/// A condition of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    /// No candle is due, or one has been due for a short time only.
    Fresh,
    /// A candle is late.
    Late,
    /// Candles are missing.
    Gaps,
    /// The newest version of an object could not be loaded.
    Failed,
    /// Nothing has been fetched yet.
    Empty,
}

impl Only {
    pub const ALL: [Self; 5] = [Self::Fresh, Self::Late, Self::Gaps, Self::Failed, Self::Empty];

    /// The name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Late => "late",
            Self::Gaps => "gaps",
            Self::Failed => "failed",
            Self::Empty => "empty",
        }
    }

    /// Whether a series meets the condition.
    pub fn holds(self, series: &Overview) -> bool {
        match self {
            Self::Fresh => matches!(series.state, Freshness::Fresh | Freshness::Due),
            Self::Late => series.state == Freshness::Late,
            Self::Gaps => series.gaps > 0,
            Self::Failed => series.error.is_some(),
            Self::Empty => series.state == Freshness::Empty,
        }
    }
}

/// A column and a direction to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Sort {
    pub column: Column,
    /// Whether the highest values come first.
    pub is_descending: bool,
}

/// A column by which series can be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The symbol, then the interval.
    Symbol,
    /// The last close.
    Close,
    /// The change of the close in percent.
    Change,
    /// The age of the last candle.
    Age,
    /// The number of candles.
    Candles,
    /// The number of missing candles.
    Gaps,
    /// The number of quarantined rows.
    Quarantined,
    /// The number of filled candles.
    Filled,
}

impl Column {
    pub const ALL: [Self; 8] = [
        Self::Symbol,
        Self::Close,
        Self::Change,
        Self::Age,
        Self::Candles,
        Self::Gaps,
        Self::Quarantined,
        Self::Filled,
    ];

    /// The name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Close => "close",
            Self::Change => "change",
            Self::Age => "age",
            Self::Candles => "candles",
            Self::Gaps => "gaps",
            Self::Quarantined => "quarantined",
            Self::Filled => "filled",
        }
    }

    /// The value to compare; `None` if the series has no value in this column.
    fn value(self, series: &Overview) -> Option<f64> {
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        match self {
            Self::Symbol => None,
            Self::Close => number(&series.close),
            Self::Change => number(&series.change_percent),
            Self::Age => series.age_seconds.map(|age| age as f64),
            Self::Candles => Some(series.candles as f64),
            Self::Gaps => Some(series.gaps as f64),
            Self::Quarantined => Some(series.quarantined as f64),
            Self::Filled => Some(series.filled as f64),
        }
    }
}

impl Default for Sort {
    fn default() -> Self {
        Self { column: Column::Symbol, is_descending: false }
    }
}

impl FromStr for Sort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix('-').unwrap_or(text);
        let column = Column::ALL.into_iter().find(|column| column.name() == name);
        let names = || Column::ALL.map(Column::name).join(", ");
        let column = column.ok_or_else(|| format!("{text:?} is nothing to sort by: there are {}", names()))?;
        Ok(Self { column, is_descending: name.len() < text.len() })
    }
}

impl PartialSchema for Sort {
    fn schema() -> RefOr<Schema> {
        let both = |column: Column| [column.name().to_owned(), format!("-{}", column.name())];
        let names = Column::ALL.into_iter().flat_map(both);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for Sort {}

impl TryFrom<String> for Sort {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Sort {
    /// The sort order as written in addresses.
    pub fn text(self) -> String {
        format!("{}{}", if self.is_descending { "-" } else { "" }, self.column.name())
    }

    /// Sorts series. Those without a value come last in either direction.
    pub fn apply(self, all: &mut [Overview]) {
        all.sort_by(|one, other| self.order(one, other).then_with(|| by_name(one, other)));
    }

    fn order(self, one: &Overview, other: &Overview) -> Ordering {
        if self.column == Column::Symbol {
            let order = by_name(one, other);
            return if self.is_descending { order.reverse() } else { order };
        }
        match (self.column.value(one), self.column.value(other)) {
            (Some(one), Some(other)) if self.is_descending => other.total_cmp(&one),
            (Some(one), Some(other)) => one.total_cmp(&other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        }
    }
}

fn by_name(one: &Overview, other: &Overview) -> Ordering {
    (&one.symbol, &one.interval).cmp(&(&other.symbol, &other.interval))
}

impl SeriesQuery {
    /// Whether a series matches the parameters.
    pub fn has(&self, series: &Overview) -> bool {
        let search = self.search.as_deref().unwrap_or_default().trim().to_uppercase();
        series.symbol.to_uppercase().contains(&search)
            && self.group.as_deref().is_none_or(|group| series.group.as_deref() == Some(group))
            && self.only.is_none_or(|only| only.holds(series))
    }
}
