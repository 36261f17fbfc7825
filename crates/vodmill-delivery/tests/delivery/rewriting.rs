//! Rewriting: every URI is found, and nothing else is touched.

use proptest::prelude::*;
use vodmill_delivery::rewrite::{Becomes, Kind, RewriteError, Rules, rewrite};

const MULTIVARIANT: &str = include_str!("../golden/multivariant.m3u8");
const MEDIA: &str = include_str!("../golden/media.m3u8");

/// Every URI of a playlist, and that the rest stays.
fn found(playlist: &str) -> Vec<(Kind, String)> {
    let mut uris = Vec::new();
    let same = rewrite(playlist, &mut |kind, uri| {
        uris.push((kind, uri.to_owned()));
        Ok(None)
    });
    assert_eq!(same.expect("a playlist"), playlist);
    uris
}

fn rules() -> Rules {
    let base = "https://cdn.example/tv/talk/g0001/hls/360p/index.m3u8".parse().expect("a URL");
    Rules {
        media: Becomes::Under { base, query: "Policy=p&Signature=s&Key-Pair-Id=K".into() },
        playlists: Becomes::Query("token=t".into()),
        keys: Becomes::Query("token=t".into()),
    }
}

#[test]
fn all_uris_of_a_multivariant_playlist() {
    let uris = found(MULTIVARIANT);
    let of = |wanted: Kind| {
        let of_kind = uris.iter().filter(|(kind, _)| *kind == wanted);
        of_kind.map(|(_, uri)| uri.as_str()).collect::<Vec<_>>()
    };
    let playlists = ["g1/audio/de.m3u8", "g1/subtitles/en.m3u8", "g1/low/iframes.m3u8"];
    let variants = ["g1/low/index.m3u8", "g1/high/index.m3u8?v=2"];
    assert_eq!(of(Kind::Playlist), [&playlists[..], &variants].concat());
    assert_eq!(of(Kind::Key), ["https://keys.example/k/1", "skd://key-2"]);
    assert_eq!(of(Kind::Other), ["data.json", "/steering?session=1"]);
    assert_eq!(uris.len(), 9);
}

#[test]
fn all_uris_of_a_media_playlist() {
    let kinds: Vec<Kind> = found(MEDIA).into_iter().map(|(kind, _)| kind).collect();
    use Kind::{Key, Map, Other, Playlist, Segment};
    let wanted = [Map, Key, Segment, Segment, Other, Other, Segment, Key, Segment, Segment];
    assert_eq!(kinds, [&wanted[..], &[Segment, Playlist]].concat());
}

#[test]
fn a_playlist_for_a_viewer_reads_as_expected() {
    let rewritten = rules().apply(MEDIA).expect("rewritten");
    assert_eq!(rewritten, include_str!("../golden/media-for-viewer.m3u8"));
}

#[test]
fn uris_become_what_they_should() {
    let one = |kind: &str, uri: &str| {
        let text = match kind {
            "key" => format!("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"{uri}\"\n"),
            _ => format!("#EXTM3U\n{uri}\n"),
        };
        let out = rules().apply(&text).expect("rewritten");
        let last = out.lines().last().expect("a line").to_owned();
        last.trim_start_matches("#EXT-X-KEY:METHOD=AES-128,URI=\"").trim_end_matches('"').to_owned()
    };
    let signed = "Policy=p&Signature=s&Key-Pair-Id=K";
    for (uri, whole) in [
        ("0.ts", "https://cdn.example/tv/talk/g0001/hls/360p/0.ts?"),
        ("../a/0.ts?x=1", "https://cdn.example/tv/talk/g0001/hls/360p/../a/0.ts?x=1&"),
        ("/0.ts?", "https://cdn.example/0.ts?"),
        ("a:b/0.ts", "a:b/0.ts"),
        ("./a:b/0.ts", "https://cdn.example/tv/talk/g0001/hls/360p/./a:b/0.ts?"),
        ("https://cdn.example/0.ts", "https://cdn.example/0.ts?"),
        ("https://cdn.example.evil/0.ts", "https://cdn.example.evil/0.ts"),
        ("https://cdn.example:444/0.ts", "https://cdn.example:444/0.ts"),
        ("//evil/0.ts", "//evil/0.ts"),
    ] {
        let query = if whole.ends_with(['?', '&']) { signed } else { "" };
        assert_eq!(one("segment", uri), format!("{whole}{query}"), "{uri}");
    }
    let fragment = one("segment", "0.ts#t=1");
    assert_eq!(fragment, format!("https://cdn.example/tv/talk/g0001/hls/360p/0.ts?{signed}#t=1"));
    for (uri, wanted) in [
        ("https://keys.example/k/1", "https://keys.example/k/1?token=t"),
        ("HTTPS://keys.example/k/1?a=b", "HTTPS://keys.example/k/1?a=b&token=t"),
        ("../k/1", "../k/1?token=t"),
        ("skd://1", "skd://1"),
        ("data:text/plain,x", "data:text/plain,x"),
    ] {
        assert_eq!(one("key", uri), wanted);
    }
}

