//! WebM and MP3, from an original to the file, with the options that the planner gives.

use std::path::{Path, PathBuf};

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::plan::{AudioEncode, VideoEncode};
use vodmill_model::preset::FileContainer;
use vodmill_model::transcode::{FileOrder, FileSound, Media, StreamKind, VideoInput};
use vodmill_model::units::{BitsPerSecond, Gop, Ratio};

use super::audio;
use super::make::media;
use super::reader::{decode, of, packets, pcm, run};
use crate::decode::clips::Clips;
use crate::decode::orders::{Job, encode, rung};

const RATE: Ratio = Ratio { num: 25, den: 1 };

fn vp9() -> VideoEncode {
    let options = [
        ("crf", "33"),
        ("b", "300000"),
        ("maxrate", "300000"),
        ("bufsize", "300000"),
        ("deadline", "realtime"),
        ("cpu-used", "8"),
        ("g", "10"),
        ("keyint_min", "10"),
        ("lag-in-frames", "0"),
        ("auto-alt-ref", "0"),
        ("max-intra-rate", "500"),
        ("error-resilient", "0"),
        ("frame-parallel", "0"),
        ("aq-mode", "0"),
        ("static-thresh", "0"),
        ("drop-threshold", "0"),
        ("tile-columns", "0"),
        ("row-mt", "0"),
        ("threads", "1"),
        ("color_range", "tv"),
        ("colorspace", "bt709"),
        ("color_primaries", "bt709"),
        ("color_trc", "bt709"),
    ];
    VideoEncode {
        id: "v54-vp9".to_owned(),
        filter: "scale=96:54:out_color_matrix=bt709:out_range=tv,setsar=1,setparams=range=limited:\
                 color_primaries=bt709:color_trc=bt709:colorspace=bt709,format=yuv420p"
            .to_owned(),
        encoder: "libvpx-vp9".to_owned(),
        options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..rung()
    }
}

fn sound(encoder: &str, track: u32, channels: u32, samples: u64) -> AudioEncode {
    let layout = match channels {
        1 => "mono",
        2 => "stereo",
        _ => "5.1",
    };
    let (format, options): (_, &[_]) = match encoder {
        "libopus" => ("flt", &[("application", "audio"), ("frame_duration", "20"), ("vbr", "on")]),
        _ => ("fltp", &[("abr", "0"), ("joint_stereo", "1"), ("reservoir", "1")]),
    };
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    AudioEncode {
        encoder: encoder.to_owned(),
        channels,
        layout: layout.to_owned(),
        bitrate: BitsPerSecond(64_000 * u64::from(channels)),
        sample_format: format.to_owned(),
        options: options.iter().map(owned).collect(),
        filter: format!(
            "aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,\
             aformat=sample_fmts={format}:sample_rates=48000:channel_layouts={layout}"
        ),
        ..audio::encode(track, samples)
    }
}

fn rendition(original: &Path, name: &str, encode: AudioEncode) -> FileSound {
    let path = original.with_file_name(name);
    let samples = encode.samples;
    let order = audio::order(original, &path, encode);
    let done = Libav.encode_audio(&order, &|_: vodmill_model::transcode::Progress| {}).unwrap();
    assert_eq!((done.samples, done.damaged_packets), (samples, 0));
    FileSound { path, language: Some("swe".to_owned()), roles: Vec::new() }
}

/// Chunks of an original, by their lengths.
fn chunks(job: &Job, name: &str, lengths: &[u64], encoder: &VideoEncode) -> VideoInput {
    let mut first = 0;
    let mut chunks = Vec::new();
    for (number, frames) in lengths.iter().enumerate() {
        let mut order = job.order(&format!("{name}{number}"), first, *frames);
        order.encodes[0].0 = encoder.clone();
        order.stills.clear();
        assert_eq!(encode(&order).unwrap().frames, *frames);
        first += frames;
        chunks.push(order.encodes[0].1.clone());
    }
    VideoInput { chunks, rate: job.rate }
}

