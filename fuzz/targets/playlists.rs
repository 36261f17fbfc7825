//! Playlists from a store that anybody may have written to: no panic, and what is written of what
//! was read says the same when it is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vodmill_manifest::hls::{MediaPlaylist, MultivariantPlaylist};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = MediaPlaylist::read(bytes)
        && let Ok(text) = read.write()
    {
        let again = MediaPlaylist::read(text.as_bytes()).expect("what was written can be read");
        assert_eq!(again.write().expect("what was written can be written"), text);
    }
    if let Ok(read) = MultivariantPlaylist::read(bytes)
        && let Ok(text) = read.write()
    {
        let again = MultivariantPlaylist::read(text.as_bytes()).expect("written, so readable");
        assert_eq!(again.write().expect("what was written can be written"), text);
    }
});
