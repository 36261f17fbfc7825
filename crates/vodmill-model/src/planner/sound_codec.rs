//! What encoders of sound are told.

use std::collections::BTreeMap;

use crate::preset::AudioCodec;

/// An encoder of libav.
pub(super) struct SoundCodec {
    /// libav's name of it.
    pub encoder: &'static str,
    /// libav's name of the samples that it takes: of floating point, which none of them rounds.
    pub sample_format: &'static str,
    /// What distinguishes its encodes by name; none for AAC, which has been there from the beginning.
    pub label: Option<&'static str>,
    options: &'static [(&'static str, &'static str)],
}

impl SoundCodec {
    pub(super) fn of(codec: AudioCodec) -> SoundCodec {
        match codec {
            AudioCodec::Aac => {
                SoundCodec { encoder: "aac", sample_format: "fltp", label: None, options: &[] }
            }
            AudioCodec::Mp3 => SoundCodec {
                encoder: "libmp3lame",
                sample_format: "fltp",
                label: Some("mp3"),
                // LAME's own default of effort; a constant bit rate, at which every player seeks well.
                options: &[
                    ("abr", "0"),
                    ("compression_level", "5"),
                    ("joint_stereo", "1"),
                    ("reservoir", "1"),
                ],
            },
            AudioCodec::Opus => SoundCodec {
                encoder: "libopus",
                sample_format: "flt",
                label: Some("opus"),
                // The best effort, packets of 20 ms, and a rate that follows the sound.
                options: &[
                    ("application", "audio"),
                    ("compression_level", "10"),
                    ("frame_duration", "20"),
                    ("vbr", "on"),
                ],
            },
        }
    }

    pub(super) fn options(&self) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.options.iter().map(owned).collect()
    }
}
