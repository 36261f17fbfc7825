use std::path::PathBuf;

use vodmill_api::Folder;

use crate::client::demo;

#[test]
fn assets_are_listed_and_played() {
    let demo = demo(true);
    let list = demo.get("/");
    assert_eq!(list.status, 200);
    assert!(list.text().contains("<a href=\"/play/published/talk\">talk</a>"), "{}", list.text());
    let page = demo.get("/play/published/talk");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("data-base=\"/published/talk\""));
    assert!(page.text().contains("/hls.js"));
    assert_eq!(demo.get("/hls.js").text(), "window.Hls = 1");
    assert!(demo.get("/player.js").text().contains("canPlayType"));
    assert_eq!(demo.get("/play/published/nothing").status, 404);
}

#[test]
fn names_cannot_become_markup() {
    let demo = demo(false);
    let hostile = demo.home.path().join("published/a<b>\"&");
    std::fs::create_dir_all(&hostile).expect("folder");
    std::fs::write(hostile.join("asset.json"), "{}").expect("file");
    assert_eq!(demo.get("/play/published/a%3Cb%3E%22%26").status, 404, "no asset of that name");
    let list = demo.get("/").text();
    assert!(list.contains("/play/published/a%3Cb%3E%22%26\">a&lt;b&gt;&quot;&amp;<"), "{list}");
}

#[test]
fn without_a_copy_of_hls_js_none_is_asked_for() {
    let demo = demo(false);
    assert!(!demo.get("/play/published/talk").text().contains("hls.js"));
    assert_eq!(demo.get("/hls.js").status, 404);
}

#[test]
fn folders_get_names_of_their_own() {
    let names = |paths: &[&str]| -> Vec<String> {
        let folders = Folder::name_all(paths.iter().map(PathBuf::from));
        folders.into_iter().map(|folder| folder.name).collect()
    };
    assert_eq!(names(&["/a/published", "/a/published"]), ["published"]);
    assert_eq!(names(&["/a/out", "/b/out", "/c/k"]), ["out", "out-2", "k-2"]);
}
