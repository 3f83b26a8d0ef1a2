//! Pure functions and types that make the decisions, without any I/O.

pub mod alert;
pub mod blame;
pub mod byte_size;
pub mod calendar;
pub mod candle;
pub mod clean_csv;
pub mod clock;
pub mod decimal;
pub mod due;
pub mod event;
pub mod ingest_message;
pub mod interval;
pub mod key;
pub mod leftover;
pub mod lineage;
pub mod message_subject;
pub mod metadata;
pub mod object_created;
pub mod raw_csv;
pub mod report;
pub mod run;
pub mod symbol;
pub mod time_text;
pub mod topology;
pub mod trace;
pub mod watchlist;
