//! An original behind a socket is the original: the same facts, pictures, sound and refusals.

use std::path::{Path, PathBuf};

use vodmill_av::Libav;
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::plan::{AudioEncode, SubtitlePlan};
use vodmill_model::transcode::{AudioOrder, Progress, SubtitleOrder, Transcode};
use vodmill_model::units::{BitsPerSecond, Ratio, Ticks};

use super::clips::Clips;
use super::orders::{Job, encode, probe, reason};
use super::server::{Server, Trouble};

const SOURCE: &str = "testsrc2=s=160x90:r=25:d=2 -f lavfi -i sine=d=2";

/// The same name in another folder, as a socket.
fn served(original: &Path, trouble: Trouble) -> (Server, PathBuf) {
    let folder = original.with_extension("served");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(original.file_name().unwrap());
    (Server::start(&path, std::fs::read(original).unwrap(), trouble), path)
}

/// Every kind of container that is read in a way of its own.
fn containers(clips: &Clips) -> Vec<PathBuf> {
    let mpeg2 =
        "-vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -flags +ilme+ildct -g 10";
    vec![
        clips.h264(SOURCE, "-c:a aac", "end.mp4"),
        clips.h264(SOURCE, "-c:a aac -movflags +faststart", "start.mp4"),
        clips.h264(SOURCE, "-c:a aac -movflags +frag_keyframe+empty_moov", "pieces.mp4"),
        clips.h264(SOURCE, "-c:a aac", "a.mkv"),
        clips.h264(SOURCE, "-c:a aac", "a.ts"),
        clips.make("testsrc2=s=160x96:r=50:d=2 -f lavfi -i sine=d=2", mpeg2, "a.mpg"),
        clips.make(
            SOURCE,
            "-c:v libvpx -deadline realtime -cpu-used 8 -g 10 -c:a libopus",
            "a.webm",
        ),
        clips.make(SOURCE, "-c:v mpeg4 -g 10 -c:a mp3", "a.avi"),
    ]
}

#[test]
fn the_same_facts_and_pictures() {
    let clips = Clips::new();
    for path in containers(&clips) {
        let (_server, socket) = served(&path, Trouble::None);
        let (file, socket) =
            (Job::new(&path, Ratio::new(25, 1)), Job::new(&socket, Ratio::new(25, 1)));
        assert_eq!(file.info, socket.info, "{}", path.display());
        for (first, frames) in [(0, 20), (30, 20)] {
            let done = [&file, &socket].map(|job| encode(&job.order("r", first, frames)).unwrap());
            assert_eq!(done[0], done[1], "{}", path.display());
            assert!(file.rendition("r") == socket.rendition("r"), "{}", path.display());
        }
    }
}

#[test]
fn the_same_sound() {
    let clips = Clips::new();
    for path in [
        clips.make("sine=d=3", "", "a.wav"),
        clips.make("sine=d=3", "-c:a libmp3lame", "a.mp3"),
        clips.make("sine=d=3", "-c:a aac -f adts", "a.aac"),
        clips.make("sine=d=3", "-c:a flac", "a.flac"),
        clips.h264(SOURCE, "-c:a aac", "a.mp4"),
    ] {
        let (_server, socket) = served(&path, Trouble::None);
        assert_eq!(probe(&path).unwrap(), probe(&socket).unwrap(), "{}", path.display());
        let [file, socket] = [&path, &socket].map(|path| sound(path).unwrap());
        assert!(file == socket && !file.is_empty(), "{}", path.display());
    }
}

fn stereo(track: u32) -> AudioEncode {
    AudioEncode {
        id: "a0".to_owned(),
        track,
        join: None,
        encoder: "aac".to_owned(),
        sample_rate: 48_000,
        channels: 2,
        layout: "stereo".to_owned(),
        bitrate: BitsPerSecond(128_000),
        sample_format: "fltp".to_owned(),
        options: Default::default(),
        filter: "aresample=48000:first_pts=0,\
                 aformat=sample_fmts=fltp:channel_layouts=stereo,apad=whole_len=96000,\
                 atrim=end_sample=96000,asetnsamples=1024:p=0"
            .to_owned(),
        loudness: None,
        samples: 96_000,
        clock_jumps: vec![],
    }
}

fn sound(original: &Path) -> Result<Vec<u8>, MediaError> {
    let info = probe(original)?;
    let out = original.with_extension("sound");
    let order = AudioOrder {
        original: original.to_owned(),
        origin: Ticks::ZERO,
        encode: stereo(info.audio[0].index),
        path: out.clone(),
    };
    Libav.encode_audio(&order, &|_: Progress| {})?;
    Ok(std::fs::read(out).unwrap())
}

