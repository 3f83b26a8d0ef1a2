//! The transform: from a raw object to a clean one, with a report and what was set aside.
//!
//! [`clean`] is the whole of the cleaning, in the order of its steps: [`read`] judges each row by itself, by way of [`plain`]
//! where it is written plainly and of [`cells`] and [`row`] where not; [`expected`] holds the rows to the calendar;
//! [`duplicates`] settles those of the same time; [`gaps`] finds the vacant slots; [`report`], [`mod@write`] and [`quarantine`]
//! say what came of it. [`as_of`] says what *now* is. [`handler`] brings it to S3, where [`targets`] says what stands there already.

pub mod as_of;
pub mod cells;
pub mod clean;
pub mod config;
pub mod duplicates;
pub mod expected;
pub mod gaps;
pub mod handler;
pub mod plain;
pub mod quarantine;
pub mod read;
pub mod report;
pub mod row;
pub mod targets;
pub mod times;
pub mod unpack;
pub mod write;
