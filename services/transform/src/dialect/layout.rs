//! Finds the header of a file, its delimiter, and its first row.

use candlewick_shared::core::form::Form;
use candlewick_shared::core::raw_csv::cells::{Cells, line};
use candlewick_shared::core::raw_csv::{Unreadable, without_mark};
use candlewick_shared::core::symbol::Symbol;

use super::columns::Columns;

/// How many lines may precede a header.
const MOST_BEFORE: usize = 40;

/// The possible delimiters, the usual ones first.
pub const DELIMITERS: [u8; 5] = [b',', b';', b'\t', b'|', b' '];

/// The structure of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub columns: Columns,
    pub delimiter: u8,
    /// The offset of the first row.
    pub body: usize,
    /// How many lines that are not blank precede the header.
    pub lines_before: u64,
    pub has_header: bool,
    /// Whether each row begins with a name for which the header has no column.
    pub has_row_names: bool,
    /// The instruments in a header of three lines.
    pub tickers: Vec<String>,
}

/// A line, and the offset of the next one.
pub struct Line<'a> {
    pub text: &'a [u8],
    pub next: usize,
}

/// Finds the header of candles, or uses the column names in `form`.
pub fn find(text: &[u8], symbol: &Symbol, form: &Form) -> Result<Option<Layout>, Unreadable> {
    let lines = first_lines(text);
    let source = Source { text, symbol, form, delimiter: given_delimiter(text, form) };
    if !form.header.is_empty() {
        return source.without_header();
    }
    if let Some(layout) = source.of_three_lines(&lines)? {
        return Ok(Some(layout));
    }
    let mut lines_before = 0;
    for line in &lines {
        if let Some(layout) = source.with_header(line)? {
            return Ok(Some(Layout { lines_before, ..layout }));
        }
        lines_before += u64::from(!line.text.trim_ascii().is_empty());
    }
    Ok(None)
}

/// The delimiter in the form, or in a line `sep=;` at the start of the file.
pub fn given_delimiter(text: &[u8], form: &Form) -> Option<u8> {
    let by_owner = form.delimiter.and_then(|delimiter| u8::try_from(delimiter).ok());
    by_owner.or_else(|| said_delimiter(first_lines(text).first()?.text))
}

/// The lines in which a header is looked for.
pub fn first_lines(text: &[u8]) -> Vec<Line<'_>> {
    let mut at = text.len() - without_mark(text).len();
    let mut lines = Vec::new();
    while at < text.len() && lines.len() < MOST_BEFORE {
        let (length, line_break) = line(text, at);
        lines.push(Line { text: &text[at..at + length], next: at + length + line_break });
        at += length + line_break;
    }
    lines
}

/// The delimiter in a line `sep=;`, which spreadsheets read and write.
fn said_delimiter(line: &[u8]) -> Option<u8> {
    match line.trim_ascii_end() {
        [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(*delimiter),
        [s, e, p, b'='] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") && line.ends_with(b"\t") => Some(b'\t'),
        _ => None,
    }
}

/// The cells of a line; `None` if its quotes are not balanced.
pub fn split(line: &[u8], delimiter: u8) -> Option<Vec<String>> {
    let mut cells = Cells::new(delimiter);
    cells.split(line).ok()?;
    Some(cells.texts())
}

/// A file and its known properties.
struct Source<'a> {
    text: &'a [u8],
    symbol: &'a Symbol,
    form: &'a Form,
    delimiter: Option<u8>,
}