fn write(container: FileContainer, video: Option<VideoInput>, audio: Vec<FileSound>, path: &Path) {
    let order = FileOrder { container, video, audio, path: path.to_owned() };
    Libav.write_file(&order).unwrap();
    let bytes = std::fs::read(path).unwrap();
    Libav.write_file(&order).unwrap();
    assert!(bytes == std::fs::read(path).unwrap(), "the same bytes again");
}

fn webm(video: Option<VideoInput>, audio: Vec<FileSound>, path: &Path) {
    write(FileContainer::Webm, video, audio, path);
}

fn film(clips: &Clips) -> PathBuf {
    clips.h264("testsrc2=s=160x90:r=25:d=2 -f lavfi -i sine=f=440:d=2", "-c:a aac", "film.mp4")
}

#[test]
fn chunks_of_vp9_join_without_a_seam() {
    let clips = Clips::new();
    let job = Job::new(&film(&clips), RATE);
    let whole = chunks(&job, "whole", &[50], &vp9());
    let parts = chunks(&job, "part", &[20, 20, 10], &vp9());
    for (name, input) in [("whole.webm", whole), ("parts.webm", parts)] {
        let path = clips.path(name);
        webm(Some(input), Vec::new(), &path);
        decode(&path);
        let all = packets(&path);
        let times: Vec<f64> = all.iter().map(|packet| packet.pts).collect();
        assert!(times.iter().enumerate().all(|(n, t)| (t - n as f64 / 25.0).abs() < 0.0011));
        let keys: Vec<usize> = (0..all.len()).filter(|&n| all[n].key).collect();
        assert_eq!((all.len(), keys), (50, vec![0, 10, 20, 30, 40]), "{name}");
        let counted = Libav.decode(Media::File(&path)).unwrap();
        assert_eq!((counted.frames, counted.errors), (50, 0), "every packet is one picture");
    }
}

#[test]
fn a_chunk_of_vp9_is_the_same_bytes_twice() {
    let clips = Clips::new();
    let job = Job::new(&film(&clips), RATE);
    let one = chunks(&job, "one", &[30], &vp9());
    let two = chunks(&job, "two", &[30], &vp9());
    assert!(std::fs::read(&one.chunks[0]).unwrap() == std::fs::read(&two.chunks[0]).unwrap());
}

/// The time of a picture that is white.
fn white_at(frame: &str) -> Option<f64> {
    let level: f64 = frame.split("YAVG=").nth(1)?.split_whitespace().next()?.parse().ok()?;
    (level > 128.0).then(|| frame.split_whitespace().next()?.parse().ok()).flatten()
}

#[test]
fn pictures_and_sound_of_a_webm_keep_together() {
    let clips = Clips::new();
    // A white picture and a beep, both at 1 s.
    let path = clips.h264(
        "color=black:s=160x90:r=25:d=2 -f lavfi -i aevalsrc=gte(t\\,1)*sin(6283*t):d=2:s=48000",
        "-vf drawbox=c=white:t=fill:enable=gte(t\\,1) -c:a pcm_s16le",
        "flash.mkv",
    );
    let job = Job::new(&path, RATE);
    let audio = rendition(&path, "opus", sound("libopus", 1, 2, 96_000));
    let out = clips.path("flash.webm");
    webm(Some(chunks(&job, "v", &[20, 30], &vp9())), vec![audio], &out);
    decode(&out);
    let filters = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-";
    let path = out.to_str().unwrap();
    let levels = run("ffmpeg", &["-copyts", "-i", path, "-an", "-vf", filters, "-f", "null", "-"]);
    let first_white = levels.split("pts_time:").skip(1).find_map(white_at).unwrap();
    let samples = pcm(&out);
    let loud = samples.iter().position(|sample| sample.abs() > 0.05).unwrap() as f64 / 48_000.0;
    assert!((first_white - 1.0).abs() < 0.002, "{first_white}");
    assert!((loud - first_white).abs() < 0.010, "sound at {loud}, picture at {first_white}");
}

