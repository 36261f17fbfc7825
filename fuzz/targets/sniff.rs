//! The first look at what somebody dropped into an inbox.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = vodmill_av::look(bytes);
});
