//! Standard output, for which the reader may have gone.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde::Serialize;
use vodmill_model::{is_hidden, printable, printable_lines};

/// Writes `text`, of one line or more, and a line's end where it has none. What others have called
/// something is made [`printable`] where it is put into a line; the rest of it is here.
///
/// # Errors
/// As [`print_exact`].
pub fn print(text: &str) -> io::Result<()> {
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    print_exact(&lines.join("\n"))
}

/// As [`print`], one line whatever is in it.
///
/// # Errors
/// As `print_exact`.
pub fn print_line(text: &str) -> io::Result<()> {
    print_exact(&printable(text))
}

/// Says `text` on standard error; of more than one line, the others are indented.
pub fn say(text: &str) {
    eprintln!("{}", printable_lines(text));
}

/// Writes `text` as it is, and a line's end where it has none. That the reader left early, as `head`
/// does, is no error.
///
/// # Errors
/// If it cannot be written for any other reason.
pub fn print_exact(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    match out.write_all(text.as_bytes()).and_then(|()| out.write_all(end.as_bytes())) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes `value` as indented JSON.
///
/// # Errors
/// As `print`.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(print_exact(&printable_json(&serde_json::to_string_pretty(value)?))?)
}

/// JSON of the same meaning, in which nothing is hidden that would not be seen.
pub fn printable_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        // Line ends stand between values: within them they are escaped already.
        if c == '\n' || !is_hidden(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing into a String cannot fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// Rows as columns of equal width, the last one free; no trailing blanks.
pub fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<_>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_within_their_rows() {
        let rows = [["a\nb", "c"], ["d\u{1b}[2J", "e\u{202e}"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a\\nb        c\nd\\u{1b}[2J  e\\u{202e}\n");
    }

    #[test]
    fn json_stays_the_same_json() {
        let value =
            serde_json::json!({ "name": "a\u{9b}b\n\u{202e}\u{e0041}\u{7f}", "b": [1, "ü"] });
        let shown = printable_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!shown.contains(|c| c != '\n' && is_hidden(c)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
    }
}
