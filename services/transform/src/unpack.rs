//! Gzipped raw objects.

use std::io::Read;

use bytes::Bytes;
use candlewick_shared::runtime::outcome::Failure;
use flate2::read::MultiGzDecoder;

/// The most that a gzipped object may expand to: 1 GiB. Beyond it stands no history of candles, but a mistake or an attack.
pub const MOST_BYTES: u64 = 1 << 30;

/// The object's text: as it is, or unpacked.
///
/// # Errors
/// A failure, where the bytes are no whole gzip, or expand to more than `most`.
pub fn unpack(body: Bytes, gzip: bool, most: u64) -> Result<Bytes, Failure> {
    if !gzip {
        return Ok(body);
    }
    let hint = size_hint(&body, most);
    read_gzip(body.as_ref(), hint, most).map(Bytes::from)
}

/// The text of a gzip that comes as a stream. `hint` is how long it may be: with a good one the text is read into its place
/// and never moved.
///
/// # Errors
/// A failure, where the bytes are no whole gzip, or expand to more than `most`.
pub fn read_gzip(gzip: impl Read, hint: usize, most: u64) -> Result<Vec<u8>, Failure> {
    // One byte more than is hoped for lets the end be seen without growing.
    let mut text = Vec::with_capacity(hint + 1);
    match MultiGzDecoder::new(gzip).take(most + 1).read_to_end(&mut text) {
        Err(error) => Err(Failure::new("unreadable_object", format!("the file is no whole gzip: {error}"))),
        Ok(bytes) if bytes as u64 > most => Err(Failure::new(
            "object_too_large",
            format!("the gzipped file expands to more than {most} bytes: split it"),
        )),
        Ok(_) => Ok(text),
    }
}

/// The length that a gzip says its text has, in its last four bytes; nought where that is not to be believed, because
/// nothing that short expands so far.
#[must_use]
pub fn size_hint(gzip: &[u8], most: u64) -> usize {
    const MOST_EXPANDED: usize = 1032;
    let said = gzip.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    if said as u64 <= most && said <= gzip.len().saturating_mul(MOST_EXPANDED) { said } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn text_comes_out_as_it_went_in() {
        assert_eq!(unpack(gzip(b"a,b"), true, 100).unwrap(), "a,b");
        assert_eq!(unpack("a,b".into(), false, 100).unwrap(), "a,b");
        let twice = [gzip(b"a,"), gzip(b"b")].concat();
        assert_eq!(unpack(twice.into(), true, 100).unwrap(), "a,b");
    }

    #[test]
    fn what_expands_beyond_the_limit_is_refused() {
        assert_eq!(unpack(gzip(&[b'x'; 101]), true, 100).unwrap_err().class, "object_too_large");
        assert!(unpack(gzip(&[b'x'; 100]), true, 100).is_ok());
    }

    #[test]
    fn the_length_that_a_gzip_says_is_believed_only_where_it_can_be() {
        assert_eq!(size_hint(&gzip(b"a,b"), 100), 3);
        assert_eq!(size_hint(&gzip(b"a,b"), 2), 0);
        assert_eq!(size_hint(b"\xff\xff\xff\x7f", u64::MAX), 0);
        assert_eq!(size_hint(b"", 100), 0);
    }

    #[test]
    fn what_is_no_whole_gzip_is_refused() {
        let whole = gzip(b"a,b");
        for broken in [Bytes::from("plain"), whole.slice(..whole.len() - 3)] {
            assert_eq!(unpack(broken, true, 100).unwrap_err().class, "unreadable_object");
        }
    }
}
