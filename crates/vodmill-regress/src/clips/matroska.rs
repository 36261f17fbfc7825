//! A clip as Matroska (RFC 9559): raw pictures, raw sound, an index.

use super::Clip;
use super::picture::Depth;
use super::sound::SAMPLE_RATE;

/// Writes one file.
pub(super) struct Writer {
    clip: Clip,
    /// What stands in the segment so far.
    body: Vec<u8>,
    /// Where the cluster of each picture begins in the segment.
    clusters: Vec<(u64, u64)>,
}

impl Writer {
    pub(super) fn new(clip: Clip) -> Writer {
        let mut body = info(clip);
        body.extend(tracks(clip));
        Writer { clip, body, clusters: Vec::new() }
    }

    /// One picture with the sounds that go with it.
    pub(super) fn add(&mut self, number: u32, picture: &[u8], sounds: &[Vec<u8>]) {
        let time = u64::from(number) * u64::from(self.clip.frame_ms());
        let mut cluster = unsigned(&[0xe7], time);
        cluster.extend(block(1, picture));
        for (track, samples) in (2..).zip(sounds) {
            cluster.extend(block(track, samples));
        }
        if let Some(text) = subtitle(self.clip, number) {
            cluster.extend(cue(2 + sounds.len() as u8, &text));
        }
        self.clusters.push((time, self.body.len() as u64));
        self.body.extend(element(&[0x1f, 0x43, 0xb6, 0x75], &cluster));
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let entries = self.clusters.iter().flat_map(|&(time, position)| {
            let place = [unsigned(&[0xf7], 1), unsigned(&[0xf1], position)].concat();
            element(&[0xbb], &[unsigned(&[0xb3], time), element(&[0xb7], &place)].concat())
        });
        let cues = entries.collect::<Vec<u8>>();
        self.body.extend(element(&[0x1c, 0x53, 0xbb, 0x6b], &cues));
        [header(), element(&[0x18, 0x53, 0x80, 0x67], &self.body)].concat()
    }
}

/// The EBML header.
fn header() -> Vec<u8> {
    let fields = [
        unsigned(&[0x42, 0x86], 1),
        unsigned(&[0x42, 0xf7], 1),
        unsigned(&[0x42, 0xf2], 4),
        unsigned(&[0x42, 0xf3], 8),
        element(&[0x42, 0x82], b"matroska"),
        unsigned(&[0x42, 0x87], 4),
        unsigned(&[0x42, 0x85], 2),
    ];
    element(&[0x1a, 0x45, 0xdf, 0xa3], &fields.concat())
}

/// Times are in milliseconds.
fn info(clip: Clip) -> Vec<u8> {
    let duration = f64::from(clip.frames() * clip.frame_ms());
    let fields = [
        unsigned(&[0x2a, 0xd7, 0xb1], 1_000_000),
        element(&[0x44, 0x89], &duration.to_be_bytes()),
        element(&[0x4d, 0x80], b"vodmill"),
        element(&[0x57, 0x41], b"vodmill"),
    ];
    element(&[0x15, 0x49, 0xa9, 0x66], &fields.concat())
}

fn tracks(clip: Clip) -> Vec<u8> {
    let mut all = track(1, 1, b"V_UNCOMPRESSED", "und", &pictures(clip));
    let mut number = 2;
    for language in clip.languages() {
        all.extend(track(number, 2, b"A_PCM/INT/LIT", language, &sound()));
        number += 1;
    }
    if subtitle(clip, 0).is_some() {
        all.extend(track(number, 17, b"S_TEXT/UTF8", "eng", &[]));
    }
    element(&[0x16, 0x54, 0xae, 0x6b], &all)
}

fn track(number: u64, kind: u64, codec: &[u8], language: &str, of_kind: &[u8]) -> Vec<u8> {
    let fields = [
        unsigned(&[0xd7], number),
        unsigned(&[0x73, 0xc5], number),
        unsigned(&[0x83], kind),
        // No lacing.
        unsigned(&[0x9c], 0),
        // The first of a kind plays where nothing is chosen.
        unsigned(&[0x88], u64::from(number <= 2)),
        element(&[0x22, 0xb5, 0x9c], language.as_bytes()),
        element(&[0x86], codec),
        of_kind.to_vec(),
    ];
    element(&[0xae], &fields.concat())
}

fn pictures(clip: Clip) -> Vec<u8> {
    let four: &[u8; 4] = match clip.depth() {
        Depth::Eight => b"I420",
        Depth::Ten => &[b'Y', b'3', 11, 10],
    };
    let nanoseconds = u64::from(clip.frame_ms()) * 1_000_000;
    let video = [
        unsigned(&[0xb0], clip.size().width.into()),
        unsigned(&[0xba], clip.size().height.into()),
        unsigned(&[0x9a], 2),
        element(&[0x2e, 0xb5, 0x24], four),
        colour(clip),
    ];
    [unsigned(&[0x23, 0xe3, 0x83], nanoseconds), element(&[0xe0], &video.concat())].concat()
}

/// Matrix, transfer and primaries by their numbers in ISO/IEC 23091-2, in limited range.
fn colour(clip: Clip) -> Vec<u8> {
    let (matrix, transfer, primaries) = if clip == Clip::Hdr { (9, 16, 9) } else { (1, 1, 1) };
    let mut fields = [
        unsigned(&[0x55, 0xb1], matrix),
        unsigned(&[0x55, 0xb9], 1),
        unsigned(&[0x55, 0xba], transfer),
        unsigned(&[0x55, 0xbb], primaries),
    ]
    .concat();
    if clip == Clip::Hdr {
        fields.extend(unsigned(&[0x55, 0xbc], 1000));
        fields.extend(unsigned(&[0x55, 0xbd], 200));
    }
    element(&[0x55, 0xb0], &fields)
}

fn sound() -> Vec<u8> {
    let fields = [
        element(&[0xb5], &f64::from(SAMPLE_RATE).to_be_bytes()),
        unsigned(&[0x9f], 2),
        unsigned(&[0x62, 0x64], 16),
    ];
    element(&[0xe1], &fields.concat())
}

/// What is said with that picture: a line of five seconds every ten.
fn subtitle(clip: Clip, number: u32) -> Option<String> {
    let said = clip == Clip::Long && number.is_multiple_of(100);
    said.then(|| format!("This is line {}.", number / 100 + 1))
}

/// A SimpleBlock at the time of its cluster, which can be decoded by itself.
fn block(track: u8, bytes: &[u8]) -> Vec<u8> {
    element(&[0xa3], &[&[0x80 | track, 0, 0, 0x80], bytes].concat())
}

/// A BlockGroup of five seconds.
fn cue(track: u8, text: &str) -> Vec<u8> {
    let block = element(&[0xa1], &[&[0x80 | track, 0, 0, 0], text.as_bytes()].concat());
    element(&[0xa0], &[block, unsigned(&[0x9b], 5000)].concat())
}

/// An element with its length in eight bytes.
fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let length = (1_u64 << 56 | content.len() as u64).to_be_bytes();
    [id, &length, content].concat()
}

fn unsigned(id: &[u8], value: u64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}
