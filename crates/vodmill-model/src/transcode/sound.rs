//! Orders for sound and text, and what came of them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::loudness::Loudness;
use crate::plan::{AudioEncode, SubtitlePlan};
use crate::units::Ticks;

/// One audio track to encode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioOrder {
    /// The original.
    pub original: PathBuf,
    /// Time on the original's clock that becomes zero.
    pub origin: Ticks,
    /// How to encode.
    pub encode: AudioEncode,
    /// Where the rendition goes.
    pub path: PathBuf,
}

/// What came of an audio track.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioDone {
    /// Samples encoded, delay apart.
    pub samples: u64,
    /// Packets that could not be decoded; silence stands in for them.
    pub damaged_packets: u64,
    /// What became of what was decoded.
    #[serde(default)]
    pub balance: SoundBalance,
    /// What was done to its loudness, if anything was to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
}

/// What was delivered of a sound against what came out: `delivered - outside - overlap + silence`,
/// and silence before the first sound and after the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoundBalance {
    /// What the decoders gave, of all channels that are joined.
    pub delivered: Ticks,
    /// Of it before time zero or after the end.
    pub outside: Ticks,
    /// Of it at times that other sound has already.
    pub overlap: Ticks,
    /// Holes between sound.
    pub holes: u64,
    /// Silence that fills them.
    pub silence: Ticks,
    /// The longest one.
    pub longest_hole: Ticks,
}

impl std::ops::Add for SoundBalance {
    type Output = SoundBalance;
    fn add(self, other: SoundBalance) -> SoundBalance {
        SoundBalance {
            delivered: self.delivered + other.delivered,
            outside: self.outside + other.outside,
            overlap: self.overlap + other.overlap,
            holes: self.holes + other.holes,
            silence: self.silence + other.silence,
            longest_hole: self.longest_hole.max(other.longest_hole),
        }
    }
}

/// One subtitle track to extract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtitleOrder {
    /// The original.
    pub original: PathBuf,
    /// Time on the original's clock that becomes zero.
    pub origin: Ticks,
    /// Which track.
    pub subtitle: SubtitlePlan,
}

/// What came of a subtitle track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subtitles {
    /// Its cues in order.
    pub cues: Vec<Cue>,
    /// What was delivered, as far as it is no cue as it was.
    pub balance: CueBalance,
}

/// What became of the packets of a subtitle track. Each that was delivered is a cue, or is counted
/// here as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CueBalance {
    /// Packets.
    pub delivered: u64,
    /// Packets that hold no text: they clear the screen, or draw.
    pub empty: u64,
    /// Packets that could not be decoded.
    pub lost: u64,
    /// Cues that are over before time zero, or before they begin.
    pub outside: u64,
    /// Cues, all of them there, of which a part was lost: characters that mean nothing, or what is
    /// too long to be read.
    pub altered: u64,
    /// The character set that all were converted from, where it was not UTF-8.
    pub charset: Option<String>,
}

/// One subtitle, times from zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// When it appears.
    pub start: Ticks,
    /// When it goes.
    pub end: Ticks,
    /// Its text, lines parted by `\n`, without markup but `<i>`, `<b>`, `<u>`.
    pub text: String,
}
