//! Checks a TOML document against the JSON Schema of its type: the part of JSON Schema that
//! schemars writes for our types.

use std::collections::BTreeMap;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use vodmill_model::BitsPerSecond;

use super::problem::Reporter;
use super::settings::{Bytes, LogFilter};

/// What is wrong with a text.
type Grammar = fn(&str) -> Option<String>;

/// Types that are written as text which a schema does not check.
const GRAMMARS: [(&str, Grammar); 3] = [
    ("#/$defs/BitsPerSecond", |text| text.parse::<BitsPerSecond>().err()),
    ("#/$defs/LogFilter", |text| text.parse::<LogFilter>().err()),
    ("#/$defs/Bytes", |text| text.parse::<Bytes>().err()),
];

/// Walks a document along a schema.
pub struct Checker<'s, 'r, 'p> {
    root: &'s Value,
    reporter: &'r mut Reporter<'p>,
}

impl<'s, 'r, 'p> Checker<'s, 'r, 'p> {
    /// A checker for documents of the type that `root` describes.
    pub fn new(root: &'s Value, reporter: &'r mut Reporter<'p>) -> Checker<'s, 'r, 'p> {
        Checker { root, reporter }
    }

    /// Notes every fault of the document.
    pub fn check(&mut self, document: &Spanned<DeTable<'_>>) {
        self.table(self.root, document.get_ref(), 0, "the file");
    }

    fn value(&mut self, schema: &'s Value, value: &Spanned<DeValue<'_>>, name: &str) {
        let start = value.span().start;
        match value.get_ref() {
            DeValue::Table(table) if self.takes(schema, "object") => {
                self.table(schema, table, start, &format!("`{name}`"));
            }
            DeValue::Array(items) if self.takes(schema, "array") => {
                let item = self.branches(schema).into_iter().find_map(|one| one.get("items"));
                for value in items.iter() {
                    item.into_iter().for_each(|schema| self.value(schema, value, name));
                }
            }
            scalar => {
                if !self.branches(schema).iter().any(|schema| accepts(schema, scalar)) {
                    let wanted = self.wanted(schema);
                    self.reporter.at(Some(start), format!("`{name}` must be {wanted}"));
                } else if let Some(fault) =
                    scalar.as_str().and_then(|text| self.fault(schema, text))
                {
                    self.reporter.at(Some(start), format!("`{name}`: {fault}"));
                }
            }
        }
    }

    fn table(&mut self, schema: &'s Value, table: &DeTable<'_>, start: usize, name: &str) {
        let Some(shapes) = self.shapes(schema, table) else {
            return self.no_such_tag(schema, table, start);
        };
        let mut fields: BTreeMap<&str, &'s Value> = BTreeMap::new();
        for properties in shapes.iter().filter_map(|shape| shape["properties"].as_object()) {
            fields.extend(properties.iter().map(|(name, schema)| (name.as_str(), schema)));
        }
        // Of a map, whose keys are anybody's.
        let mut any = shapes.iter().filter_map(|shape| shape.get("additionalProperties"));
        let any = any.find(|schema| schema.is_object());
        for (key, value) in table {
            match fields.get(key.get_ref().as_ref()).copied().or(any) {
                Some(schema) => self.value(schema, value, key.get_ref()),
                None => {
                    let message = unknown(key.get_ref(), fields.keys().copied());
                    self.reporter.at(Some(key.span().start), message);
                }
            }
        }
        for field in shapes.iter().filter_map(|shape| shape["required"].as_array()).flatten() {
            let Some(field) = field.as_str().filter(|field| !table.contains_key(*field)) else {
                continue;
            };
            self.reporter.at(Some(start), format!("{name} needs the field `{field}`"));
        }
    }

    /// The object schemas that together describe `table`; of tagged alternatives, the one whose tag
    /// the table bears. None if it bears none of them.
    fn shapes(&self, schema: &'s Value, table: &DeTable<'_>) -> Option<Vec<&'s Value>> {
        let alternatives = tagged(schema);
        if alternatives.is_empty() {
            return Some(self.branches(schema));
        }
        let fits = |(field, tag, _): &&(&str, &str, &Value)| {
            table.get(*field).and_then(|value| value.get_ref().as_str()) == Some(tag)
        };
        alternatives.iter().find(fits).map(|(_, _, schema)| self.branches(schema))
    }

    fn no_such_tag(&mut self, schema: &Value, table: &DeTable<'_>, start: usize) {
        let alternatives = tagged(schema);
        let field = alternatives.first().map(|(field, ..)| *field).unwrap_or_default();
        let tags: Vec<String> = alternatives.iter().map(|(_, tag, _)| format!("{tag:?}")).collect();
        let place = table.get(field).map_or(start, |value| value.span().start);
        let message = format!("`{field}` must be one of {}", tags.join(", "));
        self.reporter.at(Some(place), message);
    }

