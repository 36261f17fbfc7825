//! What became of a job, for those who look at what was made: its plan, its renditions, and the
//! media of a playlist as a player puts it together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use vodmill_keys::{Iv, KeyRing, Kid, aes128};
use vodmill_manifest::hls::{MediaPlaylist, Segment};
use vodmill_model::{Failed, GenerationName, Plan};

use crate::Result;
use crate::file::failed;
use crate::proof::{micros, part};
use crate::stages;
use crate::worker::Worker;

/// What a job has made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The plan.
    pub plan: Plan,
    /// The asset.
    pub asset: String,
    /// The generation.
    pub generation: GenerationName,
    /// The renditions of each video encode in the order of their chunks, by the encode's id.
    pub renditions: BTreeMap<String, Vec<PathBuf>>,
}

impl Worker {
    /// What a job has made, if it came so far as to be planned and all of its pictures are still here.
    ///
    /// # Errors
    /// If the queue cannot be read.
    pub fn made(&self, job: &str) -> Result<Option<Made>> {
        let Some(decided) = stages::decided(self.queue(), job)? else { return Ok(None) };
        let stages::Decided { plan, asset, generation } = decided;
        let mut renditions = BTreeMap::new();
        for encode in &plan.video {
            let digests = plan.chunks.iter().map(|chunk| plan.video_rendition(encode, chunk));
            let Some(files) = self.renditions.files(&digests.collect::<Vec<_>>())? else {
                return Ok(None);
            };
            renditions.insert(encode.id.clone(), files);
        }
        Ok(Some(Made { plan, asset, generation, renditions }))
    }
}

/// The media of a playlist, clear and in one piece.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    /// Init segment and segments.
    pub media: Vec<u8>,
    /// Bytes of its objects as they are stored.
    pub stored: u64,
    /// Microseconds of each segment.
    pub durations: Vec<u64>,
    /// Segments, from 0, from which on there is another key.
    pub keys: Vec<usize>,
}

/// Puts the media of a playlist of a generation together, as a player does.
///
/// # Errors
/// If something is missing or cannot be opened.
pub fn join(generation: &Path, playlist: &str, keys: &KeyRing) -> Result<Joined> {
    let path = generation.join(playlist);
    let text = fs::read(&path).map_err(failed("read", &path))?;
    let playlist = MediaPlaylist::read(&text).map_err(failed("read", &path))?;
    let folder = path.parent().unwrap_or(generation);
    let mut joined = Joined::default();
    if let Some(init) = &playlist.init {
        joined.media = read(&folder.join(&init.uri), init.byte_range)?;
        joined.stored = joined.media.len() as u64;
    }
    let mut last_key = None;
    for (index, segment) in playlist.segments.iter().enumerate() {
        let mut bytes = read(&folder.join(&segment.uri), segment.byte_range)?;
        joined.stored += bytes.len() as u64;
        joined.durations.push(micros(segment.duration));
        let key = segment.key.as_ref().map(|key| &key.uri);
        if key.is_some() && key != last_key {
            joined.keys.push(index);
            last_key = key;
        }
        open(segment, keys, &mut bytes)?;
        joined.media.append(&mut bytes);
    }
    Ok(joined)
}

fn read(path: &Path, range: Option<vodmill_manifest::hls::ByteRange>) -> Result<Vec<u8>> {
    let Some(range) = range else { return Ok(fs::read(path).map_err(failed("read", path))?) };
    let mut file = fs::File::open(path).map_err(failed("open", path))?;
    let cause = || Failed::new(format!("read {}", path.display()), "the range is not there");
    Ok(part(&mut file, range).ok_or_else(cause)?)
}

fn open(segment: &Segment, keys: &KeyRing, bytes: &mut Vec<u8>) -> Result<()> {
    let Some(reference) = &segment.key else { return Ok(()) };
    let stage = || format!("open segment {}", segment.uri);
    let kid = Kid::in_uri(&reference.uri).zip(reference.iv.map(Iv::from_bytes));
    let (kid, iv) = kid.ok_or_else(|| Failed::new(stage(), "it names no key or IV"))?;
    let key = keys.get(&kid).ok_or_else(|| Failed::new(stage(), "its key is not here"))?;
    Ok(aes128::decrypt(&key, &iv, bytes).map_err(|error| Failed::from_error(stage(), &error))?)
}
