//! Muxing, checked with FFmpeg's command-line tools as an independent reader.

mod audio;
mod make;
mod reader;
mod segments;
