use std::time::Duration;

use tempfile::NamedTempFile;
use vodmill_aws::Access;
use vodmill_clock::Clock;
use vodmill_notify::{Dispatcher, Distributions};
use vodmill_queue::{BatchState, DeliveryState, Invalidations, Outbox};
use vodmill_tests::services::{Cdn, Mood, Receiver};

use crate::world::{World, wait_until, webhook};

const STEP: Duration = Duration::from_secs(5);

/// A file of credentials: tests share one environment.
fn credentials(cdn: &Cdn) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a file");
    let [(_, id), (_, secret)] = cdn.account();
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    std::fs::write(file.path(), text).expect("credentials");
    file
}

fn distributions(cdn: &Cdn, credentials: &NamedTempFile, alarm: u64) -> Distributions {
    let access = Access {
        endpoint: Some(cdn.endpoint()),
        credentials_file: Some(credentials.path().to_owned()),
        ..Access::default()
    };
    Distributions { ids: vec!["E1".to_owned()], access, alarm }
}

fn states(world: &World) -> Vec<BatchState> {
    world.queue.batches(1000).expect("a list").iter().map(|batch| batch.state).collect()
}

#[test]
fn sent_asked_for_and_completed() {
    let (world, cdn) = (World::new(), Cdn::start("E1"));
    let credentials = credentials(&cdn);
    let dispatcher = Dispatcher::new(vec![], distributions(&cdn, &credentials, 1000));
    world.dispatched_by(&dispatcher, || {
        world.publish("a", &["/a/index.m3u8", "/a/asset.json"]);
        wait_until("it is sent", || states(&world) == [BatchState::Sent]);
        assert_eq!(cdn.batches()[0].paths, ["/a/*"], "refused: {:?}", cdn.refusals());
        cdn.complete_all();
        world.pass_time(STEP, "it is completed", || states(&world) == [BatchState::Completed]);
    });
    assert_eq!(world.queue.stale_counts(9).expect("counts")[0].1, 1);
    assert_eq!(cdn.refusals(), Vec::<String>::new());
}

/// The answer is lost, again and again: it is one invalidation all the same, and counted once.
#[test]
fn lost_answers_are_asked_for_again() {
    let (world, cdn) = (World::new(), Cdn::start("E1"));
    let credentials = credentials(&cdn);
    let dispatcher = Dispatcher::new(vec![], distributions(&cdn, &credentials, 1000));
    cdn.forget_answers(true);
    world.dispatched_by(&dispatcher, || {
        world.publish("a", &["/a/index.m3u8"]);
        world.pass_time(STEP, "it was tried thrice", || {
            world.queue.batches(9).expect("a list").first().is_some_and(|it| it.attempts >= 3)
        });
        cdn.forget_answers(false);
        world.pass_time(STEP, "it is sent", || states(&world) == [BatchState::Sent]);
    });
    assert_eq!(cdn.batches().len(), 1);
    assert_eq!(world.queue.stale_counts(9).expect("counts")[0].1, 1);
}

/// More than may be in progress: all of it gets through, a batch after the other, and nothing that we
/// know of is refused.
#[test]
fn within_the_limits() {
    let (world, cdn) = (World::new(), Cdn::start("E1"));
    let credentials = credentials(&cdn);
    let dispatcher = Dispatcher::new(vec![], distributions(&cdn, &credentials, 10_000));
    let singles: Vec<String> = (0..3100).map(|at| format!("/s{at}/index.m3u8")).collect();
    let pairs: Vec<String> = (0..20)
        .flat_map(|at| [format!("/p{at}/index.m3u8"), format!("/p{at}/asset.json")])
        .collect();
    let all: Vec<&str> = singles.iter().chain(&pairs).map(String::as_str).collect();
    world.publish("big", &all);
    let dropped = |path: &str| {
        let folder = &path[..=path.rfind('/').unwrap_or(0)];
        let hit = |one: &String| one == path || *one == format!("{folder}*");
        cdn.batches().iter().any(|batch| batch.paths.iter().any(hit))
    };
    world.dispatched_by(&dispatcher, || {
        wait_until("the first is sent", || !cdn.batches().is_empty());
        let first = cdn.batches()[0].paths.clone();
        let wild = first.iter().filter(|path| path.ends_with('*')).count();
        assert_eq!((first.len() - wild, wild), (3000, 15));
        wait_until("it is noted", || states(&world) == [BatchState::Sent]);
        cdn.complete_all();
        world.pass_time(STEP, "all is sent", || {
            cdn.complete_all();
            world.queue.stale_paths(1).expect("a list").is_empty() && cdn.batches().len() == 2
        });
    });
    assert!(all.iter().all(|path| dropped(path)));
    assert_eq!(cdn.refusals(), Vec::<String>::new());
}

