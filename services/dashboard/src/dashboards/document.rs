//! A dashboard as a TOML document: a title, and tiles in the order in which they are shown.

use std::fmt;

use candlewick_shared::core::watchlist::Place;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;
use toml::Spanned;
use utoipa::ToSchema;

use super::span::Span;
use super::variable::Variable;

/// The maximum size of a document in bytes.
pub const MOST_BYTES: usize = 64 << 10;

/// The maximum number of tiles, of variables of a tile, and of letters of a title.
const MOST_TILES: usize = 24;
const MOST_VARIABLES: usize = 12;
const MOST_LETTERS: usize = 100;

/// The columns of the page that tiles share.
const COLUMNS: u8 = 4;

/// A dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Document {
    /// The heading of the page.
    pub title: String,
    /// What it shows, in order.
    pub tiles: Vec<Tile>,
}

/// A part of a dashboard.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// What the tile is.
    pub kind: Kind,
    /// The heading; without one it is made from the variables.
    #[serde(default)]
    pub title: Option<String>,
    /// What it shows: `AAPL 1day close`. Without a column, whole candles.
    #[serde(default, serialize_with = "as_texts")]
    #[schema(value_type = Vec<String>, example = json!(["AAPL 1day close"]))]
    pub variables: Vec<Variable>,
    /// How many of the four columns it takes.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 4)]
    pub width: Option<u8>,
    /// How far back a chart goes, from its last candle [default: 1Y, intraday 5D].
    #[serde(default)]
    pub range: Option<Span>,
    /// The price scale of a chart [default: plain].
    #[serde(default)]
    pub scale: Option<Scale>,
    /// How many candles a table has [default: 10].
    #[serde(default)]
    #[schema(minimum = 1, maximum = 500)]
    pub rows: Option<u16>,
}

/// What a tile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Candles or lines over time.
    Chart,
    /// The newest candles as a table.
    Table,
    /// The last value of each variable.
    Value,
    /// The gaps of each series.
    Gaps,
    /// The last run.
    Run,
}

/// The price scale of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    Plain,
    Log,
    /// Percent since the first candle that is seen.
    Percent,
}

fn as_texts<S: Serializer>(variables: &[Variable], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(variables.iter().map(ToString::to_string))
}

/// Why a text is not a dashboard, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// The number of the line, from 1, if the fault has one.
    pub line: Option<usize>,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line.map_or(Ok(()), |line| write!(formatter, "line {line}: "))?;
        formatter.write_str(&self.reason)
    }
}

impl Fault {
    pub fn too_large() -> Self {
        Self { line: None, reason: format!("it has more than {MOST_BYTES} bytes") }
    }
}

/// The document before its tiles are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: Spanned<String>,
    #[serde(default)]
    tiles: Vec<Spanned<Tile>>,
}

impl Document {
    /// Parses and checks a document.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > MOST_BYTES {
            return Err(Fault::too_large());
        }
        let at = |offset: usize, reason: String| Fault { line: Some(Place::at(text, offset).line), reason };
        let written: Written = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        check_title(written.title.get_ref()).map_err(|reason| at(written.title.span().start, reason))?;
        if written.tiles.is_empty() || written.tiles.len() > MOST_TILES {
            return Err(Fault { line: None, reason: format!("it needs 1 to {MOST_TILES} tiles: [[tiles]]") });
        }
        for tile in &written.tiles {
            tile.get_ref().check().map_err(|reason| at(tile.span().start, reason))?;
        }
        let tiles = written.tiles.into_iter().map(Spanned::into_inner).collect();
        Ok(Self { title: written.title.into_inner(), tiles })
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map(|span| Place::at(text, span.start).line);
    Fault { line, reason: error.message().replace('\n', "; ") }
}

fn check_title(title: &str) -> Result<(), String> {
    let is_good = !title.trim().is_empty() && title.chars().count() <= MOST_LETTERS;
    if is_good { Ok(()) } else { Err(format!("a title has 1 to {MOST_LETTERS} letters")) }
}

impl Tile {
    /// A tile of a kind with these variables.
    pub fn of(kind: Kind, variables: Vec<Variable>) -> Self {
        Self { kind, title: None, variables, width: None, range: None, scale: None, rows: None }
    }

    /// The heading, if it need not say more than the variables.
    pub fn heading(&self) -> String {
        let variables = || self.variables.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (&self.title, self.kind) {
            (Some(title), _) => title.clone(),
            (None, Kind::Run) => "Last run".to_owned(),
            (None, Kind::Gaps) => format!("Gaps of {}", variables()),
            (None, _) => variables(),
        }
    }

    /// How many of the four columns it takes.
    pub fn width(&self) -> u8 {
        self.width.unwrap_or(if matches!(self.kind, Kind::Value | Kind::Run) { 1 } else { 2 })
    }

