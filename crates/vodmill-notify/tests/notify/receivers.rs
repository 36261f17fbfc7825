use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use vodmill_clock::Clock;
use vodmill_notify::{Dispatcher, Distributions, Secrets, Target, signature};
use vodmill_queue::{DeadLetters, DeliveryInfo, DeliveryState, Outbox};
use vodmill_tests::services::{Authority, Mood, Receiver};

use crate::world::{SECRET, World, wait_until, webhook};

fn to(receiver: &Receiver) -> Dispatcher {
    Dispatcher::new(vec![webhook("site", receiver.url())], Distributions::default())
}

fn deliveries(world: &World, state: DeliveryState) -> Vec<DeliveryInfo> {
    world.queue.deliveries(Some(state), 1000).expect("a list")
}

#[test]
fn told_and_signed() {
    let (world, receiver) = (World::new(), Receiver::start(Mood::Status(200)));
    world.dispatched_by(&to(&receiver), || {
        world.publish("j", &[]);
        wait_until("both are told", || receiver.taken().len() == 2);
    });
    for (asked, _) in receiver.heard() {
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/hooks/video?team=7"));
        assert_eq!(asked.header("content-type"), "application/json");
        let time: i64 = asked.header("webhook-timestamp").parse().expect("a time");
        let now = std::time::UNIX_EPOCH.elapsed().expect("now").as_secs();
        assert!(now.abs_diff(time.unsigned_abs()) < 60, "the time of the attempt, for replays");
        let secrets = Secrets::parse(SECRET).expect("a secret");
        let wanted = signature(&secrets, asked.header("webhook-id"), time, &asked.body);
        assert_eq!(asked.header("webhook-signature"), wanted);
    }
    let published = &receiver.taken()[1];
    assert_eq!(published["event"], "published");
    assert_eq!(published["published"]["generation"], "g0001-j");
    assert_eq!(published["id"], receiver.heard()[1].0.header("webhook-id"));
}

/// A receiver that answers 500 for an hour loses nothing, and is not hammered.
#[test]
fn an_hour_of_500_loses_nothing() {
    let (world, receiver) = (World::new(), Receiver::start(Mood::Status(500)));
    let step = Duration::from_secs(20);
    world.dispatched_by(&to(&receiver), || {
        let mut minutes = 0;
        for number in 0..6 {
            // The job ends at once, whatever becomes of what is told.
            world.publish(&format!("j{number}"), &[]);
        }
        world.pass_time(step, "an hour passes", || {
            minutes += 1;
            minutes > 180
        });
        assert!(receiver.taken().is_empty());
        assert_eq!(deliveries(&world, DeliveryState::Waiting).len(), 12);
        receiver.set(Mood::Status(200));
        world.pass_time(step, "all is told", || receiver.taken().len() >= 12);
        wait_until("all is noted", || deliveries(&world, DeliveryState::Delivered).len() == 12);
    });
    let ids: BTreeSet<String> =
        receiver.taken().iter().map(|body| body["id"].to_string()).collect();
    assert_eq!((ids.len(), receiver.taken().len()), (12, 12), "each once");
    let mut tries: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (asked, _) in receiver.heard() {
        tries.entry(asked.header("webhook-id").to_owned()).or_default().push(asked.body);
    }
    for bodies in tries.values() {
        // 5, 10, 20 … 600 s, each cut to half at most.
        assert!((5..=30).contains(&bodies.len()), "{} attempts", bodies.len());
        assert!(bodies.windows(2).all(|two| two[0] == two[1]), "the same at every attempt");
    }
}

/// A receiver that says when to come again is left alone until then, but no longer than for the
/// longest pause.
#[test]
fn left_alone_for_as_long_as_it_asks() {
    for (asked, left_alone) in [(100, 100), (86_400, 600)] {
        let (world, receiver) = (World::new(), Receiver::start(Mood::Later(asked)));
        let begun = world.clock.now();
        world.dispatched_by(&to(&receiver), || {
            world.begin("j");
            let tried = |all: Vec<DeliveryInfo>| all.into_iter().find(|one| one.error.is_some());
            let mut one = None;
            wait_until("it was tried", || {
                one = tried(deliveries(&world, DeliveryState::Waiting));
                one.is_some()
            });
            let again = one.expect("a delivery").run_at;
            assert_eq!(again - begun, left_alone * 1000, "{asked} s were asked for");
            receiver.set(Mood::Status(200));
            world.pass_time(Duration::from_secs(60), "it is told", || receiver.taken().len() == 1);
        });
    }
}

