//! The settings of presets and pipelines, one by one, so that a change can be named.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use vodmill_model::catalogue::Catalogue;

/// Settings by their path, as `video.crf`. Order of tables, comments and defaults left out make no difference.
pub type Settings = BTreeMap<String, String>;

/// Fields that change nothing of what is made.
const SAID_ONLY: [&str; 1] = ["description"];

/// Fields of a pipeline that are no concern of a regression: places, who is told, delivery.
const ELSEWHERE: [&str; 12] = [
    "inbox",
    "done",
    "rejected",
    "done_class",
    "events",
    "destination",
    "objects",
    "notify",
    "invalidation",
    "delivery",
    "lifecycle",
    "encryption.key_uri",
];

/// All settings of a value that is written as TOML.
pub fn settings_of(value: &impl Serialize) -> Settings {
    let mut all = Settings::new();
    let tree = serde_json::to_value(value).unwrap_or_default();
    flatten("", &tree, &mut all);
    all.retain(|path, _| !SAID_ONLY.contains(&path.as_str()));
    all
}

/// Settings of every preset of a catalogue.
pub fn of_presets(catalogue: &Catalogue) -> BTreeMap<String, Settings> {
    let presets = catalogue.presets.iter();
    presets.map(|(name, preset)| (name.clone(), settings_of(preset))).collect()
}

/// Settings of every pipeline of a catalogue, as far as they decide what is made.
pub fn of_pipelines(catalogue: &Catalogue) -> BTreeMap<String, Settings> {
    let pipelines = catalogue.pipelines.iter();
    pipelines.map(|(name, pipeline)| (name.clone(), of_pipeline(settings_of(pipeline)))).collect()
}

fn of_pipeline(mut settings: Settings) -> Settings {
    let is_elsewhere = |path: &String| {
        let mut fields = ELSEWHERE.iter();
        fields.any(|field| {
            path.strip_prefix(field)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    settings.retain(|path, _| !is_elsewhere(path));
    settings
}

fn flatten(path: &str, value: &Value, all: &mut Settings) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, all);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                // Rungs are known by their names, wherever they stand.
                let name = item.get("name").and_then(Value::as_str).map(str::to_owned);
                let name = name.unwrap_or_else(|| index.to_string());
                flatten(&format!("{path}[{name}]"), item, all);
            }
        }
        Value::Null => {}
        Value::String(text) => drop(all.insert(path.to_owned(), text.clone())),
        other => drop(all.insert(path.to_owned(), other.to_string())),
    }
}

/// What is not the same, as `video.crf 22, was 25`.
pub fn changes(before: &Settings, now: &Settings) -> Vec<String> {
    let removed = before.iter().filter(|(path, _)| !now.contains_key(*path));
    let mut changes: Vec<String> =
        removed.map(|(path, value)| format!("{path} left out, was {value}")).collect();
    for (path, value) in now {
        match before.get(path) {
            None => changes.push(format!("{path} {value}, was not there")),
            Some(was) if was != value => changes.push(format!("{path} {value}, was {was}")),
            Some(_) => {}
        }
    }
    changes
}
