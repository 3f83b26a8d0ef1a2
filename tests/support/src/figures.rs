//! Command-line options and statistics of benchmarks.

use std::ffi::OsString;

/// The number after an option of the running program, or a default.
#[must_use]
pub fn option(name: &str, otherwise: usize) -> usize {
    let number = |text: OsString| text.to_str().and_then(|text| text.parse().ok());
    let mut args = std::env::args_os().skip_while(|arg| arg != name);
    args.nth(1).map_or(otherwise, |text| number(text).unwrap_or_else(|| panic!("{name} wants a number")))
}

/// The median.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
