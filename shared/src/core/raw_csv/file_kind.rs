//! Recognizes files that are not CSV by their first bytes.

use std::fmt;

/// A kind of file that users upload by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// gzip.
    Gzip,
    /// A ZIP archive; an .xlsx workbook is one as well.
    Zip,
    /// An .xls workbook, or another Microsoft Office compound file.
    OfficeBinary,
    /// Another compressed archive: bzip2, xz, zstd, 7z.
    Archive,
    /// Text in UTF-16.
    Utf16,
    /// Text in UTF-32.
    Utf32,
    /// An HTML page, often an error or a login page.
    Html,
    /// An XML document.
    Xml,
    /// A Parquet file.
    Parquet,
    /// A PDF document.
    Pdf,
    /// Any other bytes that are not text.
    Binary,
}

/// The first bytes of each kind. Source: the specifications of the formats.
const SIGNATURES: [(&[u8], FileKind); 14] = [
    (b"\x1f\x8b", FileKind::Gzip),
    (b"PK\x03\x04", FileKind::Zip),
    (b"PK\x05\x06", FileKind::Zip),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", FileKind::OfficeBinary),
    (b"BZh", FileKind::Archive),
    (b"\xFD7zXZ\x00", FileKind::Archive),
    (b"\x28\xB5\x2F\xFD", FileKind::Archive),
    (b"7z\xBC\xAF\x27\x1C", FileKind::Archive),
    (b"PAR1", FileKind::Parquet),
    (b"%PDF", FileKind::Pdf),
    (b"\xFF\xFE\x00\x00", FileKind::Utf32),
    (b"\x00\x00\xFE\xFF", FileKind::Utf32),
    (b"\xFF\xFE", FileKind::Utf16),
    (b"\xFE\xFF", FileKind::Utf16),
];

/// How many bytes of the first line are inspected if no signature matches. Bytes that are not text in a later line
/// are a fault of their row only.
const LOOKED_AT: usize = 1024;

impl FileKind {
    /// The kind of a file that is not CSV; `None` if it may be CSV.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let signed = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature));
        signed.map(|(_, kind)| *kind).or_else(|| by_content(first_line(bytes)))
    }

    /// What the user should do with such a file.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Gzip => "a gzipped object needs a name that ends in .csv.gz",
            Self::Zip => "unpack the archive, or save the workbook (.xlsx) as \"CSV UTF-8\"",
            Self::OfficeBinary => "save the workbook as \"CSV UTF-8\"",
            Self::Archive => "unpack it first",
            Self::Utf16 | Self::Utf32 => "save it as UTF-8 (in Excel: \"CSV UTF-8\"; iconv -f UTF-16 -t UTF-8)",
            Self::Html => "the source probably sent an error or a login page: download the file again",
            Self::Xml => "download or export it as CSV",
            Self::Parquet => "write it as CSV, for example with DuckDB or pandas",
            Self::Pdf | Self::Binary => "export the candles as CSV",
        }
    }
}

fn first_line(bytes: &[u8]) -> &[u8] {
    let start = bytes.len() - bytes.trim_ascii_start().len();
    let rest = &bytes[start..bytes.len().min(start + LOOKED_AT)];
    rest.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

fn by_content(bytes: &[u8]) -> Option<FileKind> {
    let text = bytes.trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let nuls = bytes.iter().filter(|byte| **byte == 0).count();
    match text {
        _ if begins(b"<!doctype html")
            || begins(b"<html")
            || begins(b"<head")
            || begins(b"<body")
            || begins(b"<table") =>
        {
            Some(FileKind::Html)
        }
        _ if begins(b"<?xml") => Some(FileKind::Xml),
        // Latin letters in UTF-16 have a zero in every other byte.
        _ if nuls * 3 > bytes.len() => Some(FileKind::Utf16),
        _ if bytes.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) => Some(FileKind::Binary),
        _ => None,
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zip => "a ZIP archive or an .xlsx workbook",
            Self::OfficeBinary => "an .xls workbook",
            Self::Archive => "a packed archive",
            Self::Utf16 => "text in UTF-16",
            Self::Utf32 => "text in UTF-32",
            Self::Html => "a web page (HTML)",
            Self::Xml => "XML",
            Self::Parquet => "Parquet",
            Self::Pdf => "a PDF document",
            Self::Binary => "binary",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_known_by_how_they_begin() {
        let utf16: Vec<u8> = "Date,Open".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, kind) in [
            (&b"\x1f\x8b\x08\x00"[..], Some(FileKind::Gzip)),
            (b"PK\x03\x04\x14\x00", Some(FileKind::Zip)),
            (b"\xFF\xFED\x00a\x00", Some(FileKind::Utf16)),
            (&utf16, Some(FileKind::Utf16)),
            (b"\n <!DOCTYPE HTML><html>", Some(FileKind::Html)),
            (b"<HTML lang=en>", Some(FileKind::Html)),
            (b"<?xml version=\"1.0\"?>", Some(FileKind::Xml)),
            (b"\x00\x01\x02\x03abcdefgh\x10", Some(FileKind::Binary)),
            (b"date,open,high,low,close\n", None),
            (b"<DATE>,<TIME>,<OPEN>", None),
            (b"", None),
        ] {
            assert_eq!(FileKind::of(bytes), kind, "{bytes:?}");
        }
    }
}
