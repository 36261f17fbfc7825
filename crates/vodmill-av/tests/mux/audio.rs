use std::path::{Path, PathBuf};
use std::sync::Mutex;

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::plan::{AudioEncode, AudioJoin, AudioPart};
use vodmill_model::preset::FileContainer;
use vodmill_model::role::Role;
use vodmill_model::transcode::{AudioDone, AudioOrder, FileOrder, FileSound, Progress};
use vodmill_model::units::{BitsPerSecond, Ticks};

use super::make::{HEAD, media};
use super::reader::{packets, pcm};
use crate::decode::orders::probe;

/// An encode with the filters that the planner writes.
pub fn encode(track: u32, samples: u64) -> AudioEncode {
    AudioEncode {
        id: "a0-128k".to_owned(),
        track,
        join: None,
        encoder: "aac".to_owned(),
        sample_rate: 48000,
        channels: 2,
        layout: "stereo".to_owned(),
        bitrate: BitsPerSecond(128_000),
        sample_format: "fltp".to_owned(),
        options: Default::default(),
        filter: format!(
            "aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,\
             aformat=sample_fmts=fltp:channel_layouts=stereo,apad=whole_len={samples},\
             atrim=end_sample={samples},asetnsamples=1024:p=0"
        ),
        loudness: None,
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
    assert_eq!((done.samples, done.damaged_packets), (samples, 0));
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
    let audio = vec![FileSound { path: order.path.clone(), ..FileSound::default() }];
    Libav
        .write_file(&FileOrder {
            container: FileContainer::Mp4,
            video: None,
            audio,
            path: path.clone(),
        })
        .unwrap();
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
    let language = Some("swe".to_owned());
    let audio = vec![FileSound { path, language, ..FileSound::default() }];
    Libav
        .write_file(&FileOrder {
            container: FileContainer::Mp4,
            video: None,
            audio,
            path: mp4.clone(),
        })
        .unwrap();
    let packets = packets(&mp4);
    assert_eq!(packets.len(), (90_000 + 1024_usize).div_ceil(1024));
    assert!((packets[0].pts + 1024.0 / 48000.0).abs() < 0.0001, "{}", packets[0].pts);
    let last = packets.last().unwrap();
    assert!((last.pts + last.duration - 1.875).abs() < 0.0001, "{last:?}");
}

/// Two tones, each a mono track, of which the second is silent from 1 s on.
fn two_monos(dir: &Path, name: &str, codec: &str) -> PathBuf {
    let left = ["-f", "lavfi", "-i", "sine=f=440:d=3:r=48000"];
    let right = ["-f", "lavfi", "-i", "aevalsrc=lt(t\\,1)*sin(880*2*PI*t)/8:d=2.5:s=44100"];
    let maps = ["-map", "0", "-map", "1", "-c:a", codec];
    media(dir, name, &[&left[..], &right, &maps].concat())
}

fn joined(layout: &str, tracks: &[u32], samples: u64) -> AudioEncode {
    let part = |track: &u32| AudioPart {
        track: *track,
        filter: "aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,\
                 aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=mono"
            .to_owned(),
    };
    let parts = tracks.iter().map(part).collect();
    AudioEncode {
        join: Some(AudioJoin { layout: layout.to_owned(), parts }),
        filter:
            "aresample=48000,aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo"
                .to_owned(),
        ..encode(tracks[0], samples)
    }
}

#[test]
fn two_tracks_become_left_and_right() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    for (name, codec) in [("m.mov", "pcm_s16le"), ("m.mkv", "flac"), ("m.mp4", "aac")] {
        let original = two_monos(dir.path(), name, codec);
        for (tracks, falls_silent) in [([0, 1], false), ([1, 0], true)] {
            let order = order(&original, &path, joined("stereo", &tracks, 144_000));
            let left = heard(dir.path(), &order);
            assert_eq!(left.len(), 144_000, "{name}");
            assert!(loud(&left, 0.1, 0.9), "{name}: {tracks:?}");
            assert_eq!(loud(&left, 1.2, 2.2), !falls_silent, "{name}: {tracks:?}");
        }
        run(&order(&original, &path, joined("stereo", &[0, 1], 144_000))).unwrap();
        let once = std::fs::read(&path).unwrap();
        run(&order(&original, &path, joined("stereo", &[0, 1], 144_000))).unwrap();
        assert!(once == std::fs::read(&path).unwrap(), "the same bytes again");
    }
}