impl Source<'_> {
    fn columns(&self, names: Vec<String>) -> Result<Option<Columns>, Unreadable> {
        Columns::of(names, self.symbol, self.form)
    }

    /// The layout of a file whose columns are named by the form instead of a header.
    fn without_header(&self) -> Result<Option<Layout>, Unreadable> {
        let body = self.text.len() - without_mark(self.text).len();
        let (length, _) = line(self.text, body);
        let row = &self.text[body..body + length];
        let count = |delimiter: &u8| split(row, *delimiter).map_or(0, |cells| cells.len());
        let delimiter =
            self.delimiter.or_else(|| DELIMITERS.into_iter().find(|each| count(each) == self.form.header.len()));
        let columns = self.columns(self.form.header.clone())?;
        Ok(columns
            .zip(delimiter)
            .map(|(columns, delimiter)| Layout { has_header: false, ..Layout::new(columns, delimiter, body) }))
    }

    /// The layout of a file with this line as its header, which may be commented out.
    fn with_header(&self, line: &Line<'_>) -> Result<Option<Layout>, Unreadable> {
        let bare = line.text.strip_prefix(b"#").unwrap_or(line.text);
        for delimiter in self.delimiter.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]) {
            let Some(names) = split(bare, delimiter).filter(|names| names.len() >= 4) else { continue };
            if let Some(columns) = self.columns(names.clone())? {
                return self.with_row_names(Layout::new(columns, delimiter, line.next), names).map(Some);
            }
        }
        Ok(None)
    }

    /// R writes a name before each row but no name for that column, so each row has one cell more than the header.
    fn with_row_names(&self, layout: Layout, names: Vec<String>) -> Result<Layout, Unreadable> {
        let (length, _) = line(self.text, layout.body);
        let row = self.text.get(layout.body..layout.body + length).unwrap_or_default();
        let row = split(row, layout.delimiter).unwrap_or_default();
        let has_one_more = row.len() == names.len() + 1 && row.last().is_some_and(|cell| !cell.is_empty());
        if !has_one_more || names.last().is_some_and(String::is_empty) {
            return Ok(layout);
        }
        let columns = self.columns(std::iter::once(String::new()).chain(names).collect())?;
        Ok(match columns {
            Some(columns) => Layout { columns, has_row_names: true, ..layout },
            None => layout,
        })
    }

    /// The header of three lines that pandas writes for columns of two levels: the columns, the instrument of each,
    /// and the name of the index. The first two lines may be swapped, and the last one may be missing.
    fn of_three_lines(&self, lines: &[Line<'_>]) -> Result<Option<Layout>, Unreadable> {
        let [upper, lower, rest @ ..] = lines else { return Ok(None) };
        let cells = |line: &Line<'_>| split(line.text, b',').unwrap_or_default();
        let first = cells(upper);
        let second = cells(lower);
        let index = rest.first().and_then(|line| Some((name_of_index(&cells(line), first.len())?, line.next)));
        let has = |cells: &[String], name: &str| cells.iter().any(|cell| cell.eq_ignore_ascii_case(name));
        let has_open = |cells: &[String]| has(cells, "open");
        let are_levels = |names: &[String], tickers: &[String]| has_open(names) && has(&tickers[..1], "ticker");
        let is_same_length = first.len() == second.len() && first.len() >= 5;
        if !is_same_length || !(index.is_some() || are_levels(&first, &second) || are_levels(&second, &first)) {
            return Ok(None);
        }
        let (mut names, tickers) = if has_open(&first) { (first, second) } else { (second, first) };
        let lines_before = if index.is_some() { 2 } else { 1 };
        let (name, body) = index.unwrap_or_else(|| ("Date".to_owned(), lower.next));
        names[0] = name;
        let tickers = distinct(tickers.into_iter().skip(1).filter(|ticker| !ticker.is_empty()).collect());
        // With several instruments, each has columns of the same names.
        let names = if tickers.len() > 1 { distinct(names) } else { names };
        let columns = self.columns(names)?;
        Ok(columns.map(|columns| Layout { lines_before, tickers, ..Layout::new(columns, b',', body) }))
    }
}

impl Layout {
    fn new(columns: Columns, delimiter: u8, body: usize) -> Self {
        Self { columns, delimiter, body, lines_before: 0, has_header: true, has_row_names: false, tickers: Vec::new() }
    }
}

/// The name in the third line of a header, whose other cells are empty or numbered by pandas.
fn name_of_index(cells: &[String], count: usize) -> Option<String> {
    let (name, others) = cells.split_first()?;
    let is_blank = |cell: &String| cell.is_empty() || cell.starts_with("Unnamed: ");
    (cells.len() == count && !name.is_empty() && others.iter().all(is_blank)).then(|| name.clone())
}

/// The names without repetitions.
fn distinct(names: Vec<String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Layout {
        find(text.as_bytes(), &"ABC".parse().unwrap(), &Form::default()).unwrap().unwrap()
    }

    #[test]
    fn a_header_is_found_after_what_precedes_it() {
        for (text, delimiter, before, rows) in [
            ("sep=;\nDate;Open;High;Low;Close\n1", b';', 1, "1"),
            ("https://www.example.com\n\nunix,open,high,low,close\n1", b',', 1, "1"),
            ("<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\n1", b'\t', 0, "1"),
            ("\u{feff}# Date|Open|High|Low|Close\r\n1", b'|', 0, "1"),
            ("Price,Close,High,Low,Open\nTicker,A,A,A,A\nDate,,,,\n1", b',', 2, "1"),
        ] {
            let found = layout(text);
            assert_eq!(
                (found.delimiter, found.lines_before, &text[found.body..]),
                (delimiter, before, rows),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_name_before_each_row_is_known_by_the_number_of_cells() {
        let named = layout("\"Date\",\"Open\",\"High\",\"Low\",\"Close\"\n\"1\",2024-01-02,1,2,1,2\n");
        assert!(named.has_row_names && named.columns.prices == [2, 3, 4, 5]);
        assert!(!layout("Date,Open,High,Low,Close\n2024-01-02,1,2,1,2,\n").has_row_names);
    }
}
