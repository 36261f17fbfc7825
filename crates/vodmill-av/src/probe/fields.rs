//! Whether frames hold two fields: by decoding a few.

use std::path::Path;

use ffmpeg_next::Packet;
use ffmpeg_next::frame::Video;
use vodmill_model::media::{ClockJump, FieldOrder, VideoTrack};
use vodmill_model::outcome::MediaError;

use crate::encode::open_decoder;
use crate::error;
use crate::source::PacketFinder;

/// Frames that are looked at.
const FRAMES: usize = 12;
/// Packets that are read for them.
const MAX_PACKETS: usize = 100;

/// Whether the codec has interlaced coding.
pub(super) fn may_be_interlaced(codec: &str) -> bool {
    [
        "h264",
        "hevc",
        "mpeg1video",
        "mpeg2video",
        "mpeg4",
        "vc1",
        "wmv3",
        "dvvideo",
        "prores",
        "mjpeg",
        "dnxhd",
        "huffyuv",
        "ffv1",
        "rawvideo",
        "v210",
        "jpeg2000",
        "utvideo",
    ]
    .contains(&codec)
}

/// The order of fields that most of the first frames are marked with; progressive where no decoder
/// opens. An original that cannot be read is an error: it would be planned otherwise than before.
pub(super) fn look(
    path: &Path,
    track: &VideoTrack,
    jumps: &[ClockJump],
    max_pixels: u64,
) -> Result<FieldOrder, MediaError> {
    let Some(&from) = track.seek_points.first() else { return Ok(FieldOrder::Progressive) };
    let mut packets = PacketFinder::open(path, track.index, from, jumps, max_pixels)?;
    let stage = |cause| error::libav("decode", path.display(), cause);
    let parameters = packets
        .source()
        .input()
        .stream(track.index as usize)
        .ok_or_else(|| stage(ffmpeg_next::Error::StreamNotFound))?
        .parameters();
    let Ok(mut codec) = open_decoder(parameters, track.time_base, max_pixels) else {
        return Ok(FieldOrder::Progressive);
    };
    let mut votes = Votes::default();
    let mut packet = Packet::empty();
    for _ in 0..MAX_PACKETS {
        let more = packets.read(&mut packet)?;
        // Damage is counted when the chunk is encoded, not here.
        let _ = if more { codec.send_packet(&packet) } else { codec.send_eof() };
        let mut frame = Video::empty();
        while codec.receive_frame(&mut frame).is_ok() {
            votes.count(&frame);
        }
        if !more || votes.frames >= FRAMES {
            break;
        }
    }
    Ok(votes.winner())
}

#[derive(Default)]
struct Votes {
    frames: usize,
    interlaced: usize,
    top_first: usize,
}

impl Votes {
    fn count(&mut self, frame: &Video) {
        self.frames += 1;
        if frame.is_interlaced() {
            self.interlaced += 1;
            self.top_first += usize::from(frame.is_top_first());
        }
    }

    fn winner(&self) -> FieldOrder {
        match self.interlaced * 2 > self.frames {
            false => FieldOrder::Progressive,
            true if self.top_first * 2 >= self.interlaced => FieldOrder::TopFirst,
            true => FieldOrder::BottomFirst,
        }
    }
}
