//! Settings from the environment: the one place that reads it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use anyhow::{Context, anyhow, bail, ensure};
use jiff::SignedDuration;
use secrecy::SecretString;

use crate::adapters::secrets::SecretSource;
use crate::core::clock::Clock;
use crate::core::topology;

/// The variables a process was started with.
#[derive(Clone, Debug, Default)]
pub struct Env {
    variables: BTreeMap<String, String>,
}

impl Env {
    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self { variables: std::env::vars().collect() }
    }

    /// These variables, for tests and for files of them.
    #[must_use]
    pub fn from_variables(variables: BTreeMap<String, String>) -> Self {
        Self { variables }
    }

    /// The same, with `other`'s variables where this has none.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (name, value) in other.variables {
            self.variables.entry(name).or_insert(value);
        }
        self
    }

    /// A variable that may be missing; one that is empty is missing.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that must be there.
    ///
    /// # Errors
    /// Where it is missing, with its name and where it comes from.
    pub fn required(&self, name: &str) -> anyhow::Result<&str> {
        self.optional(name).ok_or_else(|| {
            anyhow!("{name} is not set: `cargo run -- up` sets it for its services; by hand, run `. .local/env` first")
        })
    }

    /// A variable of some form, or a default where it is missing.
    ///
    /// # Errors
    /// Where it is there and not of that form, with its name.
    pub fn parsed_or<T>(&self, name: &str, default: T) -> anyhow::Result<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(text) = self.optional(name) else { return Ok(default) };
        text.parse().map_err(|error: T::Err| anyhow!("{name} is {text:?}: {error}"))
    }

    /// A secret, which no log or error shows.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.optional(name).map(SecretString::from)
    }

    /// Where a secret is: a variable has it (`NAME`), or names a file (`NAME_FILE`) or a secret of Secrets Manager
    /// (`NAME_SECRET`).
    ///
    /// # Errors
    /// Where none of them is set, or more than one.
    pub fn secret_source(&self, name: &str) -> anyhow::Result<SecretSource> {
        let (file, manager) = (format!("{name}_FILE"), format!("{name}_SECRET"));
        let here = self.secret(name).map(SecretSource::Here);
        let file = self.optional(&file).map(|path| SecretSource::File(path.into()));
        let manager = self.optional(&manager).map(|id| SecretSource::Manager(id.to_owned()));
        let mut set = here.into_iter().chain(file).chain(manager);
        match (set.next(), set.next()) {
            (Some(source), None) => Ok(source),
            (Some(_), Some(_)) => bail!("of {name}, {name}_FILE and {name}_SECRET more than one is set: keep one"),
            (None, _) => {
                bail!(
                    "{name} is not set, and neither is {name}_FILE nor {name}_SECRET: `cargo run -- up` sets it for its services"
                )
            }
        }
    }

    /// The bucket's name.
    ///
    /// # Errors
    /// Where `BUCKET` is missing.
    pub fn bucket(&self) -> anyhow::Result<&str> {
        self.required("BUCKET")
    }

    /// The URL of the queue with a role: `RAW_QUEUE_URL`.
    ///
    /// # Errors
    /// Where it is missing.
    pub fn queue_url(&self, role: &str) -> anyhow::Result<&str> {
        self.required(&topology::queue_url_variable(role))
    }

    /// The clock setting: `CLOCK`, or the real time.
    ///
    /// # Errors
    /// Where it is there and no clock setting.
    pub fn clock(&self) -> anyhow::Result<Clock> {
        self.parsed_or("CLOCK", Clock::Real).context("read the clock setting")
    }

    /// A span of time that is longer than nothing, such as `30s`, `5m` or `12h`; where it is missing, another.
    ///
    /// # Errors
    /// Where it is there and no such span.
    pub fn span(&self, name: &str, otherwise: SignedDuration) -> anyhow::Result<SignedDuration> {
        let span = self.parsed_or(name, otherwise).with_context(|| format!("write {name} like 30s, 5m or 12h"))?;
        ensure!(span.is_positive(), "{name} is not longer than nothing: write it like 30s, 5m or 12h");
        Ok(span)
    }

    /// How long after the end of its slot a candle may be missing before its series is late: `STALE_AFTER`, or 26 hours, a
    /// day and what a daily run takes.
    ///
    /// # Errors
    /// Where it is there and no span of time.
    pub fn stale_after(&self) -> anyhow::Result<SignedDuration> {
        self.span("STALE_AFTER", SignedDuration::from_hours(26))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: &[(&str, &str)]) -> Env {
        Env::from_variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_missing_variable_is_named_with_the_next_step() {
        let error = env(&[("RAW_QUEUE_URL", "")]).queue_url("raw").unwrap_err().to_string();
        assert!(error.contains("RAW_QUEUE_URL") && error.contains(".local/env"), "{error}");
    }

    #[test]
    fn a_variable_of_another_form_is_named() {
        let error = env(&[("CONCURRENCY", "many")]).parsed_or("CONCURRENCY", 4_usize).unwrap_err().to_string();
        assert!(error.contains("CONCURRENCY") && error.contains("many"), "{error}");
        assert_eq!(env(&[]).parsed_or("CONCURRENCY", 4_usize).unwrap(), 4);
    }

    #[test]
    fn a_secret_has_one_place() {
        let source = |variables: &[(&str, &str)]| env(variables).secret_source("KEY");
        assert!(matches!(source(&[("KEY", "abc")]), Ok(SecretSource::Here(_))));
        assert!(matches!(source(&[("KEY_FILE", "/key"), ("KEY", "")]), Ok(SecretSource::File(_))));
        assert!(matches!(source(&[("KEY_SECRET", "name")]), Ok(SecretSource::Manager(_))));
        let error = |variables: &[(&str, &str)]| source(variables).unwrap_err().to_string();
        assert!(error(&[]).contains("KEY is not set"));
        let both = error(&[("KEY", "abc"), ("KEY_FILE", "/key")]);
        assert!(both.contains("more than one") && !both.contains("abc"), "{both}");
    }

    #[test]
    fn what_is_set_goes_before_what_a_file_says() {
        let merged = env(&[("BUCKET", "mine")]).or(env(&[("BUCKET", "theirs"), ("MORE", "x")]));
        assert_eq!((merged.bucket().unwrap(), merged.required("MORE").unwrap()), ("mine", "x"));
    }
}
