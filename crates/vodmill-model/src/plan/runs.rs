//! Which HLS segments are made together.

use super::{ChunkPlan, Plan};
use crate::transcode::Part;
use crate::units::{Frames, Ticks};

/// A run of segments that is made as one piece of work: those in the time of one chunk, or all of
/// them where there are no pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentRun<'a> {
    /// Its number from 0: the chunk's.
    pub index: u32,
    /// The chunk; none for sound alone.
    pub chunk: Option<&'a ChunkPlan>,
    /// Which part of the programme it is.
    pub part: Part,
    /// Ends of its segments from zero.
    pub ends: &'a [Ticks],
}

impl SegmentRun<'_> {
    /// Start and end of one of its segments, counted within the run.
    pub fn span(&self, index: usize) -> Option<(Ticks, Ticks)> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(self.part.start, |before| self.ends[before]);
        Some((start, end))
    }
}

impl Plan {
    /// The runs of HLS segments in order; together they hold every segment once. None without HLS.
    pub fn segment_runs(&self) -> Vec<SegmentRun<'_>> {
        match (self.hls(), &self.timeline.video) {
            (None, _) => Vec::new(),
            (Some(_), Some(grid)) if !self.chunks.is_empty() => {
                self.chunks.iter().map(|chunk| self.run_of(chunk, grid.segment_frames)).collect()
            }
            (Some(_), _) => {
                let ends = &self.timeline.segment_ends;
                vec![SegmentRun { index: 0, chunk: None, part: Part::WHOLE, ends }]
            }
        }
    }

    fn run_of<'a>(&'a self, chunk: &'a ChunkPlan, segment_frames: Frames) -> SegmentRun<'a> {
        let ends = &self.timeline.segment_ends;
        let number = |frame: Frames| {
            usize::try_from(frame.div_ceil(segment_frames.max(1)))
                .map_or(ends.len(), |number| number.min(ends.len()))
        };
        let (first, end) = (number(chunk.first_frame), number(chunk.first_frame + chunk.frames));
        let start = first.checked_sub(1).map_or(Ticks::ZERO, |before| ends[before]);
        let part = Part { first: first as u64, start, last: end == ends.len() };
        SegmentRun { index: chunk.index, chunk: Some(chunk), part, ends: &ends[first..end] }
    }
}
