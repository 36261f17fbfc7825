//! Files that are refused, and names that are not.

use vodmill_model::outcome::Reason;
use vodmill_model::pipeline::InputPolicy;

use super::clips::Clips;
use super::orders::{probe, probe_within, reason};

const SOURCE: &str = "testsrc2=s=160x90:r=25:d=1";

#[test]
fn nothing_text_and_playlists() {
    let clips = Clips::new();
    let playlist = b"#EXTM3U\n#EXTINF:4,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n";
    for (content, expected) in [
        (&b""[..], Reason::Empty),
        (b"hello, not a video\n", Reason::NotMedia),
        (playlist, Reason::Disguised),
        (b"<?xml version=\"1.0\"?><MPD></MPD>", Reason::Disguised),
        (b"ffconcat version 1.0\nfile x.mp4\n", Reason::Disguised),
        (&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0], Reason::NotMedia),
    ] {
        assert_eq!(reason(probe(&clips.write("a.mp4", content))), expected, "{content:?}");
    }
}

#[test]
fn a_concat_script_behind_a_harmless_start_opens_no_other_file() {
    let clips = Clips::new();
    clips.plain();
    let path = clips.write("x.mp4", b"\0\n#EXTM3U\nffconcat version 1.0\nfile plain.mp4\n");
    assert_eq!(reason(probe(&path)), Reason::NotMedia);
}

#[test]
fn hostile_names_are_names() {
    let clips = Clips::new();
    let plain = clips.plain();
    for name in ["-dash.mp4", "a b+c%20d.mp4", "pat%03d.mp4", "concat:x.mp4", "it's é 日本.mp4"]
    {
        std::fs::copy(&plain, clips.path(name)).unwrap();
        assert_eq!(probe(&clips.path(name)).unwrap().video[0].packets, 50, "{name}");
    }
}

#[test]
fn a_name_that_is_not_utf_8_is_a_name() {
    use std::os::unix::ffi::OsStrExt;
    let clips = Clips::new();
    let plain = clips.plain();
    let path = plain.with_file_name(std::ffi::OsStr::from_bytes(b"\xff\xfe.mp4"));
    std::fs::copy(&plain, &path).unwrap();
    assert_eq!(probe(&path).unwrap().video[0].packets, 50);
}

#[test]
fn too_many_pixels_are_refused_before_one_is_decoded() {
    let clips = Clips::new();
    let path = clips.make("color=black:s=640x480:r=1:d=1", "-c:v png -frames:v 1", "big.mov");
    let policy = InputPolicy { max_pixels: 640 * 480 - 1, ..InputPolicy::default() };
    let refused = probe_within(&path, &policy);
    assert_eq!(reason(refused), Reason::TooManyPixels);
}

#[test]
fn a_hole_in_time_and_a_programme_too_long() {
    let clips = Clips::new();
    let bomb = "-vf setpts='if(eq(N\\,24)\\,36000/TB\\,PTS)' -vsync passthrough";
    assert_eq!(reason(probe(&clips.h264(SOURCE, bomb, "bomb.mkv"))), Reason::TimestampGap);
    let policy = InputPolicy { max_duration_seconds: 1, ..InputPolicy::default() };
    let refused = probe_within(&clips.plain(), &policy);
    assert_eq!(reason(refused), Reason::TooLong);
}

#[test]
fn tracks_that_go_by_clocks_of_their_own() {
    let clips = Clips::new();
    let source = "testsrc2=s=160x90:r=25:d=12 -f lavfi -i sine=d=12";
    let mut flash = std::fs::read(clips.h264(source, "-c:a aac", "a.flv")).unwrap();
    let mut at = 13;
    while at < flash.len() {
        let head = &mut flash[at..at + 11];
        let size = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
        if head[0] == 8 {
            let time = u32::from_be_bytes([head[7], head[4], head[5], head[6]]) % 2000;
            let [high, a, b, c] = time.to_be_bytes();
            head[4..8].copy_from_slice(&[a, b, c, high]);
        }
        at += 11 + size + 4;
    }
    assert_eq!(reason(probe(&clips.write("b.flv", &flash))), Reason::ClocksDisagree);
}

#[test]
fn encrypted_media() {
    let clips = Clips::new();
    let key = "-encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb \
               -encryption_kid a7e61c373e219033c21091fa607bf3b8";
    assert_eq!(reason(probe(&clips.h264(SOURCE, key, "drm.mp4"))), Reason::Encrypted);
}

#[test]
fn an_unknown_codec_is_a_track_that_cannot_be_decoded() {
    let clips = Clips::new();
    let path = clips.h264("testsrc2=s=160x90:r=25:d=1 -f lavfi -i sine=d=1", "-c:a aac", "two.mov");
    let mut bytes = std::fs::read(&path).unwrap();
    let entry = bytes.windows(4).position(|window| window == b"mp4a").unwrap();
    let found = bytes[entry..].windows(4).position(|window| window == b"esds");
    bytes[entry..entry + 4].copy_from_slice(b"apac");
    let esds = entry + found.unwrap();
    bytes[esds..esds + 4].copy_from_slice(b"dapa");
    let info = probe(&clips.write("apac.mov", &bytes)).unwrap();
    assert!(info.video[0].decodable);
    assert_eq!((info.audio[0].codec.as_str(), info.audio[0].decodable), ("apac", false));
}
