//! WebM, read from its bytes (RFC 8794, RFC 9559).
#![expect(missing_docs, reason = "the fields are named as the standard names them")]

/// What is in a file.
#[derive(Debug, Default)]
pub struct Webm {
    /// Ids of the elements of the Segment, in order.
    pub order: Vec<u64>,
    /// Seconds.
    pub duration: f64,
    pub tracks: Vec<Track>,
    /// Where Clusters begin in the Segment, and where the Cues say that they do.
    pub clusters: Vec<u64>,
    pub cues: Vec<u64>,
    pub blocks: Vec<Block>,
}

#[derive(Debug, Default)]
pub struct Track {
    pub number: u64,
    pub codec: String,
    pub language: String,
    pub is_default: bool,
    /// Nanoseconds.
    pub codec_delay: u64,
    pub seek_preroll: u64,
    pub private: Vec<u8>,
}

#[derive(Debug)]
pub struct Block {
    pub track: u64,
    /// Milliseconds.
    pub time: i64,
    pub key: bool,
    /// Whether it is the first of its Cluster.
    pub first: bool,
    /// Nanoseconds at its end that are not to be heard.
    pub discard: u64,
    pub data: Vec<u8>,
}

pub const CUES: u64 = 0x1c53_bb6b;
pub const CLUSTER: u64 = 0x1f43_b675;

impl Webm {
    pub fn read(bytes: &[u8]) -> Result<Webm, String> {
        let top = elements(bytes)?;
        let [(0x1a45_dfa3, _, head), (0x1853_8067, _, segment)] = top.as_slice() else {
            return Err("it is not one EBML header and one Segment".to_owned());
        };
        if !elements(head)?.iter().any(|(id, _, data)| *id == 0x4282 && *data == b"webm") {
            return Err("its DocType is not webm".to_owned());
        }
        let mut webm = Webm::default();
        for (id, start, data) in elements(segment)? {
            webm.order.push(id);
            match id {
                0x1549_a966 => webm.duration = duration(data)?,
                0x1654_ae6b => webm.tracks = tracks(data)?,
                CUES => webm.cues = cues(data)?,
                CLUSTER => {
                    webm.clusters.push(start as u64);
                    read_cluster(data, &mut webm.blocks)?;
                }
                _ => {}
            }
        }
        Ok(webm)
    }

    /// Blocks of a track.
    pub fn of(&self, track: u64) -> Vec<&Block> {
        self.blocks.iter().filter(|block| block.track == track).collect()
    }
}

/// An element: its id, where it begins, its data.
type Element<'a> = (u64, usize, &'a [u8]);

/// Elements one behind the other.
fn elements(bytes: &[u8]) -> Result<Vec<Element<'_>>, String> {
    let (mut all, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let (id, id_length) = vint(&bytes[at..], true)?;
        let (size, size_length) = vint(&bytes[at + id_length..], false)?;
        let data = at + id_length + size_length;
        let end = data + size as usize;
        let slice = bytes.get(data..end).ok_or(format!("element {id:x} at {at} has no end"))?;
        all.push((id, at, slice));
        at = end;
    }
    Ok(all)
}

fn vint(bytes: &[u8], with_marker: bool) -> Result<(u64, usize), String> {
    let first = *bytes.first().ok_or("a number is missing")?;
    let length = first.leading_zeros() as usize + 1;
    let number = bytes.get(..length).ok_or("a number is torn")?;
    let value = number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let mask = if with_marker { u64::MAX } else { (1 << (7 * length)) - 1 };
    Ok((value & mask, length))
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn duration(info: &[u8]) -> Result<f64, String> {
    let all = elements(info)?;
    let found = all.iter().find(|(id, ..)| *id == 0x4489).ok_or("no Duration")?;
    let eight = found.2.try_into().map_err(|_| "Duration is no double")?;
    Ok(f64::from_be_bytes(eight) / 1000.0)
}

fn tracks(bytes: &[u8]) -> Result<Vec<Track>, String> {
    let mut all = Vec::new();
    for (_, _, entry) in elements(bytes)?.into_iter().filter(|(id, ..)| *id == 0xae) {
        let mut track = Track { is_default: true, language: "eng".to_owned(), ..Track::default() };
        for (id, _, data) in elements(entry)? {
            match id {
                0xd7 => track.number = unsigned(data),
                0x86 => track.codec = String::from_utf8_lossy(data).into_owned(),
                0x22_b59c => track.language = String::from_utf8_lossy(data).into_owned(),
                0x88 => track.is_default = unsigned(data) == 1,
                0x56aa => track.codec_delay = unsigned(data),
                0x56bb => track.seek_preroll = unsigned(data),
                0x63a2 => track.private = data.to_vec(),
                _ => {}
            }
        }
        all.push(track);
    }
    Ok(all)
}

fn cues(bytes: &[u8]) -> Result<Vec<u64>, String> {
    let mut all = Vec::new();
    for (_, _, point) in elements(bytes)? {
        for (_, _, positions) in elements(point)?.into_iter().filter(|(id, ..)| *id == 0xb7) {
            let inside = elements(positions)?;
            all.extend(inside.iter().filter(|(id, ..)| *id == 0xf1).map(|it| unsigned(it.2)));
        }
    }
    Ok(all)
}

fn read_cluster(bytes: &[u8], blocks: &mut Vec<Block>) -> Result<(), String> {
    let (mut time, mut first) = (0, true);
    for (id, _, data) in elements(bytes)? {
        let mut block = match id {
            0xe7 => {
                time = unsigned(data) as i64;
                continue;
            }
            0xa3 => block(data, data.get(3).is_some_and(|flags| flags & 0x80 != 0))?,
            0xa0 => of_group(data)?,
            _ => continue,
        };
        block.time += time;
        block.first = std::mem::replace(&mut first, false);
        blocks.push(block);
    }
    Ok(())
}

fn of_group(group: &[u8]) -> Result<Block, String> {
    let inside = elements(group)?;
    let find = |wanted: u64| inside.iter().find(|(id, ..)| *id == wanted).map(|it| it.2);
    let data = find(0xa1).ok_or("a group without a block")?;
    let discard = find(0x75a2).map_or(0, unsigned);
    Ok(Block { discard, ..block(data, find(0xfb).is_none())? })
}

fn block(data: &[u8], key: bool) -> Result<Block, String> {
    let [track, high, low, _, rest @ ..] = data else { return Err("a torn block".to_owned()) };
    let time = i16::from_be_bytes([*high, *low]).into();
    let track = u64::from(track & 0x7f);
    Ok(Block { track, time, key, first: false, discard: 0, data: rest.to_vec() })
}
