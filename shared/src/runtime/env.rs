//! Settings of a service, read from environment variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;

use anyhow::{Context, anyhow, bail, ensure};
use jiff::SignedDuration;
use secrecy::SecretString;

use crate::adapters::secrets::SecretSource;
use crate::core::clock::Clock;
use crate::core::topology::{self, Topology};

/// The environment variables of a process.
#[derive(Clone, Debug, Default)]
pub struct Env {
    variables: BTreeMap<String, String>,
}

impl Env {
    /// The variables of this process. In names and values that are not UTF-8, U+FFFD replaces what is not.
    #[must_use]
    pub fn of_process() -> Self {
        Self::from_os_variables(std::env::vars_os())
    }

    fn from_os_variables(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let text = |text: OsString| text.to_string_lossy().into_owned();
        Self { variables: variables.map(|(name, value)| (text(name), text(value))).collect() }
    }

    /// The given variables, for tests, files and command-line options.
    #[must_use]
    pub fn from_variables(variables: BTreeMap<String, String>) -> Self {
        Self { variables }
    }

    /// The same variables, and those of `other` that are not set here.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (name, value) in other.variables {
            self.variables.entry(name).or_insert(value);
        }
        self
    }

    /// A variable that may be missing. An empty variable counts as missing.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that must be set.
    ///
    /// # Errors
    ///
    /// Returns an error that names the variable, and says how to set it, if it is missing.
    pub fn required(&self, name: &str) -> anyhow::Result<&str> {
        self.optional(name).ok_or_else(|| {
            anyhow!("{name} is not set: docs/settings.md explains it; `up` sets it for its services, and `. .local/env` in a shell")
        })
    }

    /// A variable parsed as `T`, or a default if it is missing.
    ///
    /// # Errors
    ///
    /// Returns an error that names the variable if it cannot be parsed.
    pub fn parsed_or<T>(&self, name: &str, default: T) -> anyhow::Result<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(text) = self.optional(name) else { return Ok(default) };
        text.parse().map_err(|error: T::Err| anyhow!("{name} is {text:?}: {error}"))
    }

    /// Whether a variable is `on` and not `off`, or a default if it is missing.
    ///
    /// # Errors
    ///
    /// Returns an error that names the variable if it has another value.
    pub fn is_on(&self, name: &str, default: bool) -> anyhow::Result<bool> {
        match self.optional(name) {
            None => Ok(default),
            Some("on") => Ok(true),
            Some("off") => Ok(false),
            Some(other) => bail!("{name} is {other:?}: expected on or off"),
        }
    }

    /// A secret variable, which no log or error shows.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.optional(name).map(SecretString::from)
    }

    /// Where a secret is: in the variable `NAME`, in the file that `NAME_FILE` names, or in the secret of Secrets
    /// Manager that `NAME_SECRET` names.
    ///
    /// # Errors
    ///
    /// Returns an error if none of them is set, or more than one.
    pub fn secret_source(&self, name: &str) -> anyhow::Result<SecretSource> {
        let here = self.secret(name).map(SecretSource::Here);
        let file = self.optional(&format!("{name}_FILE")).map(|path| SecretSource::File(path.into()));
        let manager = self.optional(&format!("{name}_SECRET")).map(|id| SecretSource::Manager(id.to_owned()));
        let mut set = here.into_iter().chain(file).chain(manager);
        match (set.next(), set.next()) {
            (Some(source), None) => Ok(source),
            (Some(_), Some(_)) => bail!("more than one of {name}, {name}_FILE and {name}_SECRET is set: keep one"),
            (None, _) => {
                bail!(
                    "{name} is not set, nor is {name}_FILE or {name}_SECRET: set one of them (`cargo run -- up` does it for its services)"
                )
            }
        }
    }

    /// The name of the bucket: `BUCKET`.
    ///
    /// # Errors
    ///
    /// Returns an error if `BUCKET` is missing.
    pub fn bucket(&self) -> anyhow::Result<&str> {
        self.required("BUCKET")
    }

    /// The URL of the queue with this role, for example `RAW_QUEUE_URL`.
    ///
    /// # Errors
    ///
    /// Returns an error that names the variable if it is missing.
    pub fn queue_url(&self, role: &str) -> anyhow::Result<&str> {
        self.required(&topology::queue_url_variable(role))
    }

    /// The URL of the dead-letter queue of the queue with this role, for example `RAW_DLQ_URL`. By default, the
    /// URL of the queue and the suffix of dead-letter queues.
    ///
    /// # Errors
    ///
    /// Returns an error that names the variable of the queue if both are missing.
    pub fn dead_letter_url(&self, role: &str) -> anyhow::Result<String> {
        match self.optional(&topology::dead_letter_url_variable(role)) {
            Some(url) => Ok(url.to_owned()),
            None => Ok(Topology::current().dead_letter_name(self.queue_url(role)?)),
        }
    }

    /// The clock that `CLOCK` sets, by default the real time.
    ///
    /// # Errors
    ///
    /// Returns an error if `CLOCK` is invalid.
    pub fn clock(&self) -> anyhow::Result<Clock> {
        self.parsed_or("CLOCK", Clock::Real).context("read the clock setting")
    }

    /// A positive span of time such as `30s`, `5m` or `12h`, or a default if it is missing.
    ///
    /// # Errors
    ///
    /// Returns an error if the variable is not a positive span of time.
    pub fn span(&self, name: &str, default: SignedDuration) -> anyhow::Result<SignedDuration> {
        let span = self.parsed_or(name, default).with_context(|| format!("write {name} like 30s, 5m or 12h"))?;
        ensure!(span.is_positive(), "{name} must be longer than zero: write it like 30s, 5m or 12h");
        Ok(span)
    }

    /// How long after the end of its slot a candle may be missing before its series is stale: `STALE_AFTER`, by default
    /// 26 hours, a day plus the duration of a daily run.
    ///
    /// # Errors
    ///
    /// Returns an error if `STALE_AFTER` is not a positive span of time.
    pub fn stale_after(&self) -> anyhow::Result<SignedDuration> {
        self.span("STALE_AFTER", SignedDuration::from_hours(26))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn env(variables: &[(&str, &str)]) -> Env {
        Env::from_variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_variable_that_is_not_text_is_read_with_replacement_characters() {
        let broken = OsString::from_vec(b"candle\xffwick".to_vec());
        let env = Env::from_os_variables([("BUCKET".into(), broken), ("SCHEDULE".into(), "off".into())].into_iter());
        assert_eq!((env.bucket().unwrap(), env.optional("SCHEDULE")), ("candle\u{fffd}wick", Some("off")));
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
    fn a_switch_is_on_or_off() {
        let is_on = |value: &str| env(&[("COLUMNAR", value)]).is_on("COLUMNAR", true);
        assert_eq!((is_on("on").unwrap(), is_on("off").unwrap(), is_on("").unwrap()), (true, false, true));
        let error = is_on("no").unwrap_err().to_string();
        assert!(error.contains("COLUMNAR is \"no\": expected on or off"), "{error}");
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
