use vodmill_regress::report;

use super::make::{changed, each, of};

/// A file that somebody called so, and a preset that became dearer.
fn hostile() -> vodmill_regress::Verdicts {
    changed(|now| {
        let name = "<script>alert(1)</script>|\"'&\u{1}.txt".to_owned();
        of(now, "cuts").objects.insert(name, 1);
        each(now, "mp4/tv.mp4", |tv| tv.bytes.pictures = 440_000);
    })
}

#[test]
fn junit_counts_and_escapes() {
    let xml = report::junit(&hostile());
    assert!(
        xml.contains(
            "<testsuite name=\"default\" tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"0\">"
        ),
        "{xml}"
    );
    assert!(xml.contains("&lt;script&gt;alert(1)&lt;/script&gt;|&quot;&#39;&amp;.txt"), "{xml}");
    assert!(
        xml.contains("<testcase classname=\"vodmill.regress.default\" name=\"hls\"/>"),
        "{xml}"
    );
    assert!(!xml.contains('\u{1}') && !xml.contains("<script"), "{xml}");
}

#[test]
fn markdown_is_a_table_whatever_things_are_called() {
    let text = report::markdown(&hostile());
    assert!(text.starts_with("### vodmill regress: red\n"), "{text}");
    assert!(
        text.contains(
            "| 🔴 | default | tv | mp4/tv.mp4: 10.0 % more bytes at equal quality, limit 2 %: red |"
        ),
        "{text}"
    );
    assert!(text.contains("\\<script\\>") && !text.contains("<script>"), "{text}");
    let numbers =
        text.lines().find(|line| line.starts_with("| default | mp4/tv.mp4")).expect("a row");
    assert_eq!(
        numbers,
        "| default | mp4/tv.mp4 | +10.0 % | +10.0 % | +0.00 | +0.00 to 92.0 (cuts) | +0.0000 |"
    );
}

#[test]
fn the_page_needs_nothing_else() {
    let page = report::html(&hostile());
    for outside in ["src=", "href=", "http:", "https:", "<script", "@import"] {
        assert!(!page.contains(outside), "{outside} in {page}");
    }
    assert!(page.contains("<section class=\"red\"><h2>default: tv</h2>"), "{page}");
    assert!(page.contains("motion: +10.0 %, VMAF +0.00 to 95.00"), "{page}");
}
