//! Encodes columns of prices and volumes.
//!
//! Parquet has a decimal of 38 digits as 16 bytes, the most significant first. The writer of the `parquet` crate makes each of
//! them a value on the heap of its own, which takes longer than all of cleaning.

use std::borrow::Cow;

use arrow_array::{Array, Decimal128Array};
use parquet::basic::Encoding;
use parquet::data_type::FixedLenByteArray;
use parquet::errors::Result;
use parquet::file::statistics::{Statistics, ValueStatistics};

use super::chunk::{Bounds, Chunk, ChunkWriter, DataPage, PAGE_ROWS};
use super::distinct::Distinct;
use super::packed;

/// After how many numbers the column is asked whether they repeat.
const SAMPLE: usize = 1 << 14;

/// The numbers of a column, page by page.
struct Pages<'a> {
    pages: Vec<Numbers<'a>>,
    is_nullable: bool,
}

struct Numbers<'a> {
    /// Those that are not null.
    numbers: Cow<'a, [i128]>,
    /// Which rows have a number, as 1 or 0, if some have none.
    known: Option<Vec<u32>>,
    rows: usize,
    /// The least and the greatest number.
    range: Option<(i128, i128)>,
}

pub fn encode(writer: ChunkWriter<'_>, arrays: &[&Decimal128Array], is_nullable: bool) -> Result<Chunk> {
    let pages = Pages::of(arrays, is_nullable);
    match pages.dictionary() {
        Some((distinct, positions)) => pages.with_dictionary(writer, &distinct, &positions),
        None => pages.plain(writer),
    }
}

impl<'a> Pages<'a> {
    fn of(arrays: &[&'a Decimal128Array], is_nullable: bool) -> Self {
        let pages = match arrays {
            [array] if array.null_count() == 0 => array.values().chunks(PAGE_ROWS).map(Numbers::all).collect(),
            _ => Numbers::some(arrays),
        };
        Self { pages, is_nullable }
    }

    /// The distinct numbers and the position of each number among them, unless most numbers occur once.
    fn dictionary(&self) -> Option<(Distinct, Vec<Vec<u32>>)> {
        let mut distinct = Distinct::new();
        let mut seen = 0;
        let mut positions = Vec::with_capacity(self.pages.len());
        for page in &self.pages {
            positions.push(page.numbers.iter().map(|number| distinct.position(*number)).collect());
            seen += page.numbers.len();
            if seen >= SAMPLE && distinct.numbers.len() > seen / 4 * 3 {
                return None;
            }
        }
        Some((distinct, positions))
    }

    fn with_dictionary(
        &self,
        mut writer: ChunkWriter<'_>,
        distinct: &Distinct,
        positions: &[Vec<u32>],
    ) -> Result<Chunk> {
        let mut content = Vec::new();
        distinct.numbers.iter().for_each(|number| content.extend_from_slice(&number.to_be_bytes()));
        writer.dictionary(&content, distinct.numbers.len())?;
        let width = packed::width(distinct.numbers.len());
        for (page, positions) in self.pages.iter().zip(positions) {
            content.clear();
            self.append_levels(&mut content, page);
            content.push(width as u8);
            packed::append(&mut content, positions, width);
            writer.data(page.data(&content, Encoding::RLE_DICTIONARY))?;
        }
        writer.close(self.statistics())
    }

    fn plain(&self, mut writer: ChunkWriter<'_>) -> Result<Chunk> {
        let mut content = Vec::new();
        for page in &self.pages {
            content.clear();
            self.append_levels(&mut content, page);
            page.numbers.iter().for_each(|number| content.extend_from_slice(&number.to_be_bytes()));
            writer.data(page.data(&content, Encoding::PLAIN))?;
        }
        writer.close(self.statistics())
    }

    /// Appends which rows of a page have a number, with its length before it; nothing if no row can be without.
    fn append_levels(&self, content: &mut Vec<u8>, page: &Numbers<'_>) {
        if !self.is_nullable {
            return;
        }
        let mut levels = Vec::new();
        match &page.known {
            Some(known) => packed::append(&mut levels, known, 1),
            None => packed::append(&mut levels, &vec![1; page.rows], 1),
        }
        content.extend((levels.len() as u32).to_le_bytes());
        content.extend(levels);
    }

    fn statistics(&self) -> Statistics {
        let bounds = self.pages.iter().filter_map(|page| page.range);
        let range = bounds.reduce(|(least, greatest), (low, high)| (least.min(low), greatest.max(high)));
        let nulls: usize = self.pages.iter().map(|page| page.nulls()).sum();
        let value = |number: i128| FixedLenByteArray::from(number.to_be_bytes().to_vec());
        let (least, greatest) = range.map_or((None, None), |(least, greatest)| (Some(least), Some(greatest)));
        ValueStatistics::new(least.map(value), greatest.map(value), None, Some(nulls as u64), false).into()
    }
}

impl<'a> Numbers<'a> {
    fn all(numbers: &'a [i128]) -> Self {
        Self { numbers: Cow::Borrowed(numbers), known: None, rows: numbers.len(), range: range(numbers) }
    }

    /// The pages of arrays that may have nulls, and may end within a page.
    fn some(arrays: &[&Decimal128Array]) -> Vec<Self> {
        let mut rows = arrays.iter().flat_map(|array| array.iter());
        let count: usize = arrays.iter().map(|array| array.len()).sum();
        (0..count).step_by(PAGE_ROWS).map(|from| Self::take(&mut rows, PAGE_ROWS.min(count - from))).collect()
    }

    fn take(rows: &mut impl Iterator<Item = Option<i128>>, count: usize) -> Self {
        let mut numbers = Vec::with_capacity(count);
        let mut known = None;
        for row in 0..count {
            let number = rows.next().flatten();
            if number.is_none() {
                known.get_or_insert_with(|| vec![1; count])[row] = 0;
            }
            numbers.extend(number);
        }
        let range = range(&numbers);
        Self { numbers: Cow::Owned(numbers), known, rows: count, range }
    }

    fn nulls(&self) -> usize {
        self.rows - self.numbers.len()
    }

    fn bounds(&self) -> Bounds {
        self.range.map(|(least, greatest)| (least.to_be_bytes().to_vec(), greatest.to_be_bytes().to_vec()))
    }

    fn data<'b>(&self, content: &'b [u8], encoding: Encoding) -> DataPage<'b> {
        DataPage { content, encoding, rows: self.rows, nulls: self.nulls(), bounds: self.bounds() }
    }
}

fn range(numbers: &[i128]) -> Option<(i128, i128)> {
    let first = *numbers.first()?;
    let wider = |(least, greatest): (i128, i128), number: &i128| (least.min(*number), greatest.max(*number));
    Some(numbers.iter().fold((first, first), wider))
}
