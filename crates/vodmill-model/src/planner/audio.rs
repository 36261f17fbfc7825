//! Audio: which tracks are kept, and the distinct streams to encode.

use super::Decisions;
use crate::media::{AudioTrack, ClockJump, MediaInfo};
use crate::outcome::{Reason, Rejected};
use crate::plan::{AudioEncode, Timeline};
use crate::preset::AudioPreset;
use crate::units::{Ratio, TICKS_PER_SECOND};

/// The tracks that are kept, the default first, then in the order of the file.
pub(super) fn kept<'a>(media: &'a MediaInfo, decisions: &mut Decisions) -> Vec<&'a AudioTrack> {
    for track in media.audio.iter().filter(|track| !is_usable(track)) {
        let reason = format!("this build cannot decode {}", codec_name(&track.codec));
        decisions.add(format!("audio track {}", track.index), "dropped", reason);
    }
    let mut kept: Vec<_> = media.audio.iter().filter(|track| is_usable(track)).collect();
    let flagged = kept.iter().position(|track| track.default);
    if let Some(position) = flagged {
        let default = kept.remove(position);
        kept.insert(0, default);
    }
    if let [default, _, ..] = kept.as_slice() {
        let reason = if flagged.is_some() { "marked as the default" } else { "the first one" };
        decisions.add("default audio", format!("track {}", default.index), reason);
    }
    kept
}

/// Whether the track can be decoded and holds anything.
pub(crate) fn is_usable(track: &AudioTrack) -> bool {
    track.decodable && track.packets > 0 && track.end > track.first
}

/// The codec's name for people; an unknown one has none.
pub(crate) fn codec_name(codec: &str) -> &str {
    if codec.is_empty() { "its unknown codec" } else { codec }
}

/// Collects the distinct audio encodes that outputs ask for.
pub(super) struct AudioEncodes<'a> {
    pub list: Vec<AudioEncode>,
    timeline: &'a Timeline,
    clock_jumps: &'a [ClockJump],
}

impl<'a> AudioEncodes<'a> {
    pub fn new(timeline: &'a Timeline, media: &'a MediaInfo) -> AudioEncodes<'a> {
        AudioEncodes { list: Vec::new(), timeline, clock_jumps: &media.clock_jumps }
    }

    /// The id of the encode of `track` by `preset`: one that is there already, or a new one.
    pub fn want(
        &mut self,
        track: &AudioTrack,
        preset: &AudioPreset,
        decisions: &mut Decisions,
    ) -> String {
        let mut encode = self.encode(track, preset);
        let same =
            |known: &&AudioEncode| AudioEncode { id: String::new(), ..(*known).clone() } == encode;
        if let Some(known) = self.list.iter().find(same) {
            return known.id.clone();
        }
        let stem = format!("a{}-{}", track.index, preset.bitrate);
        encode.id = super::unique(&stem, |id| self.list.iter().any(|known| known.id == id));
        explain(track, &encode, decisions);
        self.list.push(encode.clone());
        encode.id
    }

    /// Channels of the encode of that id.
    pub fn channels(&self, id: &str) -> Option<u32> {
        self.list.iter().find(|encode| encode.id == id).map(|encode| encode.channels)
    }

    fn encode(&self, track: &AudioTrack, preset: &AudioPreset) -> AudioEncode {
        let (channels, layout) = layout(track, preset.channels);
        AudioEncode {
            id: String::new(),
            track: track.index,
            encoder: "aac".to_owned(),
            sample_rate: preset.sample_rate,
            channels,
            layout: layout.to_owned(),
            bitrate: preset.bitrate,
            filter: filter(preset.sample_rate, layout),
            samples: samples(self.timeline, preset.sample_rate),
            clock_jumps: self.clock_jumps.to_vec(),
        }
    }
}

/// Gaps are filled with silence and overlaps cut, beginning at time zero.
fn filter(sample_rate: u32, layout: &str) -> String {
    format!(
        "aresample={sample_rate}:async=1:min_hard_comp=0.1:first_pts=0,\
         aformat=sample_fmts=fltp:sample_rates={sample_rate}:channel_layouts={layout}"
    )
}

/// The widest layout that players know within what the source and the preset have.
fn layout(track: &AudioTrack, most: u32) -> (u32, &'static str) {
    match track.channels.min(most) {
        1 => (1, "mono"),
        6.. => (6, "5.1"),
        _ => (2, "stereo"),
    }
}

/// Samples in the whole timeline, from the exact length of its frames.
fn samples(timeline: &Timeline, sample_rate: u32) -> u64 {
    let samples = match &timeline.video {
        Some(grid) => {
            let frames = i64::try_from(grid.frames).unwrap_or(i64::MAX);
            grid.rate.inverse().scale(frames, sample_rate.into())
        }
        None => Ratio { num: 1, den: TICKS_PER_SECOND as u32 }
            .scale(timeline.duration.0, sample_rate.into()),
    };
    u64::try_from(samples).unwrap_or(0)
}

fn explain(track: &AudioTrack, encode: &AudioEncode, decisions: &mut Decisions) {
    let reason = match () {
        () if encode.channels < track.channels => format!(
            "{} channels mixed down, the centre and the surrounds 3 dB lower, without LFE",
            track.channels
        ),
        () => format!("{} channels stay", track.channels),
    };
    let choice = format!("{}, {} Hz, {}", encode.layout, encode.sample_rate, encode.bitrate);
    decisions.add(format!("encode {}", encode.id), choice, reason);
}

/// A refusal when there is neither a picture nor a sound to work on.
pub(super) fn refuse_nothing(media: &MediaInfo) -> Rejected {
    let video = media.video.iter().filter(|track| !track.attached_picture);
    let names: Vec<String> = video
        .map(|track| format!("video {}", codec_name(&track.codec)))
        .chain(media.audio.iter().map(|track| format!("audio {}", codec_name(&track.codec))))
        .collect();
    let detail = match names.as_slice() {
        [] => "it holds neither pictures nor sound".to_owned(),
        names => format!("it holds {}", names.join(", ")),
    };
    Rejected::new(Reason::NothingDecodable, detail)
}
