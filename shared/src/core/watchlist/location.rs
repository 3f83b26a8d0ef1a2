//! The location of the watchlist.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

/// Where the watchlist is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A local file.
    File(PathBuf),
    /// An object in S3.
    Object {
        /// The name of the bucket.
        bucket: String,
        /// The key of the object.
        key: String,
    },
}

/// The text is neither a path nor the URL of an object.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("invalid watchlist location {0:?}: write a path, or s3://BUCKET/config/watchlist.toml")]
pub struct InvalidLocation(String);

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        let Some(rest) = text.strip_prefix("s3://") else {
            return if text.is_empty() { Err(InvalidLocation(text.to_owned())) } else { Ok(Self::File(text.into())) };
        };
        match rest.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self::Object { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            _ => Err(InvalidLocation(text.to_owned())),
        }
    }
}

impl Location {
    /// The folder of the owner's calendars that belongs to the watchlist at this location: `calendars` next to it if
    /// its folder is named `config`, otherwise `config/calendars`. The key of an object ends with a slash.
    #[must_use]
    pub fn calendars(&self) -> Self {
        self.in_config("calendars")
    }

    /// The folder of the dashboards that belongs to the watchlist at this location, next to that of the calendars.
    #[must_use]
    pub fn dashboards(&self) -> Self {
        self.in_config("dashboards")
    }

    fn in_config(&self, name: &str) -> Self {
        match self {
            Self::File(path) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                Self::File(
                    if folder.ends_with("config") { folder.to_owned() } else { folder.join("config") }.join(name),
                )
            }
            Self::Object { bucket, key } => {
                let folder = key.rsplit_once('/').map(|(folder, _)| folder);
                let config = match folder {
                    Some(folder) if folder == "config" || folder.ends_with("/config") => folder.to_owned(),
                    Some(folder) => format!("{folder}/config"),
                    None => "config".to_owned(),
                };
                Self::Object { bucket: bucket.clone(), key: format!("{config}/{name}/") }
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Object { bucket, key } => write!(formatter, "s3://{bucket}/{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendars_are_in_the_folder_config_beside_the_watchlist() {
        let calendars = |text: &str| text.parse::<Location>().unwrap().calendars().to_string();
        assert_eq!(calendars("s3://b/config/watchlist.toml"), "s3://b/config/calendars/");
        assert_eq!(calendars("s3://b/watchlist.toml"), "s3://b/config/calendars/");
        assert_eq!(calendars("s3://b/a/lists/w.toml"), "s3://b/a/lists/config/calendars/");
        assert_eq!(calendars("watchlist.toml"), "config/calendars");
        assert_eq!(calendars("/etc/candlewick/watchlist.toml"), "/etc/candlewick/config/calendars");
        assert_eq!(calendars("/srv/config/watchlist.toml"), "/srv/config/calendars");
        let dashboards = |text: &str| text.parse::<Location>().unwrap().dashboards().to_string();
        assert_eq!(dashboards("s3://b/config/watchlist.toml"), "s3://b/config/dashboards/");
        assert_eq!(dashboards("watchlist.toml"), "config/dashboards");
    }

    #[test]
    fn an_address_of_s3_is_an_object_and_all_else_a_file() {
        let object = Location::Object { bucket: "b".to_owned(), key: "config/watchlist.toml".to_owned() };
        assert_eq!("s3://b/config/watchlist.toml".parse(), Ok(object.clone()));
        assert_eq!(object.to_string(), "s3://b/config/watchlist.toml");
        assert_eq!("a/watchlist.toml".parse(), Ok(Location::File("a/watchlist.toml".into())));
        for text in ["", "s3://", "s3://b", "s3://b/", "s3:///key"] {
            assert!(text.parse::<Location>().is_err(), "{text}");
        }
    }
}
