//! The credits of the API's plan: how many are left, and who may spend one.

pub mod allowance;
pub mod budget;
pub mod metered_queue;
pub mod pool;
