//! The one box of ISO/IEC 14496-12 that libav leaves to its caller.

/// `styp`: a media segment, as DASH and CMAF name it.
pub(super) const SEGMENT_TYPE: [u8; 24] = *b"\x00\x00\x00\x18stypmsdh\x00\x00\x00\x00msdhcmfs";
