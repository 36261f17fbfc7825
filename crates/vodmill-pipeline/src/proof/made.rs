//! Media that is proved when it is made, from the bytes that will be stored, and that is gone from
//! here when the package is proved. What was proved is remembered, and playlists are held against it.

use std::collections::BTreeMap;

use vodmill_keys::{ClearKeys, Iv, Kid, SegmentKey, aes128};
use vodmill_manifest::time::Seconds;
use vodmill_model::plan::SegmentRun;
use vodmill_model::receipt::{Holds, ObjectFact, PlaylistFact};
use vodmill_model::units::Ticks;
use vodmill_model::{Failed, Plan};

use super::findings::{self, Findings};
use super::media::{Expected, SLACK_WHEN_MADE, SegmentProof, begins_with_init, prove_segment};
use super::outputs::hls::{micros, slack};
use crate::generation::{EntryFact, PackageInput, RunFact, SegmentsDone};

/// A segment or a picture that was just made.
pub(crate) struct Piece<'a> {
    /// Its object.
    pub name: &'a str,
    /// Where it should begin and end.
    pub span: (Ticks, Ticks),
    /// What will be said of its duration.
    pub duration: Ticks,
    /// The clear init segment, if any.
    pub init: &'a [u8],
    /// Its bytes as they will be stored.
    pub stored: &'a [u8],
    /// What opens it.
    pub key: Option<(SegmentKey, Iv)>,
}

/// Proves a piece as [`check`](super::check) would later.
///
/// # Errors
/// `Failed` that names the findings.
pub(crate) fn prove_piece(
    proof: &SegmentProof<'_>,
    fact: &PlaylistFact,
    piece: &Piece<'_>,
) -> Result<(), Failed> {
    let mut findings = Findings::about(piece.name);
    let mut clear = piece.stored.to_vec();
    if let Some((key, iv)) = &piece.key
        && let Err(error) = aes128::decrypt(key, iv, &mut clear)
    {
        return findings::none("prove segment", &findings.with("key_wrong", error.to_string()));
    }
    let (start, end) = piece.span;
    let [told, real] = [piece.duration, end - start].map(in_micros);
    if told.abs_diff(real) > slack(fact.holds) {
        findings.add("extinf", format!("EXTINF {told} µs, media {real} µs"));
    }
    if !piece.init.is_empty() && begins_with_init(&clear) {
        findings.add("init_in_range", "it holds an init segment, which stands before it");
    }
    let media = [piece.init, &clear].concat();
    let (told, slack) = (piece.duration, SLACK_WHEN_MADE);
    let expected = Expected { name: piece.name, start, end, told, slack };
    findings.list.extend(prove_segment(proof, fact, &expected, &media));
    findings::none("prove segment", &findings.list)
}

fn in_micros(time: Ticks) -> u64 {
    micros(Seconds::from_ticks(time.0.unsigned_abs()))
}

/// Proves that the pieces of a run are as many as planned and fill its time.
///
/// # Errors
/// `Failed` that names the findings.
pub(crate) fn prove_run(run: &SegmentRun<'_>, fact: &RunFact) -> Result<(), Failed> {
    let mut findings = Findings::about(&fact.playlist.name);
    let (count, planned) = (fact.entries.len(), run.ends.len());
    if fact.playlist.holds != Holds::IFrames && count != planned {
        findings.add("segment_count", format!("{count} segments instead of {planned}"));
    }
    let slack = ticks(slack(fact.playlist.holds));
    let ends = [fact.entries.first().map(|entry| entry.start), fact.entries.last().map(end)];
    for (have, want) in ends.iter().zip([Some(run.part.start), run.ends.last().copied()]) {
        let off = have.zip(want).map(|(have, want)| (have - want).0.abs());
        if off.is_none_or(|off| off > slack) {
            let detail = format!("run {}: a boundary at {have:?} instead of {want:?}", run.index);
            findings.add("segment_times", detail);
        }
    }
    prove_seams(&fact.entries, &mut findings);
    findings::none("prove segments", &findings.list)
}

/// Each piece ends where the next begins.
fn prove_seams(entries: &[EntryFact], findings: &mut Findings<'_>) {
    for pair in entries.windows(2) {
        if let [before, next] = pair
            && (next.start - end(before)).0.abs() > 1
        {
            let detail = format!("{} begins at {}, not {}", next.file, next.start, end(before));
            findings.add("segment_times", detail);
        }
    }
}

fn end(entry: &EntryFact) -> Ticks {
    entry.start + entry.duration
}

