//! Shared parts of the tables that commands print.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// A table of rows, with some columns aligned to the right.
pub fn of(header: &[&str], rows: impl Iterator<Item = Vec<String>>, numbers: &[usize]) -> String {
    let mut table = empty(header);
    for row in rows {
        table.add_row(row);
    }
    right_align(&mut table, numbers);
    table.to_string()
}

/// Creates a table with a header and no rows.
pub fn empty(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().copied());
    table
}

pub fn right_align(table: &mut Table, columns: &[usize]) {
    for &column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Formats a time span in its largest useful unit, such as `21 h` or `3 d`.
pub fn age(seconds: i64) -> String {
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
    fn a_span_is_written_in_its_largest_unit() {
        assert_eq!([-5, 59, 61, 7200, 200_000].map(age), ["0 s", "59 s", "1 min", "2 h", "2 d"]);
    }
}
