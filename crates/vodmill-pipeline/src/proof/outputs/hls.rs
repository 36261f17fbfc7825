//! HLS: what playlists say is what segments are.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use vodmill_keys::{Iv, Kid, aes128};
use vodmill_manifest::hls::{ByteRange, InitSection, MediaPlaylist, MultivariantPlaylist, Segment};
use vodmill_manifest::time::Seconds;
use vodmill_model::receipt::{HlsFact, Holds, PlaylistFact, Receipt};
use vodmill_model::units::Ticks;

use crate::file::sha256;
use crate::generation::MULTIVARIANT;
use crate::proof::made::ProvedPiece;
use crate::proof::media::{Expected, SLACK_WHEN_CHECKED, begins_with_init, prove_segment};
use crate::proof::{CheckReport, Finding, Findings, Prover};

/// Every playlist with its segments by a thread of its own.
pub(super) fn prove(prover: &Prover<'_>, hls: &HlsFact) {
    std::thread::scope(|scope| {
        for fact in &hls.playlists {
            scope.spawn(|| prove_playlist(prover, hls, fact));
        }
    });
}

/// Whether an object is of this output: what its playlists lead to.
pub(super) fn reads(name: &str) -> bool {
    name.starts_with("hls/")
}

/// Holds the multivariant playlist, which lies beside the generation, against the receipt.
pub(super) fn compare_pointer(asset: &Path, receipt: &Receipt) -> Vec<Finding> {
    let path = asset.join(MULTIVARIANT);
    let findings = Findings::about(MULTIVARIANT);
    let Some(hls) = receipt.hls() else {
        if !path.exists() {
            return Vec::new();
        }
        let why = "the package has no ladder: players are led to another generation";
        return findings.with("object_unknown", why);
    };
    match fs::read(&path) {
        Err(error) => findings.with("object_missing", error.to_string()),
        Ok(bytes) if sha256(&bytes) != hls.multivariant => {
            let detail = format!("SHA-256 {} instead of {}", sha256(&bytes), hls.multivariant);
            findings.with("object_digest", detail)
        }
        Ok(bytes) => reach(&bytes, receipt, hls),
    }
}

/// Everything that the multivariant playlist names is in the receipt.
fn reach(bytes: &[u8], receipt: &Receipt, hls: &HlsFact) -> Vec<Finding> {
    let mut findings = Findings::about(MULTIVARIANT);
    let playlist = match MultivariantPlaylist::read(bytes) {
        Ok(playlist) => playlist,
        Err(error) => return findings.with("playlist_invalid", error.to_string()),
    };
    let variants = playlist.variants.iter().map(|variant| variant.uri.as_str());
    let i_frames = playlist.i_frames.iter().map(|stream| stream.uri.as_str());
    let audio = playlist.audio.iter().filter_map(|audio| audio.uri.as_deref());
    let subtitles = playlist.subtitles.iter().map(|subtitle| subtitle.uri.as_str());
    for uri in variants.chain(i_frames).chain(audio).chain(subtitles) {
        let name = uri.strip_prefix(&format!("{}/", receipt.generation));
        if !hls.playlists.iter().any(|fact| Some(fact.name.as_str()) == name) {
            findings.add("unreachable", format!("{uri} is not in the receipt"));
        }
    }
    findings.list
}

