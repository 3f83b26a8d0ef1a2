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
    let mut text = Vec::new();
    let read = MultiGzDecoder::new(body.as_ref()).take(most + 1).read_to_end(&mut text);
    match read {
        Err(error) => Err(Failure::new("unreadable_object", format!("the file is no whole gzip: {error}"))),
        Ok(bytes) if bytes as u64 > most => Err(Failure::new(
            "object_too_large",
            format!("the gzipped file expands to more than {most} bytes: split it"),
        )),
        Ok(_) => Ok(text.into()),
    }
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
    fn what_is_no_whole_gzip_is_refused() {
        let whole = gzip(b"a,b");
        for broken in [Bytes::from("plain"), whole.slice(..whole.len() - 3)] {
            assert_eq!(unpack(broken, true, 100).unwrap_err().class, "unreadable_object");
        }
    }
}
