//! HEVC from a chunk to its containers, and what files say of high dynamic range.

use std::path::{Path, PathBuf};

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::media::{ContentLight, Hdr10, MasteringDisplay};
use vodmill_model::pipeline::Container;
use vodmill_model::plan::VideoEncode;
use vodmill_model::preset::FileContainer;
use vodmill_model::transcode::{Cut, FileOrder, Inspection, Media, SegmentOrder, VideoInput};
use vodmill_model::units::Ratio;

use crate::decode::clips::Clips;
use crate::decode::orders::{Job, encode, probe, rung};
use crate::mux::reader::{decode, packets, run};
use crate::mux::segments::{order, segments, write};

const RATE: Ratio = Ratio { num: 25, den: 1 };

/// A P3 screen, as x265 is told of it.
const P3: MasteringDisplay = MasteringDisplay {
    red: (34_000, 16_000),
    green: (13_250, 34_500),
    blue: (7_500, 3_000),
    white: (15_635, 16_450),
    max_luminance: 10_000_000,
    min_luminance: 50,
};
const SAID: &str = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)\
                    L(10000000,50):max-cll=1000,400";
const LIGHT: ContentLight = ContentLight { max: 1000, average: 400 };
const PQ: &str = "color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc";

/// Ten bits and PQ, with options as the planner gives them.
fn kept() -> VideoEncode {
    let parameters = format!(
        "keyint=10:min-keyint=10:scenecut=0:open-gop=0:repeat-headers=0:info=0:pools=none:\
         frame-threads=1:wpp=0:log-level=error:{SAID}"
    );
    let options = [
        ("preset", "ultrafast"),
        ("profile", "main10"),
        ("crf", "30"),
        ("maxrate", "500000"),
        ("bufsize", "500000"),
        ("g", "10"),
        ("keyint_min", "10"),
        ("forced-idr", "1"),
        ("threads", "1"),
        ("x265-params", &parameters),
    ];
    VideoEncode {
        filter: format!("scale=96:54,setsar=1,setparams=range=limited:{PQ},format=yuv420p10le"),
        encoder: "libx265".to_owned(),
        options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        hdr10: Hdr10 { display: Some(P3), light: Some(LIGHT) },
        ..rung()
    }
}

/// Chunks of the plain clip, by their lengths.
fn chunks(job: &Job, name: &str, lengths: &[u64]) -> VideoInput {
    let mut first = 0;
    let chunk = |(number, &frames): (usize, &u64)| -> PathBuf {
        let mut order = job.order(&format!("{name}{number}"), first, frames);
        order.encodes[0].0 = kept();
        order.stills.clear();
        assert_eq!(encode(&order).unwrap().frames, frames);
        first += frames;
        order.encodes[0].1.clone()
    };
    VideoInput { chunks: lengths.iter().enumerate().map(chunk).collect(), rate: RATE }
}

fn look(path: &Path) -> Inspection {
    Libav.inspect(Media::File(path)).unwrap()
}

fn fragments(input: VideoInput, dir: &Path) -> (Vec<u64>, PathBuf) {
    let all = segments(&order(Container::Fmp4, input, &[20, 40, 50])).unwrap();
    let init = all.iter().find(|segment| segment.init).unwrap();
    let counts = all.iter().filter(|segment| !segment.init).map(|segment| {
        let one = look(&write(dir, "one.mp4", &[init, segment]));
        assert!(one.streams[0].starts_with_key && one.streams[0].monotonic);
        assert_eq!((one.streams[0].codec.as_str(), one.streams[0].config[0]), ("hevc", 1));
        one.streams[0].packets
    });
    (counts.collect(), write(dir, "all.mp4", &all.iter().collect::<Vec<_>>()))
}

#[test]
fn chunks_join_without_a_seam() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let dir = tempfile::tempdir().unwrap();
    let (counts, path) = fragments(chunks(&job, "c", &[20, 20, 10]), dir.path());
    assert_eq!(counts, [20, 20, 10]);
    decode(&path);
    let all = packets(&path);
    let keys: Vec<usize> = (0..all.len()).filter(|&n| all[n].key).collect();
    assert_eq!(keys, [0, 10, 20, 30, 40], "where they are forced, and nowhere else");
    assert!(all.windows(2).all(|pair| pair[0].dts < pair[1].dts));
    let mut times: Vec<f64> = all.iter().map(|packet| packet.pts).collect();
    times.sort_by(f64::total_cmp);
    let off = |(n, time): (usize, &f64)| (time - 10.0 - n as f64 / 25.0).abs() > 0.0001;
    assert!(!times.iter().enumerate().any(off), "{times:?}");
}

