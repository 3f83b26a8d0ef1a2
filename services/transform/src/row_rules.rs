//! The rules by which rows are read.

use candlewick_shared::core::raw_csv::cells::Cells;

use crate::fault::Fault;
use crate::row_time::{RowTime, TimeRules};
use crate::row_values::{Judged, ValueRules};

/// The rules for the rows of one object.
#[derive(Clone, Debug)]
pub struct RowRules<'a> {
    pub times: TimeRules<'a>,
    pub values: ValueRules<'a>,
}

impl RowRules<'_> {
    /// Reads a row that has at least one cell with content.
    pub fn read(&self, cells: &Cells) -> Result<(RowTime, Judged), Fault> {
        let time = self.times.read(cells)?;
        Ok((time, self.values.read(time.time, cells)?))
    }
}