fn prove_playlist(prover: &Prover<'_>, hls: &HlsFact, fact: &PlaylistFact) {
    let Some(bytes) = prover.read(&fact.name) else { return };
    let playlist = match MediaPlaylist::read(&bytes) {
        Ok(playlist) => playlist,
        Err(error) => return prover.find(&fact.name, "playlist_invalid", error.to_string()),
    };
    if !playlist.ended || !playlist.vod {
        prover.find(&fact.name, "playlist_invalid", "not a finished VOD playlist");
    }
    let folder = fact.name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let times = times(prover, hls, fact, &playlist);
    let mut reader = Reader { prover, folder, ranged: None };
    let init = playlist.init.as_ref().and_then(|init| reader.read_init(init));
    let init = init.unwrap_or_default();
    for (segment, span) in playlist.segments.iter().zip(times) {
        let name = format!("{folder}/{}", segment.uri);
        if prover.was_proved(&name) {
            compare(prover, fact, &name, segment, span);
            continue;
        }
        let Some(bytes) = reader.read(&segment.uri, segment.byte_range) else { continue };
        if fact.holds == Holds::Subtitles {
            continue;
        }
        let Some(clear) = open(prover, &name, segment, bytes) else { continue };
        prover.count(|report| count(report, fact));
        if !init.is_empty() && begins_with_init(&clear) {
            prover.find(&name, "init_in_range", "it holds an init segment, which stands before it");
        }
        let media = [init.as_slice(), &clear].concat();
        let (start, end) = span;
        let (told, slack) = (ticks(segment.duration), SLACK_WHEN_CHECKED);
        let expected = Expected { name: &name, start, end, told, slack };
        prover.add(prove_segment(&prover.proof(hls), fact, &expected, &media));
    }
}

/// Counts an entry of a playlist.
fn count(report: &mut CheckReport, fact: &PlaylistFact) {
    match fact.holds {
        Holds::IFrames => report.iframes += 1,
        _ => report.segments += 1,
    }
}

/// Holds an entry against what was proved of its media when that was made.
fn compare(
    prover: &Prover<'_>,
    fact: &PlaylistFact,
    name: &str,
    segment: &Segment,
    (start, _): (Ticks, Ticks),
) {
    prover.count(|report| count(report, fact));
    let Some(piece) = proved_piece(prover, name, segment.byte_range) else { return };
    if (piece.start - start).0.abs() > (slack(fact.holds) * 9).div_ceil(100).cast_signed() {
        let detail = format!("begins at {} instead of {start}", piece.start);
        prover.find(name, "start_time", detail);
    }
    let told = micros(segment.duration);
    let real = micros(Seconds::from_ticks(piece.duration.0.unsigned_abs()));
    if told.abs_diff(real) > 12 {
        prover.find(name, "extinf", format!("EXTINF {told} µs, media {real} µs"));
    }
    let named = segment.key.as_ref().map(|key| (Kid::in_uri(&key.uri), key.iv.map(Iv::from_bytes)));
    if named != piece.key.map(|(kid, iv)| (Some(kid), Some(iv))) {
        prover.find(name, "key_reference", "it does not name what opens it");
    }
}

/// What was proved of the object that holds this range, and of the range.
fn proved_piece<'a>(
    prover: &'a Prover<'_>,
    name: &str,
    range: Option<ByteRange>,
) -> Option<&'a ProvedPiece> {
    prover.see(name);
    let object = prover.proved.object(name)?;
    if !prover.compare(name, object.bytes, &object.sha256) {
        return None;
    }
    let ByteRange { offset, length } =
        range.unwrap_or(ByteRange { offset: 0, length: object.bytes });
    let piece = prover.proved.piece(name, offset).filter(|piece| piece.bytes == length);
    if piece.is_none() {
        prover.find(name, "byte_range", format!("no piece has {length} bytes at {offset}"));
    }
    piece
}

/// Start and end of each segment: as the receipt has them, held against EXTINF.
fn times(
    prover: &Prover<'_>,
    hls: &HlsFact,
    fact: &PlaylistFact,
    playlist: &MediaPlaylist,
) -> Vec<(Ticks, Ticks)> {
    let ends = match fact.holds {
        Holds::IFrames => sums(playlist, prover.receipt.duration),
        _ => hls.segment_ends.clone(),
    };
    let planned = prover.proved.entries(&fact.name).unwrap_or(ends.len());
    if planned != playlist.segments.len() || ends.len() != planned {
        let detail = format!("{} segments instead of {planned}", playlist.segments.len());
        prover.find(&fact.name, "segment_count", detail);
    }
    let starts = std::iter::once(Ticks::ZERO).chain(ends.iter().copied());
    let times: Vec<_> = starts.zip(ends.iter().copied()).collect();
    for (segment, (start, end)) in playlist.segments.iter().zip(&times) {
        let (told, real) = (
            micros(segment.duration),
            micros(Seconds::from_ticks((*end - *start).0.unsigned_abs())),
        );
        if told.abs_diff(real) > slack(fact.holds) {
            let detail = format!("EXTINF {told} µs, media {real} µs");
            prover.find(&format!("{}#{}", fact.name, segment.uri), "extinf", detail);
        }
    }
    times
}

