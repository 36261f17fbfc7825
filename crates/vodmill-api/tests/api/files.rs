use crate::client::{SEGMENT, demo};

#[test]
fn objects_of_a_generation_may_be_kept_for_ever_and_pointers_not() {
    let demo = demo(false);
    for (path, kind, immutable) in [
        ("/published/talk/g1/hls/low/000000.ts", "video/mp2t", true),
        ("/published/talk/g1/hls/low/index.m3u8", "application/vnd.apple.mpegurl", true),
        ("/published/talk/index.m3u8", "application/vnd.apple.mpegurl", false),
        ("/published/talk/asset.json", "application/json", false),
    ] {
        let answer = demo.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        let policy = answer.header("cache-control").expect("policy");
        assert_eq!(policy.contains("immutable"), immutable, "{path}: {policy}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
}

#[test]
fn parts_are_served() {
    let demo = demo(false);
    let path = "/published/talk/g1/hls/low/000000.ts";
    let part = demo.ask("GET", path, "range: bytes=4-7\r\n");
    assert_eq!((part.status, part.body.as_slice()), (206, &SEGMENT[4..8]));
    assert_eq!(part.header("content-range"), Some("bytes 4-7/16"));
    assert_eq!(part.header("content-type"), Some("video/mp2t"));
    let end = demo.ask("GET", path, "range: bytes=-4\r\n");
    assert_eq!((end.status, end.body.as_slice()), (206, &SEGMENT[12..]));
    assert_eq!(demo.ask("GET", path, "range: bytes=99-\r\n").status, 416);
    let head = demo.ask("HEAD", path, "");
    assert_eq!((head.status, head.header("content-length")), (200, Some("16")));
    assert!(head.body.is_empty());
}

#[test]
fn nothing_outside_hidden_or_linked_is_served() {
    let demo = demo(false);
    assert!(demo.home.path().join("secret").exists());
    for path in [
        "/published/../secret",
        "/published/%2e%2e/secret",
        "/published/talk/..%2f..%2fsecret",
        "/published//etc/passwd",
        "/published/%2fetc/passwd",
        "/published/talk/g1/.scratch",
        "/published/talk/link.ts",
        "/published/talk/g1",
        "/published/talk/g1/a%00b",
        "/published/talk/%ff",
        "/elsewhere/talk/asset.json",
    ] {
        let answer = demo.get(path);
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.text().contains("not for you"), "{path}");
    }
    for method in ["PUT", "POST", "DELETE"] {
        assert_eq!(demo.ask(method, "/published/talk/asset.json", "").status, 405, "{method}");
    }
}