#[test]
fn a_part_that_cannot_be_decoded_is_silent_and_all_of_them_a_refusal() {
    let dir = tempfile::tempdir().unwrap();
    let original = two_monos(dir.path(), "m.mov", "pcm_s16le");
    let mut order = order(&original, &dir.path().join("a"), joined("stereo", &[0, 1], 96_000));
    order.origin = Ticks::from_seconds(-5);
    let done = run(&order).unwrap();
    assert_eq!((done.samples, done.balance.holes), (96_000, 0));
    let encode = joined("5.1", &[0, 1], 96_000);
    let wrong = AudioOrder { encode, ..order };
    assert!(matches!(run(&wrong), Err(MediaError::Failed(_))), "two channels for six");
}

#[test]
fn holes_are_counted_with_their_length() {
    let dir = tempfile::tempdir().unwrap();
    let late = late_with_a_gap(dir.path());
    let done = run(&order(&late, &dir.path().join("a"), encode(0, 240_000))).unwrap();
    assert_eq!(done.balance.holes, 1, "what begins late is none: {:?}", done.balance);
    assert!((done.balance.silence.millis() - 1000).abs() < 120, "{:?}", done.balance);
    assert_eq!(done.balance.silence, done.balance.longest_hole);
    assert!((done.balance.delivered.millis() - 2000).abs() < 120, "{:?}", done.balance);
}

/// Where tones of 20 ms, one a second, are heard, in milliseconds.
fn beeps(samples: &[f32]) -> Vec<i64> {
    let mut found: Vec<i64> = Vec::new();
    for (at, _) in samples.iter().enumerate().filter(|(_, sample)| sample.abs() > 0.1) {
        let millis = at as i64 / 48;
        if found.last().is_none_or(|last| millis - last > 300) {
            found.push(millis);
        }
    }
    found
}

#[test]
fn a_clock_that_drifts_is_followed_softly() {
    const BEEPS: &str = "aevalsrc=lt(mod(t\\,1)\\,0.02)*sin(880*2*PI*t)/2:s=48000:d=20";
    let dir = tempfile::tempdir().unwrap();
    for (name, codec, factor) in [
        ("d.ts", "aac", 1.015),
        ("d.mkv", "aac", 0.985),
        ("d.mkv", "libopus", 1.01),
        ("d.ts", "mp2", 0.97),
    ] {
        let setts = format!("setts=ts=TS*{factor}");
        let arguments = ["-f", "lavfi", "-i", BEEPS, "-c:a", codec, "-bsf:a", &setts];
        let original = media(dir.path(), name, &arguments);
        let info = probe(&original).unwrap();
        let track = &info.audio[0];
        let expected = (factor - 1.0) * 20_000.0;
        assert!((track.drift.millis() as f64 / expected - 1.0).abs() < 0.15, "{name}: {track:?}");
        let mut order = order(&original, &dir.path().join("a"), encode(0, 470_000));
        order.origin = track.first;
        order.encode.filter = "aresample=48000:flags=res:min_comp=0.001:max_soft_comp=0.05:\
            min_hard_comp=0.045:first_pts=0,\
            aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo"
            .to_owned();
        let found = beeps(&heard(dir.path(), &order));
        assert!(found.len() >= 9, "{name} {codec}: {found:?}");
        for (second, at) in (0_i64..).zip(&found) {
            let right = (second as f64 * 1000.0 * factor) as i64;
            assert!((at - right).abs() <= 45, "{name} {codec}: {at} for {right} of {found:?}");
        }
    }
}

