//! Version 1 of `asset.json`, of vodmill 0.1.0: outputs in fields `hls`, `mp4` and `thumbnails`.

use serde::de::Error as _;
use serde_json::{Error, Map, Value};

use super::VERSION;

/// The same in the version that is written now.
pub(super) fn upgraded(mut fields: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    match fields.remove("version") {
        None => {}
        Some(version) if version == 1 => {}
        Some(version) => return Err(Error::custom(format!("unknown version {version}"))),
    }
    if fields.contains_key("outputs") {
        return Err(Error::custom("unknown field `outputs` in version 1"));
    }
    let hls = fields.remove("hls").filter(|hls| !hls.is_null());
    let files = match fields.remove("mp4") {
        None => Vec::new(),
        Some(Value::Array(files)) => files,
        Some(_) => return Err(Error::custom("mp4 is not a list")),
    };
    let stills = fields.remove("thumbnails").filter(|stills| !stills.is_null());
    let hls = hls.map(|hls| output(hls, &[("kind", "hls")])).transpose()?;
    let stills = stills.map(|stills| output(stills, &[("kind", "stills")])).transpose()?;
    let mut outputs = Vec::from_iter(hls);
    for file in files {
        outputs.push(output(file, &[("kind", "file"), ("container", "mp4")])?);
    }
    outputs.extend(stills);
    if !fields.contains_key("objects") {
        fields.insert("objects".to_owned(), counted(&outputs).into());
    }
    fields.insert("version".to_owned(), VERSION.into());
    fields.insert("outputs".to_owned(), outputs.into());
    Ok(fields)
}

/// An output with what version 1 did not say of it.
fn output(value: Value, said: &[(&str, &str)]) -> Result<Value, Error> {
    let Value::Object(mut fields) = value else {
        return Err(Error::custom("an output is not an object"));
    };
    for (name, text) in said {
        fields.insert((*name).to_owned(), (*text).into());
    }
    Ok(Value::Object(fields))
}

/// Segments, playlists and files, where a description of long ago does not count objects.
fn counted(outputs: &[Value]) -> u64 {
    let length = |value: &Value| value.as_array().map_or(0, Vec::len) as u64;
    let of_output = |output: &Value| match output["segments"].as_u64() {
        Some(segments) => {
            let streams = ["variants", "audio", "subtitles"].map(|list| length(&output[list]));
            (segments + 1) * streams.iter().sum::<u64>()
        }
        None => 1,
    };
    outputs.iter().map(of_output).sum()
}
