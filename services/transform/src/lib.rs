//! The transform: from a raw object to a clean one, with a report and what was set aside.
//!
//! [`clean`] is the whole of the cleaning, in the order of its steps: [`dialect`] brings files of other forms into that of raw
//! CSV; [`read`] judges each row by itself, through [`plain`]
//! where it is written plainly and through [`row`], [`row_time`] and [`row_values`] where not; [`repeated`] tells apart the local
//! times of the hour that clocks repeat; [`otherwise`] refuses a file with a second header or with decimal commas;
//! [`instruments`] refuses candles of another series; [`stamps`] finds how weeks and months are stamped; [`expected`] checks the
//! rows against the calendar; [`grid`] knows candles that begin by the clock; [`finer`] finds rows of a shorter interval; [`duplicates`] settles those of the same time; [`gaps`]
//! finds the vacant slots; [`report`], [`mod@write`], [`quarantine`] and [`explain`] describe the result. [`as_of`] says what
//! *now* is.
//! [`handler`] connects it to S3, where [`targets`] says what is there already.

pub mod as_of;
pub mod clean;
pub mod coarser;
pub mod config;
pub mod dialect;
pub mod duplicates;
pub mod expected;
pub mod explain;
pub mod fault;
pub mod finer;
pub mod gaps;
pub mod grid;
pub mod handler;
pub mod instruments;
pub mod months;
pub mod otherwise;
pub mod plain;
pub mod quarantine;
pub mod raw;
pub mod read;
pub mod refusal;
pub mod repeated;
pub mod report;
pub mod row;
pub mod row_rules;
pub mod row_time;
pub mod row_values;
pub mod stamps;
pub mod targets;
pub mod task;
pub mod times;
pub mod unpack;
pub mod write;
