//! Files that are raw CSV except for some cells.

use candlewick_shared::core::raw_csv::Header;
use candlewick_shared::core::raw_csv::cells::{Cells, line};
use candlewick_shared::core::time_text::TimeText;

use crate::fault::{QuarantinedRow, Reason};

use super::moment::Moment;
use super::survey::{is_other_number, text};

/// How many quarantined rows are inspected.
const LOOKED_AT: usize = 100;

/// Whether a quarantined row has a cell that is valid in another form of the file.
pub fn may_read_more(bytes: &[u8], quarantined: &[QuarantinedRow], header: &Header) -> bool {
    let could_be_form = |row: &&QuarantinedRow| {
        matches!(row.fault.reason, Reason::Unreadable | Reason::Missing | Reason::Ragged | Reason::OtherInterval)
    };
    let mut cells = Cells::new(header.delimiter);
    quarantined.iter().filter(could_be_form).take(LOOKED_AT).any(|row| {
        let (length, _) = line(bytes, row.start);
        cells.split(&bytes[row.start..row.start + length]).is_ok() && has_other_form(&cells, header, row.fault.reason)
    })
}

fn has_other_form(cells: &Cells, header: &Header, reason: Reason) -> bool {
    if reason == Reason::Ragged {
        return cells.count() == header.names.len() + 1 && is_time(text(cells, header.time + 1));
    }
    let time = text(cells, header.time);
    let has_other_time = TimeText::read(time).is_none() && Moment::read(time).is_some();
    let volume = header.volume.is_some_and(|field| is_other_number(text(cells, field), true));
    has_other_time || volume || header.prices.iter().any(|field| is_other_number(text(cells, *field), false))
}

fn is_time(cell: &str) -> bool {
    TimeText::read(cell).is_some() || Moment::read(cell).is_some()
}
