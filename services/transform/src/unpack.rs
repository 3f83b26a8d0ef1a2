//! Unpacks raw objects to text: gzip, ZIP or plain, detected by content. The size is measured before anything is
//! stored.

use std::io::{BufRead, BufReader, Cursor, Read};

use bytes::Bytes;
use candlewick_shared::core::byte_size::ByteSize;
use candlewick_shared::core::raw_csv::FileKind;
use candlewick_shared::runtime::outcome::Failure;
use flate2::read::MultiGzDecoder;
use memchr::{memchr_iter, memchr2_iter};
use zip::ZipArchive;

/// The length limit of a line in bytes. A row of candles has about a hundredth of it.
pub const MOST_OF_A_LINE: u64 = 64 << 10;

/// The size limit of an unpacked gzip file, if the reader has no limit of its own: 1 GiB.
pub const MOST_BYTES: u64 = 1 << 30;

/// The memory that cleaning takes for each byte of a text: the text, its copies in UTF-8 and as raw CSV if it is in
/// another form, the clean CSV, and a copy in transit.
const FOR_A_BYTE: u64 = 6;

/// The memory that it takes for each line: the row, a gap after it, their output, and the quarantine's description.
const FOR_A_LINE: u64 = 400;

/// The size of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    pub bytes: u64,
    pub lines: u64,
}

impl Measured {
    /// The memory that cleaning the text takes, in bytes.
    pub fn memory(self) -> u64 {
        self.bytes.saturating_mul(FOR_A_BYTE).saturating_add(self.lines.saturating_mul(FOR_A_LINE))
    }
}

/// Measures the text of an object without storing it. Fails once cleaning it would take more than `most` bytes of
/// memory.
pub fn measure(body: &[u8], most: u64) -> Result<Measured, Failure> {
    match Packing::of(body) {
        Packing::None => measure_text(body, most),
        Packing::Gzip => measure_text(MultiGzDecoder::new(body), most),
        Packing::Zip => in_zip(body, |file| measure_text(file, most))?,
    }
}

/// How a file is packed, by its first bytes; its name may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zip,
}

impl Packing {
    fn of(body: &[u8]) -> Self {
        match body {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'P', b'K', 3, 4, ..] => Self::Zip,
            _ => Self::None,
        }
    }
}

/// Whether a file is packed, whatever its name.
pub fn is_packed(body: &[u8]) -> bool {
    Packing::of(body) != Packing::None
}

/// Calls `read` with the only file in an archive.
fn in_zip<T>(body: &[u8], read: impl FnOnce(&mut dyn Read) -> T) -> Result<T, Failure> {
    let broken = |error: zip::result::ZipError| {
        Failure::new("unreadable_object", format!("the ZIP archive cannot be read: {error}"))
    };
    let mut archive = ZipArchive::new(Cursor::new(body)).map_err(broken)?;
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.map(|name| name.into_owned()))
        .collect::<Result<_, _>>()
        .map_err(broken)?;
    if names.iter().any(|name| name == "[Content_Types].xml") {
        return Err(Failure::new(
            "unreadable_object",
            "the file is an .xlsx workbook, not CSV: save it as \"CSV UTF-8\"",
        ));
    }
    let is_data = |name: &&String| !name.ends_with('/') && !name.starts_with("__MACOSX/");
    let files: Vec<&String> = names.iter().filter(is_data).collect();
    let [file] = files.as_slice() else {
        let words =
            format!("the ZIP archive has {} files and must have one: unpack it, and take each by itself", files.len());
        return Err(Failure::new("unreadable_object", words));
    };
    let mut file = archive.by_name(file).map_err(broken)?;
    Ok(read(&mut file))
}

fn measure_text(text: impl Read, most: u64) -> Result<Measured, Failure> {
    let mut text = BufReader::with_capacity(64 << 10, text);
    let mut feeds = 0;
    let mut returns = 0;
    let mut bytes = 0;
    let mut line = 0;
    loop {
        let part = text.fill_buf().map_err(|error| no_gzip(&error))?;
        if part.is_empty() {
            return Ok(Measured { bytes, lines: u64::max(feeds, returns) + 1 });
        }
        if bytes == 0 && is_of_another_kind(part) {
            return Ok(Measured { bytes: part.len() as u64, lines: 1 });
        }
        line = longest(part, line, u64::max(feeds, returns) + 1)?;
        bytes += part.len() as u64;
        feeds += memchr_iter(b'\n', part).count() as u64;
        returns += memchr_iter(b'\r', part).count() as u64;
        let so_far = Measured { bytes, lines: u64::max(feeds, returns) };
        if so_far.memory() > most {
            return Err(too_large(so_far, most));
        }
        let read = part.len();
        text.consume(read);
    }
}

