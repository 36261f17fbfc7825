//! Whole or cut: by what the media needs, in every container that tells.

use std::fs;
use std::io::Cursor;

use super::clips::Clips;
use super::orders::probe;

/// What writes each, of a second and a half of pictures with sound.
const FILMS: [(&str, &str); 11] = [
    ("last.mp4", ""),
    ("first.mp4", "-movflags +faststart"),
    ("fragments.mp4", "-movflags +frag_keyframe+empty_moov -g 5"),
    ("one.mov", ""),
    ("one.mkv", ""),
    ("piped.mkv", "-live 1"),
    ("one.webm", "-c:v libvpx -deadline realtime -c:a libopus"),
    ("one.avi", "-c:v mpeg4 -c:a mp3"),
    ("one.flv", "-c:v flv1 -c:a mp3 -ar 44100"),
    ("one.wmv", "-c:v wmv2 -c:a wmav2"),
    ("one.mxf", "-r 25 -c:v mpeg2video -ar 48000"),
];
const SOUNDS: [(&str, &str); 7] = [
    ("one.wav", ""),
    ("one.w64", ""),
    ("long.wav", "-rf64 always"),
    ("one.aiff", ""),
    ("one.au", ""),
    ("one.caf", ""),
    ("one.ogg", "-c:a libvorbis"),
];

fn film(clips: &Clips, name: &str, options: &str) -> Vec<u8> {
    clips.ffmpeg(&format!(
        "-f lavfi -i testsrc2=s=160x90:r=10:d=1.5 -f lavfi -i sine=d=1.5 {options} {name}"
    ));
    fs::read(clips.path(name)).unwrap()
}

fn sound(clips: &Clips, name: &str, options: &str) -> Vec<u8> {
    clips.ffmpeg(&format!("-f lavfi -i sine=d=1.5 {options} {name}"));
    fs::read(clips.path(name)).unwrap()
}

fn is_truncated(bytes: &[u8]) -> bool {
    vodmill_av::is_truncated(&mut Cursor::new(bytes)).unwrap()
}

fn all(clips: &Clips) -> Vec<(&'static str, Vec<u8>)> {
    let films = FILMS.map(|(name, options)| (name, film(clips, name, options)));
    let sounds = SOUNDS.map(|(name, options)| (name, sound(clips, name, options)));
    films.into_iter().chain(sounds).collect()
}

