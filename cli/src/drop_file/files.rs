//! Finds the files to drop, and what their names say about them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::symbol::Symbol;

/// The extensions of the files that are taken from a folder.
const ENDINGS: [&str; 6] = [".csv", ".csv.gz", ".gz", ".zip", ".txt", ".tsv"];

/// Expands a list of files, folders and patterns, in order.
///
/// # Errors
///
/// A pattern is invalid or matches nothing, or a folder cannot be read.
pub fn all(said: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in said {
        if path.is_dir() {
            in_folder(path, &mut files)?;
        } else if path.exists() || path == Path::new("-") || !is_pattern(path) {
            files.push(path.clone());
        } else {
            let pattern = path.to_string_lossy();
            let found = glob::glob(&pattern).with_context(|| format!("read the pattern {pattern}"))?;
            let before = files.len();
            files.extend(found.collect::<Result<Vec<_>, _>>().with_context(|| format!("look for {pattern}"))?);
            ensure!(files.len() > before, "no file is named like {pattern}");
        }
    }
    Ok(files)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// The files of a folder and its subfolders, by name.
fn in_folder(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let shown = folder.display();
    let entries = std::fs::read_dir(folder).with_context(|| format!("read the folder {shown}"))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    let before = files.len();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if path.is_dir() {
            in_folder(&path, files)?;
        } else if !name.starts_with('.') && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            files.push(path);
        }
    }
    ensure!(files.len() > before, "the folder {shown} has no file that ends in {}", ENDINGS.join(", "));
    Ok(())
}

/// The symbol of a file: from a folder `symbol=…`, or from its name if that consists only of a symbol and perhaps words
/// for an interval or a date, such as `AAPL.csv` and `BTCUSDT-1m-2024-01.zip`.
///
/// # Errors
///
/// Neither names a symbol.
pub fn symbol(path: &Path) -> anyhow::Result<Symbol> {
    if let Some(folder) = folder(path, "symbol=") {
        return Symbol::from_key_form(folder).with_context(|| format!("read the folder symbol={folder}"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let words: Vec<&str> = stem(&name).split(['_', '-', ' ']).collect();
    match words.split_first() {
        Some((first, rest)) if is_symbol(first) && rest.iter().all(|word| is_of_file(word)) => {
            Ok(first.to_uppercase().parse()?)
        }
        _ => bail!("{}: which symbol is it of? Name it with --symbol AAPL", path.display()),
    }
}

/// The interval of a file: from a folder `interval=…`.
///
/// # Errors
///
/// There is no such folder.
pub fn interval(path: &Path) -> anyhow::Result<Interval> {
    let said = folder(path, "interval=").map(str::parse);
    said.with_context(|| format!("{}: which interval does it have? Name it with --interval 1day", path.display()))?
        .with_context(|| format!("read the folder of {}", path.display()))
}

fn folder<'a>(path: &'a Path, prefix: &str) -> Option<&'a str> {
    let names = path.parent()?.components().rev().filter_map(|component| component.as_os_str().to_str());
    names.filter_map(|name| name.strip_prefix(prefix)).next()
}

fn stem(name: &str) -> &str {
    let mut ended = [".gz", ".zip", ".csv", ".txt", ".tsv"].into_iter();
    ended.try_fold(name, |name, ending| Some(name.strip_suffix(ending).unwrap_or(name))).unwrap_or(name)
}

fn is_symbol(word: &str) -> bool {
    const OTHERS: [&str; 10] =
        ["candles", "data", "prices", "price", "download", "export", "history", "historical", "ohlcv", "table"];
    let is_code = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    is_code && (1..=12).contains(&word.len()) && !OTHERS.contains(&word.to_lowercase().as_str()) && !is_of_file(word)
}

/// Whether a word of a name is a number, an interval or a word that describes the content.
fn is_of_file(word: &str) -> bool {
    const WORDS: [&str; 12] =
        ["daily", "weekly", "monthly", "hourly", "day", "data", "historical", "history", "prices", "max", "d", "ohlcv"];
    let lower = word.to_lowercase();
    let digits = lower.chars().filter(char::is_ascii_digit).count();
    let unit = lower.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = digits > 0 && matches!(unit, "" | "m" | "min" | "h" | "d" | "day" | "w" | "mo");
    is_number
        || matches!(lower.as_str(), "m1" | "m5" | "m15" | "m30" | "h1" | "h4" | "d1")
        || WORDS.contains(&lower.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_symbol_where_it_says_nothing_else() {
        for (name, expected) in [
            ("AAPL.csv", Some("AAPL")),
            ("aapl_daily.csv.gz", Some("AAPL")),
            ("BTCUSDT-1m-2024-01.zip", Some("BTCUSDT")),
            ("BRK.B.csv", Some("BRK.B")),
            ("raw/interval=1day/symbol=BTC%2FUSD/candles.csv", Some("BTC/USD")),
            ("candles.csv", None),
            ("my prices of AAPL.csv", None),
            ("2024-01.csv", None),
            ("-", None),
        ] {
            assert_eq!(symbol(Path::new(name)).ok().map(|symbol| symbol.to_string()).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn folders_and_patterns_are_the_files_in_them() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.CSV", "notes.md", ".hidden.csv"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let names = |said: PathBuf| {
            let files = all(&[said]).unwrap();
            files.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(folder.path().to_owned()), ["a.CSV", "b.csv"]);
        assert_eq!(names(folder.path().join("*.csv")), [".hidden.csv", "b.csv"]);
        assert!(all(&[folder.path().join("*.zip")]).is_err());
    }
}