/// Whether the first bytes show that a file is not CSV; cleaning needs no more of it to refuse it. Zeros prove
/// nothing.
fn is_of_another_kind(beginning: &[u8]) -> bool {
    let is_other = FileKind::of(beginning).is_some_and(|kind| kind != FileKind::Utf16);
    is_other && beginning.iter().any(|byte| *byte != 0)
}

/// The length so far of the last line in a part. `line` is the length of the line that continues into the part.
fn longest(part: &[u8], mut line: u64, number: u64) -> Result<u64, Failure> {
    let mut began = 0;
    for (number, end) in (number..).zip(memchr2_iter(b'\n', b'\r', part).chain([part.len()])) {
        line += (end - began) as u64;
        if line > MOST_OF_A_LINE {
            let words = format!("line {number} is longer than {MOST_OF_A_LINE} bytes: no row of candles is");
            return Err(Failure::new("object_too_large", words));
        }
        if end == part.len() {
            return Ok(line);
        }
        (began, line) = (end + 1, 0);
    }
    Ok(line)
}

fn too_large(so_far: Measured, most: u64) -> Failure {
    let lines = so_far.lines;
    let bytes = ByteSize(so_far.bytes);
    let most = ByteSize(most);
    let words = format!(
        "more than {lines} lines with {bytes} take more memory than the {most} that one object may: split the file, or raise \
         MEMORY_LIMIT"
    );
    Failure::new("object_too_large", words)
}

fn no_gzip(error: &std::io::Error) -> Failure {
    Failure::new("unreadable_object", format!("the file cannot be unpacked: {error}"))
}

/// Unpacks the text of an object, up to the measured size.
pub fn unpack(body: Bytes, measured: Measured) -> Result<Bytes, Failure> {
    let whole = |packed: &mut dyn Read| {
        let mut text = Vec::with_capacity(usize::try_from(measured.bytes).unwrap_or(0) + 1);
        let read = packed.take(measured.bytes).read_to_end(&mut text);
        read.map(|_| Bytes::from(text)).map_err(|error| no_gzip(&error))
    };
    match Packing::of(&body) {
        Packing::None => Ok(body),
        Packing::Gzip => whole(&mut MultiGzDecoder::new(body.as_ref())),
        Packing::Zip => in_zip(&body, whole)?,
    }
}

/// Unpacks a gzip stream. `hint` is the expected length; if it is correct, the text is never reallocated.
pub fn read_gzip(gzip: impl Read, hint: usize, most: u64) -> Result<Vec<u8>, Failure> {
    // One byte more than expected, so that the end is detected without growing.
    let mut text = Vec::with_capacity(hint + 1);
    match MultiGzDecoder::new(gzip).take(most + 1).read_to_end(&mut text) {
        Err(error) => Err(no_gzip(&error)),
        Ok(bytes) if bytes as u64 > most => Err(Failure::new(
            "object_too_large",
            format!("the gzipped file expands to more than {most} bytes: split it"),
        )),
        Ok(_) => Ok(text),
    }
}

/// The text length in the last four bytes of a gzip file; zero if it is implausible, because so few bytes cannot
/// expand that far.
pub fn size_hint(gzip: &[u8], most: u64) -> usize {
    const MOST_EXPANDED: usize = 1032;
    let said = gzip.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    if said as u64 <= most && said <= gzip.len().saturating_mul(MOST_EXPANDED) { said } else { 0 }
}

/// Measures and unpacks the text of an object, like [`measure`] and [`unpack`].
pub fn read(body: Bytes, most: u64) -> Result<Bytes, Failure> {
    let measured = measure(&body, most)?;
    unpack(body, measured)
}