fn ticks(micros: u64) -> i64 {
    (micros * 9).div_ceil(100).cast_signed()
}

/// What was proved of media that is stored already.
pub(crate) struct Proved {
    objects: BTreeMap<String, ObjectFact>,
    /// By object and offset.
    pieces: BTreeMap<(String, u64), ProvedPiece>,
    /// Entries of every playlist, by its name.
    entries: BTreeMap<String, usize>,
}

/// What was proved of one piece of an object.
pub(super) struct ProvedPiece {
    pub bytes: u64,
    pub start: Ticks,
    pub duration: Ticks,
    pub key: Option<(Kid, Iv)>,
}

impl Proved {
    pub(super) const NOTHING: Proved =
        Proved { objects: BTreeMap::new(), pieces: BTreeMap::new(), entries: BTreeMap::new() };

    /// What the runs of a generation were proved to be.
    ///
    /// # Errors
    /// `Failed` if they are not all the runs of the plan, or do not go together.
    pub(crate) fn new(input: &PackageInput, runs: &[SegmentsDone]) -> Result<Proved, Failed> {
        prove_together(&input.plan, runs)?;
        let mut proved = Proved::NOTHING;
        let keys = input.keys.as_ref().map(ClearKeys::mark);
        for run in runs {
            if run.keys != keys {
                let cause = format!("those of run {} are gone: nobody could open it", run.run);
                return Err(Failed::new("find the keys of the segments", cause));
            }
            for object in &run.objects {
                proved.objects.insert(object.name.clone(), object.clone());
            }
            for stream in &run.streams {
                proved.add(input, stream)?;
            }
        }
        Ok(proved)
    }

    fn add(&mut self, input: &PackageInput, stream: &RunFact) -> Result<(), Failed> {
        let name = &stream.playlist.name;
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        if let Some(init) = &stream.init {
            let (bytes, time) = (init.bytes, Ticks::ZERO);
            let piece = ProvedPiece { bytes, start: time, duration: time, key: None };
            self.pieces.insert((format!("{folder}/{}", init.file), 0), piece);
        }
        for entry in &stream.entries {
            let object = format!("{folder}/{}", entry.file);
            let key = input.key(entry.period, &object, entry.piece)?;
            let key = key.map(|key| (key.kid, key.iv));
            let EntryFact { bytes, start, duration, .. } = *entry;
            let piece = ProvedPiece { bytes, start, duration, key };
            self.pieces.insert((object, entry.offset), piece);
        }
        *self.entries.entry(name.clone()).or_default() += stream.entries.len();
        Ok(())
    }

    pub(super) fn object(&self, name: &str) -> Option<&ObjectFact> {
        self.objects.get(name)
    }

    pub(super) fn piece(&self, object: &str, offset: u64) -> Option<&ProvedPiece> {
        self.pieces.get(&(object.to_owned(), offset))
    }

    /// How many entries a playlist has, if its media was proved.
    pub(super) fn entries(&self, playlist: &str) -> Option<usize> {
        self.entries.get(playlist).copied()
    }
}

/// The runs are those of the plan, in order; one decoder configuration serves all of them, and
/// each goes on where the one before it ended.
fn prove_together(plan: &Plan, runs: &[SegmentsDone]) -> Result<(), Failed> {
    let mut findings = Findings::about("hls");
    let planned: Vec<_> = plan.segment_runs().iter().map(|run| run.index).collect();
    let made: Vec<_> = runs.iter().map(|run| run.run).collect();
    if made != planned {
        findings.add("segment_count", format!("runs {made:?} instead of {planned:?}"));
    }
    for pair in runs.windows(2) {
        let [before, next] = pair else { continue };
        if before.streams.len() != next.streams.len() {
            findings.add("segment_count", format!("run {} has other streams", next.run));
        }
        for (before, next) in before.streams.iter().zip(&next.streams) {
            findings.list.extend(prove_seam(before, next));
        }
    }
    findings::none("prove package", &findings.list)
}

fn prove_seam(before: &RunFact, next: &RunFact) -> Vec<super::Finding> {
    let mut findings = Findings::about(&next.playlist.name);
    if before.playlist != next.playlist || before.config != next.config {
        let detail = format!("{:?} after {:?}", next.playlist, before.playlist);
        findings.add("codec_configuration", detail);
    }
    let seam: Vec<_> =
        before.entries.last().into_iter().chain(next.entries.first()).cloned().collect();
    prove_seams(&seam, &mut findings);
    findings.list
}
