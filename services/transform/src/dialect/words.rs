//! Describes in words how a file was read.

use super::layout::Layout;
use super::moment::Order;
use super::numbers::Mark;
use super::rewrite::Terms;
use super::source;

/// Writes the description for the report: the source first, then what is unusual.
pub fn dialect(layout: &Layout, terms: &Terms<'_>, encoding: Option<&'static str>, remarks: u64) -> String {
    let name = |field: usize| layout.columns.names[field].clone();
    let times = &terms.times;
    let parts = [
        Some(source::of(layout).to_owned()),
        encoding.map(|encoding| format!("in {encoding}")),
        (!layout.has_header).then(|| "without a header".to_owned()),
        delimiter(layout.delimiter).map(str::to_owned),
        (layout.lines_before > 0).then(|| format!("{} before the header", lines(layout.lines_before))),
        layout.has_row_names.then(|| "row names in the first column".to_owned()),
        times.clock.map(|clock| format!("time from columns {:?} and {:?}", name(times.field), name(clock))),
        terms.date_format.map(|format| format!("times as {format}")),
        terms.zone.as_ref().and_then(|zone| zone.iana_name()).map(|zone| format!("times of {zone}")),
        (terms.date_format.is_none() && terms.has_open_dates).then(|| order(terms.order).to_owned()),
        (terms.mark == Mark::Comma).then(|| "decimal commas".to_owned()),
        terms.are_prices_scaled.then(|| "prices in billionths".to_owned()),
        (remarks > 0).then(|| format!("{} of remarks", lines(remarks))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn lines(count: u64) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

fn delimiter(delimiter: u8) -> Option<&'static str> {
    match delimiter {
        b'\t' => Some("separated by tabs"),
        b';' => Some("separated by semicolons"),
        b'|' => Some("separated by bars"),
        b' ' => Some("separated by spaces"),
        _ => None,
    }
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Year => "dates by year, month, day",
        Order::Day => "dates by day, month, year",
        Order::Month => "dates by month, day, year",
    }
}
