//! The owner's dashboards: documents that say which variables are shown, and how.
//!
//! `document` parses one, `groups` makes the default ones of the watchlist, and `files` keeps them. Only `files` does I/O.

pub mod document;
pub mod files;
pub mod groups;
pub mod name;
pub mod span;
pub mod variable;
