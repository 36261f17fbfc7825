use std::time::Duration;

use vodmill_queue::{
    Batch, BatchLimits, BatchState, Completion, DeliveryPolicy, EventKind, MonthlyLimit, StalePath,
    Subscription, Subscriptions,
};

use crate::world::{MINUTE, World, ending, task};

const LIMITS: BatchLimits = BatchLimits { paths: 5, wildcards: 2 };

const COUNTED: MonthlyLimit<'_> = MonthlyLimit { month: "2026-11", limit: 3, warning: "dear" };

const PAUSES: DeliveryPolicy = DeliveryPolicy {
    base_delay: Duration::from_secs(8),
    max_delay: Duration::from_secs(20),
    at_least: Duration::ZERO,
    give_up_after: Duration::from_secs(100),
};

/// Publishes a job that makes these paths stale.
fn publish(world: &World, id: &str, paths: &[&str]) {
    world.enqueue(id, &[task("a", &[])]);
    let stale = paths
        .iter()
        .map(|path| StalePath { distribution: "E1".into(), path: (*path).into() })
        .collect();
    world.queue.complete(&world.claim(), &Completion { stale, ..ending() }).unwrap();
    world.clock.advance(Duration::from_secs(1));
}

fn claim(world: &World) -> Option<Batch> {
    world.queue.claim_batch("E1", &LIMITS, MINUTE).unwrap()
}

fn send(world: &World, batch: &Batch) {
    world.queue.batch_sent(batch, "I1", &COUNTED, Duration::from_secs(5)).unwrap();
}

fn complete(world: &World) -> Batch {
    world.clock.advance(Duration::from_secs(5));
    let batch = claim(world).expect("a batch to ask for");
    assert_eq!((batch.state, batch.remote.as_deref()), (BatchState::Sent, Some("I1")));
    world.queue.batch_completed(&batch).unwrap();
    batch
}

pub fn sent_then_completed(world: World) {
    assert_eq!(claim(&world), None);
    publish(&world, "j", &["/a/index.m3u8", "/a/asset.json"]);
    publish(&world, "k", &["/a/index.m3u8", "/b/index.m3u8"]);
    let again = StalePath { distribution: "E1".into(), path: "/b/index.m3u8".into() };
    world.queue.mark_stale("shows", &[again]).unwrap();
    assert_eq!(world.queue.stale_paths(9).unwrap().len(), 3, "a wish is one wish");
    assert_eq!(world.queue.claim_batch("E2", &LIMITS, MINUTE).unwrap(), None);
    let batch = claim(&world).expect("a batch");
    assert_eq!(batch.paths, ["/a/*", "/b/index.m3u8"]);
    assert_eq!(
        (batch.state, batch.attempts, batch.pipeline.as_str()),
        (BatchState::Open, 1, "films")
    );
    assert_eq!(world.queue.stale_paths(9).unwrap(), []);
    assert_eq!(claim(&world), None, "somebody sends it");
    send(&world, &batch);
    assert_eq!(claim(&world), None, "it is not yet to be asked for");
    let asked = complete(&world);
    assert_eq!(asked.reference, batch.reference);
    world.clock.advance(10 * MINUTE);
    assert_eq!(claim(&world), None);
    let all = world.queue.batches(9).unwrap();
    assert_eq!((all.len(), all[0].state), (1, BatchState::Completed));
    assert_eq!(world.queue.stale_counts(9).unwrap(), [("2026-11".to_owned(), 2)]);
}

/// Whoever sends it anew after a crash says the same, under the same name.
pub fn the_same_at_every_attempt(world: World) {
    publish(&world, "j", &["/a/index.m3u8"]);
    let first = claim(&world).unwrap();
    publish(&world, "k", &["/b/index.m3u8"]);
    world.clock.advance(MINUTE);
    let second = claim(&world).expect("the first sender is gone");
    assert_eq!((&second.reference, &second.paths), (&first.reference, &first.paths));
    assert_eq!(second.attempts, 2);
    send(&world, &first);
    assert_eq!(world.queue.stale_counts(9).unwrap(), [], "too late: its claim is over");
    send(&world, &second);
    send(&world, &second);
    assert_eq!(world.queue.stale_counts(9).unwrap()[0].1, 1, "counted once");
    assert_eq!(claim(&world).unwrap().paths, ["/b/index.m3u8"]);
}

