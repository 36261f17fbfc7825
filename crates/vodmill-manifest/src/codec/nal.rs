//! NAL units of an Annex B byte stream (ITU-T H.264 and H.265, annex B).

/// nal_unit_type of H.264 (table 7-1), as far as a package needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AvcNalType {
    /// A slice of a picture that is no IDR picture (1 to 4).
    Slice,
    /// A slice of an IDR picture (5).
    Idr,
    /// Supplemental enhancement information (6).
    Sei,
    /// Sequence parameter set (7).
    Sps,
    /// Picture parameter set (8).
    Pps,
    /// Access unit delimiter (9).
    Delimiter,
    /// Any other.
    Other(u8),
}

impl AvcNalType {
    /// Of a NAL unit without its start code; `None` when it is empty.
    pub fn of(unit: &[u8]) -> Option<Self> {
        Some(match unit.first()? & 0x1f {
            1..=4 => Self::Slice,
            5 => Self::Idr,
            6 => Self::Sei,
            7 => Self::Sps,
            8 => Self::Pps,
            9 => Self::Delimiter,
            other => Self::Other(other),
        })
    }
}

/// The NAL units of an Annex B stream, without start codes and trailing zeros.
/// Bytes before the first start code are skipped.
pub fn nal_units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        let start = rest?;
        let end = find_start_code(start).unwrap_or(start.len());
        rest = after_start_code(&start[end..]);
        Some(trim_zeros(&start[..end]))
    })
    .filter(|unit| !unit.is_empty())
}

fn find_start_code(bytes: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|window| window == [0, 0, 1])
}

fn after_start_code(bytes: &[u8]) -> Option<&[u8]> {
    find_start_code(bytes).map(|at| &bytes[at + 3..])
}

/// A unit never ends in zero; zeros belong to the next start code.
fn trim_zeros(unit: &[u8]) -> &[u8] {
    let end = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &unit[..end]
}

/// The payload of a unit without emulation prevention bytes (§7.4.1), at most
/// `max` bytes of it: parameter sets are short.
pub(crate) fn unescape(unit: &[u8], max: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(unit.len().min(max));
    let mut zeros = 0;
    for byte in unit {
        if out.len() == max {
            break;
        }
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}
