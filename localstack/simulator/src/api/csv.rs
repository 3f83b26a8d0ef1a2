//! Answers as delimited text (`format=CSV`).

use serde_json::Value;

/// A header and one line for each object; a field that is absent or null is an empty cell. A cell that holds the delimiter,
/// a quote or a line break is quoted.
#[must_use]
pub fn table(columns: &[&str], rows: impl Iterator<Item = Value>, delimiter: char) -> String {
    let header = columns.iter().map(|column| (*column).to_owned()).collect();
    let cells = |row: Value| columns.iter().map(|column| cell(row.get(column), delimiter)).collect();
    let lines = std::iter::once(header).chain(rows.map(cells));
    lines.map(|cells: Vec<String>| cells.join(&delimiter.to_string()) + "\n").collect()
}

/// The table of a JSON answer: of its `data`, or of the answer itself where it is a list or a single object.
#[must_use]
pub fn of_answer(answer: &Value, delimiter: char) -> String {
    let data = answer.get("data").unwrap_or(answer);
    let single = std::slice::from_ref(data);
    let rows = data.as_array().map_or(single, Vec::as_slice);
    let first = rows.first().and_then(Value::as_object);
    let columns: Vec<_> = first.map(|row| row.keys().map(String::as_str).collect()).unwrap_or_default();
    table(&columns, rows.iter().cloned(), delimiter)
}

fn cell(value: Option<&Value>, delimiter: char) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let needs_quotes = text.contains([delimiter, '"', '\n', '\r']);
    if needs_quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn absent_and_null_fields_are_empty_cells_and_awkward_ones_are_quoted() {
        let rows = [json!({"a": null, "b": "x;\"y\""}), json!({"a": 1})];
        assert_eq!(table(&["a", "b"], rows.into_iter(), ';'), "a;b\n;\"x;\"\"y\"\"\"\n1;\n");
    }
}
