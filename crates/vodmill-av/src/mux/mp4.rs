//! Progressive MP4.

use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::FileOrder;
use vodmill_model::units::{TICKS_PER_SECOND, Ticks};

use super::clock::video_timescale;
use super::muxer::Muxer;
use super::segments::mp4_input;
use super::stream_reader::StreamReader;

/// Length of the runs in which tracks take turns: short enough to play while loading, long enough
/// that the index, which has an entry for each run, stays small.
const RUN: Ticks = Ticks(TICKS_PER_SECOND / 2);

/// Writes a progressive MP4.
pub(super) fn write(order: &FileOrder, mut readers: Vec<StreamReader>) -> Result<(), MediaError> {
    let mut muxer = open_muxer(order, &readers)?;
    let mut limit = RUN;
    while readers.iter().any(|reader| reader.peek().is_some()) {
        for (index, reader) in readers.iter_mut().enumerate() {
            write_run(index, reader, limit, &mut muxer)?;
        }
        limit = limit + RUN;
    }
    muxer.finish()
}

fn write_run(
    index: usize,
    reader: &mut StreamReader,
    limit: Ticks,
    muxer: &mut Muxer,
) -> Result<(), MediaError> {
    while reader.next_dts().is_some_and(|dts| dts < limit) {
        let Some(packet) = reader.take()? else { break };
        muxer.write(index, &packet)?;
    }
    Ok(())
}

fn open_muxer(order: &FileOrder, readers: &[StreamReader]) -> Result<Muxer, MediaError> {
    let inputs: Vec<_> = readers.iter().map(|reader| mp4_input(reader, Ticks::ZERO)).collect();
    let video = order.video.as_ref().map_or(0, |video| video_timescale(video.rate));
    let options = [
        ("fflags", "+bitexact"),
        // Times before zero stay, and edit lists skip them: that is what makes tracks start at 0.
        ("avoid_negative_ts", "disabled"),
        ("use_editlist", "1"),
        ("movflags", "+faststart"),
        // Edit lists are in units of the movie; its default of 1 ms would round them.
        ("movie_timescale", "90000"),
        ("video_track_timescale", &video.to_string()),
    ];
    let name = if order.video.is_some() { "mp4" } else { "ipod" };
    Muxer::to_file(name, &order.path, &inputs, &options)
}
