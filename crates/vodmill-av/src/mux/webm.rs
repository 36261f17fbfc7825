//! WebM: the index (Cues) in front of the media, so that a player can seek before it has it all.

use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::FileOrder;

use super::clock::Clock;
use super::muxer::{Input, Muxer};
use super::stream_reader::{Stream, StreamReader};
use crate::rendition::Header;

/// Units of a Segment in a second; the muxer takes no others.
const TIMESCALE: u32 = 1000;

/// Writes a WebM file. A Cluster ends before every key frame of pictures.
pub(super) fn write(order: &FileOrder, mut readers: Vec<StreamReader>) -> Result<(), MediaError> {
    let mut muxer = Muxer::to_file("webm", &order.path, &inputs(&readers), &OPTIONS)?;
    while let Some(index) = next_in_time(&readers) {
        let begins = readers[index].stream.is_video();
        let Some(packet) = readers[index].take()? else { break };
        if begins && packet.meta.key {
            muxer.flush()?;
        }
        muxer.write(index, &packet)?;
    }
    muxer.finish()
}

const OPTIONS: [(&str, &str); 5] = [
    // No dates and versions, and the numbers of tracks as their ids.
    ("fflags", "+bitexact"),
    ("avoid_negative_ts", "disabled"),
    ("cues_to_front", "1"),
    // WebM has no checksums of elements, as Matroska has.
    ("write_crc32", "0"),
    // Of sound alone; the times of a Cluster reach for 32 s.
    ("cluster_time_limit", "10000"),
];

fn inputs(readers: &[StreamReader]) -> Vec<Input<'_>> {
    let first = |video: bool| readers.iter().position(|it| it.stream.is_video() == video);
    let defaults = [first(true), first(false)];
    let input = |(index, reader)| {
        let reader: &StreamReader = reader;
        let default = defaults.contains(&Some(index));
        Input { stream: &reader.stream, clock: clock(&reader.stream), default }
    };
    readers.iter().enumerate().map(input).collect()
}

/// Blocks count from the encoder's delay on, which CodecDelay takes off again.
fn clock(stream: &Stream) -> Clock {
    let delay = match &stream.header {
        Header::Audio(audio) => i64::from(audio.initial_padding),
        Header::Video(_) => 0,
    };
    Clock::with_delay(stream.unit, TIMESCALE, delay)
}

/// The reader whose next packet is the earliest, pictures before sound.
fn next_in_time(readers: &[StreamReader]) -> Option<usize> {
    let times = readers.iter().enumerate().filter_map(|(index, it)| Some((it.next_dts()?, index)));
    times.min().map(|(_, index)| index)
}
