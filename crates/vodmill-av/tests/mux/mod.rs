//! Muxing, checked with FFmpeg's command-line tools as an independent reader.

mod audio;
mod files;
mod inspect;
mod jpeg;
mod loudness;
mod make;
mod mp4;
mod parts;
pub mod reader;
pub mod segments;
mod subtitles;
