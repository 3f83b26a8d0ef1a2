//! What offers the ports: AWS, the machine, and memory.

pub mod aws;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod ecs;
pub mod log_notifier;
pub mod memory_queue;
pub mod memory_store;
pub mod postgres;
pub mod s3;
pub mod secrets;
pub mod sqs;
pub mod sqs_browse;
pub mod system_clock;
