//! Messages of a queue that anybody may send to.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &str| {
    if let Ok(events) = vodmill_store::events::parse(body) {
        assert!(events.len() <= body.len());
    }
});
