//! The input and the state of an indicator.

/// The input of an indicator.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bar {
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// The traded volume; 0 if unknown.
    pub volume: f64,
    /// An identifier of the session.
    pub session: i64,
}

/// The state of an indicator.
pub trait Running: Send + Sync {
    /// Processes the next candle and appends the values of the indicator's columns.
    fn step(&mut self, bar: &Bar, values: &mut Vec<Option<f64>>);
}
