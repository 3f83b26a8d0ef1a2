//! The endpoints of the API: they turn the parameters of a request into the body of an answer, without I/O or a clock.

pub mod call;
pub mod csv;
pub mod defects;
pub mod document;
pub mod earliest_timestamp;
pub mod error;
pub mod market_state;
pub mod parameters;
pub mod reference;
pub mod sheet;
pub mod time_series;
pub mod window;
