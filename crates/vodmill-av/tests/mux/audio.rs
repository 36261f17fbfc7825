use std::path::{Path, PathBuf};
use std::sync::Mutex;

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::plan::AudioEncode;
use vodmill_model::transcode::{AudioDone, AudioOrder, Mp4Order, Progress};
use vodmill_model::units::{BitsPerSecond, Ticks};

use super::make::{HEAD, media};
use super::reader::{packets, pcm};

/// An encode with the filters that the planner writes.
pub fn encode(track: u32, samples: u64) -> AudioEncode {
    AudioEncode {
        id: "a0-128k".to_owned(),
        track,
        encoder: "aac".to_owned(),
        sample_rate: 48000,
        channels: 2,
        layout: "stereo".to_owned(),
        bitrate: BitsPerSecond(128_000),
        filter: format!(
            "aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,\
             aformat=sample_fmts=fltp:channel_layouts=stereo,apad=whole_len={samples},\
             atrim=end_sample={samples},asetnsamples=1024:p=0"
        ),
        samples,
        clock_jumps: Vec::new(),
    }
}

pub fn order(original: &Path, path: &Path, encode: AudioEncode) -> AudioOrder {
    let origin = Ticks::ZERO;
    AudioOrder { original: original.to_owned(), origin, encode, path: path.to_owned() }
}

/// A rendition of a track of `original`.
pub fn rendition(original: &Path, dir: &Path, track: u32, samples: u64) -> PathBuf {
    let path = dir.join(format!("audio-{track}"));
    let done = run(&order(original, &path, encode(track, samples))).unwrap();
    assert_eq!(done, AudioDone { samples, damaged_packets: 0 });
    path
}

fn run(order: &AudioOrder) -> Result<AudioDone, MediaError> {
    Libav.encode_audio(order, &|_: Progress| {})
}

/// Encodes, puts it into an MP4 and decodes that: the left channel as one hears it. FFmpeg plays
/// the last packet whole, where the file says that only a part of it counts.
fn heard(dir: &Path, order: &AudioOrder) -> Vec<f32> {
    run(order).unwrap();
    let path = dir.join("heard.mp4");
    let audio = vec![(order.path.clone(), None)];
    Libav.write_mp4(&Mp4Order { video: None, audio, path: path.clone() }).unwrap();
    let declared: f64 = packets(&path).iter().map(|packet| packet.duration).sum();
    assert!((declared * 48000.0 - (order.encode.samples + 1024) as f64).abs() < 10.0);
    let mut samples = pcm(&path);
    assert!((0..1024).contains(&(samples.len() as i64 - order.encode.samples as i64)));
    samples.truncate(order.encode.samples as usize);
    samples
}

/// Whether there is sound between two times in seconds.
fn loud(samples: &[f32], from: f64, to: f64) -> bool {
    let range = (from * 48000.0) as usize..(to * 48000.0) as usize;
    let sum: f32 = samples[range.clone()].iter().map(|sample| sample * sample).sum();
    (sum / range.len() as f32).sqrt() > 0.02
}

#[test]
fn exactly_the_planned_samples_are_encoded() {
    let dir = tempfile::tempdir().unwrap();
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "sine=r=44100:d=3"]);
    let path = dir.path().join("a");
    for samples in [144_000, 100_000, 200_000, 1024, 1] {
        let with = |filter: &str| {
            let mut encode = encode(0, samples);
            filter.clone_into(&mut encode.filter);
            order(&sound, &path, encode)
        };
        let planned = order(&sound, &path, encode(0, samples));
        // The count does not hang on the filters.
        let bare = with("aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo");
        for order in [planned, bare] {
            assert_eq!(heard(dir.path(), &order).len() as u64, samples);
        }
    }
}

/// Tones from 1.5 s to 2.5 s and from 3.5 s to 4.5 s, nothing in between.
fn late_with_a_gap(dir: &Path) -> PathBuf {
    let gap = ["-af", "aselect='not(between(t,1,2))'", "-fps_mode", "passthrough"];
    let tone = ["-f", "lavfi", "-i", "sine=d=3", "-c:a", "flac"];
    let tone = media(dir, "t.mka", &[&tone[..], &gap].concat());
    let tone = ["-itsoffset", "1.5", "-i", tone.to_str().unwrap(), "-c", "copy"];
    media(dir, "late.mka", &tone)
}

#[test]
fn sound_stays_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let late = late_with_a_gap(dir.path());
    let heard = heard(dir.path(), &order(&late, &dir.path().join("a"), encode(0, 240_000)));
    assert_eq!(heard.len(), 240_000);
    for (from, to) in [(1.55, 2.4), (3.65, 4.4)] {
        assert!(loud(&heard, from, to), "{from}..{to}");
    }
    for (from, to) in [(0.0, 1.45), (2.65, 3.35), (4.6, 5.0)] {
        assert!(!loud(&heard, from, to), "{from}..{to}");
    }
}

