//! `[input.audio]` of a pipeline: which sounds an original holds, where it does not say so itself.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::role::Role;

/// Which sounds an original holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AudioInput {
    /// The sounds that are published, the default first; when empty, it is found out from layouts,
    /// labels, titles and positions of the tracks.
    pub map: Vec<MappedSound>,
}

impl AudioInput {
    /// Whether nothing is said.
    pub fn is_default(&self) -> bool {
        *self == AudioInput::default()
    }
}

/// One sound of an original.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappedSound {
    /// Where it is: one track, which is taken as it is; or one, two or six channels in the order of
    /// mono, stereo, 5.1 (left, right, centre, LFE, left and right surround). `2` is the second sound
    /// track of the file, `"2.1"` its first channel.
    pub from: Vec<SoundSource>,
    /// Its language, as `en`; that of the track when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// Its name for viewers; that of the track when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it is for; as the track says without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// A sound track of a file, or one channel of it, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(into = "String")]
#[schemars(with = "SoundSourceText")]
pub struct SoundSource {
    /// Number of the sound track.
    pub track: u32,
    /// Number of the channel; none for all of them.
    pub channel: Option<u32>,
}

/// The forms in which a source may be written.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a sound track as 2, or a channel of it as \"2.1\", from 1")]
enum SoundSourceText {
    Track(u32),
    Text(String),
}

impl<'de> Deserialize<'de> for SoundSource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<SoundSource, D::Error> {
        let text = match SoundSourceText::deserialize(deserializer)? {
            SoundSourceText::Track(track) => track.to_string(),
            SoundSourceText::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for SoundSource {
    type Err = String;

    fn from_str(text: &str) -> Result<SoundSource, String> {
        let number = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|&number: &u32| plain && number > 0).ok_or_else(|| {
                format!("{text:?} is no sound track as 2, nor a channel of it as \"2.1\", from 1")
            })
        };
        let (track, channel) = match text.split_once('.') {
            Some((track, channel)) => (number(track)?, Some(number(channel)?)),
            None => (number(text)?, None),
        };
        Ok(SoundSource { track, channel })
    }
}

impl fmt::Display for SoundSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.channel {
            Some(channel) => write!(f, "{}.{channel}", self.track),
            None => write!(f, "{}", self.track),
        }
    }
}

impl From<SoundSource> for String {
    fn from(source: SoundSource) -> String {
        source.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_track_or_a_channel_of_it() {
        let source = |track, channel| Ok(SoundSource { track, channel });
        assert_eq!("2".parse(), source(2, None));
        assert_eq!("12.16".parse(), source(12, Some(16)));
        for wrong in ["", "0", "1.0", "1.", ".1", "+1", "1.2.3", "1,2", "-1", "a", "99999999999"] {
            assert!(wrong.parse::<SoundSource>().is_err(), "{wrong:?}");
        }
        assert_eq!(SoundSource { track: 3, channel: Some(2) }.to_string(), "3.2");
    }
}
