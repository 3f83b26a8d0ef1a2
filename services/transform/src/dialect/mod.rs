//! Reads files that are not raw CSV: downloads and exports in other forms.
//!
//! A file is only read here if it does not fit as it is. `encoding` decodes it to UTF-8; `layout` finds its
//! header, or `headless` shows that it needs none; `columns` and `names` find the role of each column;
//! `time_columns` picks the columns of the time; `survey` scans every row for `orders` and `numbers`; and
//! `rewrite` converts the cells that raw CSV writes differently. Nothing is guessed: a file with two possible
//! readings is refused, and the error names both and the option that decides. Each line remains one line, so that
//! reports can count the lines of the original file.

use std::borrow::Cow;

use candlewick_shared::core::form::Form;
use candlewick_shared::core::raw_csv::{FileKind, Header, Unreadable};
use candlewick_shared::core::symbol::Symbol;
use jiff::tz::TimeZone;

use crate::refusal::Refusal;

mod affixes;
mod columns;
mod encoding;
mod headless;
mod instrument;
mod layout;
mod moment;
mod months;
mod names;
mod numbers;
mod orders;
mod plain_file;
mod rewrite;
mod source;
mod survey;
mod time_columns;
mod words;

pub use instrument::named_instrument;
pub use plain_file::may_read_more;
pub use time_columns::are_elsewhere as are_times_elsewhere;

use columns::Columns;
use encoding::Decoded;
use layout::Layout;
use numbers::{Mark, Marks};
use orders::Settled;
use rewrite::{Rewritten, Terms};
use survey::{Survey, Zones};
use time_columns::TimeColumns;

/// A file converted to raw CSV.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The converted text, with one line for each line of the file.
    pub text: Cow<'a, [u8]>,
    /// The original text in UTF-8.
    pub original: Cow<'a, [u8]>,
    pub header: Header,
    /// The offset of the first row.
    pub body: usize,
    /// The time zone that the file gives for all its times.
    pub zone: Option<TimeZone>,
    /// The instrument in the header, as the name of the header field and its value.
    pub instrument: Option<(String, String)>,
    /// A description of the file's form: `Binance klines without a header`.
    pub dialect: String,
}

/// What is known of a file before it is read.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub symbol: &'a Symbol,
    /// Whether its candles are shorter than a day.
    pub is_intraday: bool,
    /// Whether the owner or the source says which zone local times are in.
    pub is_zone_said: bool,
    /// The form as the owner describes it.
    pub form: &'a Form,
}

/// Converts a file to raw CSV; returns `None` if its form is not recognized.
pub fn read<'a>(bytes: &'a [u8], known: Known<'_>) -> Result<Option<Reading<'a>>, Refusal> {
    if FileKind::of(bytes).is_some_and(|kind| kind != FileKind::Utf16) {
        return Ok(None);
    }
    let is_known = |text: &[u8]| find(text, known).is_ok_and(|layout| layout.is_some());
    let Decoded { text, encoding } = encoding::decode(bytes, is_known);
    let Some(layout) = find(&text, known)? else { return Ok(None) };
    if layout.tickers.len() > 1 {
        let values = layout.tickers.join(", ");
        return Err(Refusal::SeveralInstruments { column: "Ticker".to_owned(), values });
    }
    let Some(times) = time_columns::pick(&text, &layout, known.is_intraday)? else { return Ok(None) };
    if times.is_zone_unclear && known.is_intraday && !known.is_zone_said {
        return Err(Refusal::UnclearZone { column: layout.columns.names[times.field].clone() });
    }
    let survey = survey::survey(&text, &layout, &times);
    require_one_unit(&survey)?;
    let terms = terms(&survey, &layout, times, known)?;
    let rewritten = rewrite::rewrite(&text, &layout, &terms);
    Ok(Some(reading(text, encoding, &layout, terms, rewritten)))
}

/// Refuses prices of several currencies, and prices in fractions: some fractions look like whole numbers.
fn require_one_unit(survey: &Survey) -> Result<(), Refusal> {
    if let Some((line, cell)) = &survey.fraction {
        return Err(Refusal::Fractions { line: *line, cell: cell.clone() });
    }
    match (&survey.currency, &survey.other_currency) {
        (Some(one), Some(other)) => Err(Refusal::SeveralCurrencies(
            [one, other].map(|priced| format!("line {}: {:?}", priced.line, priced.cell)),
        )),
        _ => Ok(()),
    }
}

