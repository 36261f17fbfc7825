//! Checks of presets.

use std::ops::RangeInclusive;

use serde::Serialize;

use super::{Report, is_name, quality};
use crate::loudness::Lufs;
use crate::preset::{
    AudioCodec, AudioPreset, FileContainer, FilePreset, HdrPolicy, Ladder, Preset, Profile, Rung,
    Speed, VideoCodec, VideoCommon, VideoTarget,
};

/// Prefixes of what stands beside the rungs in a package.
const RESERVED: [&str; 2] = ["audio", "subtitles"];

/// Rates of MPEG-1 layer III, in kbit/s (ISO/IEC 11172-3, 2.4.2.3).
const MP3_RATES: [u64; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

/// Sampling rates of AAC-LC that players take (ISO/IEC 14496-3, table 1.18).
const SAMPLE_RATES: [u32; 6] = [16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

pub(super) fn check(preset: &Preset, report: &mut Report<'_>) {
    match preset {
        Preset::Ladder(ladder) => check_ladder(ladder, report),
        Preset::Mp4(file) => {
            let message = "kind = \"mp4\" makes MP4s only: set kind = \"file\"";
            report.expect(file.container == FileContainer::Mp4, "container", message);
            check_file(file, report);
        }
        Preset::File(file) => check_file(file, report),
    }
}

fn check_ladder(ladder: &Ladder, report: &mut Report<'_>) {
    let (videos, audios) = held_by(FileContainer::Mp4);
    expect_video(&ladder.video, videos, "HLS", report);
    check_common(&ladder.video, report);
    expect_audio(&ladder.audio, audios, "HLS", report);
    check_audio(&ladder.audio, report);
    report.expect(!ladder.rungs.is_empty(), "rung", "add at least one [[rung]]");
    quality::check(ladder.quality, ladder, "quality", report);
    for (number, rung) in ladder.rungs.iter().enumerate() {
        let path = format!("rung[{number}]");
        check_name(rung, &ladder.rungs[..number], &path, report);
        check_target(&rung.target, ladder.video.codec, &path, report);
        if let Some(lower) = number.checked_sub(1).and_then(|lower| ladder.rungs.get(lower)) {
            check_order(lower, rung, &path, report);
        }
    }
}

fn check_name(rung: &Rung, before: &[Rung], path: &str, report: &mut Report<'_>) {
    let name = &rung.name;
    let path = format!("{path}.name");
    let message = format!("{name:?}: use lower-case letters, digits and hyphens only");
    report.expect(is_name(name), path.clone(), message);
    let message = format!("{name:?} stands for an other part of the package: use another name");
    let reserved = RESERVED.iter().any(|word| name.starts_with(word));
    report.expect(!reserved, path.clone(), message);
    let message = format!("{name:?} is taken by another rung: give each rung its own name");
    report.expect(before.iter().all(|other| other.name != *name), path, message);
}

fn check_order(lower: &Rung, rung: &Rung, path: &str, report: &mut Report<'_>) {
    let pixels = |rung: &Rung| u64::from(rung.target.width) * u64::from(rung.target.height);
    let (name, below) = (&rung.name, &lower.name);
    report.expect(
        pixels(rung) > pixels(lower),
        path,
        format!("{name} is not larger than {below}: list the rungs from the smallest up"),
    );
    report.expect(
        rung.target.max_bitrate > lower.target.max_bitrate,
        format!("{path}.max_bitrate"),
        format!("{name} takes no more bits than {below}: raise it, or drop the rung"),
    );
}

fn check_file(file: &FilePreset, report: &mut Report<'_>) {
    let (videos, audios) = held_by(file.container);
    let place = match file.container {
        FileContainer::Mp4 => "an MP4",
        FileContainer::Webm => "a WebM file",
        FileContainer::Mp3 => "an MP3",
    };
    expect_audio(&file.audio, audios, place, report);
    check_audio(&file.audio, report);
    let Some(video) = &file.video else { return };
    if videos.is_empty() {
        return report.add("video", format!("{place} holds no pictures: remove this table"));
    }
    expect_video(&video.common, videos, place, report);
    check_common(&video.common, report);
    check_target(&video.target, video.common.codec, "video", report);
}

/// Codecs that a container holds here, of pictures and of sound.
fn held_by(container: FileContainer) -> (&'static [VideoCodec], &'static [AudioCodec]) {
    match container {
        FileContainer::Mp4 => {
            (&[VideoCodec::H264, VideoCodec::Hevc, VideoCodec::Av1], &[AudioCodec::Aac])
        }
        FileContainer::Webm => (&[VideoCodec::Vp9], &[AudioCodec::Opus]),
        FileContainer::Mp3 => (&[], &[AudioCodec::Mp3]),
    }
}

fn expect_video(common: &VideoCommon, known: &[VideoCodec], place: &str, report: &mut Report<'_>) {
    let names = names(known);
    let message = format!("{place} holds {names} here: set codec to that");
    report.expect(known.contains(&common.codec), "video.codec", message);
}

fn expect_audio(audio: &AudioPreset, known: &[AudioCodec], place: &str, report: &mut Report<'_>) {
    let names = names(known);
    let message = format!("{place} holds {names} here: set codec to that");
    report.expect(known.contains(&audio.codec), "audio.codec", message);
}

/// As they stand in a preset.
fn names<T: Serialize>(codecs: &[T]) -> String {
    let name = |codec| serde_json::to_string(codec).unwrap_or_default();
    codecs.iter().map(name).collect::<Vec<_>>().join(" or ")
}

fn check_common(common: &VideoCommon, report: &mut Report<'_>) {
    report.within(common.gop_seconds, 1..=10, "video.gop_seconds");
    report.within(common.max_frame_rate, 10..=240, "video.max_frame_rate");
    report.within(common.threads, 1..=64, "video.threads");
    match common.codec {
        VideoCodec::H264 => {
            let message = "\"keep\" needs codec = \"hevc\": H.264 is for SDR screens; set that, or \
                           hdr = \"tone-map\"";
            report.expect(common.hdr == HdrPolicy::ToneMap, "video.hdr", message);
        }
        VideoCodec::Hevc => check_modern(common, "HEVC", "x265", report),
        VideoCodec::Vp9 => check_eight_bits(common, "VP9", "libvpx", report),
        VideoCodec::Av1 => check_eight_bits(common, "AV1", "SVT-AV1", report),
    }
}

fn check_eight_bits(common: &VideoCommon, codec: &str, encoder: &str, report: &mut Report<'_>) {
    check_modern(common, codec, encoder, report);
    let message = format!(
        "\"keep\" needs codec = \"hevc\": {codec} is made with 8 bits; set hdr = \"tone-map\""
    );
    report.expect(common.hdr == HdrPolicy::ToneMap, "video.hdr", message);
}

fn check_modern(common: &VideoCommon, codec: &str, encoder: &str, report: &mut Report<'_>) {
    let message =
        format!("a profile of H.264: remove it, {codec}'s follows from the bits of a sample");
    report.expect(common.profile == Profile::High, "video.profile", message);
    let message =
        format!("more than one: {encoder}'s bytes would not be the same everywhere; set it to 1");
    report.expect(common.threads == 1, "video.threads", message);
    let message = format!("\"auto\" knows x264's speeds, not {encoder}'s: name one of them");
    report.expect(common.speed != Speed::Auto, "video.speed", message);
}

fn check_target(target: &VideoTarget, codec: VideoCodec, path: &str, report: &mut Report<'_>) {
    for (side, name) in [(target.width, "width"), (target.height, "height")] {
        let path = format!("{path}.{name}");
        report.within(side, 16..=8192, &path);
        let message = format!("{side} is odd: pictures have even sides, use {}", side & !1);
        report.expect(side % 2 == 0, path, message);
    }
    check_rate(target, codec, path, report);
    report.within(target.buffer_seconds, 1..=60, &format!("{path}.buffer_seconds"));
}

fn check_rate(target: &VideoTarget, codec: VideoCodec, path: &str, report: &mut Report<'_>) {
    let message = match (target.crf, target.bitrate) {
        (Some(_), Some(_)) => "both crf and bitrate are set: remove one of them",
        (None, None) => "neither crf nor bitrate is set: add `crf = 23`, or a bit rate",
        _ => "",
    };
    report.expect(message.is_empty(), path, message);
    if let Some(crf) = target.crf {
        report.within(crf.into(), crfs(codec), &format!("{path}.crf"));
    }
    let peak = target.max_bitrate;
    // SVT-AV1 takes no higher rates.
    let most = if codec == VideoCodec::Av1 { 100 } else { 1000 };
    let sane = (16_000..=most * 1_000_000).contains(&peak.0);
    let message = format!("{} bit/s is out of range: set it to 16k to {most}M", peak.0);
    report.expect(sane, format!("{path}.max_bitrate"), message);
    if let Some(average) = target.bitrate {
        let message = format!("{average} is above max_bitrate or zero: set it to {peak} at most");
        let right = average.0 > 0 && average <= peak;
        report.expect(right, format!("{path}.bitrate"), message);
    }
}

/// An encoder's scale of constant rate factors. To libav, 0 of SVT-AV1 is none.
fn crfs(codec: VideoCodec) -> RangeInclusive<u32> {
    match codec {
        VideoCodec::H264 | VideoCodec::Hevc => 0..=51,
        VideoCodec::Vp9 => 0..=63,
        VideoCodec::Av1 => 1..=63,
    }
}

fn check_audio(audio: &AudioPreset, report: &mut Report<'_>) {
    check_loudness(audio, report);
    let limits = AudioLimits::of(audio);
    let AudioPreset { channels, sample_rate, bitrate, .. } = *audio;
    let most = limits.channels.last().copied().unwrap_or_default();
    let message = match most {
        2 => format!("{channels}: use 1 or 2"),
        _ => format!("{channels}: use 1, 2 or 6 (5.1)"),
    };
    report.expect(limits.channels.contains(&channels), "audio.channels", message);
    let message = match limits.sample_rates {
        [one] => format!("{sample_rate}: use {one}"),
        several => format!("{sample_rate}: use one of {several:?}"),
    };
    report.expect(limits.sample_rates.contains(&sample_rate), "audio.sample_rate", message);
    let (least, most) = (limits.bitrate.start(), limits.bitrate.end());
    let message = format!("{} bit/s is out of range: set it to {least} to {most}", bitrate.0);
    report.expect(limits.bitrate.contains(&bitrate.0), "audio.bitrate", message);
    if audio.codec == AudioCodec::Mp3 {
        let known = bitrate.0 % 1000 == 0 && MP3_RATES.contains(&(bitrate.0 / 1000));
        let message = format!("{bitrate}: MP3 has fixed rates, use one of {MP3_RATES:?} (kbit/s)");
        report.expect(known, "audio.bitrate", message);
    }
}

/// From what is used for cinema at home to what is louder than any platform plays.
const LOUDNESSES: RangeInclusive<i8> = -31..=-5;

fn check_loudness(audio: &AudioPreset, report: &mut Report<'_>) {
    let Some(Lufs(loudness)) = audio.loudness else { return };
    let (least, most) = (LOUDNESSES.start(), LOUDNESSES.end());
    let message = format!("{loudness} LUFS is out of range: set it to {least} to {most}");
    report.expect(LOUDNESSES.contains(&loudness), "audio.loudness", message);
}

/// What an audio codec takes.
struct AudioLimits {
    channels: &'static [u32],
    sample_rates: &'static [u32],
    /// Bits per second.
    bitrate: RangeInclusive<u64>,
}

impl AudioLimits {
    fn of(audio: &AudioPreset) -> AudioLimits {
        let channels = u64::from(audio.channels.max(1));
        match audio.codec {
            // An AAC frame holds at most 6144 bits a channel (ISO/IEC 14496-3, 4.5.3).
            AudioCodec::Aac => AudioLimits {
                channels: &[1, 2, 6],
                sample_rates: &SAMPLE_RATES,
                bitrate: 16_000 * channels..=channels * 6 * u64::from(audio.sample_rate),
            },
            AudioCodec::Mp3 => AudioLimits {
                channels: &[1, 2],
                sample_rates: &[32_000, 44_100, 48_000],
                bitrate: 32_000..=320_000,
            },
            // RFC 6716, 2.1.1: from 6 kbit/s on; libopus takes up to 256 for each channel.
            AudioCodec::Opus => AudioLimits {
                channels: &[1, 2, 6],
                sample_rates: &[48_000],
                bitrate: 6_000 * channels..=256_000 * channels,
            },
        }
    }
}
