//! The simulated market: instruments, their sessions, and their candles, which are functions of the seed and the date.

pub mod bars;
pub mod candle;
pub mod currencies;
pub mod holidays;
pub mod instruments;
pub mod interval;
pub mod listings;
pub mod minutes;
pub mod noise;
pub mod price;
pub mod recorded;
pub mod series;
pub mod sessions;
pub mod splits;
