//! What the tests of the built product share: inputs, readers that know nothing of libav or of
//! vodmill's own writers, the rules of a package, and the product as a program to run.

pub mod cases;
pub mod conformance;
pub mod document;
pub mod m3u8;
pub mod media;
pub mod mp3;
pub mod mp4;
pub mod nal;
pub mod product;
pub mod services;
pub mod sps;
mod sps_av1;
mod sps_hevc;
pub mod tools;
pub mod transcript;
pub mod ts;
pub mod webm;