fn find(text: &[u8], known: Known<'_>) -> Result<Option<Layout>, Unreadable> {
    if let Some(layout) = layout::find(text, known.symbol, known.form)? {
        return Ok(Some(layout));
    }
    Ok(headless::find(text, layout::given_delimiter(text, known.form)))
}

/// Decides how cells are read, from the owner's settings and the survey of the rows.
fn terms<'f>(survey: &Survey, layout: &Layout, times: TimeColumns, known: Known<'f>) -> Result<Terms<'f>, Refusal> {
    let form = known.form;
    let source = source::of(layout);
    let order = match (source::order(source), form.date_format.is_some()) {
        (Some(order), _) => order,
        (None, true) => moment::Order::Day,
        (None, false) => order(survey.orders.clone().settle())?,
    };
    let said = form.decimal.map(|mark| if mark == ',' { Mark::Comma } else { Mark::Point });
    let are_prices_scaled = source == "Databento" && survey.are_prices_scaled;
    let mark = said.map_or_else(|| mark(survey.marks.clone()), Ok)?;
    let named = match &survey.zones {
        Zones::One(name) => TimeZone::get(name).ok(),
        Zones::Unseen | Zones::Several => None,
    };
    let said_zone = form.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
    let are_zones_named = named.is_some();
    let zone = named.or_else(|| times.zone.clone()).or(said_zone);
    let rows = survey.rows.unwrap_or((layout.body, usize::MAX));
    let date_format = form.date_format.as_deref();
    let has_open_dates = survey.orders.has_open;
    let is_mark_said = said.is_some();
    Ok(Terms {
        times,
        order,
        has_open_dates,
        date_format,
        mark,
        is_mark_said,
        are_prices_scaled,
        zone,
        are_zones_named,
        rows,
    })
}

fn order(settled: Settled) -> Result<moment::Order, Refusal> {
    match settled {
        Settled::By(order) => Ok(order),
        Settled::Either { example, readings } => Err(Refusal::EitherDate {
            line: example.line,
            cell: example.cell,
            readings: readings.into_iter().map(|(date, format)| (date.to_string(), format)).collect(),
        }),
        Settled::Neither(examples) => {
            Err(Refusal::OrdersOfDates(examples.map(|example| format!("line {}: {:?}", example.line, example.cell))))
        }
    }
}

fn mark(marks: Marks) -> Result<Mark, Refusal> {
    match marks.settle() {
        numbers::Settled::By(mark) => Ok(mark),
        numbers::Settled::Either(line, cell) => {
            let by = |mark| numbers::read(&cell, mark, true).map(Cow::into_owned).unwrap_or_default();
            Err(Refusal::EitherNumber { line, readings: [by(Mark::Point), by(Mark::Comma)], cell })
        }
    }
}

fn reading<'a>(
    text: Cow<'a, [u8]>,
    encoding: Option<&'static str>,
    layout: &Layout,
    terms: Terms<'_>,
    rewritten: Rewritten,
) -> Reading<'a> {
    let Layout { columns, delimiter, body, .. } = layout;
    let header = columns.header(terms.times.field, terms.times.clock, *delimiter);
    let dialect = words::dialect(layout, &terms, encoding, rewritten.remarks);
    let is_same = rewritten.text == *text;
    let original = text;
    let text = if is_same { original.clone() } else { Cow::Owned(rewritten.text) };
    Reading { text, original, header, body: *body, zone: terms.zone, instrument: instrument(layout, columns), dialect }
}

/// The instrument in the header, if it names one.
fn instrument(layout: &Layout, columns: &Columns) -> Option<(String, String)> {
    let ticker = layout.tickers.first().map(|ticker| ("Ticker".to_owned(), ticker.clone()));
    let affix = || columns.affix.as_ref().map(|affix| (columns.names[columns.prices[0]].clone(), affix.clone()));
    ticker.or_else(affix)
}
