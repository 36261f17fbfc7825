//! MPEG transport streams (ISO/IEC 13818-1), as far as HLS uses them: one programme, H.264 and
//! AAC in ADTS.

use std::collections::BTreeMap;

use crate::media::{AAC_FRAME, AAC_RATES, Audio, Contents, Picture, Video};
use crate::nal;

/// Bytes of a packet.
pub const PACKET: usize = 188;
/// Ticks of a second.
pub const TICKS: u32 = 90_000;

const H264: u8 = 0x1b;
const ADTS: u8 = 0x0f;

/// Reads a segment.
pub fn read(bytes: &[u8]) -> Result<Contents, String> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(PACKET) {
        return Err(format!("{} bytes are no whole number of packets", bytes.len()));
    }
    let mut demuxer = Demuxer::default();
    for (index, packet) in bytes.chunks_exact(PACKET).enumerate() {
        demuxer.packet(packet).map_err(|why| format!("packet {index}: {why}"))?;
    }
    demuxer.end()
}

/// Whether there is a PAT in it.
pub fn has_pat(bytes: &[u8]) -> bool {
    let packets = bytes.chunks_exact(PACKET).filter(|packet| packet[0] == 0x47);
    packets.into_iter().any(|packet| packet[1] & 0x1f == 0 && packet[2] == 0)
}

/// Holds a Media Initialization Section against RFC 8216, 3.2: a PAT followed by a PMT.
pub fn only_tables(bytes: &[u8]) -> Result<(), String> {
    let [pat, pmt] = bytes.as_chunks::<PACKET>().0 else {
        return Err(format!("{} bytes are not two packets", bytes.len()));
    };
    if bytes.len() != 2 * PACKET || !has_pat(pat) {
        return Err("it does not begin with a PAT".to_owned());
    }
    let mut demuxer = Demuxer::default();
    demuxer.packet(pat)?;
    demuxer.packet(pmt)?;
    match demuxer.types.is_empty() {
        true => Err("no PMT behind the PAT".to_owned()),
        false => Ok(()),
    }
}

#[derive(Default)]
struct Demuxer {
    packets: usize,
    pmt: Option<u16>,
    pcr_pid: u16,
    types: BTreeMap<u16, u8>,
    counters: BTreeMap<u16, u8>,
    pes: BTreeMap<u16, Vec<Pes>>,
    pcr: Option<u64>,
    faults: Vec<String>,
}

/// A PES packet being gathered.
struct Pes {
    bytes: Vec<u8>,
    random_access: bool,
}

impl Demuxer {
    fn packet(&mut self, packet: &[u8]) -> Result<(), String> {
        if packet[0] != 0x47 {
            return Err("no sync byte".to_owned());
        }
        let pid = u16::from(packet[1] & 0x1f) << 8 | u16::from(packet[2]);
        let starts = packet[1] & 0x40 != 0;
        let (adaptation, payload) = split(packet)?;
        self.order(pid);
        if !payload.is_empty() {
            self.count(pid, packet[3] & 0x0f);
        }
        self.clock(pid, adaptation);
        if pid == 0 {
            self.pmt = Some(programme(section(payload, 0)?)?);
        } else if Some(pid) == self.pmt {
            self.streams(section(payload, 2)?)?;
        } else if self.types.contains_key(&pid) {
            let random_access = adaptation.first().is_some_and(|flags| flags & 0x40 != 0);
            self.media(pid, starts, random_access, payload)?;
        }
        self.packets += 1;
        Ok(())
    }

    /// PAT and PMT come first, so that a player can start here (RFC 8216, 3.2). A service
    /// description may stand before them.
    fn order(&mut self, pid: u16) {
        let tables = self.pmt.is_some() && !self.types.is_empty();
        if !tables && pid != 0 && pid != 0x11 && Some(pid) != self.pmt {
            self.fault(format!("PID {pid} before PAT and PMT"));
        }
    }