#[test]
fn whole_files_are_whole_whatever_is_behind_them() {
    let clips = Clips::new();
    let foreign: Vec<u8> =
        (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let id3 = [&b"TAG"[..], &[b' '; 125]].concat();
    let ape = [&b"APETAGEX\xd0\x07\0\0"[..], &[0; 20]].concat();
    let lyrics = [&b"LYRICSBEGIN"[..], &[b'x'; 900], b"LYRICS200"].concat();
    let text = b"GPS 52.5N 13.4E ".repeat(256);
    for (name, bytes) in all(&clips) {
        assert!(!is_truncated(&bytes), "{name}");
        if name == "piped.mkv" {
            // What follows elements of unknown size belongs to them.
            continue;
        }
        for behind in [&foreign, &id3, &ape, &lyrics, &text, &vec![0; 7], &vec![0; 4096]] {
            if ["one.flv", "one.ogg"].contains(&name) && behind.len() == 4096 && behind[0] == 0 {
                // The hole that a download leaves looks the same.
                continue;
            }
            assert!(
                !is_truncated(&[&bytes[..], behind].concat()),
                "{name}, {:?} behind",
                &behind[..4]
            );
        }
    }
}

#[test]
fn foreign_bytes_behind_the_last_box_change_nothing() {
    let clips = Clips::new();
    for (name, options) in [FILMS[0], FILMS[1], FILMS[3]] {
        let bytes = film(&clips, name, options);
        let plain = probe(&clips.path(name)).unwrap();
        let behind = b"\0\x10\0\0GoPr and what else cameras write".repeat(120);
        fs::write(clips.path(name), [&bytes[..], &behind].concat()).unwrap();
        let info = probe(&clips.path(name)).unwrap();
        assert!(!info.truncated, "{name}");
        assert_eq!(info.video[0].packets, plain.video[0].packets, "{name}");
    }
}

/// Media is between what is in front and, in some, an index behind it.
#[test]
fn cut_files_are_cut_wherever_it_is() {
    let clips = Clips::new();
    for (name, bytes) in all(&clips) {
        let missed: Vec<usize> = (8..=90)
            .map(|percent| bytes.len() * percent / 100)
            .filter(|length| !is_truncated(&bytes[..*length]))
            .collect();
        // Between two tags or pages nothing tells.
        let most = usize::from(["one.flv", "one.ogg"].contains(&name));
        assert!(missed.len() <= most, "{name} of {} bytes cut at {missed:?}", bytes.len());
    }
}

/// Beyond what tags may take at its end.
#[test]
fn an_mp3_is_truncated_where_its_first_frame_tells_of_more() {
    let clips = Clips::new();
    let bytes = sound(&clips, "one.mp3", "-b:a 320k");
    assert!(!is_truncated(&bytes));
    assert!(!is_truncated(&[&bytes[..], &[0; 8192]].concat()), "padding");
    assert!(is_truncated(&bytes[..bytes.len() * 9 / 10]));
    assert!(
        is_truncated(&[&bytes[..bytes.len() / 2], &vec![0; bytes.len() / 2]].concat()),
        "a hole"
    );
    let untold = sound(&clips, "untold.mp3", "-write_xing 0");
    assert!(!is_truncated(&untold[..untold.len() / 2]), "nothing tells");
}

#[test]
fn one_byte_of_the_last_sample_is_missed() {
    let clips = Clips::new();
    for (name, options) in [FILMS[1], FILMS[2], FILMS[4]] {
        let bytes = film(&clips, name, options);
        let end = if name == "fragments.mp4" { last_box(&bytes) } else { bytes.len() };
        assert!(is_truncated(&bytes[..end - 1]), "{name}");
    }
    for (name, options) in SOUNDS {
        let bytes = sound(&clips, name, options);
        assert!(is_truncated(&bytes[..bytes.len() - 1]), "{name}");
    }
}

/// Where `mfra`, which no sample needs, begins.
fn last_box(bytes: &[u8]) -> usize {
    bytes.windows(4).rposition(|four| four == b"mfra").unwrap() - 4
}

#[test]
fn a_download_that_is_zeros_in_parts_is_cut() {
    let clips = Clips::new();
    let size = "-f lavfi -i testsrc2=s=640x360:r=25:d=3 -f lavfi -i sine=d=3";
    for (name, options, holes) in [
        ("first.mp4", "-movflags +faststart", vec![(50, 100), (40, 80)]),
        ("one.mkv", "", vec![(50, 100)]),
        ("one.flv", "-c:v flv1 -c:a mp3 -ar 44100", vec![(50, 100)]),
        ("one.ts", "", vec![(50, 100)]),
    ] {
        clips.ffmpeg(&format!("{size} {options} {name}"));
        let bytes = fs::read(clips.path(name)).unwrap();
        assert!(!is_truncated(&bytes), "{name}");
        for (from, to) in holes {
            let mut holed = bytes.clone();
            holed[bytes.len() * from / 100..bytes.len() * to / 100].fill(0);
            assert!(is_truncated(&holed), "{name}, zeros from {from} % to {to} %");
        }
    }
    let mut bytes = fs::read(clips.path("first.mp4")).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0);
    fs::write(clips.path("first.mp4"), bytes).unwrap();
    assert!(probe(&clips.path("first.mp4")).unwrap().truncated);
}

#[test]
fn sound_out_of_a_pipe_is_whole_and_undamaged() {
    let clips = Clips::new();
    let bytes = sound(&clips, "one.wav", "");
    let data = bytes.windows(4).position(|four| four == b"data").unwrap() + 4;
    for size in [0, u32::MAX, 0x7fff_ff00] {
        let mut piped = bytes.clone();
        piped[4..8].copy_from_slice(&size.to_le_bytes());
        piped[data..data + 4].copy_from_slice(&size.to_le_bytes());
        fs::write(clips.path("piped.wav"), &piped).unwrap();
        let info = probe(&clips.path("piped.wav")).unwrap();
        assert_eq!((info.truncated, info.corrupt_packets), (false, 0), "size {size:#x}");
        assert_eq!(info.audio[0].end.0, 135_000, "size {size:#x}");
    }
}
