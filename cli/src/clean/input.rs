//! A file to clean: its text, and what its path says about it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::{Part, RawKey, Series};
use candlewick_shared::core::symbol::Symbol;
use candlewick_transform::unpack::{self, MOST_BYTES, read_gzip};
use jiff::Timestamp;

/// The magic bytes of gzip. No CSV file starts with them.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file to clean.
#[derive(Debug)]
pub struct Input {
    /// The path; `-` is stdin.
    pub path: PathBuf,
    /// The series of the candles.
    pub series: Series,
    /// The part of the series: a month only if the path follows the layout of the bucket.
    pub part: Part,
    /// The file name without its extension.
    stem: String,
}

impl Input {
    /// Takes from the path what the options leave open.
    pub fn new(path: &Path, symbol: Option<&Symbol>, interval: Option<Interval>) -> anyhow::Result<Self> {
        let shown = path.display();
        let symbol = symbol.cloned().map(Ok).or_else(|| folder(path, "symbol=").map(Symbol::from_key_form));
        let interval = interval.map(Ok).or_else(|| folder(path, "interval=").map(str::parse));
        let symbol =
            symbol.with_context(|| format!("{shown}: which symbol is it of? Name it with --symbol AAPL"))??;
        let interval = interval
            .with_context(|| format!("{shown}: which interval does it have? Name it with --interval 1day"))??;
        let series = Series { symbol, interval };
        let stem = stem(path);
        let key = format!("raw/interval={interval}/symbol={}/{stem}.csv", series.symbol.to_key_form());
        let part = key.parse::<RawKey>().map_or(Part::Whole, |key| key.path.part);
        Ok(Self { path: path.to_owned(), series, part, stem })
    }

    /// The name of the outputs under each prefix, without extensions.
    pub fn name(&self) -> String {
        let Series { symbol, interval } = &self.series;
        format!("interval={interval}/symbol={}/{}", symbol.to_key_form(), self.stem)
    }

    fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// The (decompressed) text, and when the file was written: now for stdin.
    pub fn read(&self) -> anyhow::Result<(Vec<u8>, Timestamp)> {
        if self.is_stdin() {
            let text = read_text(io::stdin().lock(), 0).context("read stdin")?;
            return Ok((text, Timestamp::now()));
        }
        let context = || format!("read {}", self.path.display());
        let mut file = File::open(&self.path).with_context(context)?;
        let metadata = file.metadata().with_context(context)?;
        let hint = size_hint(&mut file, metadata.len()).with_context(context)?;
        let text = read_text(file, hint).with_context(context)?;
        Ok((text, Timestamp::try_from(metadata.modified().with_context(context)?)?))
    }
}

/// The value of the last folder in a path that has this prefix.
fn folder<'a>(path: &'a Path, prefix: &str) -> Option<&'a str> {
    let names = path.parent()?.components().rev().filter_map(|component| component.as_os_str().to_str());
    names.filter_map(|name| name.strip_prefix(prefix)).next()
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    match plain.strip_suffix(".csv").unwrap_or(plain) {
        "-" | "" => "candles".to_owned(),
        stem => stem.to_owned(),
    }
}

/// The expected length of the text: the length of the file, or for gzip the length in its trailer.
fn size_hint(file: &mut File, length: u64) -> io::Result<usize> {
    let mut ends = [0; 4];
    let is_gzip = length > 18 && file.read_exact(&mut ends[..2]).is_ok() && ends[..2] == GZIP;
    let hint = if is_gzip {
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut ends)?;
        // The maximum compression ratio of gzip is about a thousand.
        u64::from(u32::from_le_bytes(ends)).min(length.saturating_mul(1032)).min(MOST_BYTES)
    } else {
        length
    };
    // A pipe can be named like a file, but has no length and cannot be rewound.
    if length > 0 {
        file.rewind()?;
    }
    Ok(usize::try_from(hint).unwrap_or(0))
}

fn read_text(mut source: impl Read, hint: usize) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(hint + 1);
    source.by_ref().take(2).read_to_end(&mut text)?;
    if text == GZIP {
        return read_gzip(GZIP.as_slice().chain(source), hint, MOST_BYTES)
            .map_err(|failure| anyhow::anyhow!(failure.message));
    }
    source.read_to_end(&mut text)?;
    if !unpack::is_packed(&text) {
        return Ok(text);
    }
    let unpacked = unpack::read(Bytes::from(text), unpack::MOST_OF_A_COMMAND);
    unpacked.map(Vec::from).map_err(|failure| anyhow::anyhow!(failure.message))
}