    fn count(&mut self, pid: u16, counter: u8) {
        let before = self.counters.insert(pid, counter);
        if before.is_some_and(|before| (before + 1) & 0x0f != counter) {
            self.fault(format!("PID {pid}: the continuity counter jumps to {counter}"));
        }
    }

    fn clock(&mut self, pid: u16, adaptation: &[u8]) {
        let [flags, rest @ ..] = adaptation else { return };
        if flags & 0x10 == 0 || rest.len() < 6 || pid != self.pcr_pid {
            return;
        }
        let base = rest[..4].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)) << 1
            | u64::from(rest[4] >> 7);
        if self.pcr.is_some_and(|before| base < before) {
            self.fault(format!("PCR goes back to {base}"));
        }
        self.pcr = Some(base);
    }

    fn streams(&mut self, table: &[u8]) -> Result<(), String> {
        let [_, _, _, _, _, p0, p1, i0, i1, ref rest @ ..] = *table else {
            return Err("a PMT is cut".to_owned());
        };
        self.pcr_pid = u16::from(p0 & 0x1f) << 8 | u16::from(p1);
        let mut at = usize::from(i0 & 0x0f) << 8 | usize::from(i1);
        while let Some([kind, p0, p1, l0, l1]) = rest.get(at..at + 5) {
            let pid = u16::from(p0 & 0x1f) << 8 | u16::from(*p1);
            self.types.insert(pid, *kind);
            at += 5 + (usize::from(l0 & 0x0f) << 8 | usize::from(*l1));
        }
        Ok(())
    }

    fn media(
        &mut self,
        pid: u16,
        starts: bool,
        random_access: bool,
        payload: &[u8],
    ) -> Result<(), String> {
        let pes = self.pes.entry(pid).or_default();
        if starts {
            pes.push(Pes { bytes: payload.to_vec(), random_access });
            return Ok(());
        }
        let last = pes.last_mut().ok_or_else(|| format!("PID {pid} starts inside a PES packet"))?;
        last.bytes.extend_from_slice(payload);
        Ok(())
    }

    fn fault(&mut self, what: String) {
        if self.faults.len() < 10 {
            self.faults.push(what);
        }
    }

    fn end(mut self) -> Result<Contents, String> {
        if self.types.is_empty() {
            return Err("no PAT and PMT".to_owned());
        }
        if self.pcr.is_none() {
            self.fault("no PCR".to_owned());
        }
        let mut contents = Contents::default();
        for (pid, kind) in &self.types {
            let pes = self.pes.get(pid).map_or(&[][..], Vec::as_slice);
            match *kind {
                H264 => contents.video = Some(video(pes)?),
                ADTS => contents.audio = Some(audio(pes, &mut self.faults)?),
                other => self.faults.push(format!("stream type {other:#x}")),
            }
        }
        contents.faults = self.faults;
        Ok(contents)
    }
}

/// Adaptation field without its length, and payload.
fn split(packet: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let control = packet[3] >> 4 & 3;
    let length = if control & 2 != 0 { 1 + usize::from(packet[4]) } else { 0 };
    let adaptation = packet.get(4..4 + length).ok_or("an adaptation field is too long")?;
    let payload = if control & 1 != 0 { &packet[4 + length..] } else { &[] };
    Ok((adaptation.get(1..).unwrap_or(&[]), payload))
}

/// The body of a section after its length, CRC checked and taken off.
fn section(payload: &[u8], table: u8) -> Result<&[u8], String> {
    let from = 1 + usize::from(*payload.first().ok_or("an empty section")?);
    let [id, l0, l1] = *payload.get(from..from + 3).ok_or("a section is cut")? else {
        unreachable!("three bytes were asked for")
    };
    if id != table {
        return Err(format!("table {id} where {table} belongs"));
    }
    let length = usize::from(l0 & 0x0f) << 8 | usize::from(l1);
    let whole = payload.get(from..from + 3 + length).ok_or("a section spans packets")?;
    if length < 9 || crc32(whole) != 0 {
        return Err("a section's CRC is wrong".to_owned());
    }
    Ok(&whole[3..whole.len() - 4])
}

