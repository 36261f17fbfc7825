//! WebM by a reader of our own (RFC 9559): the index in front, Clusters where it says, every picture.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use vodmill_model::units::{Frames, Ticks};

use super::ebml::{Element, Elements, broken};

const EBML: u32 = 0x1a45_dfa3;
const DOC_TYPE: u32 = 0x4282;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const TRACK_NUMBER: u32 = 0xd7;
const TRACK_TYPE: u32 = 0x83;
const CUES: u32 = 0x1c53_bb6b;
const CUE_POINT: u32 = 0xbb;
const CUE_TRACK_POSITIONS: u32 = 0xb7;
const CUE_CLUSTER_POSITION: u32 = 0xf1;
const CLUSTER: u32 = 0x1f43_b675;
const TIMESTAMP: u32 = 0xe7;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const REFERENCE_BLOCK: u32 = 0xfb;

/// TrackType of pictures.
const VIDEO: u64 = 1;
/// Nanoseconds of a millisecond.
const MILLISECOND: u64 = 1_000_000;

type Findings = Vec<(&'static str, String)>;

/// Holds a file against `frames`, none for sound alone, and its length.
pub(super) fn prove(path: &Path, frames: Option<Frames>, length: Ticks) -> io::Result<Findings> {
    let webm = Webm::read(&mut BufReader::new(File::open(path)?))?;
    let mut findings = Findings::new();
    if !webm.index_in_front {
        let detail = "its index (Cues) is not in front of its media";
        findings.push(("not_streamable", detail.to_owned()));
    }
    let lost = webm.cues.iter().filter(|at| !webm.clusters.contains(at)).count();
    if webm.cues.is_empty() || lost > 0 {
        let detail = format!("{lost} of {} entries lead to no Cluster", webm.cues.len());
        findings.push(("index", detail));
    }
    if webm.without_key > 0 {
        let detail = format!("{} Clusters begin with no key frame", webm.without_key);
        findings.push(("no_key_frame", detail));
    }
    if let Some(frames) = frames
        && webm.pictures != frames
    {
        findings.push(("frame_count", format!("{} frames instead of {frames}", webm.pictures)));
    }
    let off = (webm.duration_ms - length.millis()).abs();
    if off > 125 {
        let detail = format!("declares {} ms instead of {length}", webm.duration_ms);
        findings.push(("duration", detail));
    }
    Ok(findings)
}

/// What is in a file.
#[derive(Default)]
struct Webm {
    duration_ms: i64,
    /// Numbers of tracks of pictures.
    video: Vec<u64>,
    index_in_front: bool,
    /// Where Clusters begin, and where the index says that they do, from the Segment's data on.
    clusters: Vec<u64>,
    cues: Vec<u64>,
    pictures: u64,
    /// Clusters whose first picture is no key frame.
    without_key: u64,
    last_picture: Option<i64>,
}

impl Webm {
    fn read(source: &mut (impl Read + Seek)) -> io::Result<Webm> {
        let mut top = Elements::of_file(source)?;
        let header = top.next()?.filter(|element| element.id == EBML);
        let header = header.ok_or_else(|| broken("it is no EBML".to_owned()))?;
        let doc_type = text(&mut top.inside(header), DOC_TYPE)?;
        if doc_type != "webm" {
            return Err(broken(format!("it is {doc_type:?}, not WebM")));
        }
        let segment = top.next()?.filter(|element| element.id == SEGMENT);
        let segment = segment.ok_or_else(|| broken("it has no Segment".to_owned()))?;
        let mut webm = Webm::default();
        webm.read_segment(&mut top, segment)?;
        match top.next()? {
            None => Ok(webm),
            Some(element) => Err(broken(format!("more behind its Segment, at {}", element.start))),
        }
    }

    fn read_segment<R: Read + Seek>(
        &mut self,
        top: &mut Elements<'_, R>,
        segment: Element,
    ) -> io::Result<()> {
        let mut elements = top.inside(segment);
        while let Some(element) = elements.next()? {
            let inside = &mut elements.inside(element);
            match element.id {
                INFO => self.read_info(inside)?,
                TRACKS => self.read_tracks(inside)?,
                CUES => {
                    self.index_in_front = self.clusters.is_empty();
                    self.read_cues(inside)?;
                }
                CLUSTER => {
                    self.clusters.push(element.start - segment.data);
                    self.read_cluster(inside)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_info<R: Read + Seek>(&mut self, info: &mut Elements<'_, R>) -> io::Result<()> {
        while let Some(element) = info.next()? {
            match element.id {
                TIMESTAMP_SCALE if info.unsigned(element)? != MILLISECOND => {
                    return Err(broken("its times are not in milliseconds".to_owned()));
                }
                DURATION => self.duration_ms = milliseconds(&info.read(element, 8)?),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_tracks<R: Read + Seek>(&mut self, tracks: &mut Elements<'_, R>) -> io::Result<()> {
        while let Some(entry) = tracks.next()?.filter(|element| element.id == TRACK_ENTRY) {
            let (mut number, mut kind) = (0, 0);
            let mut entry = tracks.inside(entry);
            while let Some(element) = entry.next()? {
                match element.id {
                    TRACK_NUMBER => number = entry.unsigned(element)?,
                    TRACK_TYPE => kind = entry.unsigned(element)?,
                    _ => {}
                }
            }
            if kind == VIDEO {
                self.video.push(number);
            }
        }
        Ok(())
    }

    fn read_cues<R: Read + Seek>(&mut self, cues: &mut Elements<'_, R>) -> io::Result<()> {
        while let Some(point) = cues.next()?.filter(|element| element.id == CUE_POINT) {
            let mut point = cues.inside(point);
            while let Some(element) = point.next()? {
                if element.id != CUE_TRACK_POSITIONS {
                    continue;
                }
                let mut positions = point.inside(element);
                while let Some(element) = positions.next()? {
                    if element.id == CUE_CLUSTER_POSITION {
                        self.cues.push(positions.unsigned(element)?);
                    }
                }
            }
        }
        Ok(())
    }

    fn read_cluster<R: Read + Seek>(&mut self, cluster: &mut Elements<'_, R>) -> io::Result<()> {
        let (mut time, mut has_picture) = (0, false);
        while let Some(element) = cluster.next()? {
            let block = match element.id {
                TIMESTAMP => {
                    time = i64::try_from(cluster.unsigned(element)?).unwrap_or(i64::MAX);
                    continue;
                }
                SIMPLE_BLOCK => Block::simple(&cluster.read(element, Block::HEAD)?)?,
                BLOCK_GROUP => Block::of_group(&mut cluster.inside(element))?,
                _ => continue,
            };
            if !self.video.contains(&block.track) {
                continue;
            }
            self.without_key += u64::from(!has_picture && !block.key);
            has_picture = true;
            self.take_picture(time.saturating_add(block.time.into()))?;
        }
        Ok(())
    }

    fn take_picture(&mut self, time: i64) -> io::Result<()> {
        if self.last_picture.is_some_and(|last| time <= last) {
            return Err(broken(format!("its pictures go back in time at {time} ms")));
        }
        self.last_picture = Some(time);
        self.pictures += 1;
        Ok(())
    }
}

/// The head of a block (RFC 9559, 10.1).
struct Block {
    track: u64,
    /// Against its Cluster, in milliseconds.
    time: i16,
    key: bool,
}

impl Block {
    const HEAD: u64 = 4;

    fn simple(bytes: &[u8]) -> io::Result<Block> {
        match bytes {
            // A file has far less than 127 tracks.
            [track, high, low, flags] if track & 0x80 != 0 => Ok(Block {
                track: u64::from(track & 0x7f),
                time: i16::from_be_bytes([*high, *low]),
                key: flags & 0x80 != 0,
            }),
            _ => Err(broken("a block without a head".to_owned())),
        }
    }

    fn of_group<R: Read + Seek>(group: &mut Elements<'_, R>) -> io::Result<Block> {
        let (mut block, mut refers) = (None, false);
        while let Some(element) = group.next()? {
            match element.id {
                BLOCK => block = Some(Block::simple(&group.read(element, Block::HEAD)?)?),
                REFERENCE_BLOCK => refers = true,
                _ => {}
            }
        }
        let block = block.ok_or_else(|| broken("a group without a block".to_owned()))?;
        Ok(Block { key: !refers, ..block })
    }
}

fn text<R: Read + Seek>(elements: &mut Elements<'_, R>, id: u32) -> io::Result<String> {
    while let Some(element) = elements.next()? {
        if element.id == id {
            return Ok(String::from_utf8_lossy(&elements.read(element, 64)?).into_owned());
        }
    }
    Ok(String::new())
}

/// A floating-point number of milliseconds, rounded.
fn milliseconds(bytes: &[u8]) -> i64 {
    let value = match bytes {
        [a, b, c, d] => f64::from(f32::from_be_bytes([*a, *b, *c, *d])),
        bytes => <[u8; 8]>::try_from(bytes).map(f64::from_be_bytes).unwrap_or_default(),
    };
    value.round() as i64
}
