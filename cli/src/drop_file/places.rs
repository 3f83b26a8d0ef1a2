//! Detects files that would become the same object.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use candlewick_shared::core::key::ObjectPath;

/// The files that would become each object. A packed file and a plain one share an object.
#[derive(Debug, Default)]
pub struct Places(BTreeMap<String, Vec<PathBuf>>);

impl Places {
    pub fn add(&mut self, path: &ObjectPath, file: &Path) {
        self.0.entry(path.to_string()).or_default().push(file.to_owned());
    }

    /// # Errors
    ///
    /// Several files would become the same object.
    pub fn require_distinct(&self) -> anyhow::Result<()> {
        let shared: Vec<String> =
            self.0.iter().filter(|(_, files)| files.len() > 1).map(|(path, files)| message(path, files)).collect();
        ensure!(shared.is_empty(), "{}\nNothing was put", shared.join("\n"));
        Ok(())
    }
}

fn message(path: &str, files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let all = if files.len() == 2 { "both" } else { "all" };
    format!("{} would {all} become {path}: join them into one file, or drop only one of them", names.join(" and "))
}

#[cfg(test)]
mod tests {
    use candlewick_shared::core::key::{Month, Part, Series};

    use super::*;

    #[test]
    fn files_of_the_same_object_are_named_with_it() {
        let series = Series { symbol: "ABC".parse().unwrap(), interval: "1h".parse().unwrap() };
        let path = |month: i8| ObjectPath { series: series.clone(), part: Part::Month(Month { year: 2024, month }) };
        let mut places = Places::default();
        places.add(&path(1), Path::new("a/ABC.csv"));
        places.add(&path(2), Path::new("a/ABC.csv"));
        places.add(&path(3), Path::new("b/abc.csv.gz"));
        assert!(places.require_distinct().is_ok());
        places.add(&path(2), Path::new("b/abc.csv.gz"));
        let error = places.require_distinct().unwrap_err().to_string();
        let expected = "a/ABC.csv and b/abc.csv.gz would both become ABC 1h 2024-02: join them into one file";
        assert!(error.starts_with(expected) && error.ends_with("Nothing was put"), "{error}");
    }
}