/// CRC-32/MPEG-2; zero over a section that ends in its own CRC.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            if crc & 1 << 31 != 0 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 }
        })
    })
}

fn programme(table: &[u8]) -> Result<u16, String> {
    match *table {
        [_, _, _, _, _, _, _, p0, p1] => Ok(u16::from(p0 & 0x1f) << 8 | u16::from(p1)),
        _ => Err("not exactly one programme".to_owned()),
    }
}

/// Presentation time, decode time and payload of a PES packet.
fn timed(pes: &Pes) -> Result<(i64, i64, &[u8]), String> {
    let bytes = &pes.bytes;
    if bytes.len() < 9 || bytes[..3] != [0, 0, 1] {
        return Err("no PES header".to_owned());
    }
    let data = bytes.get(9 + usize::from(bytes[8])..).ok_or("a PES header is cut")?;
    let flags = bytes[7] >> 6;
    if flags & 2 == 0 {
        return Err("a PES packet without PTS".to_owned());
    }
    let pts = stamp(&bytes[9..])?;
    let dts = if flags == 3 { stamp(&bytes[14..])? } else { pts };
    Ok((pts, dts, data))
}

fn stamp(bytes: &[u8]) -> Result<i64, String> {
    let [a, b, c, d, e, ..] = *bytes else { return Err("a timestamp is cut".to_owned()) };
    let (a, b, c, d, e) = (i64::from(a), i64::from(b), i64::from(c), i64::from(d), i64::from(e));
    Ok((a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1)
}

fn video(packets: &[Pes]) -> Result<Video, String> {
    let mut video = Video { timescale: TICKS, ..Video::default() };
    for pes in packets {
        let (pts, dts, data) = timed(pes)?;
        let units = nal::annex_b(data);
        if let Some(sps) = units.iter().find(|unit| nal::kind(unit) == nal::SPS)
            && video.sps.is_empty()
        {
            video.sps = sps.to_vec();
        }
        let nals: Vec<u8> = units.into_iter().map(nal::kind).collect();
        let (refresh, marked_key) = (nals.contains(&nal::IDR), pes.random_access);
        video.pictures.push(Picture { pts, dts, nals, refresh, marked_key });
    }
    Ok(video)
}

fn audio(packets: &[Pes], faults: &mut Vec<String>) -> Result<Audio, String> {
    let mut audio = Audio { timescale: TICKS, ..Audio::default() };
    for pes in packets {
        let (pts, _, data) = timed(pes)?;
        if audio.frames == 0 {
            audio.first = pts;
        }
        let due = audio.first as f64 + audio_ticks(&audio);
        if audio.frames > 0 && (pts as f64 - due).abs() > 1.5 {
            faults.push(format!("sound at {pts} where {due:.1} is due"));
        }
        adts(data, &mut audio)?;
    }
    Ok(audio)
}

fn audio_ticks(audio: &Audio) -> f64 {
    (audio.frames * AAC_FRAME) as f64 * f64::from(TICKS) / f64::from(audio.rate.max(1))
}

/// Counts whole ADTS frames (ISO/IEC 14496-3, 1.A.2.2).
fn adts(mut data: &[u8], audio: &mut Audio) -> Result<(), String> {
    while !data.is_empty() {
        let [s0, s1, h2, h3, h4, h5, _, ..] = *data else { return Err("ADTS is cut".to_owned()) };
        if s0 != 0xff || s1 & 0xf6 != 0xf0 {
            return Err("no ADTS sync word".to_owned());
        }
        let length = usize::from(h3 & 3) << 11 | usize::from(h4) << 3 | usize::from(h5) >> 5;
        if length < 7 || length > data.len() {
            return Err("an ADTS frame is cut".to_owned());
        }
        let rate = AAC_RATES.get(usize::from(h2 >> 2 & 0x0f)).ok_or("a reserved ADTS rate")?;
        audio.rate = *rate;
        audio.object_type = (h2 >> 6) + 1;
        audio.channels = (h2 & 1) << 2 | h3 >> 6;
        audio.frames += 1;
        data = &data[length..];
    }
    Ok(())
}
