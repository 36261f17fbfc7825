//! Audio: the distinct streams to encode.

use super::Decisions;
use super::sound_codec::SoundCodec;
use super::sounds::{Part, Sound};
use crate::loudness::{Decibels, LoudnessPlan, Lufs};
use crate::media::{AudioTrack, ClockJump, MediaInfo};
use crate::outcome::{Reason, Rejected};
use crate::plan::{AudioEncode, AudioJoin, AudioPart, Timeline};
use crate::preset::AudioPreset;
use crate::units::{Ratio, TICKS_PER_SECOND, Ticks};

/// Sound this far from its pictures is still in time with them (ITU-R BT.1359: 45 ms early). What
/// runs away by more is stretched.
const IN_TIME: Ticks = Ticks(TICKS_PER_SECOND * 40 / 1000);

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

    /// The id of the encode of `sound` by `preset`: one that is there already, or a new one.
    pub fn want(
        &mut self,
        sound: &Sound<'_>,
        preset: &AudioPreset,
        decisions: &mut Decisions,
    ) -> String {
        let mut encode = self.encode(sound, preset);
        let same =
            |known: &&AudioEncode| AudioEncode { id: String::new(), ..(*known).clone() } == encode;
        if let Some(known) = self.list.iter().find(same) {
            return known.id.clone();
        }
        let stem = stem(sound, preset);
        encode.id = super::unique(&stem, |id| self.list.iter().any(|known| known.id == id));
        explain(sound, &encode, decisions);
        self.list.push(encode.clone());
        encode.id
    }

    /// Channels of the encode of that id.
    pub fn channels(&self, id: &str) -> Option<u32> {
        self.list.iter().find(|encode| encode.id == id).map(|encode| encode.channels)
    }

    fn encode(&self, sound: &Sound<'_>, preset: &AudioPreset) -> AudioEncode {
        let (channels, layout) = layout(sound.channels, preset.channels);
        let rate = preset.sample_rate;
        let codec = SoundCodec::of(preset.codec);
        let format = codec.sample_format;
        AudioEncode {
            id: String::new(),
            track: sound.track().index,
            join: join(sound, rate),
            encoder: codec.encoder.to_owned(),
            sample_rate: rate,
            channels,
            layout: layout.to_owned(),
            bitrate: preset.bitrate,
            sample_format: format.to_owned(),
            options: codec.options(),
            filter: match sound.parts.as_slice() {
                [part] => filter(part, rate, layout, format),
                _ => format!("aresample={rate},{}", form(rate, layout, format)),
            },
            loudness: preset.loudness.map(loudness),
            samples: samples(self.timeline, rate),
            clock_jumps: self.clock_jumps.to_vec(),
        }
    }
}

fn stem(sound: &Sound<'_>, preset: &AudioPreset) -> String {
    let index = sound.track().index;
    let label = SoundCodec::of(preset.codec).label.map(|label| format!("-{label}"));
    let loudness = preset.loudness.map(|Lufs(lufs)| format!("-lufs{}", lufs.unsigned_abs()));
    let [label, loudness] = [label, loudness].map(Option::unwrap_or_default);
    format!("a{index}{label}-{}{loudness}", preset.bitrate)
}

/// True peaks stay below full scale by what lossy codecs and players' converters add (EBU R 128).
const MOST_PEAK: Decibels = Decibels::whole(-1);

/// What is quieter than it can make loud is room noise, or a sound that is meant to be quiet.
const MOST_GAIN: Decibels = Decibels::whole(20);

fn loudness(target: Lufs) -> LoudnessPlan {
    LoudnessPlan { target, most_peak: MOST_PEAK, most_gain: MOST_GAIN }
}

/// Samples of channels that are to be joined.
const JOINED: &str = "fltp";

/// Several channels are brought to one clock, then joined.
fn join(sound: &Sound<'_>, rate: u32) -> Option<AudioJoin> {
    let part = |part: &Part<'_>| AudioPart {
        track: part.track.index,
        filter: filter(part, rate, "mono", JOINED),
    };
    (sound.parts.len() > 1).then(|| AudioJoin {
        layout: sound.layout.clone(),
        parts: sound.parts.iter().map(part).collect(),
    })
}

/// From a track to sound that begins at time zero, gaps filled with silence and overlaps cut.
fn filter(part: &Part<'_>, rate: u32, layout: &str, format: &str) -> String {
    let clock = match stretched(part.track) {
        // All the time through the resampler, which then can be a little faster or slower: by as
        // much in a second as the sound is off, so that it stays off by its drift in a second.
        true => "flags=res:min_comp=0.001:max_soft_comp=0.05:min_hard_comp=0.045",
        false => "async=1:min_hard_comp=0.1",
    };
    let channel = part.channel.map_or_else(String::new, |it| format!("pan=mono|c0=c{it},"));
    format!("aresample={rate}:{clock}:first_pts=0,{channel}{}", form(rate, layout, format))
}

fn form(rate: u32, layout: &str, format: &str) -> String {
    format!("aformat=sample_fmts={format}:sample_rates={rate}:channel_layouts={layout}")
}

/// Whether its sound is stretched or squeezed to keep time with the pictures.
pub(crate) fn stretched(track: &AudioTrack) -> bool {
    track.drift > IN_TIME || Ticks::ZERO - track.drift > IN_TIME
}

/// The widest layout that players know within what the source and the preset have.
fn layout(channels: u32, most: u32) -> (u32, &'static str) {
    match channels.min(most) {
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

fn explain(sound: &Sound<'_>, encode: &AudioEncode, decisions: &mut Decisions) {
    let reason = match () {
        () if encode.channels < sound.channels => format!(
            "{} channels mixed down, the centre and the surrounds 3 dB lower, without LFE",
            sound.channels
        ),
        () => format!("{} channels stay", sound.channels),
    };
    let choice = format!("{}, {} Hz, {}", encode.layout, encode.sample_rate, encode.bitrate);
    decisions.add(format!("encode {}", encode.id), choice, reason);
    if let Some(plan) = &encode.loudness {
        let reason = format!(
            "measured first, then one gain for all of it: {} dB at most, true peak {} dBTP at most",
            plan.most_gain, plan.most_peak
        );
        decisions.add(format!("loudness of {}", encode.id), plan.target.to_string(), reason);
    }
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
