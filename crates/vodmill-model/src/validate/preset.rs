//! Checks of presets.

use super::{Report, is_name};
use crate::preset::{
    AudioPreset, HdrPolicy, Ladder, Mp4Preset, Preset, Profile, Rung, VideoCodec, VideoCommon,
    VideoTarget,
};

/// Prefixes of what stands beside the rungs in a package.
const RESERVED: [&str; 2] = ["audio", "subtitles"];

/// Sampling rates of AAC-LC that players take (ISO/IEC 14496-3, table 1.18).
const SAMPLE_RATES: [u32; 6] = [16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

pub(super) fn check(preset: &Preset, report: &mut Report<'_>) {
    match preset {
        Preset::Ladder(ladder) => check_ladder(ladder, report),
        Preset::Mp4(mp4) => check_mp4(mp4, report),
    }
}

fn check_ladder(ladder: &Ladder, report: &mut Report<'_>) {
    check_common(&ladder.video, report);
    check_audio(&ladder.audio, report);
    report.expect(!ladder.rungs.is_empty(), "rung", "add at least one [[rung]]");
    for (number, rung) in ladder.rungs.iter().enumerate() {
        let path = format!("rung[{number}]");
        check_name(rung, &ladder.rungs[..number], &path, report);
        check_target(&rung.target, &path, report);
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

fn check_mp4(mp4: &Mp4Preset, report: &mut Report<'_>) {
    check_audio(&mp4.audio, report);
    if let Some(video) = &mp4.video {
        check_common(&video.common, report);
        check_target(&video.target, "video", report);
    }
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
        VideoCodec::Hevc => check_hevc(common, report),
    }
}

fn check_hevc(common: &VideoCommon, report: &mut Report<'_>) {
    let message = "a profile of H.264: remove it, HEVC's follows from the bits of a sample";
    report.expect(common.profile == Profile::High, "video.profile", message);
    let message = "more than one: x265's bytes would not be the same everywhere; set it to 1";
    report.expect(common.threads == 1, "video.threads", message);
}

fn check_target(target: &VideoTarget, path: &str, report: &mut Report<'_>) {
    for (side, name) in [(target.width, "width"), (target.height, "height")] {
        let path = format!("{path}.{name}");
        report.within(side, 16..=8192, &path);
        let message = format!("{side} is odd: H.264 and HEVC take even sides, use {}", side & !1);
        report.expect(side % 2 == 0, path, message);
    }
    check_rate(target, path, report);
    report.within(target.buffer_seconds, 1..=60, &format!("{path}.buffer_seconds"));
}

fn check_rate(target: &VideoTarget, path: &str, report: &mut Report<'_>) {
    let message = match (target.crf, target.bitrate) {
        (Some(_), Some(_)) => "both crf and bitrate are set: remove one of them",
        (None, None) => "neither crf nor bitrate is set: add `crf = 23`, or a bit rate",
        _ => "",
    };
    report.expect(message.is_empty(), path, message);
    if let Some(crf) = target.crf {
        report.within(crf.into(), 0..=51, &format!("{path}.crf"));
    }
    let peak = target.max_bitrate;
    let sane = (16_000..=1_000_000_000).contains(&peak.0);
    let message = format!("{} bit/s is out of range: set it to 16k to 1000M", peak.0);
    report.expect(sane, format!("{path}.max_bitrate"), message);
    if let Some(average) = target.bitrate {
        let message = format!("{average} is above max_bitrate or zero: set it to {peak} at most");
        let right = average.0 > 0 && average <= peak;
        report.expect(right, format!("{path}.bitrate"), message);
    }
}

fn check_audio(audio: &AudioPreset, report: &mut Report<'_>) {
    let AudioPreset { channels, sample_rate, bitrate, .. } = *audio;
    let known = matches!(channels, 1 | 2 | 6);
    report.expect(known, "audio.channels", format!("{channels}: use 1, 2 or 6 (5.1)"));
    let message = format!("{sample_rate}: use one of {SAMPLE_RATES:?}");
    report.expect(SAMPLE_RATES.contains(&sample_rate), "audio.sample_rate", message);
    // An AAC frame holds at most 6144 bits a channel (ISO/IEC 14496-3, 4.5.3).
    let most = u64::from(channels.max(1)) * 6 * u64::from(sample_rate);
    let least = 16_000 * u64::from(channels.max(1));
    let message = format!("{} bit/s is out of range: set it to {least} to {most}", bitrate.0);
    report.expect((least..=most).contains(&bitrate.0), "audio.bitrate", message);
}
