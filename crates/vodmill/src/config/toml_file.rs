//! One TOML file into one type, with every fault of it at its line.
//!
//! Serde stops at the first fault, and loses its place within flattened and tagged types. So the
//! JSON Schema of the type, which is generated from it, checks the document first; serde has the
//! last word on what a schema cannot say.

use std::path::Path;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::problem::{Problem, Reporter};
use super::schema::Checker;

/// Reads `text`, the content of `file`; every fault goes to `problems`.
pub fn parse<T: DeserializeOwned + JsonSchema>(
    file: &Path,
    text: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let mut reporter = Reporter { file, text, problems };
    let before = reporter.problems.len();
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reporter.at(error.span().map(|span| span.start), error.message());
    }
    if errors.is_empty() {
        let schema = schemars::schema_for!(T).to_value();
        Checker::new(&schema, &mut reporter).check(&document);
    }
    if reporter.problems.len() > before {
        return None;
    }
    let place = |error: &Error| find_quoted(document.get_ref(), error.message());
    match T::deserialize(Deserializer::from(document.clone())) {
        Ok(value) => Some(value),
        Err(error) => {
            let offset = place(&error).or(error.span().map(|span| span.start));
            reporter.at(offset, error.message());
            None
        }
    }
}

/// Where in a document `path` stands, such as `rung[1].width`; as far as it is there.
pub fn place(text: &str, path: &str) -> Option<usize> {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut found = None;
    let mut here = DeValue::Table(document.into_inner());
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        let next = match (&here, step.trim_end_matches(']').parse::<usize>()) {
            (DeValue::Array(items), Ok(index)) => items.get(index),
            (DeValue::Table(table), _) => table.get(step),
            _ => None,
        };
        let Some(next) = next else { break };
        found = Some(next.span().start);
        here = next.get_ref().clone();
    }
    found
}

/// Where the first text stands that a message quotes.
fn find_quoted(table: &DeTable<'_>, message: &str) -> Option<usize> {
    table.values().find_map(|value| find_in(value.get_ref(), value.span().start, message))
}

fn find_in(value: &DeValue<'_>, start: usize, message: &str) -> Option<usize> {
    match value {
        DeValue::String(text) => message.contains(&format!("{text:?}")).then_some(start),
        DeValue::Array(items) => {
            items.iter().find_map(|item| find_in(item.get_ref(), item.span().start, message))
        }
        DeValue::Table(table) => find_quoted(table, message),
        _ => None,
    }
}
