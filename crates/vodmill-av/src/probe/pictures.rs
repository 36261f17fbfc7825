//! How many pictures a decoder should give for the packets of a track, as far as packets tell.

use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;

/// Which field a packet begins with, where it holds one field and not a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Field {
    /// A frame, or it cannot be told.
    #[default]
    None,
    Top,
    Bottom,
}

/// Counts pictures: packets, but for second fields and for pictures that are never shown.
#[derive(Debug, Default)]
pub(super) struct PictureCount {
    codec: Option<Id>,
    pictures: u64,
    before_first_key: u64,
    has_key: bool,
    /// The first field of a picture whose second one may follow.
    first_field: Field,
}

impl PictureCount {
    /// For a codec; nothing is counted for one whose packets may hold no picture, or several.
    pub(super) fn of(codec: Id) -> PictureCount {
        let told = matches!(
            codec,
            Id::H264
                | Id::HEVC
                | Id::MPEG1VIDEO
                | Id::MPEG2VIDEO
                | Id::AV1
                | Id::VP8
                | Id::VP9
                | Id::PRORES
                | Id::DNXHD
                | Id::DVVIDEO
                | Id::MJPEG
                | Id::FFV1
                | Id::HUFFYUV
                | Id::FFVHUFF
                | Id::UTVIDEO
                | Id::RAWVIDEO
                | Id::V210
                | Id::JPEG2000
        );
        PictureCount { codec: told.then_some(codec), ..PictureCount::default() }
    }

    /// Whether a packet may hold a single field, so that its header has to be read.
    pub(super) fn may_be_fields(&self) -> bool {
        self.codec == Some(Id::H264)
    }

    /// Takes a packet that is shown.
    pub(super) fn add(&mut self, packet: &Packet, field: Field) {
        let Some(codec) = self.codec else { return };
        let Some(data) = packet.data().filter(|data| !data.is_empty()) else { return };
        self.has_key |= packet.is_key();
        if is_hidden(codec, data) || self.is_second_field(field) {
            return;
        }
        self.pictures += 1;
        self.before_first_key += u64::from(!self.has_key);
    }

    /// Pictures, and those before the first key picture. Where none is marked as one, a decoder may
    /// still find its way in.
    pub(super) fn finish(self) -> (Option<u64>, u64) {
        let before = if self.has_key { self.before_first_key } else { 0 };
        (self.codec.map(|_| self.pictures), before)
    }

    /// Transport streams have a packet for each field. Files that have both in one packet repeat
    /// the same first field.
    fn is_second_field(&mut self, field: Field) -> bool {
        let second = matches!(
            (self.first_field, field),
            (Field::Top, Field::Bottom) | (Field::Bottom, Field::Top)
        );
        self.first_field = if second { Field::None } else { field };
        second
    }
}

/// Whether what a packet holds is for reference only.
fn is_hidden(codec: Id, data: &[u8]) -> bool {
    match (codec, data) {
        // RFC 6386, 9.1: show_frame is the fifth bit.
        (Id::VP8, [first, ..]) => first & 0x10 == 0,
        (Id::VP9, [first, .., last]) => !is_superframe(*last) && vp9_is_hidden(*first),
        _ => false,
    }
}

/// Several frames of VP9 in a packet, one of which is shown (annex B).
fn is_superframe(last: u8) -> bool {
    last & 0xe0 == 0xc0
}

/// The VP9 bitstream, 6.2: a marker of two bits, the profile's two and, where that is 3, one more;
/// then `show_existing_frame`, `frame_type`, `show_frame`.
fn vp9_is_hidden(first: u8) -> bool {
    let header = if first & 0x30 == 0x30 { first << 1 } else { first };
    header & 0x08 == 0 && header & 0x02 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(key: bool, first: u8) -> Packet {
        let mut packet = Packet::copy(&[first, 0, 0]);
        if key {
            packet.set_flags(ffmpeg_next::codec::packet::Flags::KEY);
        }
        packet
    }

    #[test]
    fn pictures_before_the_first_key_are_told_where_there_is_one() {
        let mut count = PictureCount::of(Id::HEVC);
        for key in [false, false, true, false] {
            count.add(&packet(key, 0), Field::None);
        }
        assert_eq!(count.finish(), (Some(4), 2));
        let mut count = PictureCount::of(Id::MPEG2VIDEO);
        for key in [false, false] {
            count.add(&packet(key, 0), Field::None);
        }
        assert_eq!(count.finish(), (Some(2), 0));
    }

    #[test]
    fn two_fields_are_a_picture() {
        let mut count = PictureCount::of(Id::H264);
        for field in [Field::Top, Field::Bottom, Field::None, Field::Top, Field::Bottom] {
            count.add(&packet(true, 0), field);
        }
        assert_eq!(count.finish(), (Some(3), 0), "a packet for each");
        let mut count = PictureCount::of(Id::H264);
        for field in [Field::Top, Field::Top] {
            count.add(&packet(true, 0), field);
        }
        assert_eq!(count.finish(), (Some(2), 0), "both in one packet");
    }

    #[test]
    fn what_is_never_shown_and_what_cannot_be_told_is_not_counted() {
        let mut count = PictureCount::of(Id::VP8);
        for first in [0x10, 0x00, 0x11] {
            count.add(&packet(true, first), Field::None);
        }
        assert_eq!(count.finish(), (Some(2), 0));
        let mut count = PictureCount::of(Id::VP9);
        for first in [0x82, 0x80, 0x88, 0xb0, 0xb5] {
            count.add(&packet(true, first), Field::None);
        }
        assert_eq!(count.finish(), (Some(3), 0), "shown, hidden, shown again, hidden, shown");
        let mut count = PictureCount::of(Id::MPEG4);
        count.add(&packet(true, 0), Field::None);
        assert_eq!(count.finish(), (None, 0));
    }
}
