//! The immutable data of the simulator: instruments, recorded candles and seed.

use anyhow::Result;

use crate::market::instruments::{Catalog, Instrument};
use crate::market::recorded::{self, Recorded};
use crate::market::series::Series;

/// Everything that candles depend on, except for the time.
#[derive(Clone, Debug)]
pub struct World {
    pub catalog: Catalog,
    /// The seed of everything that is generated.
    pub seed: u64,
    recorded: Recorded,
}

impl World {
    pub fn new(seed: u64) -> Result<Self> {
        Ok(Self { catalog: Catalog::new(seed)?, seed, recorded: Recorded::embedded()? })
    }

    /// Returns the candles of an instrument.
    pub fn series<'a>(&'a self, instrument: &'a Instrument) -> Series<'a> {
        let recorded = (instrument.symbol == recorded::SYMBOL).then_some(&self.recorded);
        Series::new(instrument, recorded, self.seed)
    }
}
