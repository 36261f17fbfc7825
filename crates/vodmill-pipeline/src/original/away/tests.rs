use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use super::*;

/// An inbox with folders for what is put away.
struct Inbox(tempfile::TempDir);

impl Inbox {
    fn new() -> Inbox {
        Inbox(tempfile::tempdir().expect("scratch"))
    }

    fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Drops a file and puts it away; its name there.
    fn put(&self, name: &str, text: &str, note: Option<&str>) -> String {
        let path = self.at(name);
        fs::write(&path, text).expect("drop");
        let open = OpenOriginal::at(&path).expect("open");
        let folder = self.at(if note.is_some() { "rejected" } else { "done" });
        let place = put_away(&path, &open, &folder, note).expect("put away");
        assert!(!path.exists() && place.parent() == Some(&folder));
        place.file_name().and_then(OsStr::to_str).expect("a name").to_owned()
    }

    /// Every file of a folder, with its text.
    fn files(&self, folder: &str) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.at(folder)).expect("list").flatten();
        let read = |entry: fs::DirEntry| {
            let text = fs::read_to_string(entry.path()).expect("read");
            (entry.file_name().into_string().expect("UTF-8"), text)
        };
        entries.map(read).collect()
    }
}

/// A refused file may be called as the reason of another one, before it or after it.
#[test]
fn no_reason_replaces_an_original_and_no_original_a_reason() {
    for order in [["a.mp4", "a.mp4.reason.txt"], ["a.mp4.reason.txt", "a.mp4"]] {
        let inbox = Inbox::new();
        for name in order {
            inbox.put(name, &format!("original {name}"), Some(&format!("reason of {name}")));
        }
        let texts: Vec<_> = inbox.files("rejected").into_values().collect();
        assert_eq!(texts.len(), 4, "{texts:?}");
        for name in order {
            for text in [format!("original {name}"), format!("reason of {name}")] {
                assert!(texts.contains(&text), "{order:?}: {text} is lost");
            }
        }
    }
}

#[test]
fn names_of_any_length_leave_the_inbox_again_and_again() {
    for bytes in 240..=255 {
        let inbox = Inbox::new();
        let name = format!("{}.mp4", "n".repeat(bytes - 4));
        for version in ["1", "2", "3"] {
            inbox.put(&name, version, None);
            let there = inbox.put(&name, version, Some("a reason"));
            assert!(there.ends_with(".mp4"), "{there}");
        }
        assert_eq!(inbox.files("done").len(), 3);
        assert_eq!(inbox.files("rejected").len(), 6);
    }
}

#[test]
fn links_and_folders_of_that_name_are_not_replaced() {
    let inbox = Inbox::new();
    fs::create_dir_all(inbox.at("done/b.mp4")).expect("folder");
    symlink("/nowhere", inbox.at("done/a.mp4")).expect("link");
    assert_eq!(inbox.put("a.mp4", "one", None), "a.2.mp4");
    assert_eq!(inbox.put("b.mp4", "two", None), "b.2.mp4");
    symlink("/nowhere", inbox.at("done/c.mp4.reason.txt")).expect("link");
    assert!(fs::symlink_metadata(inbox.at("done/a.mp4")).is_ok_and(|there| there.is_symlink()));
}

#[test]
fn a_link_in_the_place_of_a_folder_within_is_refused() {
    let (inbox, elsewhere) = (Inbox::new(), Inbox::new());
    symlink(elsewhere.at(""), inbox.at("done")).expect("link");
    fs::write(inbox.at("evil.toml"), "ladder = \"mine\"").expect("drop");
    let open = OpenOriginal::at(&inbox.at("evil.toml")).expect("open");
    let refused = put_away(&inbox.at("evil.toml"), &open, &inbox.at("done"), None);
    assert!(refused.is_err_and(|failed| failed.cause.contains("link")));
    assert!(inbox.at("evil.toml").exists() && !elsewhere.at("evil.toml").exists());
}

#[test]
fn what_took_its_place_after_it_was_opened_stays_where_it_is() {
    let inbox = Inbox::new();
    fs::write(inbox.at("a.mp4"), "first").expect("drop");
    let open = OpenOriginal::at(&inbox.at("a.mp4")).expect("open");
    fs::rename(inbox.at("a.mp4"), inbox.at("elsewhere")).expect("rename");
    fs::write(inbox.at("a.mp4"), "other").expect("drop");
    assert!(put_away(&inbox.at("a.mp4"), &open, &inbox.at("done"), None).is_err());
    assert_eq!(fs::read(inbox.at("a.mp4")).expect("still there"), b"other");
    assert!(inbox.files("done").is_empty());
}

#[test]
fn what_grew_comes_back_beside_what_came_after_it() {
    let inbox = Inbox::new();
    inbox.put("a.ts", "half", None);
    fs::write(inbox.at("a.ts"), "another").expect("drop");
    let back = take_back(&inbox.at("done/a.ts"), &inbox.at("a.ts")).expect("take back");
    assert_eq!(back, inbox.at("a.2.ts"));
    assert_eq!(fs::read(inbox.at("a.ts")).expect("still there"), b"another");
}
