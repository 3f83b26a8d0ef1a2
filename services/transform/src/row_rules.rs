//! How a row is read.

use candlewick_shared::core::raw_csv::cells::Cells;

use crate::fault::Fault;
use crate::row_time::{RowTime, TimeRules};
use crate::row_values::{Judged, ValueRules};

/// The rules for reading the rows of one object.
#[derive(Clone, Debug)]
pub struct RowRules<'a> {
    /// How times are read.
    pub times: TimeRules<'a>,
    /// How prices, volume and flags are read.
    pub values: ValueRules<'a>,
}

impl RowRules<'_> {
    /// Reads a row that is not wholly empty.
    pub fn read(&self, cells: &Cells) -> Result<(RowTime, Judged), Fault> {
        let time = self.times.read(cells)?;
        Ok((time, self.values.read(time.time, cells)?))
    }
}
