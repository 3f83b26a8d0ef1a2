//! The location of the watchlist.

use std::fmt;
use std::path::PathBuf;
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
