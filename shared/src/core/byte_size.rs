//! Memory sizes in a form that people write.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A number of bytes, written like `512MiB`, `2GiB` or `1073741824`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// The text is not a valid size, or the size does not fit into 64 bits.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("invalid size {0:?}: write it like 512MiB or 2GiB")]
pub struct InvalidByteSize(String);

/// The units, matched without regard to case, and their powers of two.
const UNITS: [(&str, u32); 7] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("k", 10), ("m", 20), ("g", 30), ("", 0)];

impl FromStr for ByteSize {
    type Err = InvalidByteSize;

    fn from_str(text: &str) -> Result<Self, InvalidByteSize> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = text[digits.len()..].trim();
        let bytes = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .and_then(|(_, power)| digits.trim().parse::<u64>().ok()?.checked_mul(1 << power));
        bytes.map(Self).ok_or_else(|| InvalidByteSize(text.to_owned()))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1 << 20 => write!(formatter, "{} MiB", bytes >> 20),
            bytes if bytes >= 1 << 10 => write!(formatter, "{} KiB", bytes >> 10),
            bytes => write!(formatter, "{bytes} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_and_docker_write_them() {
        let read = |text: &str| text.parse::<ByteSize>().map(|size| size.0);
        assert_eq!(read("512MiB"), Ok(512 << 20));
        assert_eq!(read("192m"), Ok(192 << 20));
        assert_eq!(read("2 GiB"), Ok(2 << 30));
        assert_eq!(read("1000"), Ok(1000));
        for text in ["", "MiB", "-1", "1.5GiB", "1TB", "99999999999GiB"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
