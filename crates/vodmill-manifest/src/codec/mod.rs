//! What a bitstream says of itself: RFC 6381 codec strings for CODECS, and
//! the facts of a sequence parameter set that a receipt is held against.

mod aac;
mod av1;
mod av1_sequence;
mod avc;
mod avc_vui;
mod bits;
mod hevc;
mod hevc_sps;
mod nal;
mod vp9;

pub use aac::{AudioConfig, audio_config};
pub use av1::{Av1Sequence, av1_sequence, av1_sequence_from_av1c};
pub use avc::{AvcSps, Colour, Timing, avc_sps, avc_sps_from_avcc};
pub use hevc::{hevc_codec_from_hvcc, hevc_codec_from_sps};
pub use hevc_sps::{HevcSps, hevc_sps, hevc_sps_from_hvcc};
pub use nal::{AvcNalType, nal_units};
pub use vp9::{Vp9Header, vp9_header};

/// Why a codec configuration was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bits end too early.
    #[error("the configuration is cut short")]
    Short,
    /// A value that the standard does not allow.
    #[error("{0} is out of range")]
    Value(&'static str),
    /// Not the kind of unit that was asked for.
    #[error("no {0} found")]
    NotFound(&'static str),
}