    /// The schema itself and all that it refers to, alternatives included.
    fn branches(&self, schema: &'s Value) -> Vec<&'s Value> {
        let mut found = vec![schema];
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            found.extend(self.branches(&self.root["$defs"][name]));
        }
        for list in ["oneOf", "anyOf", "allOf"] {
            for schema in schema[list].as_array().into_iter().flatten() {
                found.extend(self.branches(schema));
            }
        }
        found
    }

    /// What is wrong with a text that has a grammar of its own.
    fn fault(&self, schema: &'s Value, text: &str) -> Option<String> {
        let branches = self.branches(schema);
        let names = branches.iter().filter_map(|schema| schema["$ref"].as_str());
        let grammars = names.flat_map(|name| GRAMMARS.iter().filter(move |(of, _)| *of == name));
        grammars.filter_map(|(_, fault)| fault(text)).next()
    }

    fn takes(&self, schema: &'s Value, kind: &str) -> bool {
        self.branches(schema).iter().any(|schema| has_type(schema, kind))
    }

    /// What is accepted, in words.
    fn wanted(&self, schema: &'s Value) -> String {
        let branches = self.branches(schema);
        let words: Vec<String> = branches.iter().flat_map(|schema| words(schema)).collect();
        let mut kinds = Vec::new();
        for (kind, word) in [
            ("boolean", "true or false"),
            ("number", "a number"),
            ("string", "text"),
            ("array", "a list"),
            ("object", "a table"),
        ] {
            // Named words say more than "text".
            let named = kind == "string" && !words.is_empty();
            if !named && branches.iter().any(|schema| has_type(schema, kind)) {
                kinds.push(word.to_owned());
            }
        }
        kinds.extend(branches.iter().filter_map(|schema| integer(schema)));
        if !words.is_empty() {
            kinds.push(format!("one of {}", words.join(", ")));
        }
        kinds.join(" or ")
    }
}

/// Alternatives that are told apart by a field: the field, its value, the schema.
fn tagged(schema: &Value) -> Vec<(&str, &str, &Value)> {
    schema["oneOf"].as_array().into_iter().flatten().filter_map(tag_of).collect()
}

fn tag_of(schema: &Value) -> Option<(&str, &str, &Value)> {
    let properties = schema["properties"].as_object()?;
    let field = properties
        .iter()
        .find_map(|(field, property)| property["const"].as_str().map(|tag| (field.as_str(), tag)));
    field.map(|(field, tag)| (field, tag, schema))
}

fn unknown<'a>(key: &str, fields: impl Iterator<Item = &'a str>) -> String {
    let fields: Vec<&str> = fields.collect();
    let all = fields.join(", ");
    // Three letters in common at either end look like a slip.
    match fields.iter().max_by_key(|field| common_ends(field, key)) {
        Some(near) if common_ends(near, key) >= 3 => {
            format!("unknown field `{key}`; is it `{near}`? There are {all}")
        }
        _ => format!("unknown field `{key}`; there are {all}"),
    }
}

fn common_ends(a: &str, b: &str) -> usize {
    let front = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let back = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    front.max(back)
}

fn has_type(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(many) => many.iter().any(|one| one == kind),
        _ => false,
    }
}

/// The texts that a schema names.
fn words(schema: &Value) -> Vec<String> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    let words = listed.chain(schema.get("const")).filter_map(Value::as_str);
    words.map(|word| format!("{word:?}")).collect()
}

/// A whole number and its bounds, in words.
fn integer(schema: &Value) -> Option<String> {
    if !has_type(schema, "integer") {
        return None;
    }
    let bound = |name: &str| schema[name].as_i64();
    Some(match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
        (Some(least), None) => format!("a whole number, {least} or more"),
        _ => "a whole number".to_owned(),
    })
}

fn accepts(schema: &Value, value: &DeValue<'_>) -> bool {
    match value {
        DeValue::String(text) => {
            let words = words(schema);
            has_type(schema, "string") && words.is_empty() || words.contains(&format!("{text:?}"))
        }
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
            has_type(schema, "number") || has_type(schema, "integer") && in_bounds(schema, number)
        }
        DeValue::Float(_) => has_type(schema, "number"),
        DeValue::Boolean(_) => has_type(schema, "boolean"),
        _ => false,
    }
}

fn in_bounds(schema: &Value, number: Option<i64>) -> bool {
    let Some(number) = number else { return false };
    let most = match schema["format"].as_str() {
        Some("uint32") => i64::from(u32::MAX),
        _ => i64::MAX,
    };
    schema["minimum"].as_i64().is_none_or(|least| number >= least)
        && number <= schema["maximum"].as_i64().unwrap_or(most)
}
