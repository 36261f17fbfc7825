//! What only frames tell, by decoding a few: whether they hold two fields, and what they were graded
//! on.

use std::path::Path;

use ffmpeg_next::Packet;
use ffmpeg_next::frame::Video;
use ffmpeg_next::frame::side_data::Type;
use vodmill_model::media::{
    ClockJump, ContentLight, FieldOrder, Hdr10, MasteringDisplay, VideoTrack,
};
use vodmill_model::outcome::MediaError;

use crate::encode::open_decoder;
use crate::source::PacketFinder;
use crate::{error, hdr10};

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

/// What the first frames told.
pub(super) struct Found {
    /// The order of fields that most of them are marked with.
    pub field_order: FieldOrder,
    /// What the first one that says it says of high dynamic range.
    pub hdr10: Hdr10,
}

impl Found {
    const NOTHING: Found =
        Found { field_order: FieldOrder::Progressive, hdr10: Hdr10 { display: None, light: None } };
}

/// Looks at the first frames; nothing is found where no decoder opens. An original that cannot be read is an error: it would be planned otherwise than before.
pub(super) fn look(
    path: &Path,
    track: &VideoTrack,
    jumps: &[ClockJump],
    max_pixels: u64,
) -> Result<Found, MediaError> {
    let Some(&from) = track.seek_points.first() else { return Ok(Found::NOTHING) };
    let mut packets = PacketFinder::open(path, track.index, from, jumps, max_pixels)?;
    let stage = |cause| error::libav("decode", path.display(), cause);
    let parameters = packets
        .source()
        .input()
        .stream(track.index as usize)
        .ok_or_else(|| stage(ffmpeg_next::Error::StreamNotFound))?
        .parameters();
    let Ok(mut codec) = open_decoder(parameters, track.time_base, max_pixels) else {
        return Ok(Found::NOTHING);
    };
    let mut hdr10 = Hdr10::default();
    let mut votes = Votes::default();
    let mut packet = Packet::empty();
    for _ in 0..MAX_PACKETS {
        let more = packets.read(&mut packet)?;
        // Damage is counted when the chunk is encoded, not here.
        let _ = if more { codec.send_packet(&packet) } else { codec.send_eof() };
        let mut frame = Video::empty();
        while codec.receive_frame(&mut frame).is_ok() {
            votes.count(&frame);
            hdr10 = Hdr10 {
                display: hdr10.display.or_else(|| display(&frame)),
                light: hdr10.light.or_else(|| light(&frame)),
            };
        }
        if !more || votes.frames >= FRAMES {
            break;
        }
    }
    Ok(Found { field_order: votes.winner(), hdr10 })
}

fn display(frame: &Video) -> Option<MasteringDisplay> {
    hdr10::display(frame.side_data(Type::MasteringDisplayMetadata)?.data())
}

fn light(frame: &Video) -> Option<ContentLight> {
    hdr10::light(frame.side_data(Type::ContentLightLevel)?.data())
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
