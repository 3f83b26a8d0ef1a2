//! What the command, the dashboard and the notifier read of the pipeline. Each number is counted here and nowhere else,
//! so that all of them show the same.

pub mod alerts;
pub mod dead_letters;
pub mod loaded_events;
pub mod queues;
pub mod runs;
pub mod series;