#[test]
fn what_is_silent_and_what_drifts_is_seen_while_probing() {
    let dir = tempfile::tempdir().unwrap();
    let tone =
        ["-f", "lavfi", "-i", "sine=d=2", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono:d=2"];
    let noise = ["-f", "lavfi", "-i", "aevalsrc=sin(999*t)/9000:s=48000:d=2"];
    let maps = ["-map", "3", "-map", "0", "-map", "1", "-map", "2"];
    for (name, codec) in [
        ("q.mov", "pcm_s24le"),
        ("q.mxf", "pcm_s16le"),
        ("q.mkv", "flac"),
        ("q.mp4", "aac"),
        ("q.ts", "mp2"),
    ] {
        let picture = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=2"];
        let more = ["-c:v", "mpeg2video", "-c:a", codec, "-ar", "48000", "-t", "2"];
        let all = [&tone[..], &noise, &picture, &maps, &more].concat();
        let original = media(dir.path(), name, &all);
        let info = probe(&original).unwrap();
        let silent: Vec<_> = info.audio.iter().map(|it| it.silent_channels.as_slice()).collect();
        assert_eq!(silent, [&[][..], &[0], &[0]], "{name}");
        assert!(info.audio.iter().all(|it| it.drift.is_zero() || it.drift.millis().abs() < 5));
    }
}

#[test]
fn labels_and_roles_are_read_from_containers() {
    let dir = tempfile::tempdir().unwrap();
    let split = ["-f", "lavfi", "-i", "aevalsrc=sin(999*t)|sin(888*t):s=48000:d=1"];
    let filter = ["-filter_complex", "channelsplit=channel_layout=stereo[l][r]"];
    let maps = ["-map", "[l]", "-map", "[r]", "-c:a", "pcm_s16le"];
    let original = media(dir.path(), "l.mov", &[&split[..], &filter, &maps].concat());
    let info = probe(&original).unwrap();
    let layouts: Vec<_> = info.audio.iter().map(|track| track.layout.as_str()).collect();
    assert_eq!(layouts, ["1 channels (FL)", "1 channels (FR)"]);
    for (name, marks) in [
        ("r.mkv", &["visual_impaired", "comment", "hearing_impaired", "original"][..]),
        ("r.mp4", &["visual_impaired", "comment", "hearing_impaired", "dub"]),
        ("r.ts", &["visual_impaired", "hearing_impaired", "clean_effects"]),
    ] {
        let mut arguments = vec!["-f", "lavfi", "-i", "sine=d=1"];
        let places: Vec<_> = (0..marks.len()).map(|at| format!("-disposition:a:{at}")).collect();
        for (place, mark) in places.iter().zip(marks) {
            arguments.extend(["-map", "0", place, mark]);
        }
        arguments.extend(["-c:a", "aac", "-metadata:s:a", "language=eng"]);
        let original = media(dir.path(), name, &arguments);
        let info = probe(&original).unwrap();
        let roles: Vec<_> = info.audio.iter().map(|track| track.roles.len()).collect();
        assert_eq!(roles, vec![1; marks.len()], "{name}: {:?}", info.audio);
        assert_eq!(info.audio[0].roles, [Role::Description], "{name}");
    }
}

#[test]
fn hostile_sound_is_refused_or_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let sine = ["-f", "lavfi", "-i", "sine=d=2"];
    for (name, more) in [
        ("one.mkv", &["-frames:a", "1"][..]),
        ("fast.wav", &["-ar", "768000"]),
        ("slow.wav", &["-ar", "1000"]),
        ("huge.mkv", &["-c:a", "aac", "-bsf:a", "setts=ts=TS+9000000000000000*gt(N\\,20)"]),
        ("early.ts", &["-c:a", "aac", "-output_ts_offset", "-100000"]),
        ("wide.mkv", &["-c:a", "pcm_s16le", "-ac", "16"]),
    ] {
        let original = media(dir.path(), name, &[&sine[..], more].concat());
        match probe(&original) {
            Ok(info) => {
                let mut order = order(&original, &path, encode(0, 96_000));
                order.origin = info.audio[0].first;
                match run(&order) {
                    Ok(done) => assert_eq!(done.samples, 96_000, "{name}"),
                    Err(MediaError::Rejected(_)) => {}
                    Err(other) => panic!("{name}: {other}"),
                }
            }
            Err(MediaError::Rejected(_)) => {}
            Err(other) => panic!("{name}: {other}"),
        }
    }
}