pub fn never_more_than_the_limits(world: World) {
    let singles: Vec<String> = (0..7).map(|at| format!("/{at}/index.m3u8")).collect();
    publish(&world, "j", &singles.iter().map(String::as_str).collect::<Vec<_>>());
    let first = claim(&world).unwrap();
    assert_eq!(first.paths.len(), 5);
    send(&world, &first);
    assert_eq!(claim(&world), None, "no room for the other two");
    for asset in ["x", "y", "z"] {
        publish(&world, asset, &[&format!("/{asset}/index.m3u8"), &format!("/{asset}/asset.json")]);
    }
    let second = claim(&world).unwrap();
    assert_eq!(second.paths, ["/x/*", "/y/*"]);
    send(&world, &second);
    world.clock.advance(Duration::from_secs(5));
    let asked = claim(&world).unwrap();
    world.queue.batch_completed(&asked).unwrap();
    assert_eq!(asked.reference, first.reference);
    let asked = claim(&world).unwrap();
    world.queue.batch_failed(&asked, "in progress", Some(&PAUSES), "").unwrap();
    let third = claim(&world).unwrap();
    assert_eq!(third.paths, ["/5/index.m3u8", "/6/index.m3u8", "/z/asset.json", "/z/index.m3u8"]);
}

/// There is no use in making another while one is put off.
pub fn put_off_for_all(world: World) {
    publish(&world, "j", &["/a/index.m3u8"]);
    let batch = claim(&world).unwrap();
    let state = world.queue.batch_failed(&batch, "too many", Some(&PAUSES), "").unwrap();
    assert_eq!(state, BatchState::Open);
    publish(&world, "k", &["/b/index.m3u8"]);
    assert_eq!(claim(&world), None);
    world.clock.advance(Duration::from_secs(8));
    let again = claim(&world).expect("its pause is over");
    assert_eq!((again.reference, again.error.as_deref()), (batch.reference, Some("too many")));
}

pub fn somebody_is_warned(world: World) {
    let kinds = vec![EventKind::Warning];
    let subscription = Subscription { pipeline: "films".into(), target: "site".into(), kinds };
    world.queue.subscribe(Subscriptions::new(vec![subscription]));
    let warnings = || {
        let told = world.queue.deliveries(None, 9).unwrap();
        told.into_iter().map(|one| one.event.detail).collect::<Vec<_>>()
    };
    for (id, many) in [("j", 3), ("k", 1), ("l", 1)] {
        let paths: Vec<String> = (0..many).map(|at| format!("/{id}{at}/index.m3u8")).collect();
        publish(&world, id, &paths.iter().map(String::as_str).collect::<Vec<_>>());
        send(&world, &claim(&world).unwrap());
        complete(&world);
        assert_eq!(warnings().len(), usize::from(id != "j"), "at {id}");
    }
    publish(&world, "m", &["/m/index.m3u8"]);
    let batch = claim(&world).unwrap();
    world.clock.advance(Duration::from_secs(50));
    let failed = |batch: &Batch| world.queue.batch_failed(batch, "no", Some(&PAUSES), "given up");
    assert_eq!(failed(&batch).unwrap(), BatchState::Open);
    world.clock.advance(Duration::from_secs(55));
    assert_eq!(failed(&claim(&world).unwrap()).unwrap(), BatchState::Dead);
    assert_eq!(warnings(), ["given up", "dear"]);
    world.clock.advance(MINUTE);
    assert_eq!(world.queue.forget_batches(MINUTE).unwrap(), 4);
}