/// The memory limit of a command that inspects a file: it processes one file at a time, on the user's machine.
pub const MOST_OF_A_COMMAND: u64 = 4 << 30;

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

    fn zip(files: &[(&str, &str)]) -> Bytes {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner().into()
    }

    #[test]
    fn an_archive_must_have_one_file() {
        for (files, words) in [
            (&[("a.csv", "1"), ("b.csv", "2")][..], "has 2 files"),
            (&[], "has 0 files"),
            (&[("[Content_Types].xml", ""), ("b", "")], ".xlsx workbook"),
        ] {
            let bytes = zip(files);
            let failure = match files {
                // An archive without files has no local header to be recognized by.
                [] => in_zip(&bytes, |_| ()).unwrap_err(),
                _ => measure(&bytes, u64::MAX).unwrap_err(),
            };
            assert!(failure.message.contains(words), "{failure:?}");
        }
        assert!(measure(b"PK\x03\x04 and no more", u64::MAX).is_err());
    }

    #[test]
    fn text_comes_out_as_it_went_in() {
        let whole = |body: Bytes| read(body, u64::MAX);
        assert_eq!(whole(gzip(b"a,b")).unwrap(), "a,b");
        assert_eq!(whole("a,b".into()).unwrap(), "a,b");
        let twice = [gzip(b"a,"), gzip(b"b")].concat();
        assert_eq!(whole(twice.into()).unwrap(), "a,b");
        assert_eq!(whole(zip(&[("a.csv", "a,b"), ("__MACOSX/a.csv", "x")])).unwrap(), "a,b");
    }

    #[test]
    fn a_text_is_measured_packed_or_not_with_any_line_ends() {
        let measured = Measured { bytes: 11, lines: 3 };
        for text in [&b"aaaa\nbbbb\nc"[..], b"aaaa\rbbbb\rc", b"aaa\r\nbb\r\nc"] {
            let measured = Measured { bytes: text.len() as u64, ..measured };
            assert_eq!(measure(text, u64::MAX), Ok(measured));
            assert_eq!(measure(&gzip(text), u64::MAX), Ok(measured));
        }
        assert_eq!(measure(b"", 0), Ok(Measured { bytes: 0, lines: 1 }));
    }

    #[test]
    fn a_line_may_be_long_but_not_endless_and_is_named() {
        let most = MOST_OF_A_LINE as usize;
        let rows = |length: usize| ["a,b\n".to_owned(), "x".repeat(length), "\nc".to_owned()].concat();
        assert!(measure(rows(most).as_bytes(), u64::MAX).is_ok());
        for body in [rows(most + 1), rows(10 * most)] {
            let failure = measure(body.as_bytes(), u64::MAX).unwrap_err();
            assert!(failure.class == "object_too_large" && failure.message.contains("line 2 "), "{failure:?}");
        }
    }

    #[test]
    fn of_a_file_of_another_kind_the_beginning_is_enough() {
        let pdf = [b"%PDF-1.7".to_vec(), vec![b'x'; 10 << 20]].concat();
        let packed = gzip(&pdf);
        let measured = measure(&packed, u64::MAX).unwrap();
        assert!(measured.bytes <= 64 << 10, "{measured:?}");
        assert_eq!(unpack(packed, measured).unwrap().len() as u64, measured.bytes);
        assert!(measure(&pdf, u64::MAX).is_ok());
        assert_eq!(measure(&gzip(&vec![0; 1 << 20]), u64::MAX).unwrap_err().class, "object_too_large");
    }

    #[test]
    fn rows_count_by_what_they_take_in_memory() {
        let rows = "1\n".repeat(1000);
        let needed = measure(rows.as_bytes(), u64::MAX).unwrap().memory();
        assert!(measure(rows.as_bytes(), needed).is_ok());
        let failure = measure(rows.as_bytes(), needed / 2).unwrap_err();
        assert!(failure.message.contains("lines") && failure.message.contains("MEMORY_LIMIT"), "{failure:?}");
    }

    #[test]
    fn what_expands_beyond_the_limit_is_refused() {
        assert_eq!(read_gzip(&*gzip(&[b'x'; 101]), 0, 100).unwrap_err().class, "object_too_large");
        assert!(read_gzip(&*gzip(&[b'x'; 100]), 0, 100).is_ok());
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
        for broken in [whole.slice(..whole.len() - 3), whole.slice(..5)] {
            assert_eq!(measure(&broken, u64::MAX).unwrap_err().class, "unreadable_object");
        }
    }
}
