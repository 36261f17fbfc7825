//! A package, loaded: every playlist parsed, every segment fetched, decrypted and demuxed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Report;
use super::encryption::decrypt;
use crate::m3u8::{Media, Multivariant, Segment};
use crate::media::{Contents, Video};
use crate::mp4::{Init, read_init, read_segment};
use crate::ts;

/// A loaded package.
pub struct Package {
    /// The asset's directory.
    pub asset: PathBuf,
    /// The directory of the generation, under it.
    pub generation: PathBuf,
    /// `index.m3u8`, if the package has HLS.
    pub multivariant: Multivariant,
    /// Media playlists, each once.
    pub renditions: Vec<Rendition>,
    /// Raw keys by the last part of their URIs.
    pub keys: BTreeMap<String, [u8; 16]>,
}

/// What a media playlist is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// EXT-X-STREAM-INF.
    Variant,
    /// EXT-X-MEDIA of type AUDIO.
    Audio,
    /// EXT-X-MEDIA of type SUBTITLES.
    Subtitles,
    /// EXT-X-I-FRAME-STREAM-INF.
    IFrames,
}

/// A media playlist and what it leads to.
pub struct Rendition {
    /// Its URI in the multivariant playlist.
    pub uri: String,
    /// What it is for.
    pub kind: Kind,
    /// The playlist.
    pub playlist: Media,
    /// Its segments; as many as in the playlist.
    pub pieces: Vec<Piece>,
    /// All segments one after the other, decrypted, init segment first.
    pub clear: NamedTempFile,
}

/// A fetched segment.
#[derive(Debug, Default)]
pub struct Piece {
    /// Bytes as served.
    pub served: u64,
    /// The first bytes as served.
    pub head: Vec<u8>,
    /// The first bytes decrypted.
    pub clear_head: Vec<u8>,
    /// Whether it holds an init segment, or the tables of a transport stream.
    pub holds_init: bool,
    /// What is in it.
    pub contents: Contents,
    /// Its text, for subtitles.
    pub text: String,
}

impl Rendition {
    /// The pictures of all segments as one run, if there are any.
    pub fn video(&self) -> Option<Video> {
        let mut all: Option<Video> = None;
        for video in self.pieces.iter().filter_map(|piece| piece.contents.video.as_ref()) {
            match &mut all {
                None => all = Some(video.clone()),
                Some(all) => all.pictures.extend_from_slice(&video.pictures),
            }
        }
        all
    }
}

impl Package {
    /// Loads a package; what cannot be loaded is reported and left out.
    pub fn load(asset: &Path, keys: Option<&Path>, report: &mut Report) -> Option<Package> {
        let generation = generation(asset, report)?;
        let index = asset.join("index.m3u8");
        let multivariant = match index.exists() {
            false => Multivariant::default(),
            true => report.try_or(
                read_text(&index).and_then(|text| Multivariant::parse(&text)),
                "multivariant",
                "index.m3u8",
            )?,
        };
        let keys = report.try_or(load_keys(keys), "keys", "")?;
        let asset = asset.to_owned();
        let mut package = Package { asset, generation, multivariant, renditions: vec![], keys };
        for (kind, uri) in package.playlists() {
            let loaded = package.rendition(kind, &uri, report);
            package.renditions.extend(report.try_or(loaded, "media playlist", &uri));
        }
        Some(package)
    }

    /// Every media playlist that the multivariant one names, once.
    fn playlists(&self) -> Vec<(Kind, String)> {
        let playlist = &self.multivariant;
        let alternatives = playlist.alternatives.iter().filter_map(|one| {
            let kind = if one.kind == "AUDIO" { Kind::Audio } else { Kind::Subtitles };
            Some((kind, one.uri.clone()?))
        });
        let variants = playlist.variants.iter().map(|one| (Kind::Variant, one.uri.clone()));
        let iframes = playlist.iframes.iter().map(|one| (Kind::IFrames, one.uri.clone()));
        let mut all: Vec<(Kind, String)> = Vec::new();
        for one in variants.chain(alternatives).chain(iframes) {
            if !all.iter().any(|(_, uri)| *uri == one.1) {
                all.push(one);
            }
        }
        all
    }

    /// The rendition at a URI.
    pub fn rendition_at(&self, uri: &str) -> Option<&Rendition> {
        self.renditions.iter().find(|rendition| rendition.uri == uri)
    }

