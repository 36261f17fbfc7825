//! JSON for version control: what belongs together stands in one line.

use serde::Serialize;
use serde_json::Value;

/// Longest line of an object that holds no other.
const LONGEST: usize = 400;

/// Objects of which every value is simple stand in one line, others have a line for each field.
pub(crate) fn write(value: &impl Serialize) -> String {
    let tree = serde_json::to_value(value).unwrap_or_default();
    let mut text = String::new();
    put(&tree, 0, &mut text);
    text.push('\n');
    text
}

fn put(value: &Value, depth: usize, text: &mut String) {
    let line = value.to_string();
    match value {
        Value::Object(fields)
            if !(fields.is_empty() || is_flat(value) && line.len() <= LONGEST) =>
        {
            text.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                new_line(index, depth, text);
                text.push_str(&format!("{}: ", Value::String(name.clone())));
                put(value, depth + 1, text);
            }
            close('}', depth, text);
        }
        Value::Array(items) if items.len() > 1 => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                new_line(index, depth, text);
                put(item, depth + 1, text);
            }
            close(']', depth, text);
        }
        _ => text.push_str(&line),
    }
}

fn is_flat(value: &Value) -> bool {
    let Value::Object(fields) = value else { return false };
    fields.values().all(|value| !value.is_object() && !value.is_array())
}

fn new_line(index: usize, depth: usize, text: &mut String) {
    if index > 0 {
        text.push(',');
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth + 1));
}

fn close(bracket: char, depth: usize, text: &mut String) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(bracket);
}
