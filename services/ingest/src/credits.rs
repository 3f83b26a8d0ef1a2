//! The credits of the API plan: how many are left, and which request may spend one.

pub mod allowance;
pub mod budget;
pub mod metered_queue;
pub mod pool;
pub mod recorder;
