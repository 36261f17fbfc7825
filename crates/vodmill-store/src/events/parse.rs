//! Notifications as they arrive: S3's own, wrapped by SNS, or as EventBridge shapes them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use super::Event;

/// Most bytes of a notification. S3 sends 64 KiB at most, a message of SQS holds 1 MiB.
pub const MAX_BODY: usize = 1 << 20;

/// Longest key of an object, in bytes.
const MAX_KEY: usize = 1024;

/// Longest name of a bucket, in bytes; old ones may be as long.
const MAX_BUCKET: usize = 255;

/// Longest of the other texts, in bytes: ETags, versions and sequencers are far shorter.
const MAX_TEXT: usize = 1024;

/// Why a message is no notification of S3.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// Longer than [`MAX_BODY`].
    #[error("it has {0} bytes; notifications have {MAX_BODY} at most")]
    TooLong(usize),
    /// No JSON.
    #[error("it is no JSON: {0}")]
    NoJson(String),
    /// JSON of another kind.
    #[error("it is no notification of S3")]
    NoNotification,
    /// A record that lacks something or has it in another form.
    #[error("record {0} is not as S3 writes them: {1}")]
    Record(usize, String),
    /// A bucket's name, a key or another text that is empty, too long, or no UTF-8.
    #[error("the {0} of record {1} is empty, too long or not UTF-8")]
    Text(&'static str, usize),
}

/// The events in the body of a message; none in S3's test message. One bad record spoils the whole
/// message: it would be forgotten otherwise.
pub fn parse(body: &str) -> Result<Vec<Event>, BadEvent> {
    if body.len() > MAX_BODY {
        return Err(BadEvent::TooLong(body.len()));
    }
    let outer: Value = json(body)?;
    // An envelope of SNS holds the notification as text.
    match outer.get("Message").and_then(Value::as_str) {
        Some(inner) if outer.get("Type").and_then(Value::as_str) == Some("Notification") => {
            notification(json(inner)?)
        }
        _ => notification(outer),
    }
}

fn json(text: &str) -> Result<Value, BadEvent> {
    serde_json::from_str(text).map_err(|error| BadEvent::NoJson(error.to_string()))
}

fn notification(mut value: Value) -> Result<Vec<Event>, BadEvent> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if text("Event") == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    if text("source") == Some("aws.s3") {
        return Ok(vec![from_event_bridge(value)?]);
    }
    let Some(Value::Array(records)) = value.get_mut("Records").map(Value::take) else {
        return Err(BadEvent::NoNotification);
    };
    records.into_iter().enumerate().map(|(index, record)| from_record(record, index)).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    s3: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct BridgeEvent {
    detail_type: String,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    size: Option<u64>,
    #[serde(alias = "eTag")]
    etag: Option<String>,
    #[serde(alias = "versionId", rename = "version-id")]
    version: Option<String>,
    sequencer: Option<String>,
}

fn from_record(record: Value, index: usize) -> Result<Event, BadEvent> {
    let record: Record = serde_json::from_value(record)
        .map_err(|error| BadEvent::Record(index, error.to_string()))?;
    let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
    let key = decode(&record.s3.object.key).ok_or(BadEvent::Text("key", index))?;
    event(record.s3, key, name.starts_with("ObjectCreated:"), index)
}

/// Here keys are not encoded.
fn from_event_bridge(value: Value) -> Result<Event, BadEvent> {
    let mut wrapped: BridgeEvent =
        serde_json::from_value(value).map_err(|error| BadEvent::Record(0, error.to_string()))?;
    let key = std::mem::take(&mut wrapped.detail.object.key);
    event(wrapped.detail, key, wrapped.detail_type == "Object Created", 0)
}

fn event(detail: Detail, key: String, created: bool, index: usize) -> Result<Event, BadEvent> {
    let Detail { bucket, object } = detail;
    let bounded = |name, text: Option<String>| match text {
        Some(text) if text.len() > MAX_TEXT => Err(BadEvent::Text(name, index)),
        text => Ok(text.filter(|text| !text.is_empty())),
    };
    let within = |name, text: String, limit| match text.len() {
        length if (1..=limit).contains(&length) => Ok(text),
        _ => Err(BadEvent::Text(name, index)),
    };
    Ok(Event {
        bucket: within("bucket", bucket.name, MAX_BUCKET)?,
        key: within("key", key, MAX_KEY)?,
        version: bounded("version", object.version)?,
        etag: bounded("ETag", object.etag)?.map(|etag| etag.trim_matches('"').to_owned()),
        bytes: object.size,
        sequencer: bounded("sequencer", object.sequencer)?,
        created,
    })
}

/// A key as forms encode it: `+` is a space, then percent-decoding.
fn decode(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests;
