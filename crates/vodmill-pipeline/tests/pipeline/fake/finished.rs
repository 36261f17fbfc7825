//! Segments and MP4s of the fake, written and read.
//!
//! Media are two lines of JSON: the headers of the streams, then their packets. In fMP4 the first
//! is the init segment; in an MP4 the lines are the content of `moov` and `mdat`.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vodmill_model::outcome::MediaError;
use vodmill_model::pipeline::Container;
use vodmill_model::transcode::{
    Cut, FileOrder, Inspection, Media, Segment, SegmentOrder, VideoInput,
};
use vodmill_model::{Failed, Ticks};

use super::What;
use super::stream::{Header, Packet, Stream};

/// The packets of each stream.
#[derive(Serialize, Deserialize)]
struct Packets {
    /// Added to every time.
    base: Ticks,
    of: Vec<Vec<Packet>>,
}

/// The streams that go into a piece of media: video first.
pub(super) fn inputs<'a>(
    video: Option<&VideoInput>,
    audio: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<Vec<Stream>, Failed> {
    let mut streams = Vec::new();
    for chunk in video.iter().flat_map(|video| &video.chunks) {
        let mut chunk = Stream::read(chunk)?;
        match streams.first_mut() {
            None => streams.push(chunk),
            Some(stream) => stream.packets.append(&mut chunk.packets),
        }
    }
    for path in audio {
        streams.push(Stream::read(path)?);
    }
    Ok(streams)
}

pub(super) fn title(streams: &[Stream]) -> &str {
    streams.first().map_or("", |stream| &stream.header.title)
}

/// Cuts streams into segments.
pub(super) fn segments(
    order: &SegmentOrder,
    streams: &[Stream],
    fault: Option<What>,
    sink: &mut dyn FnMut(Segment) -> Result<(), MediaError>,
) -> Result<(), MediaError> {
    let mut headers: Vec<Header> = streams.iter().map(|stream| stream.header.clone()).collect();
    if fault == Some(What::OtherConfiguration) {
        headers.iter_mut().for_each(|header| header.channels += 1);
    }
    let headers = line(&headers)?;
    let apart = order.container == Container::Fmp4 || order.cut == Cut::KeyFrames;
    if apart {
        let (start, duration) = (Ticks::ZERO, Ticks::ZERO);
        sink(Segment { init: true, start, duration, bytes: headers.clone() })?;
    }
    let base = if fault == Some(What::Late) { order.base + Ticks(9) } else { order.base };
    for (start, end) in spans(order, streams) {
        let of = streams.iter().map(|stream| cut(stream, &order.cut, start, end)).collect();
        let mut bytes = if apart { Vec::new() } else { headers.clone() };
        bytes.extend(line(&Packets { base, of })?);
        if fault == Some(What::Corrupt) && start > order.part.start {
            bytes.pop();
            bytes.pop();
        }
        let lies = fault == Some(What::WrongDuration) && order.cut != Cut::KeyFrames;
        let told = if lies { Ticks(90) } else { Ticks::ZERO };
        sink(Segment { init: false, start, duration: end - start + told, bytes })?;
    }
    Ok(())
}

/// Start and end of each segment.
fn spans(order: &SegmentOrder, streams: &[Stream]) -> Vec<(Ticks, Ticks)> {
    match (&order.cut, streams.first()) {
        (Cut::At(ends), _) => {
            let starts = std::iter::once(order.part.start).chain(ends.iter().copied());
            starts.zip(ends.iter().copied()).collect()
        }
        (Cut::KeyFrames, Some(video)) => {
            let keys = video.packets.iter().filter(|packet| packet.key);
            let starts: Vec<_> = keys.map(|packet| video.header.start(packet.number)).collect();
            let ends = starts.iter().copied().skip(1).chain([video.end()]);
            starts.iter().copied().zip(ends).collect()
        }
        (Cut::KeyFrames, None) => Vec::new(),
    }
}

fn cut(stream: &Stream, cut: &Cut, start: Ticks, end: Ticks) -> Vec<Packet> {
    let inside = |packet: &&Packet| {
        let time = stream.header.start(packet.number);
        start <= time && time < end
    };
    let most = if *cut == Cut::KeyFrames { 1 } else { usize::MAX };
    stream.packets.iter().filter(inside).take(most).cloned().collect()
}

pub(super) fn write_file(
    order: &FileOrder,
    streams: &[Stream],
    fault: Option<What>,
) -> Result<(), MediaError> {
    let headers = line(&streams.iter().map(|stream| &stream.header).collect::<Vec<_>>())?;
    let of = streams.iter().map(|stream| stream.packets.clone()).collect();
    let packets = line(&Packets { base: Ticks::ZERO, of })?;
    let mut boxes = vec![(b"ftyp", b"isom\0\0\x02\0".to_vec()), (b"moov", headers)];
    boxes.push((b"mdat", packets));
    if fault == Some(What::IndexLast) {
        boxes.swap(1, 2);
    }
    let bytes: Vec<u8> = boxes.iter().flat_map(|(kind, content)| mp4_box(kind, content)).collect();
    fs::write(&order.path, bytes).map_err(|e| Failed::from_error("write MP4", &e))?;
    Ok(())
}

/// A box: its length, its kind, its content (ISO/IEC 14496-12, 4.2).
fn mp4_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), kind.as_slice(), content].concat()
}

/// The content of the boxes, `moov` first.
fn open_mp4(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut moov, mut mdat) = (None, None);
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = (u32::from_be_bytes(*length) as usize).checked_sub(4)?;
        let (content, after) = rest.split_at_checked(length)?;
        match content.split_first_chunk::<4>()? {
            (b"moov", content) => moov = Some(content),
            (b"mdat", content) => mdat = Some(content),
            _ => {}
        }
        bytes = after;
    }
    Some([moov?, mdat?].concat())
}

pub(super) fn inspect(media: Media<'_>) -> Result<Inspection, MediaError> {
    let unreadable = |what: &str| Failed::new("inspect", what);
    let bytes = match media {
        Media::Bytes(bytes) => bytes.to_vec(),
        Media::File(path) => {
            let bytes = fs::read(path).map_err(|e| Failed::from_error("inspect", &e))?;
            open_mp4(&bytes).ok_or_else(|| unreadable("not an MP4"))?
        }
    };
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let headers: Vec<Header> = read(lines.next()).ok_or_else(|| unreadable("no headers"))?;
    let packets: Packets = read(lines.next()).ok_or_else(|| unreadable("no packets"))?;
    let streams = headers.iter().zip(&packets.of);
    let inspected = streams.map(|(header, of)| header.inspected(packets.base, of));
    Ok(Inspection { streams: inspected.collect() })
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, Failed> {
    let mut line = serde_json::to_vec(value).map_err(|e| Failed::from_error("describe", &e))?;
    line.push(b'\n');
    Ok(line)
}

fn read<T: serde::de::DeserializeOwned>(line: Option<&[u8]>) -> Option<T> {
    serde_json::from_slice(line?).ok()
}
