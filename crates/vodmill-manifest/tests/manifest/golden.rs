//! Whole expected playlists. `VODMILL_BLESS=1` writes them anew.

use vodmill_manifest::hls::{
    AudioAlternative, ByteRange, IFrameStream, InitSection, KeyRef, MediaPlaylist,
    MultivariantPlaylist, Resolution, Segment, SubtitleAlternative, VariantStream, VideoRange,
};
use vodmill_manifest::time::{FrameRate, Seconds};

fn golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}.m3u8", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("VODMILL_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "{name}");
}

fn media(name: &str, playlist: &MediaPlaylist) {
    let text = playlist.write().unwrap();
    golden(name, &text);
    let read = MediaPlaylist::read(text.as_bytes()).unwrap();
    assert_eq!(read.write().unwrap(), text, "read back and written again");
}

fn segment(uri: &str, frames: u64) -> Segment {
    let duration = Seconds::new(frames * 1001, 24_000).unwrap();
    Segment { uri: uri.into(), duration, byte_range: None, key: None }
}

fn vod(segments: Vec<Segment>) -> MediaPlaylist {
    MediaPlaylist {
        vod: true,
        ended: true,
        independent_segments: true,
        segments,
        ..MediaPlaylist::default()
    }
}

fn row(extension: &str) -> Vec<Segment> {
    let name = |n: u64| format!("720p/{n:05}.{extension}");
    (0..4).map(|n| segment(&name(n), if n == 3 { 71 } else { 144 })).collect()
}

/// Key periods of two segments; each segment has its own IV.
fn sealed(mut segments: Vec<Segment>) -> Vec<Segment> {
    for (n, segment) in segments.iter_mut().enumerate() {
        let uri = format!("https://keys.example/{:032x}", n / 2 + 1);
        segment.key = Some(KeyRef { uri, iv: Some([n as u8 + 0xa0; 16]) });
    }
    segments
}

fn init() -> Option<InitSection> {
    Some(InitSection { uri: "720p/init.mp4".into(), byte_range: None })
}

#[test]
fn ts_clear() {
    media("ts-clear", &vod(row("ts")));
}

#[test]
fn ts_encrypted() {
    media("ts-encrypted", &vod(sealed(row("ts"))));
}

#[test]
fn fmp4_encrypted() {
    let playlist = MediaPlaylist { init: init(), ..vod(sealed(row("m4s"))) };
    media("fmp4-encrypted", &playlist);
}

#[test]
fn i_frames() {
    let mut offset = 0;
    let mut segments = sealed(row("ts"));
    for segment in &mut segments {
        segment.uri = "720p/iframes.bin".into();
        segment.byte_range = Some(ByteRange { length: 4096, offset });
        offset += 4096;
    }
    let playlist = MediaPlaylist {
        i_frames_only: true,
        independent_segments: false,
        target_duration: 7,
        ..vod(segments)
    };
    media("i-frames", &playlist);
}

#[test]
fn fmp4_i_frames() {
    let mut segments = row("m4s");
    segments[0].byte_range = Some(ByteRange { length: 900, offset: 1200 });
    let whole = InitSection {
        uri: "720p/all.mp4".into(),
        byte_range: Some(ByteRange { length: 800, offset: 0 }),
    };
    let playlist = MediaPlaylist { i_frames_only: true, init: Some(whole), ..vod(segments) };
    media("fmp4-i-frames", &playlist);
}

pub fn full() -> MultivariantPlaylist {
    let variant = |height: u32, width: u32, peak: u64, codec: &str| VariantStream {
        uri: format!("{height}p.m3u8"),
        bandwidth: peak,
        average_bandwidth: Some(peak * 9 / 10),
        codecs: vec![codec.into(), "mp4a.40.2".into()],
        resolution: Some(Resolution { width, height }),
        frame_rate: Some(FrameRate { num: 24_000, den: 1001 }),
        video_range: Some(VideoRange::Sdr),
        score: Some(height / 360),
        audio_group: Some("aac".into()),
        subtitle_group: Some("subs".into()),
    };
    let audio = |name: &str, language: &str, default| AudioAlternative {
        group: "aac".into(),
        name: name.into(),
        language: Some(language.into()),
        default,
        autoselect: true,
        characteristics: vec![],
        channels: Some("2".into()),
        uri: Some(format!("audio-{language}.m3u8")),
    };
    let subtitles = SubtitleAlternative {
        group: "subs".into(),
        name: "Deutsch (für Gehörlose)".into(),
        language: Some("de".into()),
        autoselect: true,
        characteristics: vec![
            "public.accessibility.transcribes-spoken-dialog".into(),
            "public.accessibility.describes-music-and-sound".into(),
        ],
        uri: "subs-de.m3u8".into(),
        ..SubtitleAlternative::default()
    };
    let forced = SubtitleAlternative {
        name: "Deutsch, nur Schilder".into(),
        forced: true,
        characteristics: vec![],
        uri: "forced-de.m3u8".into(),
        ..subtitles.clone()
    };
    let i_frames = IFrameStream {
        uri: "720p-iframes.m3u8".into(),
        bandwidth: 250_000,
        average_bandwidth: Some(200_000),
        codecs: vec!["avc1.64001F".into()],
        resolution: Some(Resolution { width: 1280, height: 720 }),
        video_range: Some(VideoRange::Sdr),
    };
    MultivariantPlaylist {
        independent_segments: true,
        no_closed_captions: true,
        audio: vec![audio("Deutsch", "de", true), audio("English", "en", false)],
        subtitles: vec![subtitles, forced],
        variants: vec![
            variant(720, 1280, 3_000_000, "avc1.64001F"),
            variant(1080, 1920, 6_000_000, "avc1.640028"),
        ],
        i_frames: vec![i_frames],
    }
}

fn multivariant(name: &str, playlist: &MultivariantPlaylist) {
    let text = playlist.write().unwrap();
    golden(name, &text);
    let read = MultivariantPlaylist::read(text.as_bytes()).unwrap();
    assert_eq!(read.write().unwrap(), text, "read back and written again");
}

#[test]
fn multivariant_full() {
    multivariant("multivariant", &full());
}

#[test]
fn multivariant_audio_only() {
    let variant = |rate: u64| VariantStream {
        uri: format!("audio-{rate}.m3u8"),
        bandwidth: rate * 1000,
        codecs: vec!["mp4a.40.2".into()],
        ..VariantStream::default()
    };
    let playlist = MultivariantPlaylist {
        independent_segments: true,
        variants: vec![variant(128), variant(64)],
        ..MultivariantPlaylist::default()
    };
    multivariant("audio-only", &playlist);
}
