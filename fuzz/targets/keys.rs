//! Key ids, vectors and key URIs as playlists, file names and requests have them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vodmill_keys::{Iv, KeyEncryptionKey, KeyUriTemplate, Kid};

fuzz_target!(|text: &str| {
    if let Some(kid) = Kid::from_hex(text) {
        assert_eq!(Kid::from_hex(&kid.to_string()), Some(kid));
    }
    if let Some(iv) = Iv::from_hex(text) {
        assert_eq!(Iv::from_hex(&iv.to_hex()), Some(iv));
    }
    if let Some(key) = KeyEncryptionKey::from_hex(text) {
        assert_eq!(KeyEncryptionKey::from_hex(&key.to_hex()).map(|it| it.id()), Some(key.id()));
    }
    let kid = Kid::from_hex("000102030405060708090a0b0c0d0e0f").expect("a kid");
    if let Ok(template) = KeyUriTemplate::parse(text) {
        let uri = template.uri(&kid, text, text);
        assert!(uri.contains(&kid.to_string()), "{uri}");
        assert!(!uri.contains(['"', '\n', '\r']), "{uri:?} would break a playlist");
        assert!(!template.file_name(&kid).contains('/'));
    }
});