    /// Renditions of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Rendition> {
        self.renditions.iter().filter(move |rendition| rendition.kind == kind)
    }

    fn rendition(&self, kind: Kind, uri: &str, report: &mut Report) -> Result<Rendition, String> {
        let path = self.asset.join(uri);
        let playlist = Media::parse(&read_text(&path)?)?;
        let directory = path.parent().ok_or("no directory")?;
        let mut clear = NamedTempFile::new().map_err(|why| why.to_string())?;
        let init = playlist.map.as_ref().map(|map| {
            let bytes = read_range(&directory.join(&map.uri), map.range)?;
            clear.write_all(&bytes).map_err(|why| why.to_string())?;
            Before::read(bytes).map_err(|why| format!("{}: {why}", map.uri))
        });
        let init = init.transpose()?;
        for fault in init.iter().flat_map(Before::faults) {
            report.add("init segment", uri, fault);
        }
        let mut pieces = Vec::new();
        for segment in &playlist.segments {
            let object = join(uri, &segment.uri);
            let piece = self.piece(kind, directory, segment, init.as_ref(), &mut clear);
            pieces.push(report.try_or(piece, "segment", &object).unwrap_or_default());
        }
        Ok(Rendition { uri: uri.to_owned(), kind, playlist, pieces, clear })
    }

    fn piece(
        &self,
        kind: Kind,
        directory: &Path,
        segment: &Segment,
        init: Option<&Before>,
        clear: &mut NamedTempFile,
    ) -> Result<Piece, String> {
        let served = read_range(&directory.join(&segment.uri), segment.range)?;
        let head = served[..served.len().min(ts::PACKET * 2)].to_vec();
        let length = served.len() as u64;
        let bytes = match &segment.key {
            None => served,
            Some(key) => decrypt(&self.key(&key.uri)?, &key.iv.unwrap_or_default(), served)?,
        };
        let clear_head = bytes[..bytes.len().min(ts::PACKET * 2)].to_vec();
        let holds_init = ts::has_pat(&bytes) || matches!(bytes.get(4..8), Some(b"ftyp" | b"moov"));
        let mut piece = Piece { served: length, head, clear_head, holds_init, ..Piece::default() };
        clear.write_all(&bytes).map_err(|why| why.to_string())?;
        match (kind, init) {
            (Kind::Subtitles, _) => {
                piece.text = String::from_utf8(bytes).map_err(|why| why.to_string())?;
            }
            (_, None) => piece.contents = ts::read(&bytes)?,
            (_, Some(Before::Tables(tables))) => {
                piece.contents = ts::read(&[tables.as_slice(), &bytes].concat())?;
            }
            (_, Some(Before::Boxes(init))) => piece.contents = read_segment(&bytes, init)?,
        }
        Ok(piece)
    }

    /// The raw key of a URI.
    pub fn key(&self, uri: &str) -> Result<[u8; 16], String> {
        let name = uri.rsplit('/').next().unwrap_or(uri);
        self.keys.get(name).copied().ok_or_else(|| format!("no key {name} was exported"))
    }
}

/// What EXT-X-MAP leads to.
enum Before {
    /// PAT and PMT of a transport stream (RFC 8216, 3.2).
    Tables(Vec<u8>),
    /// An init segment of fMP4 (3.3).
    Boxes(Init),
}

impl Before {
    fn read(bytes: Vec<u8>) -> Result<Before, String> {
        match bytes.first() {
            Some(0x47) => ts::only_tables(&bytes).map(|()| Before::Tables(bytes)),
            _ => read_init(&bytes).map(Before::Boxes),
        }
    }

    fn faults(&self) -> &[String] {
        match self {
            Before::Tables(_) => &[],
            Before::Boxes(init) => &init.faults,
        }
    }
}

/// The one directory of a generation that the pointers lead to.
fn generation(asset: &Path, report: &mut Report) -> Option<PathBuf> {
    let entries = fs::read_dir(asset).map_err(|why| why.to_string());
    let entries = report.try_or(entries, "layout", "")?;
    let directories: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    if directories.is_empty() {
        report.add("layout", "", "no generation under the asset");
    }
    // Names of generations sort by age; the pointers are checked against the newest.
    directories.into_iter().max()
}

fn load_keys(directory: Option<&Path>) -> Result<BTreeMap<String, [u8; 16]>, String> {
    let Some(directory) = directory else { return Ok(BTreeMap::new()) };
    let mut keys = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(|why| why.to_string())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = fs::read(entry.path()).map_err(|why| why.to_string())?;
        let key = bytes.try_into().map_err(|_| format!("the key {name} is not of 16 bytes"))?;
        keys.insert(name, key);
    }
    Ok(keys)
}

/// A URI in a playlist, relative to the asset.
pub fn join(playlist: &str, uri: &str) -> String {
    match playlist.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{uri}"),
        None => uri.to_owned(),
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))
}

fn read_range(path: &Path, range: Option<(u64, u64)>) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|why| format!("{}: {why}", path.display()))?;
    let Some((length, offset)) = range else { return Ok(bytes) };
    let (from, to) = (offset as usize, (offset + length) as usize);
    let part = bytes.get(from..to);
    part.map(<[u8]>::to_vec).ok_or_else(|| format!("{} ends before {to}", path.display()))
}
