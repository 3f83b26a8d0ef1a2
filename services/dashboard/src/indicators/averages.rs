//! Averages of closes.

use std::collections::VecDeque;

use super::bar::{Bar, Running};

/// The last `length` values.
pub(super) struct Window {
    length: usize,
    values: VecDeque<f64>,
}

impl Window {
    pub(super) fn new(length: usize) -> Self {
        Self { length, values: VecDeque::with_capacity(length) }
    }

    /// Adds a value and drops the oldest.
    pub(super) fn push(&mut self, value: f64) {
        if self.values.len() == self.length {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    pub(super) fn is_full(&self) -> bool {
        self.values.len() == self.length
    }

    /// The sum, added up anew each time: a running sum would depend on where it started.
    pub(super) fn sum(&self) -> f64 {
        self.values.iter().sum()
    }

    /// The mean; `None` until the window is full.
    pub(super) fn mean(&self) -> Option<f64> {
        self.is_full().then(|| self.sum() / self.length as f64)
    }
}

pub(super) struct Sma(Window);

impl Sma {
    pub(super) fn new(length: usize) -> Self {
        Self(Window::new(length))
    }
}

impl Running for Sma {
    fn step(&mut self, bar: &Bar, values: &mut Vec<Option<f64>>) {
        self.0.push(bar.close);
        values.push(self.0.mean());
    }
}

/// An average in which the newest value has a fixed weight. It starts with the mean of the first values.
pub(super) struct Exponential {
    weight: f64,
    begin: Window,
    average: Option<f64>,
}

impl Exponential {
    pub(super) fn new(length: usize, weight: f64) -> Self {
        Self { weight, begin: Window::new(length), average: None }
    }

    /// Uses the weight of an EMA: 2 / (length + 1).
    pub(super) fn of_length(length: usize) -> Self {
        Self::new(length, 2.0 / (length as f64 + 1.0))
    }

    pub(super) fn step(&mut self, value: f64) -> Option<f64> {
        self.average = match self.average {
            Some(average) => Some(average + self.weight * (value - average)),
            None => {
                self.begin.push(value);
                self.begin.mean()
            }
        };
        self.average
    }
}

pub(super) struct Ema(Exponential);

impl Ema {
    pub(super) fn new(length: usize) -> Self {
        Self(Exponential::of_length(length))
    }
}

impl Running for Ema {
    fn step(&mut self, bar: &Bar, values: &mut Vec<Option<f64>>) {
        values.push(self.0.step(bar.close));
    }
}

pub(super) struct Bollinger {
    window: Window,
    deviations: f64,
}

impl Bollinger {
    pub(super) fn new(length: usize, deviations: f64) -> Self {
        Self { window: Window::new(length), deviations }
    }
}

impl Running for Bollinger {
    fn step(&mut self, bar: &Bar, values: &mut Vec<Option<f64>>) {
        self.window.push(bar.close);
        let Some(mean) = self.window.mean() else { return values.extend([None; 3]) };
        let squares: f64 = self.window.values.iter().map(|value| (value - mean).powi(2)).sum();
        let width = self.deviations * (squares / self.window.length as f64).sqrt();
        values.extend([Some(mean - width), Some(mean), Some(mean + width)]);
    }
}
