//! The rungs and files of a package, clear and whole, to be compared with its original.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use vodmill_keys::{Iv, KeyRing, Kid, aes128};
use vodmill_manifest::hls::{ByteRange, MediaPlaylist, Segment};
use vodmill_model::receipt::{Holds, OutputFact, Receipt};
use vodmill_model::{Failed, GenerationName};

use super::Candidate;
use crate::Result;
use crate::file::failed;
use crate::proof;

/// The media of a package that have pictures.
#[derive(Clone, Debug)]
pub struct PackageRungs {
    root: PathBuf,
    receipt: Receipt,
    rungs: Vec<Rung>,
}

#[derive(Clone, Debug)]
struct Rung {
    name: String,
    object: String,
    /// Whether it is a playlist of segments.
    is_playlist: bool,
}

impl PackageRungs {
    /// Reads the receipt of an asset's folder, or of one generation's.
    ///
    /// # Errors
    /// If it is no package.
    pub fn open(package: &Path) -> Result<PackageRungs> {
        let (root, receipt) = proof::generation(package)?;
        let rungs = rungs(&receipt);
        Ok(PackageRungs { root, receipt, rungs })
    }

    /// The asset.
    pub fn asset(&self) -> &str {
        &self.receipt.asset
    }

    /// The generation.
    pub fn generation(&self) -> &GenerationName {
        &self.receipt.generation
    }

    /// Names of everything with pictures: rungs, then files.
    pub fn names(&self) -> Vec<&str> {
        self.rungs.iter().map(|rung| rung.name.as_str()).collect()
    }

    /// Names of the rungs or, where there are none, of the files.
    pub fn default_names(&self) -> Vec<&str> {
        let ladder = self.rungs.iter().filter(|rung| rung.is_playlist);
        let ladder: Vec<&str> = ladder.map(|rung| rung.name.as_str()).collect();
        if ladder.is_empty() { self.names() } else { ladder }
    }

    /// Makes the rung of that name one clear file, below `scratch` where it is in segments.
    ///
    /// # Errors
    /// If it cannot be read, or its keys are not in `keys`.
    pub fn candidate(&self, name: &str, keys: &KeyRing, scratch: &Path) -> Result<Candidate> {
        let rung = self.rungs.iter().find(|rung| rung.name == name);
        let rung = rung.ok_or_else(|| Failed::new(format!("find {name}"), "it is not there"))?;
        let object = self.root.join(&rung.object);
        let (path, bytes) = if rung.is_playlist {
            let clear = scratch.join(format!("{}-{name}", self.receipt.generation));
            let bytes = join(&object, keys, &clear)?;
            (clear, bytes)
        } else {
            let facts = object.metadata().map_err(failed("read", &object))?;
            (object, facts.len())
        };
        let grid = self.receipt.frame_rate.zip(self.receipt.frames);
        Ok(Candidate { name: name.to_owned(), path, bytes, grid })
    }
}

fn rungs(receipt: &Receipt) -> Vec<Rung> {
    let mut rungs: Vec<Rung> = Vec::new();
    if let Some(hls) = receipt.hls() {
        let pictures = hls.playlists.iter().filter(|playlist| playlist.holds == Holds::Video);
        rungs.extend(pictures.map(|playlist| Rung {
            name: folder_of(&playlist.name).to_owned(),
            object: playlist.name.clone(),
            is_playlist: true,
        }));
    }
    for output in &receipt.outputs {
        if let OutputFact::File(file) = output
            && file.size.is_some()
        {
            let name = stem_of(&file.name).to_owned();
            rungs.push(Rung { name, object: file.name.clone(), is_playlist: false });
        }
    }
    rungs
}

/// `high` of `hls/high/index.m3u8`.
fn folder_of(name: &str) -> &str {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.rsplit('/').next().unwrap_or(folder)
}

/// `web` of `private/mp4/web.mp4`.
fn stem_of(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// Writes the segments of a playlist, clear, one behind the other; their bytes as they are stored.
fn join(playlist: &Path, keys: &KeyRing, clear: &Path) -> Result<u64> {
    let text = std::fs::read(playlist).map_err(failed("read", playlist))?;
    let list = MediaPlaylist::read(&text).map_err(failed("read", playlist))?;
    let folder = playlist.parent().unwrap_or(Path::new(""));
    let mut out = BufWriter::new(File::create(clear).map_err(failed("create", clear))?);
    if let Some(init) = &list.init {
        let bytes = read(&folder.join(&init.uri), init.byte_range)?;
        out.write_all(&bytes).map_err(failed("write", clear))?;
    }
    let mut stored = 0;
    for segment in &list.segments {
        let path = folder.join(&segment.uri);
        let bytes = read(&path, segment.byte_range)?;
        stored += bytes.len() as u64;
        let bytes = open(&path, segment, bytes, keys)?;
        out.write_all(&bytes).map_err(failed("write", clear))?;
    }
    out.flush().map_err(failed("write", clear))?;
    Ok(stored)
}

fn read(path: &Path, range: Option<ByteRange>) -> Result<Vec<u8>> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let mut bytes = Vec::new();
    let Some(range) = range else {
        file.read_to_end(&mut bytes).map_err(failed("read", path))?;
        return Ok(bytes);
    };
    file.seek(SeekFrom::Start(range.offset)).map_err(failed("read", path))?;
    file.take(range.length).read_to_end(&mut bytes).map_err(failed("read", path))?;
    if bytes.len() as u64 != range.length {
        let cause = format!("{} bytes at {} are not there", range.length, range.offset);
        return Err(Failed::new(format!("read {}", path.display()), cause).into());
    }
    Ok(bytes)
}

fn open(path: &Path, segment: &Segment, mut bytes: Vec<u8>, keys: &KeyRing) -> Result<Vec<u8>> {
    let Some(reference) = &segment.key else { return Ok(bytes) };
    let fault = |cause: String| Failed::new(format!("open {}", path.display()), cause);
    let (Some(kid), Some(iv)) = (Kid::in_uri(&reference.uri), reference.iv.map(Iv::from_bytes))
    else {
        return Err(fault(format!("no key id or IV in {}", reference.uri)).into());
    };
    let key = keys
        .get(&kid)
        .ok_or_else(|| fault(format!("it is encrypted, and its key {kid} is not in this home")))?;
    aes128::decrypt(&key, &iv, &mut bytes).map_err(|error| fault(error.to_string()))?;
    Ok(bytes)
}
