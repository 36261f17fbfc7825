//! What one child may take: the plan's budget, never more than the settings allow.

use std::time::Duration;

use vodmill_model::plan::{Budget, ChunkPlan};
use vodmill_model::{AnalysisPlan, Plan};

use crate::settings::Limits;
use crate::worker::Needs;

/// How many times as long as expected the frames that are under way may take before the child counts
/// as stuck. What is expected is slow already.
const STILL: u64 = 4;

/// How many times as long as expected a chunk may take: a machine may have other things to do.
const PATIENCE: u64 = 20;

/// Milliseconds in which a slow machine decodes and scores a large picture.
const PICTURE_MS: u64 = 100;

/// Bytes of a raw picture of more pixels than are ever shown.
const RAW_PICTURE: u64 = 64 << 20;

/// Whatever it is, it may take as long.
const WHOLE: Duration = Duration::from_secs(1200);

/// Bytes that even a slow disk or store moves in a millisecond.
const BYTES_A_MS: u64 = 500;

/// Beside what the plan expects: records, indexes, what a page rounds up.
const FILE_SLACK: u64 = 16 << 20;

/// Memory of a child that neither decodes nor encodes pictures.
const LEAN: u64 = 192 << 20;

/// Bounds of one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Bytes of address space.
    pub memory: u64,
    /// Bytes of the largest file that it may write.
    pub file_size: u64,
    /// Longest time in which nothing is decoded and nothing comes out.
    pub still: Duration,
    /// Longest time in all.
    pub whole: Duration,
    /// What must be there before it begins.
    pub needs: Needs,
}

impl Bounds {
    /// Of reading `bytes` and writing nothing.
    pub(crate) fn of_reading(bytes: u64, limits: &Limits) -> Bounds {
        Bounds {
            memory: limits.memory,
            file_size: FILE_SLACK,
            still: limits.stall,
            whole: WHOLE + Duration::from_millis(bytes / BYTES_A_MS),
            needs: Needs { memory: LEAN.min(limits.memory), disk: 0 },
        }
    }

    /// Of trying samples of an original of so many bytes. Nothing is written.
    pub(crate) fn of_analysis(plan: &AnalysisPlan, bytes: u64, limits: &Limits) -> Bounds {
        let Budget { frame_ms, frames_in_flight, memory, .. } = plan.budget;
        let expected = |times: u64, frames: u64| {
            Duration::from_millis(times.saturating_mul(frame_ms).saturating_mul(frames))
        };
        let frames = plan.samples.iter().map(|sample| sample.frames).sum();
        let reading = Bounds::of_reading(bytes, limits);
        Bounds {
            still: limits.stall.max(expected(STILL, frames_in_flight)),
            whole: reading.whole + expected(PATIENCE, frames),
            needs: Needs { memory: memory.min(limits.memory), disk: 0 },
            ..reading
        }
    }

    /// Of decoding and comparing so many pictures out of `bytes`.
    pub(crate) fn of_measuring(bytes: u64, pictures: u64, limits: &Limits) -> Bounds {
        let reading = Bounds::of_reading(bytes, limits);
        let time = Duration::from_millis(pictures.saturating_mul(PICTURE_MS * PATIENCE));
        Bounds {
            // Raw pictures of the worst frames.
            file_size: RAW_PICTURE,
            whole: reading.whole + time,
            ..reading
        }
    }

    /// Of encoding a chunk.
    pub(crate) fn of_chunk(plan: &Plan, chunk: &ChunkPlan, limits: &Limits) -> Bounds {
        let Budget { frame_ms, frames_in_flight, memory, chunk_bytes, .. } = plan.budget;
        let expected = |times: u64, frames: u64| {
            Duration::from_millis(times.saturating_mul(frame_ms).saturating_mul(frames))
        };
        let reading = Bounds::of_reading(plan.original.bytes, limits);
        Bounds {
            file_size: limits.file_size.min(chunk_bytes + FILE_SLACK),
            still: limits.stall.max(expected(STILL, frames_in_flight)),
            // Some originals are read and decoded from their beginning.
            whole: reading.whole + expected(PATIENCE, chunk.first_frame / 4 + chunk.frames),
            needs: Needs { memory: memory.min(limits.memory), disk: chunk_bytes },
            ..reading
        }
    }

    /// Of encoding a track of sound.
    pub(crate) fn of_audio(plan: &Plan, limits: &Limits) -> Bounds {
        let bytes = plan.budget.audio_bytes;
        let programme = plan.timeline.duration.millis().max(0).unsigned_abs();
        let reading = Bounds::of_reading(plan.original.bytes, limits);
        Bounds {
            file_size: limits.file_size.min(bytes + FILE_SLACK),
            whole: reading.whole + Duration::from_millis(2 * programme),
            needs: Needs { disk: bytes, ..reading.needs },
            ..reading
        }
    }

    /// Of making a package, or a part of one, of renditions of so many bytes: as segments and as
    /// MP4, both at most a fifth larger than what is in them.
    pub(crate) fn of_package(plan: &Plan, bytes: u64, limits: &Limits) -> Bounds {
        let made = bytes + bytes / 5;
        let reading = Bounds::of_reading(plan.original.bytes + 4 * made, limits);
        Bounds {
            file_size: limits.file_size.min(made + FILE_SLACK),
            // Not everything that is moved tells how far it is.
            still: limits.stall + Duration::from_millis(made / BYTES_A_MS),
            needs: Needs { disk: 2 * made + FILE_SLACK, ..reading.needs },
            ..reading
        }
    }
}
