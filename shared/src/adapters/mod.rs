//! Implementations of the ports: AWS, PostgreSQL, the local machine, and memory for tests.

pub mod aws;
pub mod aws_error;
pub mod budget;
pub mod calendar_files;
pub mod contract;
pub mod database;
pub mod ecs;
pub mod log_notifier;
pub mod memory_queue;
pub mod memory_store;
pub mod notices;
pub mod postgres;
pub mod postgres_credits;
pub mod postgres_iam;
pub mod postgres_runs;
pub mod postgres_users;
pub mod queue_notifier;
pub mod s3;
mod s3_answer;
pub mod s3_listing;
pub mod secrets;
pub mod sentence;
pub mod sqs;
pub mod sqs_browse;
pub mod system_clock;
pub mod watchlist_source;
