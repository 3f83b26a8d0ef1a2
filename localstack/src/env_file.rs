//! The env file: lines of the form `export KEY='value'`, which a POSIX shell can source and [`read()`] can parse.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

/// Values by variable name.
pub type Settings = BTreeMap<String, String>;

/// Settings that could not be written or read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvFileError {
    /// The name is not a valid shell variable.
    #[error("{0:?} is not a valid name for a shell variable")]
    Name(String),
    /// The value contains a line break or a NUL. The error does not show it, because it may be a secret.
    #[error("the value of {0} contains a line break or a NUL character")]
    Value(String),
    /// The line is not one that [`write()`] writes.
    #[error("line {line} is not of the form export NAME='value'")]
    Line {
        /// The line number, from 1.
        line: usize,
    },
}

/// Replaces the file atomically. Only its owner can read it, because it contains passwords.
pub fn write(path: &Path, settings: &Settings) -> anyhow::Result<()> {
    let text = format(settings).with_context(|| format!("write {}", path.display()))?;
    let dir = path.parent().context("write an env file that has no directory")?;
    replace(path, dir, text.as_bytes()).with_context(|| format!("write {}", path.display()))
}

/// Reads a file that [`write()`] wrote. Returns `None` if the file does not exist.
pub fn read(path: &Path) -> anyhow::Result<Option<Settings>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(parse(&text).with_context(|| format!("read {}", path.display()))?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// Formats settings as the text of an env file.
pub fn format(settings: &Settings) -> Result<String, EnvFileError> {
    settings.iter().map(|(name, value)| format_line(name, value)).collect()
}

/// Parses text that [`format()`] wrote. Empty lines and comments are skipped.
pub fn parse(text: &str) -> Result<Settings, EnvFileError> {
    let lines = text.split('\n').enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(index, line)| parse_line(line).ok_or(EnvFileError::Line { line: index + 1 })).collect()
}

fn format_line(name: &str, value: &str) -> Result<String, EnvFileError> {
    if !is_name(name) {
        return Err(EnvFileError::Name(name.to_owned()));
    }
    if value.contains(['\n', '\r', '\0']) {
        return Err(EnvFileError::Value(name.to_owned()));
    }
    Ok(format!("export {name}='{}'\n", value.replace('\'', r"'\''")))
}

fn parse_line(line: &str) -> Option<(String, String)> {
    let (name, quoted) = line.strip_prefix("export ")?.split_once('=')?;
    let value = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
    let pieces: Vec<&str> = value.split(r"'\''").collect();
    let is_valid = is_name(name) && pieces.iter().all(|piece| !piece.contains('\''));
    is_valid.then(|| (name.to_owned(), pieces.join("'")))
}

fn is_name(name: &str) -> bool {
    let start = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    start && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Replaces a file atomically, with mode 0600: a temporary file is created with this mode and keeps it when it is renamed.
pub(crate) fn replace(path: &Path, dir: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn one(name: &str, value: &str) -> Settings {
        Settings::from([(name.to_owned(), value.to_owned())])
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(settings in prop::collection::btree_map("[A-Za-z_][A-Za-z0-9_]{0,8}", "[^\n\r\0]{0,20}", 0..5)) {
            prop_assert_eq!(parse(&format(&settings).unwrap()).unwrap(), settings);
        }

        #[test]
        fn quotes_survive(value in "['\"\\\\ $`a]{0,12}") {
            prop_assert_eq!(parse(&format(&one("A", &value)).unwrap()).unwrap(), one("A", &value));
        }
    }

    #[test]
    fn a_shell_reads_the_same_value() {
        let value = r#"it's "a" $HOME `id` \ end'"#;
        let script = format!("{}printf %s \"$A\"", format(&one("A", value)).unwrap());
        let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
    }

    #[test]
    fn a_line_break_in_a_value_is_refused_without_showing_the_value() {
        let error = format(&one("SECRET", "a\nb")).unwrap_err();
        assert_eq!(error, EnvFileError::Value("SECRET".into()));
        assert_eq!(format(&one("A B", "x")).unwrap_err(), EnvFileError::Name("A B".into()));
    }

    #[test]
    fn a_line_that_is_not_ours_is_refused_by_its_number() {
        for bad in ["export A=b", "A='b'", "export A='b'c'", "export A='b"] {
            assert_eq!(parse(&format!("export X='1'\n{bad}\n")), Err(EnvFileError::Line { line: 2 }), "{bad}");
        }
    }

    #[test]
    fn the_file_is_its_owners_only_and_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, &one("A", "1")).unwrap();
        write(&path, &one("B", "2")).unwrap();
        assert_eq!(read(&path).unwrap(), Some(one("B", "2")));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
