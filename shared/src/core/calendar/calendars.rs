//! The calendars that can be chosen: the compiled-in ones and those of the owner's files, which take precedence.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::definition::Definition;
use super::error::InvalidCalendar;
use super::{Calendar, embedded};

/// The maximum size of a calendar file, in bytes. The largest compiled-in one has a tenth of it.
pub const MOST_BYTES: usize = 512 << 10;

/// The maximum number of days that an owner's calendar covers. They all are held in memory.
const MOST_DAYS: i32 = 200 * 366;

/// A set of calendars by code. Copies are cheap.
#[derive(Clone, Debug, Default)]
pub struct Calendars {
    own: Arc<BTreeMap<String, &'static Calendar>>,
}

/// An owner's file: its name and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// The name, for errors and for the version of the calendar.
    pub name: String,
    /// The content, which should be TOML.
    pub text: String,
}

impl Calendars {
    /// The compiled-in calendars together with those of the owner's files.
    ///
    /// # Errors
    ///
    /// Fails if a file is invalid, or if two files have calendars for the same code.
    pub fn with(files: &[OwnFile]) -> Result<Self, InvalidCalendar> {
        let mut own = BTreeMap::new();
        for file in files {
            let (calendar, codes) = read(file)?;
            for code in codes {
                if own.insert(code.clone(), calendar).is_some() {
                    return Err(InvalidCalendar::new(&file.name, format!("another file has a calendar of {code} too")));
                }
            }
        }
        Ok(Self { own: Arc::new(own) })
    }

    /// Finds the calendar of a market by its MIC or the MIC of a segment, or by another name of a calendar. An owner's
    /// calendar also replaces the compiled-in one of the same code for all codes that this one serves.
    ///
    /// # Errors
    ///
    /// Fails if a compiled-in file is invalid, which a test rules out.
    pub fn find(&self, code: &str) -> Result<Option<&'static Calendar>, InvalidCalendar> {
        let own = |code: &str| self.own.get(code).copied();
        if let Some(calendar) = own(code).or(embedded::served_by(code)?.and_then(own)) {
            return Ok(Some(calendar));
        }
        embedded::find(code)
    }

    /// The owner's calendars, each once, by code.
    pub fn own(&self) -> impl Iterator<Item = &'static Calendar> {
        self.own.iter().filter(|(code, calendar)| *code == calendar.code()).map(|(_, calendar)| *calendar)
    }
}

/// Equal content is the same calendar.
impl PartialEq for Calendars {
    fn eq(&self, other: &Self) -> bool {
        let same = |one: (&String, &&'static Calendar), other: (&String, &&'static Calendar)| {
            one.0 == other.0 && std::ptr::eq(*one.1, *other.1)
        };
        self.own.len() == other.own.len() && self.own.iter().zip(other.own.iter()).all(|(one, two)| same(one, two))
    }
}

/// Reads a file: its calendar, and the codes that it is for.
fn read(file: &OwnFile) -> Result<(&'static Calendar, Vec<String>), InvalidCalendar> {
    let invalid = |reason: String| InvalidCalendar::new(&file.name, reason);
    if file.text.len() > MOST_BYTES {
        return Err(invalid(format!("it has more than {MOST_BYTES} bytes")));
    }
    let mut definition = Definition::parse(&file.name, &file.text)?;
    let codes: Vec<String> = definition.serves.iter().chain([&definition.code]).cloned().collect();
    if let Some(code) = codes.iter().find(|code| !is_code(code)) {
        return Err(invalid(format!("invalid code {code:?}: use up to 20 letters, digits, and - _ . /, but not none")));
    }
    if definition.first.0.until(definition.last.0).map_or(0, |span| span.get_days()) > MOST_DAYS {
        return Err(invalid("it covers more than 200 years".to_owned()));
    }
    definition.source = format!("file {} {}", file.name, &digest(&file.text)[..8]);
    let calendar = interned(file, &definition).map_err(|error| invalid(with_line(&file.text, &error.reason)))?;
    Ok((calendar, codes))
}

fn is_code(code: &str) -> bool {
    let is_valid = |character: char| character.is_ascii_alphanumeric() || "-_./".contains(character);
    (1..=20).contains(&code.len()) && code.chars().all(is_valid) && code != "none"
}

/// Adds the line of the date that a reason names, if it is in the file.
fn with_line(text: &str, reason: &str) -> String {
    let key = reason.split(' ').next().unwrap_or_default();
    let is_date =
        |word: &&str| word.len() >= 10 && word.get(..10).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok());
    let Some(date) = reason.split(' ').find(is_date).and_then(|word| word.get(..10)) else { return reason.to_owned() };
    let section = text.lines().position(|line| line.starts_with(key)).unwrap_or_default();
    match text.lines().skip(section).position(|line| line.contains(date)) {
        Some(below) => format!("line {}: {reason}", section + below + 1),
        None => reason.to_owned(),
    }
}

/// The calendar of a file. A calendar is kept for the life of the process, so that sessions can be used without
/// counting references. Files change a few times a year, and content that was read before is not kept again.
fn interned(file: &OwnFile, definition: &Definition) -> Result<&'static Calendar, InvalidCalendar> {
    static KEPT: Mutex<BTreeMap<String, &'static Calendar>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let content = format!("{} {}", file.name, digest(&file.text));
    if let Some(calendar) = kept.get(&content) {
        return Ok(calendar);
    }
    let calendar: &'static Calendar = Box::leak(Box::new(Calendar::new(definition)?));
    kept.insert(content, calendar);
    Ok(calendar)
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
