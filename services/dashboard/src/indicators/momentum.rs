//! Indicators of the speed and range of price moves.

use super::averages::Exponential;
use super::bar::{Bar, Running};

pub(super) struct Rsi {
    before: Option<f64>,
    gain: Exponential,
    loss: Exponential,
}

impl Rsi {
    pub(super) fn new(length: usize) -> Self {
        let wilder = || Exponential::new(length, 1.0 / length as f64);
        Self { before: None, gain: wilder(), loss: wilder() }
    }
}

impl Running for Rsi {
    fn step(&mut self, bar: &Bar, values: &mut Vec<Option<f64>>) {
        let change = self.before.replace(bar.close).map(|before| bar.close - before);
        let Some(change) = change else { return values.push(None) };
        let gain = self.gain.step(change.max(0.0));
        let loss = self.loss.step((-change).max(0.0));
        values.push(gain.zip(loss).map(|(gain, loss)| strength(gain, loss)));
    }
}

/// 50, the neutral value, if nothing moved.
fn strength(gain: f64, loss: f64) -> f64 {
    if gain + loss == 0.0 { 50.0 } else { 100.0 * gain / (gain + loss) }
}

pub(super) struct Macd {
    fast: Exponential,
    slow: Exponential,
    signal: Exponential,
}

impl Macd {
    pub(super) fn new(fast: usize, slow: usize, signal: usize) -> Self {
        let of_length = Exponential::of_length;
        Self { fast: of_length(fast), slow: of_length(slow), signal: of_length(signal) }
    }
}

impl Running for Macd {
    fn step(&mut self, bar: &Bar, values: &mut Vec<Option<f64>>) {
        let fast = self.fast.step(bar.close);
        let slow = self.slow.step(bar.close);
        let difference = fast.zip(slow).map(|(fast, slow)| fast - slow);
        let signal = difference.and_then(|difference| self.signal.step(difference));
        let histogram = difference.zip(signal).map(|(difference, signal)| difference - signal);
        values.extend([difference, signal, histogram]);
    }
}
