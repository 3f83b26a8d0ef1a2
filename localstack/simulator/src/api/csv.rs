//! Answers as delimited text (`format=CSV`).

use serde_json::Value;

/// Formats a header and rows of cells. A cell that contains the delimiter, a quote or a line break is quoted.
pub fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>, delimiter: char) -> String {
    let header = columns.iter().map(|column| (*column).to_owned()).collect();
    let line = |cells: Vec<String>| {
        let quoted: Vec<_> = cells.into_iter().map(|cell| quoted(cell, delimiter)).collect();
        quoted.join(&delimiter.to_string()) + "\n"
    };
    std::iter::once(header).chain(rows).map(line).collect()
}

/// Formats a JSON answer as a table: its `data`, or the answer itself if it is a list or a single object. A field that
/// is absent or null becomes an empty cell.
pub fn of_answer(answer: &Value, delimiter: char) -> String {
    let data = answer.get("data").unwrap_or(answer);
    let rows = data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice);
    let first = rows.first().and_then(Value::as_object);
    let columns: Vec<_> = first.map(|row| row.keys().map(String::as_str).collect()).unwrap_or_default();
    let cells = rows.iter().map(|row| columns.iter().map(|column| cell(&row[*column])).collect());
    table(&columns, cells, delimiter)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn quoted(text: String, delimiter: char) -> String {
    let needs_quotes = text.contains([delimiter, '"', '\n', '\r']);
    if needs_quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn absent_and_null_fields_are_empty_cells_and_awkward_ones_are_quoted() {
        let answer = json!({ "data": [{ "a": null, "b": "x;\"y\"" }, { "a": 1 }] });
        assert_eq!(of_answer(&answer, ';'), "a;b\n;\"x;\"\"y\"\"\"\n1;\n");
    }

    #[test]
    fn a_single_object_is_a_table_of_one_row() {
        assert_eq!(of_answer(&json!({ "a": 1, "b": true }), ','), "a,b\n1,true\n");
    }
}
