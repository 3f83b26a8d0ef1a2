//! Finds the files to drop.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// The extensions of the files that are taken from a folder.
const ENDINGS: [&str; 6] = [".csv", ".csv.gz", ".gz", ".zip", ".txt", ".tsv"];

/// Expands a list of files, folders and patterns, in order. A file that is named twice is taken once.
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
    let mut known = HashSet::new();
    files.retain(|file| known.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    let has_input = files.iter().any(|file| file == Path::new("-"));
    ensure!(!has_input || files.len() == 1, "standard input can only be dropped alone");
    Ok(files)
}

/// The name of a file for messages.
pub fn shown(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(all(&[folder.path().join("b.csv"), folder.path().join("*.csv")]).unwrap().len(), 2);
        assert!(all(&[folder.path().join("*.zip")]).is_err());
        assert!(all(&[folder.path().join("b.csv"), PathBuf::from("-")]).is_err());
    }
}
