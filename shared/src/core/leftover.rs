//! Recognises, by name, files that tools leave next to the files that they write.

/// File names, prefixes and suffixes of leftovers, in lower case.
const NAMES: [&str; 7] = ["_success", "_started", "_committed", ".ds_store", "thumbs.db", "desktop.ini", "_metadata"];
const PREFIXES: [&str; 6] = ["_started_", "_committed_", "._", ".~lock.", "~$", "_spark_metadata"];
const SUFFIXES: [&str; 10] =
    ["_$folder$", ".crc", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp", "~", ".filepart"];

/// Folders in which tools keep temporary or internal files.
const FOLDERS: [&str; 7] =
    ["_temporary", "_spark_metadata", "_delta_log", "__macosx", ".hoodie", ".ipynb_checkpoints", ".spark-staging"];

/// Whether a key belongs to a folder marker or to a file that a tool left behind, such as Spark's `_SUCCESS`, Hadoop's
/// `x_$folder$`, macOS's `.DS_Store` or the `.tmp` of an upload. Such objects are ignored: they are not user errors.
#[must_use]
pub fn is_leftover(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let (folders, name) = key.rsplit_once('/').unwrap_or(("", &key));
    name.is_empty()
        || NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        || folders.split('/').any(|folder| FOLDERS.iter().any(|known| folder.starts_with(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_leave_is_known_by_its_name() {
        let path = "raw/interval=1day/symbol=AAPL/";
        for name in [
            "",
            "_SUCCESS",
            ".candles.csv.crc",
            "candles.csv.tmp",
            "x_$folder$",
            ".DS_Store",
            "._candles.csv",
            "_temporary/0/task/candles.csv",
            "_committed_123",
            "Thumbs.db",
            "__MACOSX/._candles.csv",
            "candles.csv.swp",
            ".spark-staging-1/candles.csv",
            "_delta_log/0.json",
            "~$candles.xlsx",
        ] {
            assert!(is_leftover(&format!("{path}{name}")), "{name}");
        }
        for name in
            ["candles.csv", "candles.csv.gz", "2024-01.csv", "candles.txt", "part-00000.csv", "success.csv", "tmp.csv"]
        {
            assert!(!is_leftover(&format!("{path}{name}")), "{name}");
        }
    }
}