    /// Rejects settings that the kind of the tile does not have.
    fn check(&self) -> Result<(), String> {
        self.title.as_deref().map_or(Ok(()), check_title)?;
        let count = self.variables.len();
        let is_chart = self.kind == Kind::Chart;
        let spare = [
            ("variables", count > 0 && self.kind == Kind::Run),
            ("range", self.range.is_some() && !is_chart),
            ("scale", self.scale.is_some() && !is_chart),
            ("rows", self.rows.is_some() && self.kind != Kind::Table),
        ];
        if let Some((name, _)) = spare.iter().find(|(_, is_spare)| *is_spare) {
            return Err(format!("a tile of the kind {} has no {name}", self.kind.name()));
        }
        if self.kind != Kind::Run && !(1..=MOST_VARIABLES).contains(&count) {
            return Err(format!("a tile of the kind {} has 1 to {MOST_VARIABLES} variables", self.kind.name()));
        }
        if let Some(variable) = self.variables.iter().find(|each| each.column.is_some() && self.kind == Kind::Gaps) {
            return Err(format!("gaps are those of a series: write \"{}\"", variable.series));
        }
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), String> {
        if let Some(width) = self.width.filter(|width| !(1..=COLUMNS).contains(width)) {
            return Err(format!("a tile is 1 to {COLUMNS} columns wide, not {width}"));
        }
        match self.rows.filter(|rows| !(1..=500).contains(rows)) {
            Some(rows) => Err(format!("a table has 1 to 500 rows, not {rows}")),
            None => Ok(()),
        }
    }
}

impl Kind {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chart => "chart",
            Self::Table => "table",
            Self::Value => "value",
            Self::Gaps => "gaps",
            Self::Run => "run",
        }
    }
}

impl Scale {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Log => "log",
            Self::Percent => "percent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"title = "Energy"

[[tiles]]
kind = "chart"
variables = ["XOM 1day close", "CVX 1day sma20"]
range = "5Y"
scale = "percent"
width = 4

[[tiles]]
kind = "run"
"#;

    #[test]
    fn a_document_is_what_it_says() {
        let document = Document::parse(GOOD).unwrap();
        assert_eq!((document.title.as_str(), document.tiles.len()), ("Energy", 2));
        let chart = &document.tiles[0];
        assert_eq!((chart.kind, chart.range, chart.scale), (Kind::Chart, Some(Span::Year5), Some(Scale::Percent)));
        assert_eq!((chart.heading().as_str(), chart.width()), ("XOM 1day close, CVX 1day sma20", 4));
        assert_eq!((document.tiles[1].heading().as_str(), document.tiles[1].width()), ("Last run", 1));
        let json = serde_json::to_value(&document).unwrap();
        assert_eq!(json["tiles"][0]["variables"][1], "CVX 1day sma20");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let other = |from: &str, to: &str| GOOD.replace(from, to);
        for (text, line, word) in [
            (other("title = \"Energy\"", ""), None, "title"),
            (other("Energy", " "), Some(1), "1 to 100 letters"),
            (other("kind = \"chart\"", "kind = \"pie\""), Some(4), "pie"),
            (other("XOM 1day close", "XOM 1d close"), Some(5), "1d"),
            (other("range = \"5Y\"", "range = \"4Y\""), Some(6), "4Y"),
            (other("width = 4", "width = 5"), Some(3), "1 to 4 columns"),
            (other("width = 4", "color = \"red\""), Some(8), "color"),
            (other("kind = \"run\"", "kind = \"run\"\nrows = 3"), Some(10), "has no rows"),
            (other("kind = \"run\"", "kind = \"gaps\""), Some(10), "1 to 12 variables"),
            (other("kind = \"run\"", "kind = \"gaps\"\nvariables = [\"A 1day close\"]"), Some(10), "\"A 1day\""),
            ("title = \"Energy\"".to_owned(), None, "1 to 24 tiles"),
            ("title = \"Energy".to_owned(), Some(1), "string"),
            (" ".repeat(MOST_BYTES + 1), None, "more than"),
        ] {
            let fault = Document::parse(&text).unwrap_err();
            assert!(fault.reason.contains(word), "{fault}: {word}");
            assert!(line.is_none() || fault.line == line, "{fault}: {text}");
        }
    }

    #[test]
    fn more_than_a_page_can_show_is_refused() {
        let many = format!("title = \"t\"\n{}", "[[tiles]]\nkind = \"run\"\n".repeat(25));
        assert!(
            Document::parse(&many).is_err()
                && Document::parse(many.trim_end().trim_end_matches("[[tiles]]\nkind = \"run\"")).is_ok()
        );
        let variables = vec!["\"A 1day\""; 13].join(",");
        assert!(
            Document::parse(&format!("title = \"t\"\n[[tiles]]\nkind = \"table\"\nvariables = [{variables}]")).is_err()
        );
    }
}