/// Microseconds by which a segment may last longer or less than planned: sound cannot be cut between
/// two samples of a frame, and its first and last segment have a frame more, which at 16 kHz lasts
/// 64 ms; pictures can be cut exactly.
pub(in crate::proof) fn slack(holds: Holds) -> u64 {
    if holds == Holds::Audio { 130_000 } else { 12 }
}

/// Ends of I-frame entries from their own durations; the last must meet the programme's end.
fn sums(playlist: &MediaPlaylist, duration: Ticks) -> Vec<Ticks> {
    let mut sum = 0;
    let mut ends: Vec<_> = playlist
        .segments
        .iter()
        .map(|segment| {
            sum += micros(segment.duration);
            Ticks((sum * 9 / 100).cast_signed())
        })
        .collect();
    if let Some(last) = ends.last_mut().filter(|last| (last.0 - duration.0).abs() <= 2) {
        *last = duration;
    }
    ends
}

fn ticks(duration: Seconds) -> Ticks {
    Ticks((micros(duration).saturating_mul(9) / 100).cast_signed())
}

pub(crate) fn micros(duration: Seconds) -> u64 {
    let num = u128::from(duration.num()) * 1_000_000;
    u64::try_from(num / u128::from(duration.den())).unwrap_or(u64::MAX)
}

/// Reads objects whole, or one in parts: that one is hashed once and kept open.
struct Reader<'a> {
    prover: &'a Prover<'a>,
    folder: &'a str,
    ranged: Option<(String, File)>,
}

impl Reader<'_> {
    fn read_init(&mut self, init: &InitSection) -> Option<Vec<u8>> {
        let name = format!("{}/{}", self.folder, init.uri);
        if self.prover.was_proved(&name) {
            // It was in front of every segment that was proved.
            proved_piece(self.prover, &name, init.byte_range)?;
            return None;
        }
        self.read(&init.uri, init.byte_range)
    }

    fn read(&mut self, uri: &str, range: Option<ByteRange>) -> Option<Vec<u8>> {
        let name = format!("{}/{uri}", self.folder);
        let Some(range) = range else { return self.prover.read(&name) };
        if self.ranged.as_ref().is_none_or(|(open, _)| *open != name) {
            self.prover.measure(&name);
            self.ranged = Some((name.clone(), File::open(self.prover.root.join(&name)).ok()?));
        }
        let piece = self.ranged.as_mut().and_then(|(_, file)| part(file, range));
        if piece.is_none() {
            self.prover.find(
                &name,
                "byte_range",
                format!("{} bytes at {} are not there", range.length, range.offset),
            );
        }
        piece
    }
}

pub(crate) fn part(file: &mut File, range: ByteRange) -> Option<Vec<u8>> {
    let length = range.length.min(file.metadata().ok()?.len());
    file.seek(SeekFrom::Start(range.offset)).ok()?;
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    file.read_exact(&mut bytes).ok()?;
    (length == range.length).then_some(bytes)
}

/// The clear bytes of a segment. The key is tried; a clear segment in an encrypted package is a
/// finding, and so is the reverse.
fn open(prover: &Prover<'_>, name: &str, segment: &Segment, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let Some(key_ref) = &segment.key else {
        if prover.receipt.is_encrypted() {
            prover.find(name, "clear_media", "it is not encrypted, but the package is");
        }
        return Some(bytes);
    };
    let (Some(kid), Some(iv)) = (Kid::in_uri(&key_ref.uri), key_ref.iv.map(Iv::from_bytes)) else {
        prover.find(name, "key_reference", format!("no key id or IV in {}", key_ref.uri));
        return None;
    };
    let Some(key) = prover.keys.get(&kid) else {
        prover.count(|report| report.without_key += 1);
        return None;
    };
    match aes128::decrypt(&key, &iv, &mut bytes) {
        Ok(()) => Some(bytes),
        Err(error) => {
            prover.find(name, "key_wrong", format!("key {kid}: {error}"));
            None
        }
    }
}
