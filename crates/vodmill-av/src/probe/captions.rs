//! Captions that stand in the pictures' own data: CEA-608 and CEA-708, as ATSC A/53 part 4 carries
//! them in MPEG-2, H.264 and HEVC, and CEA-608 as DVDs do.

use ffmpeg_next::codec::Id;
use memchr::memmem;

/// User data of A/53: after the country code, provider and identifier of ITU-T T.35 in H.264 and
/// HEVC, after the start code of user data in MPEG-2.
const A53: [&[u8]; 2] = [b"\xb5\x00\x31GA94\x03", b"\x00\x00\x01\xb2GA94\x03"];
const DVD: &[u8] = b"\x00\x00\x01\xb2CC\x01\xf8";

/// Whether pictures of this codec have room for captions.
pub(super) fn may_be_in(codec: Id) -> bool {
    matches!(codec, Id::H264 | Id::HEVC | Id::MPEG2VIDEO | Id::MPEG1VIDEO)
}

/// Whether the packet holds captions that say something: most encoders send empty ones all along.
pub(super) fn are_in(packet: &[u8]) -> bool {
    A53.iter().any(|mark| after(packet, mark).any(a53_speaks)) || after(packet, DVD).any(dvd_speaks)
}

fn after<'a>(packet: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    memmem::find_iter(packet, mark).map(move |at| &packet[at + mark.len()..])
}

/// A/53 part 4, table 6.10: flags and a count, a byte without meaning, and three bytes for each pair.
fn a53_speaks(data: &[u8]) -> bool {
    const PROCESS: u8 = 0x40;
    const VALID: u8 = 0x04;
    let [flags, _, triplets @ ..] = data else { return false };
    flags & PROCESS != 0
        && triplets
            .chunks_exact(3)
            .take(usize::from(flags & 0x1f))
            .any(|triplet| triplet[0] & VALID != 0 && says_something(triplet))
}

fn dvd_speaks(data: &[u8]) -> bool {
    data.get(1..).is_some_and(|triplets| {
        triplets.chunks_exact(3).take_while(|triplet| triplet[0] & 0xfe == 0xfe).any(says_something)
    })
}

/// Pairs of zeros are padding; the eighth bit is parity.
fn says_something(triplet: &[u8]) -> bool {
    (triplet[1] | triplet[2]) & 0x7f != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h264(pairs: &[[u8; 3]]) -> Vec<u8> {
        let flags = 0x40 | u8::try_from(pairs.len()).unwrap_or(0);
        [&b"\0\0\0\x01\x06\x04\x20\xb5\0\x31GA94\x03"[..], &[flags, 0xff], &pairs.concat()].concat()
    }

    #[test]
    fn a_pair_that_is_valid_and_not_padding_is_a_caption() {
        assert!(are_in(&h264(&[[0xfc, 0x80, 0x80], [0xfc, 0x94, 0x2c]])));
        assert!(!are_in(&h264(&[[0xfc, 0x80, 0x80], [0xfd, 0x80, 0x80]])), "padding");
        assert!(!are_in(&h264(&[[0xf8, 0x94, 0x2c], [0xfa, 0, 0]])), "not valid");
        assert!(!are_in(b"GA94\x03\x41\xff\xfc\x94\x2c"), "no user data");
    }

    #[test]
    fn mpeg_2_has_them_after_a_start_code() {
        let a53 = b"\0\0\x01\xb2GA94\x03\x41\xff\xfc\x94\x2c\xff";
        assert!(are_in(a53));
        assert!(!are_in(&a53[..13]), "cut");
        assert!(are_in(b"\0\0\x01\xb2CC\x01\xf8\x82\xff\x80\x80\xfe\x94\x2c"));
        assert!(!are_in(b"\0\0\x01\xb2CC\x01\xf8\x82\xff\x80\x80\xfe\x80\x80\0\x94\x2c"));
    }
}
