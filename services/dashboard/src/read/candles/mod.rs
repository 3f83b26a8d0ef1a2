//! Reads the candles of a series. Prices and volumes stay the exact decimal texts of the database.

pub mod reading;
pub mod rows;
pub mod source;
