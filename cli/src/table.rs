//! Tables for people.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use crate::dead_letters::letter::Summary;
use crate::runs::{Open, Run};
use crate::status::{QueueStatus, SeriesStatus};
use crate::terminal::cell;
use crate::watchlist::{Listed, Need};

/// How wide a reason may be; `dlq show` has all of it.
const REASON_WIDTH: usize = 100;

/// The series, a row each.
pub fn series(rows: &[SeriesStatus]) -> String {
    let mut table = empty(&["symbol", "interval", "rows", "first", "last", "filled", "quarantined", "age"]);
    for row in rows {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let numbers = [row.rows, row.filled, row.quarantined].map(|number| number.to_string());
        let [count, filled, quarantined] = numbers;
        let age = row.age_seconds.map(age);
        table.add_row([
            cell(&row.symbol),
            row.interval.clone(),
            count,
            text(&row.first),
            text(&row.last),
            filled,
            quarantined,
            text(&age),
        ]);
    }
    right_align(&mut table, &[2, 5, 6, 7]);
    table.to_string()
}

/// The queues, a row each.
pub fn queues(rows: &[QueueStatus]) -> String {
    let mut table = empty(&["queue", "waiting", "in flight", "dead letters"]);
    for row in rows {
        let number = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
        let numbers = [row.waiting, row.in_flight, row.dead_letters].map(number);
        table.add_row(std::iter::once(row.queue.clone()).chain(numbers));
    }
    right_align(&mut table, &[1, 2, 3]);
    let errors = rows.iter().filter_map(|row| Some(format!("\n{}: {}", row.queue, row.error.as_ref()?)));
    table.to_string() + &errors.collect::<String>()
}

/// The runs, a row each.
pub fn runs(rows: &[Run]) -> String {
    let header = ["run", "kind", "requested at", "state", "took"];
    let counts = ["expected", "fetched", "loaded", "unchanged", "superseded", "failed"];
    let mut table = empty(&[&header[..], &counts[..]].concat());
    for row in rows {
        let took = row.seconds.map_or_else(|| "-".to_owned(), age);
        let words = [row.run.clone(), row.kind.clone(), row.requested_at.clone(), row.state.clone(), took];
        let counts = [row.expected, row.fetched, row.loaded, row.unchanged, row.superseded, row.failed];
        table.add_row(words.into_iter().chain(counts.map(|count| count.to_string())));
    }
    right_align(&mut table, &[4, 5, 6, 7, 8, 9, 10]);
    table.to_string()
}

/// The series of a run that are not loaded, a row each.
pub fn open(rows: &[Open]) -> String {
    if rows.is_empty() {
        return "every series is loaded, or had nothing new".to_owned();
    }
    let mut table = empty(&["symbol", "interval", "state", "reason"]);
    for row in rows {
        let reason = row.reason.clone().unwrap_or_else(|| "-".to_owned());
        table.add_row([cell(&row.symbol), row.interval.clone(), row.state.clone(), cell(&reason)]);
    }
    table.to_string()
}

/// What a watchlist needs, a row for each interval.
pub fn needs(rows: &[(String, Need)]) -> String {
    let mut table = empty(&["interval", "series", "credits a refresh", "credits for the first fill"]);
    for (interval, need) in rows {
        let numbers = [need.series, need.refresh_credits, need.first_fill_credits].map(|number| number.to_string());
        table.add_row(std::iter::once(interval.clone()).chain(numbers));
    }
    right_align(&mut table, &[1, 2, 3]);
    table.to_string()
}

/// The instruments of a watchlist, a row each.
pub fn instruments(rows: &[Listed]) -> String {
    let mut table = empty(&["symbol", "group", "intervals", "history"]);
    for row in rows {
        let intervals: Vec<_> = row.intervals.iter().map(ToString::to_string).collect();
        table.add_row([row.symbol.clone(), row.group.clone(), intervals.join(" "), row.history.clone()]);
    }
    table.to_string()
}

/// Dead letters, a row each.
pub fn letters(rows: &[Summary]) -> String {
    let mut table = empty(&["id", "time", "stage", "class", "about", "reason"]);
    for row in rows {
        let time = row.time.as_deref().and_then(|time| time.get(..19)).unwrap_or("-");
        let about = row.keys.first().map_or("-", String::as_str);
        let cells = [&row.id, time, &row.stage, &row.class, about, &shortened(&row.reason)];
        table.add_row(cells.map(cell));
    }
    table.to_string()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(REASON_WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A table of rows, with some columns aligned to the right.
pub fn of(header: &[&str], rows: impl Iterator<Item = Vec<String>>, numbers: &[usize]) -> String {
    let mut table = empty(header);
    for row in rows {
        table.add_row(row);
    }
    right_align(&mut table, numbers);
    table.to_string()
}

fn empty(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().copied());
    table
}

fn right_align(table: &mut Table, columns: &[usize]) {
    for &column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// A time span in its largest unit that is whole: `21 h`, `3 d`.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_their_largest_unit() {
        assert_eq!([-5, 59, 61, 7200, 200_000].map(age), ["0 s", "59 s", "1 min", "2 h", "2 d"]);
    }
}