#[test]
fn a_late_chunk_does_not_read_what_lies_before_it() {
    let clips = Clips::new();
    let source = "testsrc2=s=160x90:r=25:d=120";
    for path in [
        clips.h264(source, "", "long.mp4"),
        clips.h264(source, "", "long.mkv"),
        clips.h264(source, "", "long.ts"),
    ] {
        let mut order = Job::new(&path, Ratio::new(25, 1)).order("r", 2750, 50);
        let (server, socket) = served(&path, Trouble::None);
        order.original = socket;
        encode(&order).unwrap();
        let length = std::fs::metadata(&path).unwrap().len();
        assert!(server.sent() * 2 < length, "{path:?}: {} of {length}", server.sent());
    }
}

#[test]
fn the_same_subtitles() {
    let clips = Clips::new();
    clips.write("s.srt", b"1\n00:00:00,000 --> 00:00:01,000\nhej\n");
    let source = format!("{SOURCE} -i s.srt");
    let path = clips.h264(&source, "-map 0 -map 2 -c:s srt", "s.mkv");
    let (_server, socket) = served(&path, Trouble::None);
    let cues = [path, socket].map(|original| {
        let subtitle = SubtitlePlan { id: "s0".to_owned(), track: 1, clock_jumps: vec![] };
        let order = SubtitleOrder { original, origin: Ticks::ZERO, subtitle };
        Libav.extract_subtitles(&order).unwrap().cues
    });
    assert_eq!(cues[0].len(), 1);
    assert_eq!(cues[0], cues[1]);
}

#[test]
fn the_same_refusals() {
    let clips = Clips::new();
    let whole = std::fs::read(clips.plain()).unwrap();
    for (content, expected) in [
        (&b""[..], Reason::Empty),
        (b"hello, not a video\n", Reason::NotMedia),
        (b"#EXTM3U\n#EXTINF:4,\nfile:///etc/hostname\n", Reason::Disguised),
        (&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0], Reason::NotMedia),
        (&whole[..whole.len() * 6 / 10], Reason::Incomplete),
    ] {
        let path = clips.write("x.mp4", content);
        let (_server, socket) = served(&path, Trouble::None);
        let refusals = [&path, &socket].map(|path| probe(path).unwrap_err());
        assert_eq!(refusals[0], refusals[1]);
        assert_eq!(reason::<()>(refusals.into_iter().next().map_or(Ok(()), Err)), expected);
    }
}

#[test]
fn a_cut_is_seen_as_in_a_file() {
    let clips = Clips::new();
    for (more, name) in [("-movflags +faststart", "begin.mp4"), ("", "cut.mkv")] {
        let path = clips.h264("testsrc2=s=160x90:r=25:d=2", more, name);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() * 6 / 10]).unwrap();
        let (_server, socket) = served(&path, Trouble::None);
        let info = probe(&socket).unwrap();
        assert!(info.truncated, "{name}");
        assert_eq!(info, probe(&path).unwrap(), "{name}");
    }
}

/// Wherever it breaks off, it is our fault and not the original's, and never a shorter programme.
#[test]
fn what_cannot_be_read_fails_and_is_never_refused() {
    let clips = Clips::new();
    for path in containers(&clips) {
        let length = std::fs::metadata(&path).unwrap().len();
        for part in [0, 1, 3, 5, 7, 9] {
            let from = length * part / 10;
            for trouble in [Trouble::Fails { from }, Trouble::Leaves { from }] {
                let (_server, socket) = served(&path, trouble);
                let failed = match probe(&socket) {
                    Err(MediaError::Failed(failed)) => failed,
                    other => panic!("{path:?} {trouble:?}: {other:?}"),
                };
                let why = match trouble {
                    Trouble::Fails { .. } => "the bucket is on fire",
                    _ => "the server of the original went away",
                };
                assert!(failed.cause.contains(why), "{path:?} {trouble:?}: {failed}");
            }
        }
    }
}

#[test]
fn an_encode_that_loses_its_original_fails() {
    let clips = Clips::new();
    for path in containers(&clips) {
        let (server, socket) = served(&path, Trouble::None);
        let job = Job::new(&socket, Ratio::new(25, 1));
        let length = std::fs::metadata(&path).unwrap().len();
        drop(server);
        let (_server, _) = served(&path, Trouble::Fails { from: length * 6 / 10 });
        match encode(&job.order("r", 0, 50)) {
            Err(MediaError::Failed(failed)) => {
                assert!(failed.cause.contains("the bucket is on fire"), "{path:?}: {failed}");
            }
            other => panic!("{path:?}: {other:?}"),
        }
    }
}

#[test]
fn nobody_at_the_socket_is_a_failure() {
    let clips = Clips::new();
    let (server, socket) = served(&clips.plain(), Trouble::None);
    server.leave_socket();
    match probe(&socket) {
        Err(MediaError::Failed(failed)) => assert!(failed.stage.starts_with("open original")),
        other => panic!("{other:?}"),
    }
}
