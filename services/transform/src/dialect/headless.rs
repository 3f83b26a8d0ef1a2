//! Recognizes rows of candles in files without a header.

use candlewick_shared::core::decimal::Decimal;
use candlewick_shared::core::raw_csv::cells::line;
use candlewick_shared::core::raw_csv::without_mark;

use super::columns::Columns;
use super::layout::{DELIMITERS, Layout, split};
use super::numbers::{self, Mark};
use super::time_columns::{Kind, kind};

/// How many rows are inspected.
const LOOKED_AT: usize = 100;

/// The layout of a file that begins with a row: a time (or a date and a time of day), perhaps after the name of the
/// instrument, then open, high, low and close in this order, which every row must confirm, and perhaps the volume.
pub fn find(text: &[u8], delimiter: Option<u8>) -> Option<Layout> {
    let body = text.len() - without_mark(text).len();
    DELIMITERS.iter().filter(|each| delimiter.is_none_or(|said| said == **each)).find_map(|delimiter| {
        let rows = rows(text, body, *delimiter)?;
        let columns = columns(&rows)?;
        Some(Layout {
            columns,
            delimiter: *delimiter,
            body,
            lines_before: 0,
            has_header: false,
            has_row_names: false,
            tickers: Vec::new(),
        })
    })
}

/// The cells of the first rows; `None` if their quotes are not balanced.
fn rows(text: &[u8], body: usize, delimiter: u8) -> Option<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut at = body;
    while at < text.len() && rows.len() < LOOKED_AT {
        let (length, line_break) = line(text, at);
        let row = &text[at..at + length];
        if !row.trim_ascii().is_empty() {
            rows.push(split(row, delimiter)?);
        }
        at += length + line_break;
    }
    Some(rows)
}

fn columns(rows: &[Vec<String>]) -> Option<Columns> {
    let first = rows.first()?;
    let count = first.len();
    let time =
        (0..count.min(3)).find(|at| matches!(kind(&first[*at]), Some(Kind::Date | Kind::Local | Kind::Instant)))?;
    let has_clock =
        kind(&first[time]) == Some(Kind::Date) && first.get(time + 1).and_then(|cell| kind(cell)) == Some(Kind::Clock);
    let open = time + 1 + usize::from(has_clock);
    // One row is weak evidence: a date and some numbers could be anything.
    if rows.len() == 1 && count <= 6 && kind(&first[time]) != Some(Kind::Instant) {
        return None;
    }
    let are_candles = rows.iter().all(|row| row.len() == count && kind(&row[time]).is_some() && is_range(row, open));
    let has_number = rows.iter().all(|row| row.get(open + 4).is_some_and(|cell| number(cell).is_some()));
    let has_volume = has_number && !is_average(rows, open, count);
    let clock = has_clock.then_some(time + 1);
    // Numbers before the time only count the rows.
    let has_symbol = time > 0 && rows.iter().any(|row| row[0].contains(char::is_alphabetic));
    are_candles.then(|| Columns::in_order(count, time, clock, open, has_volume, has_symbol))
}

/// Whether the number after the close is the average price of the candle, which some exchanges write before the volume: it is
/// within the range of every row, and more columns follow.
fn is_average(rows: &[Vec<String>], open: usize, count: usize) -> bool {
    let is_within = |row: &Vec<String>| {
        let at = |field: usize| row.get(field).and_then(|cell| number(cell));
        at(open + 1)
            .zip(at(open + 2))
            .zip(at(open + 4))
            .is_some_and(|((high, low), number)| low <= number && number <= high)
    };
    count > open + 5 && rows.iter().all(is_within)
}

/// Whether the second of four numbers is the highest and the third the lowest.
fn is_range(row: &[String], open: usize) -> bool {
    let Some(cells) = row.get(open..open + 4) else { return false };
    let numbers: Vec<Decimal> = cells.iter().filter_map(|cell| number(cell)).collect();
    let [open, high, low, close] = numbers.as_slice() else { return false };
    low <= open && low <= close && open <= high && close <= high
}

fn number(cell: &str) -> Option<Decimal> {
    let text = numbers::read(cell, Mark::Point, false).or_else(|| numbers::read(cell, Mark::Comma, false))?;
    Decimal::parse(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Option<(usize, Option<usize>, usize, Option<usize>)> {
        let layout = find(text.as_bytes(), None)?;
        Some((layout.columns.times[0], layout.columns.clock, layout.columns.prices[0], layout.columns.volume))
    }

    #[test]
    fn rows_that_bear_out_the_usual_order_need_no_header() {
        for (text, expected) in [
            ("1704067200000,1,3,1,2,10,1704153599999", Some((0, None, 1, Some(5)))),
            ("2024.01.02,09:30,1,3,1,2,10\n2024.01.02,09:31,1,3,1,2,10", Some((0, Some(1), 2, Some(6)))),
            ("20240102 093000;1,5;3,5;1,5;2,5;0\n20240102 093100;1,5;3,5;1,5;2,5;0", Some((0, None, 1, Some(5)))),
            ("ABC,20240102,1,3,1,2\nABC,20240103,1,3,1,2", Some((1, None, 2, None))),
            ("1704067200,1,3,1,2,1.5,700,9\n1704070800,1,3,1,2,1.75,800,9", Some((0, None, 1, None))),
            ("1704067200000,1,2,3,1,10", None),
            ("2024-01-02,1,3,1,2\n2024-01-03,3,1,1,2", None),
            ("2024-01-02,1,3,1,2,5", None),
            ("2024-01-02,1,3,1", None),
            ("busy", None),
            ("", None),
        ] {
            assert_eq!(places(text), expected, "{text}");
        }
    }
}
