//! AV1 from a chunk to its containers.

use std::path::{Path, PathBuf};

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::pipeline::Container;
use vodmill_model::plan::VideoEncode;
use vodmill_model::preset::FileContainer;
use vodmill_model::transcode::{Cut, FileOrder, Media, SegmentOrder, VideoInput};
use vodmill_model::units::{Gop, Ratio, Size};

use crate::decode::clips::Clips;
use crate::decode::orders::{Job, encode, rung};
use crate::mux::reader::{decode, packets, run};
use crate::mux::segments::{order, segments, write};

const RATE: Ratio = Ratio { num: 25, den: 1 };

/// With options as the planner gives them.
fn av1(size: Size, gop: u32) -> VideoEncode {
    let frames = gop.to_string();
    let options = [
        ("preset", "12"),
        ("crf", "40"),
        ("maxrate", "60000"),
        ("bufsize", "60000"),
        ("g", &frames),
        ("threads", "1"),
        ("svtav1-params", "lp=1:scd=0"),
        ("color_range", "tv"),
        ("colorspace", "bt709"),
        ("color_primaries", "bt709"),
        ("color_trc", "bt709"),
    ];
    VideoEncode {
        id: "v64-av1".to_owned(),
        size,
        filter: format!(
            "scale={}:{}:out_color_matrix=bt709:out_range=tv,setsar=1,setparams=range=limited:\
             color_primaries=bt709:color_trc=bt709:colorspace=bt709,format=yuv420p",
            size.width, size.height
        ),
        encoder: "libsvtav1".to_owned(),
        options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        gop: Gop(gop),
        ..rung()
    }
}

const SIZE: Size = Size { width: 98, height: 66 };

/// Chunks of the plain clip, by their lengths.
fn chunks(job: &Job, name: &str, lengths: &[u64], encoder: &VideoEncode) -> VideoInput {
    let mut first = 0;
    let chunk = |(number, &frames): (usize, &u64)| -> PathBuf {
        let mut order = job.order(&format!("{name}{number}"), first, frames);
        order.encodes[0].0 = encoder.clone();
        order.stills.clear();
        assert_eq!(encode(&order).unwrap().frames, frames);
        first += frames;
        order.encodes[0].1.clone()
    };
    VideoInput { chunks: lengths.iter().enumerate().map(chunk).collect(), rate: RATE }
}

fn progressive(input: VideoInput, path: &Path) {
    let order = FileOrder {
        container: FileContainer::Mp4,
        video: Some(input),
        audio: Vec::new(),
        path: path.to_owned(),
    };
    Libav.write_file(&order).unwrap();
}

/// Times of a file's pictures, and which are key frames; FFmpeg and we decode all of them.
fn is_whole(path: &Path, frames: u64, keys: &[usize], base: f64) {
    decode(path);
    let all = packets(path);
    let found: Vec<usize> = (0..all.len()).filter(|&n| all[n].key).collect();
    assert_eq!((all.len() as u64, found.as_slice()), (frames, keys), "{}", path.display());
    let off = |n: usize| (all[n].pts - base - n as f64 / 25.0).abs() > 0.0001;
    assert!(!(0..all.len()).any(off), "in the order of their times, which is that of decoding");
    let counted = Libav.decode(Media::File(path)).unwrap();
    assert_eq!((counted.frames, counted.errors), (frames, 0), "every packet is one picture");
}

#[test]
fn chunks_join_without_a_seam_in_both_kinds_of_mp4() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let dir = tempfile::tempdir().unwrap();
    let input = chunks(&job, "c", &[20, 20, 10], &av1(SIZE, 10));
    let all = segments(&order(Container::Fmp4, input.clone(), &[20, 40, 50])).unwrap();
    let fragmented = write(dir.path(), "all.mp4", &all.iter().collect::<Vec<_>>());
    let path = dir.path().join("p.mp4");
    progressive(input, &path);
    for (path, base) in [(fragmented, 10.0), (path, 0.0)] {
        is_whole(&path, 50, &[0, 10, 20, 30, 40], base);
        let bytes = std::fs::read(&path).unwrap();
        for name in [b"av01", b"av1C", b"colr"] {
            assert!(bytes.windows(4).any(|four| four == name), "{}", name.escape_ascii());
        }
        let stream = &Libav.inspect(Media::File(&path)).unwrap().streams[0];
        assert_eq!((stream.codec.as_str(), stream.config[0]), ("av1", 0x81));
        assert_eq!((stream.size, stream.key_packets), (Some(SIZE), 5));
    }
    for segment in &all[1..] {
        let one = write(dir.path(), "one.mp4", &[&all[0], segment]);
        let stream = &Libav.inspect(Media::File(&one)).unwrap().streams[0];
        assert!(stream.starts_with_key && stream.monotonic);
    }
}

#[test]
fn key_frames_alone_are_pictures_that_can_be_opened() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let dir = tempfile::tempdir().unwrap();
    let input = chunks(&job, "c", &[20, 10], &av1(SIZE, 10));
    let whole = order(Container::Fmp4, input, &[30]);
    let all = segments(&SegmentOrder { cut: Cut::KeyFrames, ..whole }).unwrap();
    assert_eq!(all.len(), 1 + 3);
    for picture in &all[1..] {
        let path = write(dir.path(), "one.mp4", &[&all[0], picture]);
        let counted = Libav.decode(Media::File(&path)).unwrap();
        assert_eq!((counted.frames, counted.errors), (1, 0));
    }
}

/// Its rate is bounded, which SVT-AV1 with several processors does otherwise each time.
#[test]
fn a_chunk_is_the_same_bytes_beside_others() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let encoder = av1(SIZE, 50);
    let alone = chunks(&job, "alone", &[50], &encoder).chunks.remove(0);
    let beside: Vec<PathBuf> = std::thread::scope(|scope| {
        let (job, encoder) = (&job, &encoder);
        let work = |name: &'static str| {
            scope.spawn(move || chunks(job, name, &[50], encoder).chunks.remove(0))
        };
        let all = ["a", "b", "c", "d"].map(work);
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let alone = std::fs::read(alone).unwrap();
    assert!(beside.iter().all(|path| std::fs::read(path).unwrap() == alone));
}

#[test]
fn the_least_of_everything_is_encoded() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let dir = tempfile::tempdir().unwrap();
    let least = Size { width: 64, height: 64 };
    for (name, frames, gop, keys) in [
        ("one frame", 1, 50, vec![0]),
        ("groups of two", 5, 2, vec![0, 2, 4]),
        ("groups of one", 5, 1, vec![0, 1, 2, 3, 4]),
        ("one beyond a group", 11, 10, vec![0, 10]),
    ] {
        let path = dir.path().join("p.mp4");
        progressive(chunks(&job, name, &[frames], &av1(least, gop)), &path);
        is_whole(&path, frames, &keys, 0.0);
    }
}

/// Sequence headers of chunks are equal, however short one is; else they would not join.
#[test]
fn a_last_chunk_of_one_frame_joins() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.mp4");
    progressive(chunks(&job, "c", &[30, 1], &av1(SIZE, 10)), &path);
    is_whole(&path, 31, &[0, 10, 20, 30], 0.0);
    let text =
        run("ffprobe", &["-show_entries", "stream=color_space,profile", path.to_str().unwrap()]);
    assert!(text.contains("color_space=bt709") && text.contains("profile=Main"), "{text}");
}
