//! Muxing renditions: HLS segments in memory, and files for download. No media is decoded here.

mod boxes;
mod clock;
mod counters;
mod file;
mod mp3;
mod mp4;
mod muxer;
mod obu;
mod parameters;
mod segment_cuts;
mod segments;
mod stream_reader;
mod tables;
mod webm;

pub(crate) use file::write_file;
pub(crate) use parameters::describe;
pub(crate) use segments::segment;
