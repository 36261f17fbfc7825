//! AV1: the sequence header, the configuration record, and the codec string (AV1 Codec ISO Media File
//! Format Binding 1.2, 2.3 and 5).

use super::CodecError;
use super::av1_sequence::read_sequence;
use super::avc::Colour;

/// obu_type of a sequence header (AV1 Bitstream and Decoding Process Specification, 6.2.2).
const SEQUENCE_HEADER: u8 = 1;

/// What a sequence header says of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Av1Sequence {
    /// seq_profile: 0 is Main.
    pub profile: u8,
    /// seq_level_idx of the first operating point.
    pub level: u8,
    /// seq_tier of the first operating point: whether it is High.
    pub high_tier: bool,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// Whether there is no chroma.
    pub monochrome: bool,
    /// Whether chroma has half the samples across, and down.
    pub subsampled: (bool, bool),
    /// chroma_sample_position; 0 is unknown.
    pub chroma_position: u8,
    /// How colours are coded; 2 stands for what is not said.
    pub colour: Colour,
    /// Largest width in pixels.
    pub width: u32,
    /// Largest height in pixels.
    pub height: u32,
}

impl Av1Sequence {
    /// `av01.P.LLT.DD`, and the rest of it where that is not what the short form stands for.
    pub fn codec(&self) -> String {
        let tier = if self.high_tier { 'H' } else { 'M' };
        let Av1Sequence { profile, level, bit_depth, .. } = *self;
        let short = format!("av01.{profile}.{level:02}{tier}.{bit_depth:02}");
        let Colour { full_range, primaries, transfer, matrix } = self.colour;
        let (across, down) = self.subsampled;
        let (mono, across, down) = (u8::from(self.monochrome), u8::from(across), u8::from(down));
        let position = if across + down == 2 { self.chroma_position } else { 0 };
        let rest = format!(
            "{mono}.{across}{down}{position}.{primaries:02}.{transfer:02}.{matrix:02}.{}",
            u8::from(full_range)
        );
        if rest == "0.110.01.01.01.0" { short } else { format!("{short}.{rest}") }
    }
}

/// Reads the first sequence header among open bitstream units.
///
/// # Errors
/// [`CodecError`].
pub fn av1_sequence(units: &[u8]) -> Result<Av1Sequence, CodecError> {
    let mut rest = units;
    while !rest.is_empty() {
        let (kind, payload) = take_unit(&mut rest)?;
        if kind == SEQUENCE_HEADER {
            return read_sequence(payload);
        }
    }
    Err(CodecError::NotFound("sequence header of AV1"))
}

/// Reads the sequence header in the content of an `av1C` box, which must say the same as the record
/// around it.
///
/// # Errors
/// [`CodecError`].
pub fn av1_sequence_from_av1c(record: &[u8]) -> Result<Av1Sequence, CodecError> {
    let (head, units) = record.split_first_chunk::<4>().ok_or(CodecError::Short)?;
    if head[0] != 0x81 {
        return Err(CodecError::Value("marker or version of av1C"));
    }
    let sequence = av1_sequence(units)?;
    if [head[1], head[2]] != record_of(&sequence) {
        return Err(CodecError::Value("av1C beside its sequence header"));
    }
    Ok(sequence)
}

/// The second and third byte of a record.
fn record_of(sequence: &Av1Sequence) -> [u8; 2] {
    let (across, down) = sequence.subsampled;
    let flags = u8::from(sequence.high_tier) << 7
        | u8::from(sequence.bit_depth > 8) << 6
        | u8::from(sequence.bit_depth == 12) << 5
        | u8::from(sequence.monochrome) << 4
        | u8::from(across) << 3
        | u8::from(down) << 2
        | sequence.chroma_position;
    [sequence.profile << 5 | sequence.level, flags]
}

/// Takes a unit with its size off the front (5.3): its type, and what is in it.
fn take_unit<'a>(rest: &mut &'a [u8]) -> Result<(u8, &'a [u8]), CodecError> {
    let header = take_byte(rest)?;
    let (kind, is_extended, has_size) = (header >> 3 & 0xf, header & 4 != 0, header & 2 != 0);
    if is_extended {
        take_byte(rest)?;
    }
    let size = if has_size { take_leb128(rest)? } else { rest.len() };
    let (payload, behind) = rest.split_at_checked(size).ok_or(CodecError::Short)?;
    *rest = behind;
    Ok((kind, payload))
}

fn take_byte(rest: &mut &[u8]) -> Result<u8, CodecError> {
    let (&byte, behind) = rest.split_first().ok_or(CodecError::Short)?;
    *rest = behind;
    Ok(byte)
}

/// leb128() (4.10.5): seven bits a byte, the lowest first, eight bytes at most.
fn take_leb128(rest: &mut &[u8]) -> Result<usize, CodecError> {
    let mut value = 0_u64;
    for shift in 0..8 {
        let byte = take_byte(rest)?;
        value |= u64::from(byte & 0x7f) << (7 * shift);
        if byte & 0x80 == 0 {
            return usize::try_from(value).map_err(|_| CodecError::Value("the size of a unit"));
        }
    }
    Err(CodecError::Value("the size of a unit"))
}
