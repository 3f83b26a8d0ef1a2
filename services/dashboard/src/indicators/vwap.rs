//! Volume-weighted average prices.

use super::averages::Window;
use super::bar::{Bar, Running};

fn typical(bar: &Bar) -> f64 {
    (bar.high + bar.low + bar.close) / 3.0
}

fn share(value: f64, volume: f64) -> Option<f64> {
    (volume > 0.0).then(|| value / volume)
}

#[derive(Default)]
pub(super) struct SessionVwap {
    session: Option<i64>,
    value: f64,
    volume: f64,
}

impl Running for SessionVwap {
    fn step(&mut self, bar: &Bar, values: &mut Vec<Option<f64>>) {
        if self.session.replace(bar.session) != Some(bar.session) {
            self.value = 0.0;
            self.volume = 0.0;
        }
        self.value += typical(bar) * bar.volume;
        self.volume += bar.volume;
        values.push(share(self.value, self.volume));
    }
}

pub(super) struct RollingVwap {
    value: Window,
    volume: Window,
}

impl RollingVwap {
    pub(super) fn new(length: usize) -> Self {
        Self { value: Window::new(length), volume: Window::new(length) }
    }
}

impl Running for RollingVwap {
    fn step(&mut self, bar: &Bar, values: &mut Vec<Option<f64>>) {
        self.value.push(typical(bar) * bar.volume);
        self.volume.push(bar.volume);
        values.push(if self.value.is_full() { share(self.value.sum(), self.volume.sum()) } else { None });
    }
}
