//! The transform: turns a raw object into a transformed object, a report and the quarantined rows.
//!
//! [`clean`] is the complete cleaning, in the order of its steps: [`dialect`] converts files of other forms to raw
//! CSV; [`read`] checks each row by itself, with [`plain`] for plainly written rows and with [`row_rules`],
//! [`row_time`] and [`row_values`] for all others; [`repeated`] tells apart the local times in an hour that clocks
//! repeat; [`otherwise`] refuses a file with a second header or with decimal commas; [`instruments`] refuses candles
//! of another series; [`ends`] handles candles that are stamped with their end; [`stamps`] detects how weeks and months
//! are stamped; [`expected`] checks the rows against the
//! calendar; [`grid`] detects candles that begin by the clock; [`finer`] finds rows of a shorter interval;
//! [`duplicates`] resolves rows with the same time, and [`kinds`] refuses those of several kinds; [`coarser`] refuses files of a longer interval; [`gaps`] finds
//! the vacant slots; [`report`], [`mod@write`], [`quarantine`] and [`explain`] describe the result. [`as_of`] defines
//! what *now* is. [`handler`] connects the cleaning to S3, [`work`] is
//! one raw object with what is made of it, and [`existing`] reads the existing outputs.

pub mod as_of;
pub mod clean;
pub mod coarser;
mod columns;
pub mod config;
pub mod dialect;
pub mod duplicates;
pub mod ends;
pub mod existing;
pub mod expected;
pub mod explain;
pub mod fault;
pub mod finer;
pub mod gaps;
pub mod grid;
pub mod handler;
pub mod instruments;
pub mod kinds;
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
pub mod task;
pub mod times;
pub mod unpack;
pub mod work;
pub mod write;
