//! VP9: the header of a key frame, and the codec string (VP Codec ISO Media File Format Binding 1.0).

use super::CodecError;
use super::bits::Bits;

/// What a key frame says of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vp9Header {
    /// Profile, 0 to 3.
    pub profile: u8,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Luma samples in a second, luma samples of a picture, its longest side, and ten times the level
/// (VP9 Levels and Decoder Testing, table 1).
const LEVELS: [(u64, u64, u32, u8); 14] = [
    (829_440, 36_864, 512, 10),
    (2_764_800, 73_728, 768, 11),
    (4_608_000, 122_880, 960, 20),
    (9_216_000, 245_760, 1_344, 21),
    (20_736_000, 552_960, 2_048, 30),
    (36_864_000, 983_040, 2_752, 31),
    (83_558_400, 2_228_224, 4_160, 40),
    (160_432_128, 2_228_224, 4_160, 41),
    (311_951_360, 8_912_896, 8_384, 50),
    (588_251_136, 8_912_896, 8_384, 51),
    (1_176_502_272, 8_912_896, 8_384, 52),
    (1_176_502_272, 35_651_584, 16_832, 60),
    (2_353_004_544, 35_651_584, 16_832, 61),
    (4_706_009_088, 35_651_584, 16_832, 62),
];

impl Vp9Header {
    /// `vp09.PP.LL.DD`: profile, level and bit depth, at so many thousandths of a picture a second.
    ///
    /// # Errors
    /// If no level is high enough.
    pub fn codec(&self, millihertz: u64) -> Result<String, CodecError> {
        let picture = u64::from(self.width) * u64::from(self.height);
        let rate = picture.saturating_mul(millihertz) / 1000;
        let side = self.width.max(self.height);
        let holds =
            |level: &&(u64, u64, u32, u8)| rate <= level.0 && picture <= level.1 && side <= level.2;
        let level = LEVELS.iter().find(holds).ok_or(CodecError::Value("the rate of VP9"))?;
        Ok(format!("vp09.{:02}.{:02}.{:02}", self.profile, level.3, self.bit_depth))
    }
}

/// Reads the uncompressed header of a key frame (VP9 Bitstream Specification, 6.2).
///
/// # Errors
/// [`CodecError`].
pub fn vp9_header(frame: &[u8]) -> Result<Vp9Header, CodecError> {
    let mut bits = Bits::new(frame);
    if bits.take(2)? != 2 {
        return Err(CodecError::NotFound("frame of VP9"));
    }
    let profile = u8::from(bits.bit()?) | u8::from(bits.bit()?) << 1;
    if profile == 3 && bits.bit()? {
        return Err(CodecError::Value("profile"));
    }
    let (shown_again, is_inter) = (bits.bit()?, bits.bit()?);
    if shown_again || is_inter {
        return Err(CodecError::NotFound("key frame of VP9"));
    }
    bits.take(2)?;
    if bits.take(24)? != 0x49_8342 {
        return Err(CodecError::Value("frame_sync_code"));
    }
    let bit_depth = match profile {
        0 | 1 => 8,
        _ if bits.bit()? => 12,
        _ => 10,
    };
    skip_colour(&mut bits, profile)?;
    let (width, height) = (bits.take(16)? + 1, bits.take(16)? + 1);
    Ok(Vp9Header { profile, bit_depth, width, height })
}

/// `color_config`, behind the bit depth.
fn skip_colour(bits: &mut Bits<'_>, profile: u8) -> Result<(), CodecError> {
    const SRGB: u32 = 7;
    let has_subsampling = profile == 1 || profile == 3;
    if bits.take(3)? == SRGB {
        return bits.take(u32::from(has_subsampling)).map(|_| ());
    }
    bits.take(if has_subsampling { 4 } else { 1 }).map(|_| ())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The first key frame that libvpx 1.12 makes of 1280x720.
    const FRAME: [u8; 10] = [0x82, 0x49, 0x83, 0x42, 0x40, 0x4f, 0xf0, 0x2c, 0xf6, 0x08];

    #[test]
    fn a_key_frame_says_what_it_is() {
        let header = vp9_header(&FRAME).unwrap();
        assert_eq!(header, Vp9Header { profile: 0, bit_depth: 8, width: 1280, height: 720 });
        for (millihertz, level) in [(10_000, "31"), (25_000, "31"), (60_000, "40")] {
            assert_eq!(header.codec(millihertz).unwrap(), format!("vp09.00.{level}.08"));
        }
        let full = Vp9Header { width: 1920, height: 1080, ..header };
        assert_eq!(full.codec(30_000).unwrap(), "vp09.00.40.08");
        assert_eq!(full.codec(60_000).unwrap(), "vp09.00.41.08");
        let long = Vp9Header { width: 4096, height: 16, ..header };
        assert_eq!(long.codec(25_000).unwrap(), "vp09.00.40.08");
        assert!(full.codec(u64::MAX).is_err());
    }

    #[test]
    fn what_is_no_key_frame_is_an_error() {
        assert!(vp9_header(&[0x86, 0x49, 0x83, 0x42, 0x40, 0x4f, 0xf0, 0x2c]).is_err());
        assert!(vp9_header(&[0x42; 10]).is_err());
        assert!((0..9).all(|length| vp9_header(&FRAME[..length]).is_err()));
    }
}
