//! Muxing, checked with FFmpeg's command-line tools as an independent reader.

mod audio;
mod inspect;
mod jpeg;
mod make;
mod mp4;
mod parts;
mod reader;
mod segments;
mod subtitles;
