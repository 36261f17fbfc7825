//! What containers say of cropping: boxes of MP4 and elements of Matroska.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = vodmill_av::cropping(bytes);
});