/// No picture refers to one in another group, so that groups are the same wherever chunks begin.
#[test]
fn groups_are_closed() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let dir = tempfile::tempdir().unwrap();
    let (_, path) = fragments(chunks(&job, "whole", &[50]), dir.path());
    let mut shown = f64::MIN;
    let mut key = f64::MIN;
    for packet in packets(&path) {
        if packet.key {
            assert!(packet.pts > shown);
            key = packet.pts;
        }
        assert!(packet.pts >= key, "{packet:?} leads");
        shown = shown.max(packet.pts);
    }
}

#[test]
fn the_same_chunk_twice_is_the_same_bytes() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let [one, two] = ["one", "two"].map(|name| chunks(&job, name, &[30]).chunks.remove(0));
    assert!(std::fs::read(one).unwrap() == std::fs::read(two).unwrap());
}

#[test]
fn containers_say_what_the_stream_is() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let dir = tempfile::tempdir().unwrap();
    let input = chunks(&job, "c", &[20, 30]);
    let (_, fragmented) = fragments(input.clone(), dir.path());
    let path = dir.path().join("p.mp4");
    Libav
        .write_file(&FileOrder {
            container: FileContainer::Mp4,
            video: Some(input),
            audio: vec![],
            path: path.clone(),
        })
        .unwrap();
    decode(&path);
    for path in [fragmented, path] {
        let bytes = std::fs::read(&path).unwrap();
        for name in [b"hvc1", b"hvcC", b"colr", b"mdcv", b"clli"] {
            assert!(bytes.windows(4).any(|four| four == name), "{}", name.escape_ascii());
        }
        let text = path.to_str().unwrap();
        let entries = "stream=profile,pix_fmt,color_range,color_space,color_transfer,color_primaries,\
                       codec_tag_string,nb_read_frames";
        let said =
            run("ffprobe", &["-count_frames", "-of", "flat", "-show_entries", entries, text]);
        for want in [
            "profile=\"Main 10\"",
            "codec_tag_string=\"hvc1\"",
            "pix_fmt=\"yuv420p10le\"",
            "color_range=\"tv\"",
            "color_space=\"bt2020nc\"",
            "color_transfer=\"smpte2084\"",
            "color_primaries=\"bt2020\"",
            "nb_read_frames=\"50\"",
        ] {
            assert!(said.contains(want), "{text}: {want} in {said}");
        }
        let video = &probe(&path).unwrap().video[0];
        assert_eq!(video.hdr10, Hdr10 { display: Some(P3), light: Some(LIGHT) }, "{text}");
        assert_eq!(look(&path).streams[0].key_packets, 5);
    }
}

#[test]
fn key_frames_alone_are_pictures_that_can_be_opened() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let dir = tempfile::tempdir().unwrap();
    let whole = order(Container::Fmp4, chunks(&job, "c", &[20, 30]), &[50]);
    let all = segments(&SegmentOrder { cut: Cut::KeyFrames, ..whole }).unwrap();
    assert_eq!(all.len(), 1 + 5);
    for picture in all.iter().filter(|segment| !segment.init) {
        let path = write(dir.path(), "one.mp4", &[&all[0], picture]);
        decode(&path);
        assert_eq!(look(&path).streams[0].packets, 1);
    }
}

#[test]
fn what_only_frames_say_is_found() {
    let clips = Clips::new();
    let x265 = format!("-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=1:{SAID}");
    let colour = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc";
    let more = format!("-pix_fmt yuv420p10le {x265} {colour}");
    let path = clips.make("testsrc2=s=160x90:r=25:d=0.4", &more, "hdr10.ts");
    let video = &probe(&path).unwrap().video[0];
    assert_eq!(video.hdr10, Hdr10 { display: Some(P3), light: Some(LIGHT) });
    let plain = more.replace(&format!(":{SAID}"), "");
    let path = clips.make("testsrc2=s=160x90:r=25:d=0.4", &plain, "plain.mp4");
    assert!(probe(&path).unwrap().video[0].hdr10.is_empty());
}

/// Pictures of a strip, as the planner pads them.
#[test]
fn the_least_pictures_are_encoded() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), RATE);
    let mut order = job.order("small", 0, 10);
    order.stills.clear();
    let small = &mut order.encodes[0].0;
    *small = kept();
    (small.size.width, small.size.height) = (32, 32);
    small.filter = small.filter.replace("scale=96:54", "scale=32:32");
    assert_eq!(encode(&order).unwrap().frames, 10);
}