/// Others use the distribution too: what it refuses is tried again until there is room.
#[test]
fn others_are_waited_for() {
    let (world, cdn) = (World::new(), Cdn::start("E1"));
    let credentials = credentials(&cdn);
    let dispatcher = Dispatcher::new(vec![], distributions(&cdn, &credentials, 1000));
    cdn.occupy(&(0..15).map(|at| format!("/x{at}/*")).collect::<Vec<_>>());
    world.dispatched_by(&dispatcher, || {
        world.publish("a", &["/a/index.m3u8", "/a/asset.json"]);
        world.pass_time(STEP, "it is refused twice", || cdn.refusals().len() >= 2);
        let waiting = world.queue.batches(9).expect("a list");
        let error = waiting[0].error.clone().unwrap_or_default();
        assert!(error.starts_with("TooManyInvalidationsInProgress: It is"), "{error}");
        cdn.complete_all();
        world.pass_time(STEP, "it is sent", || states(&world) == [BatchState::Sent]);
    });
    assert!(cdn.refusals().iter().all(|code| code == "TooManyInvalidationsInProgress"));
}

/// What CloudFront says when it has enough of somebody, and when it is away: it is asked again, for
/// sending as for looking, and it is one invalidation all the same.
#[test]
fn throttled_and_away() {
    for refusal in [(400, "Throttling"), (503, "ServiceUnavailable"), (500, "InternalFailure")] {
        let (world, cdn) = (World::new(), Cdn::start("E1"));
        let credentials = credentials(&cdn);
        let dispatcher = Dispatcher::new(vec![], distributions(&cdn, &credentials, 1000));
        let refused = |count: usize| {
            let sent = cdn.refusals().len();
            cdn.refuse(Some(refusal));
            world.pass_time(STEP, "it is refused", || cdn.refusals().len() >= sent + count);
            let batches = world.queue.batches(9).expect("a list");
            let error = batches[0].error.clone().unwrap_or_default();
            assert!(error.starts_with(&format!("{}: It is", refusal.1)), "{error}");
            cdn.refuse(None);
        };
        cdn.refuse(Some(refusal));
        world.dispatched_by(&dispatcher, || {
            world.publish("a", &["/a/index.m3u8", "/a/asset.json"]);
            refused(2);
            world.pass_time(STEP, "it is sent", || states(&world) == [BatchState::Sent]);
            refused(2);
            cdn.complete_all();
            world.pass_time(STEP, "it is done", || states(&world) == [BatchState::Completed]);
        });
        assert_eq!(cdn.batches().len(), 1);
    }
}

/// An invalidation that never completes is given up after a day, and somebody hears of it.
#[test]
fn given_up_in_the_end() {
    let (world, cdn) = (World::new(), Cdn::start("E1"));
    let (credentials, receiver) = (credentials(&cdn), Receiver::start(Mood::Status(200)));
    let all = distributions(&cdn, &credentials, 1000);
    world.dispatched_by(&Dispatcher::new(vec![webhook("site", receiver.url())], all), || {
        world.publish("a", &["/a/index.m3u8"]);
        wait_until("it is sent", || states(&world) == [BatchState::Sent]);
        let begun = world.clock.now();
        world.pass_time(Duration::from_secs(600), "it is given up", || {
            let warned = |body: &serde_json::Value| {
                body["warning"]["code"] == "invalidation_given_up"
                    && body["warning"]["detail"].to_string().contains("in progress")
            };
            receiver.taken().iter().any(warned)
        });
        assert!(world.clock.now() - begun >= 86_400_000, "not before a day is over");
    });
    assert_eq!(states(&world), [BatchState::Dead]);
}

/// Somebody hears of a month that costs money, and of what was given up.
#[test]
fn warned_of_cost_and_of_giving_up() {
    let (world, cdn) = (World::new(), Cdn::start("E1"));
    let (credentials, receiver) = (credentials(&cdn), Receiver::start(Mood::Status(200)));
    let mut all = distributions(&cdn, &credentials, 1);
    let target = webhook("site", receiver.url());
    let codes = || {
        let taken = receiver.taken();
        let warnings = taken.iter().filter(|body| body["event"] == "warning");
        warnings.map(|body| body["warning"]["code"].to_string()).collect::<Vec<_>>()
    };
    world.dispatched_by(&Dispatcher::new(vec![target.clone()], all.clone()), || {
        world.publish("a", &["/a/index.m3u8", "/b/index.m3u8"]);
        wait_until("a warning", || codes() == ["\"many_invalidations\""]);
    });
    // A distribution that is not there.
    all.ids = vec!["E1".to_owned(), "E2".to_owned()];
    let gone = Cdn::start("E3");
    all.access.endpoint = Some(gone.endpoint());
    world.dispatched_by(&Dispatcher::new(vec![target], all), || {
        world.publish("c", &["/c/index.m3u8"]);
        world.pass_time(Duration::from_secs(600), "it is given up", || codes().len() >= 3);
    });
    let rest = codes().split_off(1);
    assert!(rest.iter().all(|code| code == "\"invalidation_given_up\""), "{rest:?}");
    assert!(gone.refusals().iter().all(|code| code == "NoSuchDistribution"));
    let dead = world.queue.deliveries(Some(DeliveryState::Dead), 9).expect("a list");
    assert!(dead.is_empty(), "{dead:?}");
}
