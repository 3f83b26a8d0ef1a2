//! The candles of a series. Prices and volumes are the database's own text: no float comes near them.

pub mod reading;
pub mod rows;
pub mod source;