#[test]
fn what_cannot_be_rewritten_is_refused() {
    let fault = |text: &str| rules().apply(text).expect_err(text);
    assert_eq!(fault(""), RewriteError::NotAPlaylist);
    assert_eq!(fault("\u{feff}#EXTM3U\n"), RewriteError::NotAPlaylist);
    assert_eq!(fault("<html>"), RewriteError::NotAPlaylist);
    assert_eq!(fault("#EXTM3U\n#EXT-X-MAP:URI=\"open\n"), RewriteError::Attributes(2));
    assert_eq!(fault("#EXTM3U\n\n#EXT-X-MAP:URI=\"a\"b=\"c\"\n"), RewriteError::Attributes(3));
    assert_eq!(fault("#EXTM3U\n#EXT-X-MAP:junk,URI=\"a\"\n"), RewriteError::Attributes(2));
    assert_eq!(fault("#EXTM3U\n{$base}/0.ts\n"), RewriteError::Variable(2));
    let torn = rewrite("#EXTM3U\n0.ts", &mut |_, _| Ok(Some("a\nb".into())));
    assert!(matches!(torn, Err(RewriteError::Uri { line: 2, .. })));
}

/// A line of a playlist, with a mark in place of each URI, and the URIs.
fn line() -> impl Strategy<Value = (String, Vec<String>)> {
    let uri = "[a-z0-9./%?=&:@-]{1,20}";
    let quoted = "[^\"\r\n\u{1}]{0,20}";
    prop_oneof![
        "[a-zA-Z0-9 ,=\"]{0,20}".prop_map(|text| (format!("#EXTINF:6.0,{text}"), vec![])),
        Just((String::new(), vec![])),
        "#[ a-z=\",]{0,20}".prop_map(|text| (text, vec![])),
        uri.prop_map(|uri| ("\u{1}".to_owned(), vec![uri])),
        (quoted, uri).prop_map(|(text, uri)| {
            (
                format!("#EXT-X-KEY:METHOD=AES-128,KEYFORMAT=\"{text}\",URI=\"\u{1}\",IV=0x0"),
                vec![uri],
            )
        }),
        (uri, quoted).prop_map(|(uri, text)| {
            (format!("#EXT-X-MEDIA:URI=\"\u{1}\",NAME=\"{text}\",TYPE=AUDIO"), vec![uri])
        }),
        (quoted)
            .prop_map(|text| (format!("#EXT-X-STREAM-INF:NAME=\"{text}\",BANDWIDTH=1"), vec![])),
        Just(("#EXT-X-BYTERANGE:1@2".to_owned(), vec![])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_uri_is_found_and_nothing_else_is_touched(
        lines in prop::collection::vec((line(), prop_oneof![Just("\n"), Just("\r\n"), Just(" \n")]), 0..20)
    ) {
        let mut template = "#EXTM3U\n".to_owned();
        let mut uris = Vec::new();
        for ((text, of_line), end) in lines {
            template.push_str(&text);
            template.push_str(end);
            uris.extend(of_line);
        }
        let fill = |with: &mut dyn FnMut(&str) -> String| {
            let mut parts = template.split('\u{1}');
            let mut out = parts.next().unwrap_or_default().to_owned();
            for (part, uri) in parts.zip(&uris) {
                out.push_str(&with(uri));
                out.push_str(part);
            }
            out
        };
        let before = fill(&mut str::to_owned);
        let after = fill(&mut |uri| format!("<{uri}>"));
        let rewritten = rewrite(&before, &mut |_, uri| Ok(Some(format!("<{uri}>"))));
        prop_assert_eq!(rewritten.expect("a playlist"), after);
    }

    #[test]
    fn no_text_makes_it_panic_or_lose_a_byte(text in "(#EXTM3U\n)?(.|\n){0,200}") {
        if let Ok(same) = rewrite(&text, &mut |_, _| Ok(None)) {
            prop_assert_eq!(same, text);
        }
    }

    #[test]
    fn no_other_host_is_handed_a_signature(
        uris in prop::collection::vec(
            "(https?:/{1,3}|HTTPS://|//|/|\\\\|skd:|[a-z]:| )?(cdn\\.example|evil)?[@:./\\\\?#%a-c]{0,12}", 0..8
        )
    ) {
        let map = |uri: &String| format!("#EXT-X-MAP:URI=\"{uri}\"\n{uri}\n#EXT-X-KEY:URI=\"{uri}\"\n");
        let text = "#EXTM3U\n".to_owned() + &uris.iter().map(map).collect::<String>();
        let rewritten = rules().apply(&text).expect("a playlist");
        prop_assert_eq!(rewritten.lines().count(), text.lines().count());
        let after = found(&rewritten);
        prop_assert_eq!(after.len(), found(&text).len());
        for (kind, uri) in after {
            let signed = uri.contains("Signature=s");
            let ours = uri.strip_prefix("https://cdn.example");
            let ours = ours.is_some_and(|rest| rest.starts_with(['/', '?', '#']));
            prop_assert!(ours || !signed, "{:?} {}", kind, uri);
            prop_assert!(!(signed && uri.contains("token=")), "{:?} {}", kind, uri);
        }
    }
}