#[test]
fn a_webm_streams_and_says_what_is_in_it() {
    let clips = Clips::new();
    let path = film(&clips);
    let job = Job::new(&path, RATE);
    let second = FileSound {
        language: Some("eng".to_owned()),
        ..rendition(&path, "second", sound("libopus", 1, 1, 96_000))
    };
    let first = rendition(&path, "first", sound("libopus", 1, 2, 96_000));
    let out = clips.path("film.webm");
    webm(Some(chunks(&job, "v", &[50], &vp9())), vec![first, second], &out);
    decode(&out);
    let entries = "format=duration:stream=codec_name,color_space,color_transfer,color_primaries,\
                   color_range,channels:stream_tags=language:stream_disposition=default";
    let json = run("ffprobe", &["-of", "json", "-show_entries", entries, out.to_str().unwrap()]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    // To the end of the sound, which counts from the encoder's delay on.
    assert_eq!(value["format"]["duration"], "2.007000");
    let streams = value["streams"].as_array().unwrap();
    let names: Vec<_> = streams.iter().map(|it| it["codec_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["vp9", "opus", "opus"]);
    let colours = ["color_space", "color_transfer", "color_primaries"];
    assert!(colours.iter().all(|name| streams[0][name] == "bt709"), "{:?}", streams[0]);
    assert_eq!(streams[0]["color_range"], "tv");
    let defaults: Vec<_> = streams.iter().map(|it| it["disposition"]["default"].clone()).collect();
    assert_eq!(defaults, [1, 1, 0]);
    assert_eq!(streams[1]["tags"]["language"], "swe");
    assert_eq!(streams[2]["tags"]["language"], "eng");
    let bytes = std::fs::read(&out).unwrap();
    for mark in [&b"Lavc"[..], b"libvpx", b"2026"] {
        assert!(!bytes.windows(mark.len()).any(|window| window == mark), "{mark:?}");
    }
    let cues = bytes.windows(4).position(|four| four == [0x1c, 0x53, 0xbb, 0x6b]).unwrap();
    let seek_head_aside = bytes.windows(4).rposition(|four| four == [0x1c, 0x53, 0xbb, 0x6b]);
    let cluster = bytes.windows(4).position(|four| four == [0x1f, 0x43, 0xb6, 0x75]).unwrap();
    assert!(cues < cluster && seek_head_aside.unwrap() < cluster, "the index is not in front");
}

#[test]
fn opus_is_as_long_as_what_it_was_made_of() {
    let clips = Clips::new();
    for (samples, channels) in [(96_000_u64, 2_u32), (95_999, 1), (96_001, 6)] {
        let layout = if channels == 6 { "5.1" } else { "stereo" };
        let wav = format!(
            "aevalsrc=sin(2764.6*t)|sin(2764.6*t):d=3:s=48000:c=stereo,aformat=channel_layouts={layout}"
        );
        let wav = media(&clips.path(""), "s.wav", &["-f", "lavfi", "-i", &wav]);
        let out = clips.path("s.webm");
        webm(None, vec![rendition(&wav, "opus", sound("libopus", 0, channels, samples))], &out);
        decode(&out);
        let heard = pcm(&out);
        assert_eq!(heard.len() as u64, samples, "{channels} channels");
        let found = Libav.inspect(Media::File(&out)).unwrap();
        let audio = &found.streams[0];
        assert_eq!((audio.kind, audio.codec.as_str()), (StreamKind::Audio, "opus"));
        assert_eq!((audio.channels, audio.config.starts_with(b"OpusHead")), (channels, true));
    }
}

/// A tone goes on where one packet ends and the next begins, from the first sample on.
#[test]
fn opus_and_mp3_sound_as_their_source_does() {
    let clips = Clips::new();
    let tone = "aevalsrc=0.5*sin(2*PI*440*t):d=2:s=48000,aformat=channel_layouts=stereo";
    let wav = media(&clips.path(""), "s.wav", &["-f", "lavfi", "-i", tone]);
    let source = pcm(&wav);
    for (encoder, container, name) in
        [("libopus", FileContainer::Webm, "s.webm"), ("libmp3lame", FileContainer::Mp3, "s.mp3")]
    {
        let out = clips.path(name);
        let audio = rendition(&wav, encoder, sound(encoder, 0, 2, 96_000));
        write(container, None, vec![audio], &out);
        let heard = pcm(&out);
        assert_eq!(heard.len(), source.len(), "{encoder}");
        let off = heard.iter().zip(&source).map(|(a, b)| f64::from((a - b) * (a - b)));
        let noise = (off.sum::<f64>() / source.len() as f64).sqrt();
        assert!(noise < 0.02, "{encoder}: {noise}");
    }
}

#[test]
fn an_mp3_tells_of_all_its_frames_in_front() {
    let clips = Clips::new();
    for (samples, channels) in [(96_000_u64, 2_u32), (47_999, 1)] {
        let wav = media(&clips.path(""), "s.wav", &["-f", "lavfi", "-i", "sine=d=3:r=48000"]);
        let out = clips.path("s.mp3");
        let audio = rendition(&wav, "mp3", sound("libmp3lame", 0, channels, samples));
        write(FileContainer::Mp3, None, vec![audio], &out);
        decode(&out);
        assert_eq!(pcm(&out).len() as u64, samples);
        let bytes = std::fs::read(&out).unwrap();
        assert_eq!(bytes[..2], [0xff, 0xfb], "a frame of layer III, and no tag before it");
        let info = bytes.windows(4).position(|four| four == b"Info").unwrap();
        let told = u32::from_be_bytes(bytes[info + 8..info + 12].try_into().unwrap());
        let frames = of(&packets(&out), "audio").len();
        assert_eq!((info < 40, told as usize), (true, frames));
        assert_eq!(bytes[info + 7] & 0b111, 0b111, "frames, bytes and a table of contents");
        let found = Libav.inspect(Media::File(&out)).unwrap();
        assert_eq!(found.streams[0].codec, "mp3");
        assert_eq!(found.streams[0].packets, u64::from(told));
        let counted = Libav.decode(Media::File(&out)).unwrap();
        assert_eq!((counted.samples, counted.errors), (samples, 0));
    }
}

#[test]
fn an_mp3_holds_one_sound_and_no_pictures() {
    let clips = Clips::new();
    let path = film(&clips);
    let audio = rendition(&path, "mp3", sound("libmp3lame", 1, 2, 96_000));
    let out = clips.path("s.mp3");
    for audio in [vec![], vec![audio.clone(), audio]] {
        let order =
            FileOrder { container: FileContainer::Mp3, video: None, audio, path: out.clone() };
        assert!(Libav.write_file(&order).is_err());
    }
}

#[test]
fn odd_originals_become_webm() {
    let clips = Clips::new();
    let ntsc = Ratio { num: 24_000, den: 1001 };
    let vfr = "-vf select='not(mod(n\\,7))+gt(random(0)\\,0.5)' -vsync vfr";
    for (source, more, name, rate, frames) in [
        ("testsrc2=s=90x160:r=25:d=1", "", "portrait.mp4", RATE, 25),
        ("testsrc2=s=162x90:r=24000/1001:d=1", "", "film.mov", ntsc, 24),
        ("testsrc2=s=160x90:r=60:d=1", vfr, "vfr.mkv", RATE, 25),
    ] {
        let job = Job::new(&clips.h264(source, more, name), rate);
        let encode = VideoEncode { gop: Gop(12), ..vp9() };
        let out = clips.path("out.webm");
        webm(Some(chunks(&job, "v", &[12, frames - 12], &encode)), Vec::new(), &out);
        decode(&out);
        let all = packets(&out);
        assert_eq!(all.len() as u64, frames, "{name}");
        let off = |(n, packet): (usize, &super::reader::Packet)| {
            (packet.pts - n as f64 * f64::from(rate.den) / f64::from(rate.num)).abs() > 0.0006
        };
        assert!(!all.iter().enumerate().any(off), "{name}: {all:?}");
    }
}
