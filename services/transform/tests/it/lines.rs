//! Every line is one row: what its cells and quotes do wrong costs that line and no other.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::Case;

const HEADER: &str = "date,open,high,low,close,volume\n";

#[test]
fn a_row_of_another_count_of_cells_is_quarantined_with_both_counts() {
    for (row, detail) in [
        ("2024-01-03,1,2,1,2,1,234,567", "8 cells for 6"),
        ("2024-01-03,1,25,1,25,1,20,1,22", "9 cells for 6"),
        ("2024-01-03,1,2,1,2", "5 cells for 6"),
        ("2024-01-03", "1 cells for 6"),
        ("2024-01-03,\"1,2\",1,2", "4 cells for 6"),
        ("2024-01-03,1,2,1,2,5,x", "7 cells for 6"),
    ] {
        let outcome = Case::new("1day").clean(format!("{HEADER}2024-01-02,1,2,1,2,5\n{row}\n2024-01-04,1,2,1,2,5\n"));
        assert_eq!(outcome.reasons(), [(3, "ragged".to_owned())], "{row}");
        assert_eq!(outcome.details(), [detail], "{row}");
        assert_eq!(outcome.times(), ["2024-01-02", "2024-01-04"], "{row}");
    }
}

#[test]
fn empty_cells_at_the_end_may_be_missing_or_too_many() {
    let of = |header: &str, row: &str| Case::new("1day").clean(format!("{header}\n{row}\n")).rows();
    let row = "2024-01-02,1,2,1,2,5";
    for (header, row) in [
        ("date,open,high,low,close,volume", format!("{row},,")),
        ("date,open,high,low,close,volume", format!("{row}, ,\"\"")),
        ("date,open,high,low,close,volume,", row.to_owned()),
        ("date,open,high,low,close,volume,note", row.to_owned()),
        ("date,open,high,low,close,volume,note", format!("{row},,")),
    ] {
        assert_eq!(of(header, &row), ["2024-01-02,1,2,1,2,5,false"], "{header} {row}");
    }
}

#[test]
fn a_row_that_the_end_of_the_file_cuts_off_is_quarantined() {
    let header = HEADER.replace('\n', ",note\n");
    for cut in ["2024-01-03,1,2,1,2,50", "2024-01-03,1,2,1,2", "2024-01-03,1"] {
        let outcome = Case::new("1day").clean(format!("{header}2024-01-02,1,2,1,2,5,\n{cut}"));
        assert_eq!(outcome.reasons(), [(3, "ragged".to_owned())], "{cut}");
    }
}

#[test]
fn an_open_quote_costs_its_own_line_and_no_other() {
    for (row, reason) in [
        ("2024-01-03,1,2,1,2,\"5", "open_quote"),
        ("\"2024-01-03,1,2,1,2,5", "open_quote"),
        ("2024-01-03,1,2,1,2,\"5\"\"", "open_quote"),
        ("2024-01-03,1,2,1,2,\"5\"5", "stray_quote"),
    ] {
        let text = format!("{HEADER}2024-01-02,1,2,1,2,5\n{row}\n2024-01-04,1,2,1,2,6\n2024-01-05,1,2,1,2,\"7\"\n");
        let outcome = Case::new("1day").calendar("XNYS").clean(text);
        assert_eq!(outcome.reasons(), [(3, reason.to_owned())], "{row}");
        assert_eq!(outcome.times(), ["2024-01-02", "2024-01-04", "2024-01-05"], "{row}");
    }
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(vec!["1", "2", "1.5", "7", "100"]).prop_map(str::to_owned),
        1 => select(vec!["", "\"", "\"2\"", "\"2", "2\"", "\"1,5\"", "a\"b", "\"\"\"\"", " "]).prop_map(str::to_owned),
    ]
}

fn line() -> impl Strategy<Value = String> {
    (1..28_u8, vec(cell(), 3..9)).prop_map(|(day, cells)| format!("2024-01-{day:02},{}", cells.join(",")))
}

proptest! {
    #[test]
    fn lines_are_rows_and_no_candle_has_cells_of_two(
        lines in vec(line(), 1..30), line_break in select(vec!["\n", "\r\n", "\r"]),
    ) {
        let Some(outcome) = Case::new("1day").clean_any(format!("{HEADER}{}", lines.join(line_break))) else { return Ok(()) };
        prop_assert_eq!(outcome.report.rows.read, lines.len() as u64);
        prop_assert_eq!(outcome.report.rows.accounted_for(), lines.len() as u64);
        for (line, _, _, row) in outcome.quarantined() {
            prop_assert_eq!(&lines[line as usize - 2], &row);
        }
        for row in outcome.rows() {
            let cells: Vec<&str> = row.split(',').collect();
            let is_in = |line: &&String| {
                cells[..5].iter().all(|cell| line.replace(['"', ' '], "").contains(cell))
            };
            prop_assert!(lines.iter().any(|line| is_in(&line)), "{} is in no line", row);
        }
    }
}
