//! What the simulator shows at all times: its instruments, its record, its seed.

use anyhow::Result;

use crate::market::instruments::{Catalog, Instrument};
use crate::market::recorded::{self, Recorded};
use crate::market::series::Series;

/// Everything that candles depend on besides the time.
#[derive(Clone, Debug)]
pub struct World {
    /// The instruments.
    pub catalog: Catalog,
    /// The seed of all that is made up.
    pub seed: u64,
    recorded: Recorded,
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64) -> Result<Self> {
        Ok(Self { catalog: Catalog::new(seed)?, seed, recorded: Recorded::embedded()? })
    }

    /// The candles of an instrument.
    pub fn series<'a>(&'a self, instrument: &'a Instrument) -> Series<'a> {
        let recorded = (instrument.symbol == recorded::SYMBOL).then_some(&self.recorded);
        Series::new(instrument, recorded, self.seed)
    }
}
