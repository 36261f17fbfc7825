//! Muxing renditions: HLS segments in memory, and progressive MP4 files. No media is decoded here.

mod boxes;
mod clock;
mod counters;
mod mp4;
mod muxer;
mod segment_cuts;
mod segments;
mod stream_reader;
mod tables;

pub(crate) use mp4::write_mp4;
pub(crate) use segments::segment;
