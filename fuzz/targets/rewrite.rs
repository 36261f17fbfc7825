//! Playlists rewritten for a viewer: nothing is lost, and no other host is handed a signature.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vodmill_delivery::rewrite::{Becomes, Rules, rewrite};

const ORIGIN: &str = "https://cdn.example";
const SIGNATURE: &str = "Policy=p&Signature=sssssssss";
const TOKEN: &str = "token=ttttttttt";

fuzz_target!(|text: &str| {
    let Ok(same) = rewrite(text, &mut |_, _| Ok(None)) else { return };
    assert_eq!(same, text, "what is not changed stays");
    if text.contains(SIGNATURE) || text.contains(TOKEN) {
        return;
    }
    let rules = Rules {
        media: Becomes::Under {
            base: format!("{ORIGIN}/tv/talk/g1/hls/low/index.m3u8").parse().expect("a URL"),
            query: SIGNATURE.to_owned(),
        },
        playlists: Becomes::Query(TOKEN.to_owned()),
        keys: Becomes::Query(TOKEN.to_owned()),
    };
    let Ok(rewritten) = rules.apply(text) else { return };
    assert_eq!(rewritten.lines().count(), text.lines().count(), "{rewritten:?}");
    let mut found = 0;
    rewrite(&rewritten, &mut |_, uri| {
        if uri.contains(SIGNATURE) {
            let rest = uri.strip_prefix(ORIGIN).expect("no other host is handed a signature");
            assert!(rest.starts_with(['/', '?', '#']), "{uri}");
            assert!(!uri.contains(TOKEN), "the CDN is handed no token: {uri}");
        }
        found += 1;
        Ok(None)
    })
    .expect("what was written can be read");
    let mut before = 0;
    let _ = rewrite(text, &mut |_, _| {
        before += 1;
        Ok(None)
    });
    assert_eq!(found, before, "as many URIs as before");
});
