//! The API's endpoints: a request's parameters in, an answer's body out. Nothing here does I/O or knows the time.

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
