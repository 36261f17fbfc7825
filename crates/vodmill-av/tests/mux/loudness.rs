//! Sound that is brought to a loudness, judged by FFmpeg's own meter.

use std::path::{Path, PathBuf};
use std::process::Command;

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::loudness::{Decibels, Loudness, LoudnessPlan, Lufs, Shortfall};
use vodmill_model::plan::{AudioEncode, AudioJoin, AudioPart};
use vodmill_model::preset::FileContainer;
use vodmill_model::transcode::{FileOrder, FileSound, Progress};
use vodmill_model::units::BitsPerSecond;

use super::audio::{encode, order};
use super::make::media;

const RATE: u64 = 48_000;

fn to(target: i8) -> Option<LoudnessPlan> {
    let (most_peak, most_gain) = (Decibels::whole(-1), Decibels::whole(20));
    Some(LoudnessPlan { target: Lufs(target), most_peak, most_gain })
}

/// A sound of so many seconds to be brought to -23 LUFS, as the planner would have it, at a rate at which
/// codecs keep all of noise.
fn wanted(seconds: u64, channels: u32, encoder: &str) -> AudioEncode {
    let layout = ["mono", "mono", "stereo", "", "", "", "5.1"][channels as usize];
    let format = if encoder == "libopus" { "flt" } else { "fltp" };
    AudioEncode {
        encoder: encoder.to_owned(),
        channels,
        layout: layout.to_owned(),
        bitrate: BitsPerSecond(128_000 * u64::from(channels)),
        sample_format: format.to_owned(),
        filter: format!(
            "aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,\
             aformat=sample_fmts={format}:sample_rates=48000:channel_layouts={layout}"
        ),
        loudness: to(-23),
        ..encode(0, seconds * RATE)
    }
}

/// Encodes; what was done to it, and the file that it is in.
fn made(dir: &Path, original: &Path, encode: AudioEncode) -> (Loudness, PathBuf) {
    let (path, out) = (dir.join("rendition"), dir.join("made"));
    let samples = encode.samples;
    let container = match encode.encoder.as_str() {
        "libopus" => FileContainer::Webm,
        _ => FileContainer::Mp4,
    };
    let done = Libav.encode_audio(&order(original, &path, encode), &|_: Progress| {}).unwrap();
    assert_eq!(done.samples, samples);
    let audio = vec![FileSound { path, ..FileSound::default() }];
    Libav.write_file(&FileOrder { container, video: None, audio, path: out.clone() }).unwrap();
    (done.loudness.unwrap(), out)
}