#[test]
fn sound_that_lies_elsewhere_is_silence() {
    let dir = tempfile::tempdir().unwrap();
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "sine=d=2"]);
    let mut order = order(&sound, &dir.path().join("a"), encode(0, 96_000));
    order.origin = Ticks::from_seconds(3600);
    assert!(!loud(&heard(dir.path(), &order), 0.0, 2.0));
}

#[test]
fn sound_before_the_origin_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let sound = media(dir.path(), "s.mka", &["-f", "lavfi", "-i", "sine=d=2", "-c:a", "pcm_s16le"]);
    let mut order = order(&sound, &dir.path().join("a"), encode(0, 96_000));
    order.origin = Ticks(90_000);
    let heard = heard(dir.path(), &order);
    assert!(loud(&heard, 0.0, 0.95) && !loud(&heard, 1.05, 2.0));
}

/// Two seconds of a tone in a transport stream, from `start` on.
fn part(dir: &Path, start: &str, rate: &str, channels: &str) -> Vec<u8> {
    let tone = ["-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac", "-ar", rate, "-ac", channels];
    let place = ["-output_ts_offset", start, "-muxdelay", "0"];
    std::fs::read(media(dir, "part.ts", &[&tone[..], &place].concat())).unwrap()
}

#[test]
fn a_format_that_changes_on_the_way_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let parts = [("0", "44100", "1"), ("2", "48000", "6"), ("4", "22050", "2")];
    let bytes = parts.map(|(start, rate, channels)| part(dir.path(), start, rate, channels));
    let whole = dir.path().join("whole.ts");
    std::fs::write(&whole, bytes.concat()).unwrap();
    let heard = heard(dir.path(), &order(&whole, &dir.path().join("a"), encode(0, 288_000)));
    for second in 0..5 {
        let at = f64::from(second) + 0.2;
        assert!(loud(&heard, at, at + 0.6), "sound at {at}");
    }
}

#[test]
fn what_cannot_be_decoded_is_refused_and_damage_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let sound = media(dir.path(), "s.mp4", &["-f", "lavfi", "-i", "sine=d=4", "-c:a", "aac"]);
    let mut bytes = std::fs::read(&sound).unwrap();
    let data = bytes.windows(4).position(|four| four == b"mdat").unwrap() + 4;
    let damage = |bytes: &mut [u8]| bytes.iter_mut().for_each(|byte| *byte = 0xff);
    damage(&mut bytes[data + 8000..data + 12000]);
    std::fs::write(&sound, &bytes).unwrap();
    let order = order(&sound, &dir.path().join("a"), encode(0, 192_000));
    let done = run(&order).unwrap();
    assert_eq!(done.samples, 192_000);
    assert!(done.damaged_packets > 5, "{done:?}");
    let end = bytes.windows(4).position(|four| four == b"moov").unwrap() - 4;
    damage(&mut bytes[data..end]);
    std::fs::write(&sound, &bytes).unwrap();
    let MediaError::Rejected(refusal) = run(&order).unwrap_err() else { panic!("a failure") };
    assert_eq!(refusal.reason, Reason::NothingDecodable);
}

#[test]
fn packets_begin_with_the_priming_and_add_up() {
    let dir = tempfile::tempdir().unwrap();
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "sine=d=2"]);
    let progress = Mutex::new(Vec::new());
    let path = dir.path().join("a");
    let watch = |step: Progress| progress.lock().unwrap().push(step.done);
    Libav.encode_audio(&order(&sound, &path, encode(0, 90_000)), &watch).unwrap();
    let progress = progress.into_inner().unwrap();
    assert!(progress.is_sorted() && progress.last() == Some(&90_000));
    let first = std::fs::read(&path).unwrap();
    run(&order(&sound, &path, encode(0, 90_000))).unwrap();
    assert!(first == std::fs::read(&path).unwrap(), "the same bytes again");
    assert!(!first.windows(4).any(|four| HEAD.contains(&four)), "a version of libav in it");
    let mp4 = dir.path().join("a.mp4");
    let audio = vec![(path, Some("swe".to_owned()))];
    Libav.write_mp4(&Mp4Order { video: None, audio, path: mp4.clone() }).unwrap();
    let packets = packets(&mp4);
    assert_eq!(packets.len(), (90_000 + 1024_usize).div_ceil(1024));
    assert!((packets[0].pts + 1024.0 / 48000.0).abs() < 0.0001, "{}", packets[0].pts);
    let last = packets.last().unwrap();
    assert!((last.pts + last.duration - 1.875).abs() < 0.0001, "{last:?}");
}
