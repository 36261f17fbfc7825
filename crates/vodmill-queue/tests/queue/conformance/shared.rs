use std::time::Duration;

use vodmill_queue::{Kept, RenditionInfo, Secret};

use crate::world::{World, task};

fn rendition(digest: &str, place: &str, bytes: u64) -> RenditionInfo {
    let facts = format!("{{\"of\":\"{digest}\"}}");
    RenditionInfo { digest: digest.into(), place: place.into(), bytes, facts }
}

fn digests(renditions: &[RenditionInfo]) -> Vec<&str> {
    renditions.iter().map(|rendition| rendition.digest.as_str()).collect()
}

pub fn the_first_rendition_decides(world: World) {
    let (mine, yours) = (rendition("d", "a/1", 5), rendition("d", "b/2", 7));
    assert_eq!(world.queue.rendition("d").unwrap(), None);
    assert_eq!(world.queue.keep_rendition(&mine).unwrap(), mine);
    assert_eq!(world.queue.keep_rendition(&yours).unwrap(), mine);
    assert_eq!(world.queue.rendition("d").unwrap(), Some(mine.clone()));
    world.queue.forget_rendition("d", "b/2").unwrap();
    assert_eq!(world.queue.rendition("d").unwrap(), Some(mine));
    world.queue.forget_rendition("d", "a/1").unwrap();
    assert_eq!(world.queue.rendition("d").unwrap(), None);
}

pub fn renditions_are_found_by_place(world: World) {
    for (digest, place) in [("x", "a%/1"), ("y", "a/2"), ("z", "a%/3")] {
        world.queue.keep_rendition(&rendition(digest, place, 1)).unwrap();
    }
    let of = |prefix| world.queue.rendition_places(prefix).unwrap();
    assert_eq!(of("a%/"), ["a%/1", "a%/3"]);
    assert_eq!(of(""), ["a%/1", "a/2", "a%/3"]);
}

pub fn the_longest_unused_is_evicted(world: World) {
    for digest in ["a", "b", "c", "d"] {
        world.queue.keep_rendition(&rendition(digest, digest, 10)).unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    world.queue.rendition("a").unwrap();
    world.clock.advance(Duration::from_secs(1));
    let evict = |keep| {
        let told = world.another().evictable_renditions(keep).unwrap();
        let evicted = world.queue.evict_renditions(keep).unwrap();
        assert_eq!(told, evicted, "what was told before");
        evicted
    };
    assert!(evict(40).is_empty());
    assert_eq!(digests(&evict(39)), ["b"]);
    world.enqueue("j", &[task("a", &[])]);
    world.queue.rendition("c").unwrap();
    assert_eq!(digests(&evict(0)), ["d", "a"], "c is used by a job that goes on");
    world.queue.cancel("j").unwrap();
    assert_eq!(evict(0), [rendition("c", "c", 10)]);
    assert!(evict(0).is_empty());
}

pub fn the_first_secret_decides(world: World) {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let keep =
        |id, wanted: &[&str], value| world.queue.keep_secret(id, &names(wanted), value).unwrap();
    let stored = |value: &str| Kept::Stored(value.into());
    assert_eq!(keep("one", &["n2", "n1"], "v1"), stored("v1"));
    assert_eq!(keep("one", &["n3"], "v2"), stored("v1"));
    assert_eq!(keep("two", &["n4", "n1"], "v3"), Kept::NameTaken("n1".into()));
    assert_eq!(world.queue.secret("two").unwrap(), None);
    assert_eq!(keep("two", &["n4"], "v3"), stored("v3"));
    let one = Secret { id: "one".into(), names: names(&["n1", "n2"]), value: "v1".into() };
    let two = Secret { id: "two".into(), names: names(&["n4"]), value: "v3".into() };
    assert_eq!(world.queue.secret("one").unwrap(), Some(one.clone()));
    assert_eq!(world.queue.secret_by_name("n4").unwrap(), Some(two.clone()));
    assert_eq!(world.queue.secret_by_name("n3").unwrap(), None);
    assert_eq!(world.queue.secrets().unwrap(), [one, two]);
}

pub fn a_secret_is_replaced_by_comparison(world: World) {
    world.queue.keep_secret("one", &["n1".to_owned()], "v1").unwrap();
    let replace = |id, expected, value| world.queue.replace_secret(id, expected, value).unwrap();
    assert!(!replace("one", "v0", "v2"));
    assert!(!replace("none", "v1", "v2"));
    assert!(replace("one", "v1", "v2"));
    assert!(replace("one", "v1", "v2"), "an answer that was lost is given again");
    assert!(!replace("one", "v1", "v3"));
    let kept = Secret { id: "one".into(), names: vec!["n1".into()], value: "v2".into() };
    assert_eq!(world.queue.secret_by_name("n1").unwrap(), Some(kept));
    assert_eq!(world.queue.secret("none").unwrap(), None);
}

/// PostgreSQL cannot store a NUL, and a log may hold one.
pub fn odd_texts_are_kept(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    world.queue.progress(&world.claim(), "50 % ?1 $1 'ä' \u{1F3AC}").unwrap();
    let seen = world.task("j", "a");
    assert_eq!(seen.progress.as_deref(), Some("50 % ?1 $1 'ä' \u{1F3AC}"));
    world.queue.set_setting("odd", "a\0b").unwrap();
    let odd = world.queue.setting("odd").unwrap().unwrap();
    assert!(odd == "a\0b" || odd == "a\u{fffd}b", "{odd:?}");
}
