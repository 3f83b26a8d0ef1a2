//! Decides from the options where an export goes and in which format.

use std::path::{Path, PathBuf};

use anyhow::bail;

/// The format of exported files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Csv,
    Parquet,
    Arrow,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    Stdout,
    File(PathBuf),
    Folder(PathBuf),
}

impl Format {
    const ALL: [Self; 3] = [Self::Csv, Self::Parquet, Self::Arrow];

    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    fn of_file(file: &Path) -> Option<Self> {
        Self::ALL.into_iter().find(|format| file.extension().is_some_and(|extension| extension == format.extension()))
    }
}

/// The target that `out` names, and its format. Fails if the name of a file says another format than `--format`.
pub fn choose(out: &Path, format: Option<Format>) -> anyhow::Result<(Target, Format)> {
    if out == Path::new("-") {
        return Ok((Target::Stdout, format.unwrap_or(Format::Csv)));
    }
    let file = out.to_owned();
    match (Format::of_file(out), format) {
        (None, format) => Ok((Target::Folder(file), format.unwrap_or(Format::Csv))),
        (Some(named), None) => Ok((Target::File(file), named)),
        (Some(named), Some(format)) if named == format => Ok((Target::File(file), named)),
        (Some(_), Some(format)) => {
            let extension = format.extension();
            bail!("{} does not end in .{extension}, but --format is {extension}: change one of them", out.display())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(out: &str, format: Option<Format>) -> anyhow::Result<(Target, Format)> {
        choose(Path::new(out), format)
    }

    #[test]
    fn a_target_is_told_by_its_name() {
        assert_eq!(chosen("-", None).unwrap(), (Target::Stdout, Format::Csv));
        assert_eq!(chosen("a/b.csv", None).unwrap(), (Target::File("a/b.csv".into()), Format::Csv));
        assert_eq!(chosen("b.parquet", None).unwrap(), (Target::File("b.parquet".into()), Format::Parquet));
        assert_eq!(chosen("exports", None).unwrap(), (Target::Folder("exports".into()), Format::Csv));
    }

    #[test]
    fn an_option_names_the_format_where_no_file_name_does() {
        for (out, target) in [("-", Target::Stdout), ("exports.d", Target::Folder("exports.d".into()))] {
            assert_eq!(chosen(out, Some(Format::Arrow)).unwrap(), (target, Format::Arrow));
        }
        let file = Target::File("b.arrow".into());
        assert_eq!(chosen("b.arrow", Some(Format::Arrow)).unwrap(), (file, Format::Arrow));
    }

    #[test]
    fn a_name_and_an_option_that_disagree_are_refused() {
        let error = chosen("b.csv", Some(Format::Parquet)).unwrap_err().to_string();
        assert!(error.contains("b.csv does not end in .parquet"), "{error}");
    }
}
