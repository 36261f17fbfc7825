//! BANDWIDTH and AVERAGE-BANDWIDTH from what is served (RFC 8216 §4.3.4.2, §4.1).
//!
//! Sizes are of the objects as served: encrypted, with padding and container.

use crate::time::{DurationOverflow, Seconds, Timeline};

/// One media segment as served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentSize {
    /// Bytes on the wire, after encryption.
    pub bytes: u64,
    /// Its EXTINF duration.
    pub duration: Seconds,
}

/// The measured bit rates of a media playlist, in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BitRates {
    /// Peak segment bit rate: goes into BANDWIDTH.
    pub peak: u64,
    /// Average segment bit rate: goes into AVERAGE-BANDWIDTH.
    pub average: u64,
}

/// Why bit rates could not be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BandwidthError {
    /// No segments, or segments that last no time at all.
    #[error("no segment with a duration")]
    NoMedia,
    /// The sizes or durations do not fit the arithmetic.
    #[error("sizes or durations out of range")]
    Overflow,
}

impl From<DurationOverflow> for BandwidthError {
    fn from(_: DurationOverflow) -> Self {
        Self::Overflow
    }
}

impl BitRates {
    /// Measures a playlist whose EXT-X-TARGETDURATION is `target` seconds.
    ///
    /// The peak is the largest rate of any contiguous run of segments that
    /// lasts between 0.5 and 1.5 target durations, both included; when no run
    /// does (a title shorter than half a segment), it is the rate of the
    /// whole. Fractions of a bit are rounded up.
    ///
    /// # Errors
    /// [`BandwidthError::NoMedia`] without segments or duration,
    /// [`BandwidthError::Overflow`] for absurd numbers.
    pub fn measure(segments: &[SegmentSize], target: u64) -> Result<Self, BandwidthError> {
        let line = Timeline::lay(segments.iter().map(|segment| segment.duration))?;
        let bits = cumulative_bits(segments);
        let last = segments.len();
        if line.ends[last] == 0 {
            return Err(BandwidthError::NoMedia);
        }
        let average = rate(bits[last], line.ends[last], line.scale)?;
        let peak = peak(&line, &bits, target)?.unwrap_or(average);
        Ok(Self { peak, average })
    }

    /// The rates of a variant stream that plays together with any one member
    /// of a group, of audio or subtitles: its own plus the largest of the group's.
    pub fn with_group(self, group: &[Self]) -> Self {
        let peak = group.iter().map(|rates| rates.peak).max().unwrap_or(0);
        let average = group.iter().map(|rates| rates.average).max().unwrap_or(0);
        Self { peak: self.peak.saturating_add(peak), average: self.average.saturating_add(average) }
    }
}

fn cumulative_bits(segments: &[SegmentSize]) -> Vec<u128> {
    let mut sum = 0_u128;
    let mut sums = vec![sum];
    for segment in segments {
        sum += u128::from(segment.bytes) * 8;
        sums.push(sum);
    }
    sums
}

fn peak(line: &Timeline, bits: &[u128], target: u64) -> Result<Option<u64>, BandwidthError> {
    let unit = line.scale.checked_mul(target.into()).ok_or(BandwidthError::Overflow)?;
    let mut best = None;
    for first in 0..bits.len() {
        for end in first + 1..bits.len() {
            let length = line.ends[end] - line.ends[first];
            let twice = length.checked_mul(2).ok_or(BandwidthError::Overflow)?;
            if twice > unit.saturating_mul(3) {
                break;
            }
            if length > 0 && twice >= unit {
                best = best.max(Some(rate(bits[end] - bits[first], length, line.scale)?));
            }
        }
    }
    Ok(best)
}

fn rate(bits: u128, length: u128, scale: u128) -> Result<u64, BandwidthError> {
    let scaled = bits.checked_mul(scale).ok_or(BandwidthError::Overflow)?;
    u64::try_from(scaled.div_ceil(length)).map_err(|_| BandwidthError::Overflow)
}