/// Integrated loudness and true peak of a file by FFmpeg's filter.
fn measured(path: &Path) -> (f64, f64) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-i", path.to_str().unwrap()])
        .args(["-af", "ebur128=peak=true", "-f", "null", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = text.rsplit("Summary:").next().unwrap().to_owned();
    let number = |name: &str| {
        let rest = summary.split(name).nth(1).unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    (number("I:"), number("Peak:"))
}

fn reaches(loudness: &Loudness, path: &Path, target: f64) {
    assert_eq!(loudness.shortfall, None, "{loudness:?}");
    let (integrated, peak) = measured(path);
    assert!((integrated - target).abs() <= 0.5, "{integrated} LUFS: {loudness:?}");
    assert!(peak <= -0.5, "{peak} dBTP, the codec's own included: {loudness:?}");
}

/// Noise that grows and falls, so that gating has something to do.
const NOISE: &str =
    "anoisesrc=c=pink:r=48000:a=0.2:d=6:seed=7,volume='0.2+0.8*mod(t,3)/3':eval=frame";

#[test]
fn quiet_and_loud_sounds_reach_their_target() {
    let dir = tempfile::tempdir().unwrap();
    for (name, volume) in [("quiet.wav", "-6dB"), ("loud.wav", "12dB")] {
        let source = format!("{NOISE},volume={volume}");
        let sound = media(dir.path(), name, &["-f", "lavfi", "-i", &source]);
        let (before, _) = measured(&sound);
        let (loudness, path) = made(dir.path(), &sound, wanted(6, 1, "aac"));
        let own = f64::from(loudness.measured.integrated.unwrap());
        assert!((own - before).abs() <= 0.1, "{own} and {before} LUFS");
        reaches(&loudness, &path, -23.0);
    }
}

#[test]
fn every_layout_and_form_of_samples_is_measured_as_it_is_encoded() {
    let dir = tempfile::tempdir().unwrap();
    let source = format!("{NOISE},pan=5.1|c0=c0|c1=0.5*c0|c2=0.8*c0|c3=1.5*c0|c4=0.4*c0|c5=0.2*c0");
    let sound = media(dir.path(), "surround.wav", &["-f", "lavfi", "-i", &source]);
    for (channels, encoder) in [(6, "aac"), (2, "aac"), (1, "aac"), (2, "libopus")] {
        let (loudness, path) = made(dir.path(), &sound, wanted(6, channels, encoder));
        reaches(&loudness, &path, -23.0);
    }
}

#[test]
fn joined_channels_have_one_gain() {
    let dir = tempfile::tempdir().unwrap();
    let source = format!("{NOISE},volume=3dB,asplit[a][b];[b]volume=-9dB[c]");
    let arguments = ["-filter_complex", &source, "-map", "[a]", "-map", "[c]", "-c:a", "pcm_s16le"];
    let sound = media(dir.path(), "two.mkv", &arguments);
    let part = |track| AudioPart {
        track,
        filter: "aresample=48000:async=1:first_pts=0,\
                 aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=mono"
            .to_owned(),
    };
    let join = AudioJoin { layout: "stereo".to_owned(), parts: vec![part(0), part(1)] };
    let (loudness, path) =
        made(dir.path(), &sound, AudioEncode { join: Some(join), ..wanted(6, 2, "aac") });
    reaches(&loudness, &path, -23.0);
}

#[test]
fn peaks_bound_the_gain() {
    let dir = tempfile::tempdir().unwrap();
    let source =
        "anoisesrc=c=pink:r=48000:a=0.02:d=4:seed=7,volume='if(between(t,2,2.01),40,1)':eval=frame";
    let sound = media(dir.path(), "peaks.wav", &["-f", "lavfi", "-i", source]);
    let (loudness, path) = made(dir.path(), &sound, wanted(4, 1, "aac"));
    assert_eq!(loudness.shortfall, Some(Shortfall::Peak), "{loudness:?}");
    let peak = f64::from(loudness.measured.true_peak.unwrap()) + f64::from(loudness.gain);
    assert!((peak + 1.0).abs() < 0.011, "{loudness:?}");
    assert!(measured(&path).0 < -23.5);
}

#[test]
fn what_cannot_be_measured_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let silence = ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono:d=1"];
    let short = ["-f", "lavfi", "-i", "sine=r=48000:d=0.2"];
    for (name, arguments) in [("silence.wav", &silence), ("short.wav", &short)] {
        let sound = media(dir.path(), name, arguments);
        let encode = AudioEncode { samples: 9_600, ..wanted(1, 1, "aac") };
        let (loudness, _) = made(dir.path(), &sound, encode);
        assert_eq!(loudness.shortfall, Some(Shortfall::NotMeasurable), "{name}: {loudness:?}");
        assert_eq!(f64::from(loudness.gain), 0.0, "{name}");
    }
}

#[test]
fn the_same_sound_is_the_same_bytes_and_without_a_target_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", NOISE]);
    let bytes = |loudness: Option<LoudnessPlan>| {
        let path = dir.path().join("r");
        let encode = AudioEncode { loudness, ..wanted(6, 1, "aac") };
        Libav.encode_audio(&order(&sound, &path, encode), &|_: Progress| {}).unwrap();
        std::fs::read(&path).unwrap()
    };
    let once = bytes(to(-20));
    assert!(once == bytes(to(-20)));
    assert!(once != bytes(None) && once != bytes(to(-21)));
}
