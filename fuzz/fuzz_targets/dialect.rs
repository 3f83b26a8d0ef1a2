//! No bytes make the reader of other forms panic, and a text that it brings into that of raw CSV has the lines of the file.
#![no_main]

use candlewick_shared::core::form::Form;
use candlewick_shared::core::raw_csv::cells::line;
use candlewick_transform::dialect::{self, Known};
use libfuzzer_sys::fuzz_target;

/// The beginnings of files of other forms, so that random rows come near to real ones.
const HEADERS: [&str; 6] = [
    "",
    "Date;Open;High;Low;Close;Volume\n",
    "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\n",
    "Price,Close,High,Low,Open,Volume\nTicker,ABC,ABC,ABC,ABC,ABC\nDate,,,,,\n",
    "sep=;\nDate;Price;Open;High;Low;Vol.\n",
    "a banner\nunix,date,open,high,low,close,volume\n",
];

fn lines(text: &[u8]) -> usize {
    let mut at = 0;
    let mut count = 0;
    while at < text.len() {
        let (length, line_break) = line(text, at);
        at += length + line_break;
        count += 1;
    }
    count
}

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (is_intraday, header, rows) = input;
    let header = HEADERS[usize::from(header) % HEADERS.len()];
    let text = [header.as_bytes(), rows].concat();
    let Ok(symbol) = "ABC".parse() else { return };
    let known = Known { symbol: &symbol, is_intraday, form: &Form::default(), is_zone_said: false };
    if let Ok(Some(reading)) = dialect::read(&text, known) {
        assert_eq!(lines(&reading.text), lines(&reading.original));
        assert!(reading.body <= reading.text.len());
    }
});
