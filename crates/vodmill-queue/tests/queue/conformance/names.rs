use vodmill_queue::Error;

use crate::world::{World, task};

pub fn assets(world: World) {
    let claim = |wanted, owner| world.queue.claim_asset(wanted, owner, &[]).unwrap();
    assert_eq!(claim("film", "inbox/a.mov"), "film");
    assert_eq!(claim("film", "inbox/a.mov"), "film");
    let other = claim("film", "abc");
    // SHA-256 of "abc" begins with ba7816bf.
    assert_eq!(other, "film-ba7816");
    assert_eq!(claim("film", "abc"), other);
    assert_eq!(claim("film", "inbox/a.mov"), "film");
    assert_eq!(claim("as it is named today", "abc"), other, "an asset keeps its name");
    // SHA-256 of "def" begins with cb8379ac.
    assert_eq!(claim("song-cb8379", "squatter"), "song-cb8379");
    assert_eq!(claim("song", "first"), "song");
    assert_eq!(claim("song", "def"), "song-cb8379ac2098aa16");
    let renamed = |wanted, owner, before: &str| {
        world.queue.claim_asset(wanted, owner, &[before.to_owned()]).unwrap()
    };
    assert_eq!(renamed("film", "a.mov", "inbox/a.mov"), "film", "known by another name before");
    assert_eq!(renamed("film", "new abc", "abc"), other);
    assert_eq!(renamed("talk", "b.mov", "inbox/b.mov"), "talk");
    assert_eq!(claim("talk", "b.mov"), "talk", "the new name counts");
    assert_ne!(claim("talk", "inbox/b.mov"), "talk");
}

pub fn generations(world: World) {
    let next = |asset, job| world.queue.next_generation(asset, job).unwrap();
    assert_eq!(next("film", "j1"), 1);
    assert_eq!(next("film", "j2"), 2);
    assert_eq!(next("film", "j1"), 1);
    assert_eq!(next("song", "j2"), 1);
    assert_eq!(next("film", "j3"), 3);
}

pub fn job_asset(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    world.queue.set_job_asset("j", "film", "Film.mov").unwrap();
    let job = world.queue.job("j").unwrap();
    assert_eq!(job.asset.as_deref(), Some("film"));
    assert_eq!(job.source_name.as_deref(), Some("Film.mov"));
    let error = world.queue.set_job_asset("x", "film", "Film.mov").unwrap_err();
    assert!(matches!(error, Error::NoSuchJob { .. }));
}

pub fn settings(world: World) {
    assert_eq!(world.queue.setting("colour").unwrap(), None);
    world.queue.set_setting("colour", "red").unwrap();
    world.queue.set_setting("colour", "blue").unwrap();
    assert_eq!(world.queue.setting("colour").unwrap().as_deref(), Some("blue"));
    assert!(matches!(world.queue.set_setting("schema", "9"), Err(Error::Refused { .. })));
}

pub fn owner_is_named_once(world: World) {
    assert_eq!(world.queue.owner_name("one").unwrap(), "one");
    assert_eq!(world.another().owner_name("two").unwrap(), "one");
    // Where earlier builds kept it.
    assert_eq!(world.queue.secret("owner").unwrap().unwrap().value, "one");
}

pub fn adopted_places(world: World) {
    assert!(!world.queue.is_adopted("s3://a").unwrap());
    world.queue.adopt("s3://a").unwrap();
    world.queue.adopt("s3://a").unwrap();
    assert!(world.another().is_adopted("s3://a").unwrap());
    assert!(!world.queue.is_adopted("s3://b").unwrap());
}
