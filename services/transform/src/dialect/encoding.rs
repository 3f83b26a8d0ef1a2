//! Decodes a file to UTF-8.

use std::borrow::Cow;

use candlewick_shared::core::raw_csv::without_mark;
use encoding_rs::{EUC_KR, Encoding, GB18030, SHIFT_JIS, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A file in UTF-8.
pub struct Decoded<'a> {
    pub text: Cow<'a, [u8]>,
    /// The name of the original encoding, if it was not UTF-8.
    pub encoding: Option<&'static str>,
}

/// Encodings that only a readable header can confirm, in the order in which they are tried.
const LEGACY: [&Encoding; 4] = [GB18030, SHIFT_JIS, EUC_KR, WINDOWS_1252];

/// Decodes a file. A file that is neither UTF-16 nor valid UTF-8 does not name its encoding: the first encoding with
/// which `is_known` recognizes the header is used. If there is none, the bytes are kept.
pub fn decode(bytes: &[u8], is_known: impl Fn(&[u8]) -> bool) -> Decoded<'_> {
    if let Some(encoding) = utf16(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(without_utf16_mark(bytes));
        return Decoded { text: owned(&text), encoding: Some("UTF-16") };
    }
    if std::str::from_utf8(bytes).is_ok() {
        return Decoded { text: Cow::Borrowed(bytes), encoding: None };
    }
    let knows = |encoding: &&'static Encoding| {
        let text = encoding.decode_without_bom_handling_and_without_replacement(head(bytes));
        text.is_some_and(|text| is_known(text.as_bytes()))
    };
    let Some(encoding) = LEGACY.into_iter().find(knows) else {
        return Decoded { text: Cow::Borrowed(bytes), encoding: None };
    };
    let (text, _) = encoding.decode_without_bom_handling(without_mark(bytes));
    Decoded { text: owned(&text), encoding: Some(encoding.name()) }
}

/// The first complete lines of a text.
fn head(bytes: &[u8]) -> &[u8] {
    const LOOKED_AT: usize = 64 << 10;
    let bytes = without_mark(bytes);
    match bytes.get(..LOOKED_AT) {
        None => bytes,
        Some(head) => memchr::memrchr(b'\n', head).map_or(head, |end| &head[..end]),
    }
}

fn owned(text: &str) -> Cow<'static, [u8]> {
    Cow::Owned(text.as_bytes().to_vec())
}

/// Detects UTF-16 by the byte order mark, or because every other byte of the ASCII text at the start is zero.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] => None,
        [0xFF, 0xFE, ..] => Some(UTF_16LE),
        [0xFE, 0xFF, ..] => Some(UTF_16BE),
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Some(UTF_16LE),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some(UTF_16BE),
        _ => None,
    }
}

fn without_utf16_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xFF\xFE").or_else(|| bytes.strip_prefix(b"\xFE\xFF")).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_in_every_encoding() {
        let header = "日期,开盘";
        let utf16: Vec<u8> = "\u{feff}日期,开盘".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (gbk, _, _) = GB18030.encode(header);
        for (bytes, encoding) in [(header.as_bytes(), None), (&utf16, Some("UTF-16")), (&gbk, Some("gb18030"))] {
            let decoded = decode(bytes, |text| text.starts_with("日期".as_bytes()));
            assert_eq!((&*decoded.text, decoded.encoding), (header.as_bytes(), encoding));
        }
        let big: Vec<u8> = "Date,Open".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(&*decode(&big, |_| false).text, b"Date,Open");
    }

    #[test]
    fn bytes_of_no_encoding_whose_header_is_known_stay_as_they_are() {
        let decoded = decode(b"Er\xF6ffnung", |_| false);
        assert_eq!((&*decoded.text, decoded.encoding), (&b"Er\xF6ffnung"[..], None));
    }
}