/// What a receiver can do wrong, and what is noted of it.
#[test]
fn bad_receivers() {
    let elsewhere = Receiver::start(Mood::Status(200));
    let moods = [
        ("down", Mood::Status(503), "answered 503"),
        ("slow", Mood::Slow(Duration::from_secs(4)), "no answer within 2 s"),
        ("elsewhere", Mood::Elsewhere(elsewhere.url()), "answered 302"),
        ("hangs-up", Mood::HangsUp, "no answer: "),
        ("gone", Mood::Status(410), "answered 410"),
    ];
    let (world, up) = (World::new(), Receiver::start(Mood::Status(200)));
    // Its certificate is of an authority that nobody knows.
    let stranger = Receiver::secure(Mood::Status(200), &Authority::new());
    let bad = moods.map(|(name, mood, error)| (name, Receiver::start(mood), error));
    let mut targets = vec![webhook("up", up.url())];
    targets.extend(bad.iter().map(|(name, receiver, _)| webhook(name, receiver.url())));
    // A port that nobody listens at.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    targets.push(webhook("nobody", format!("http://{free}/")));
    targets.push(webhook("nameless", "http://receiver.invalid/".to_owned()));
    targets.push(webhook("stranger", stranger.url()));
    world.dispatched_by(&Dispatcher::new(targets, Distributions::default()), || {
        for number in 0..8 {
            world.begin(&format!("j{number}"));
        }
        wait_until("the good one hears", || up.taken().len() == 8);
        let all = world.queue.deliveries(None, 1000).expect("a list");
        let slow = all.iter().filter(|one| one.target == "films/slow" && one.error.is_some());
        assert!(slow.count() < 8, "it waited for the slow one");
        wait_until("all have tried", || {
            let all = world.queue.deliveries(None, 1000).expect("a list");
            let tried = |name: &str| {
                all.iter().any(|one| one.target == format!("films/{name}") && one.error.is_some())
            };
            let others = ["nobody", "nameless", "stranger"];
            bad.iter().map(|(name, ..)| name).chain(&others).all(|name| tried(name))
        });
    });
    let all = world.queue.deliveries(None, 1000).expect("a list");
    let unproved = ("stranger", stranger, "no answer: ");
    for (name, _, error) in bad.iter().chain([&unproved]) {
        let target = format!("films/{name}");
        let one = all.iter().find(|one| one.target == target && one.error.is_some());
        let one = one.expect("a failed delivery");
        let said = one.error.as_deref().unwrap_or_default();
        assert!(said.starts_with(error), "{name}: {said}");
        assert!(!said.contains("team=7"), "addresses may hold secrets: {said}");
        let dead = one.state == DeliveryState::Dead;
        assert_eq!(dead, *name == "gone", "{name}: nobody is the one thing that stays");
    }
    assert!(elsewhere.heard().is_empty(), "redirects are not followed");
    assert!(unproved.1.heard().is_empty(), "nothing is told to who is not proved");
}

#[test]
fn dead_letters_go_out_when_they_are_retried() {
    let (world, receiver) = (World::new(), Receiver::start(Mood::Status(500)));
    world.dispatched_by(&to(&receiver), || {
        world.begin("j");
        world.pass_time(Duration::from_secs(3600), "it is given up", || {
            deliveries(&world, DeliveryState::Dead).len() == 1
        });
        receiver.set(Mood::Status(200));
        let count = world.queue.retry_deliveries(DeadLetters::All).expect("a retry");
        assert_eq!(count, 1);
        wait_until("it is told", || receiver.taken().len() == 1);
    });
}

/// Whoever stops the process does not wait for a receiver that hangs.
#[test]
fn stopping_waits_for_nobody() {
    let (world, receiver) = (World::new(), Receiver::start(Mood::Slow(Duration::from_secs(50))));
    let target = Target { timeout: Duration::from_secs(60), ..webhook("site", receiver.url()) };
    let mut asked = Instant::now();
    world.dispatched_by(&Dispatcher::new(vec![target], Distributions::default()), || {
        world.begin("j");
        wait_until("it is claimed", || {
            let all = world.queue.deliveries(None, 9).expect("a list");
            all.iter().any(|one| one.attempts == 1)
        });
        asked = Instant::now();
    });
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert_eq!(deliveries(&world, DeliveryState::Waiting).len(), 1, "it goes out another time");
}
