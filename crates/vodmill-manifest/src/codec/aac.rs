//! AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) and its codec string.

use super::CodecError;
use super::bits::Bits;

/// The facts of an AudioSpecificConfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioConfig {
    /// Audio object type: 2 AAC-LC, 5 HE-AAC (SBR), 29 HE-AAC v2 (PS).
    /// Of explicit signalling the outer one is told.
    pub object_type: u8,
    /// Samples a second of the core decoder.
    pub sample_rate: u32,
    /// Channels; `None` when a program config element tells them.
    pub channels: Option<u8>,
}

impl AudioConfig {
    /// `mp4a.40.N` (RFC 6381 §3.3), N in decimal.
    pub fn codec(&self) -> String {
        format!("mp4a.40.{}", self.object_type)
    }
}

const RATES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

/// Reads an AudioSpecificConfig, as in `esds` or a codec's extradata.
///
/// # Errors
/// [`CodecError`].
pub fn audio_config(config: &[u8]) -> Result<AudioConfig, CodecError> {
    let mut bits = Bits::new(config);
    let mut object_type = bits.take(5)?;
    if object_type == 31 {
        object_type = 32 + bits.take(6)?;
    }
    if object_type == 0 {
        return Err(CodecError::Value("audioObjectType"));
    }
    let index = bits.take(4)?;
    let sample_rate = match index {
        15 => bits.take(24)?,
        index => *RATES.get(index as usize).ok_or(CodecError::Value("samplingFrequencyIndex"))?,
    };
    let channels = match bits.take(4)? {
        0 => None,
        count @ 1..=6 => Some(count as u8),
        7 | 12 | 14 => Some(8),
        11 => Some(7),
        13 => Some(24),
        _ => return Err(CodecError::Value("channelConfiguration")),
    };
    Ok(AudioConfig { object_type: object_type as u8, sample_rate, channels })
}
