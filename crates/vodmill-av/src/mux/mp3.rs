//! MP3: frames behind a first one that tells of them all (Xing, LAME), without tags.

use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::FileOrder;
use vodmill_model::units::Ticks;

use super::clock::Clock;
use super::muxer::{Input, Muxer};
use super::stream_reader::{Packet, StreamReader};
use crate::error;
use crate::rendition::Header;

/// Writes an MP3 file.
pub(super) fn write(order: &FileOrder, mut readers: Vec<StreamReader>) -> Result<(), MediaError> {
    let [reader] = readers.as_mut_slice() else {
        let cause = format!("it holds one sound, not {} streams", readers.len());
        return Err(error::failed("write MP3", order.path.display(), cause));
    };
    let unit = reader.stream.unit;
    let clock = Clock::new(unit, unit.den, Ticks::ZERO);
    let input = Input { stream: &reader.stream, clock, default: true };
    let mut muxer = Muxer::to_file("mp3", &order.path, &[input], &OPTIONS)?;
    // The first packet brings the delay of the encoder into the header.
    let mut skip = initial_padding(&reader.stream.header);
    while let Some(packet) = reader.take()? {
        muxer.write(0, &Packet { skip, ..packet })?;
        skip = 0;
    }
    muxer.finish()
}

fn initial_padding(header: &Header) -> u32 {
    match header {
        Header::Audio(audio) => audio.initial_padding,
        Header::Video(_) => 0,
    }
}

const OPTIONS: [(&str, &str); 5] = [
    ("fflags", "+bitexact"),
    ("avoid_negative_ts", "disabled"),
    ("id3v2_version", "0"),
    ("write_id3v1", "0"),
    // Frames in all, a table of contents, and what is not to be heard at both ends.
    ("write_xing", "1"),
];
