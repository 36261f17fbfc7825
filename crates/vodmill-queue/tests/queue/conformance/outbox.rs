use std::collections::BTreeSet;
use std::time::Duration;

use vodmill_queue::{
    Completion, DeadLetters, Delivery, DeliveryPolicy, DeliveryState, EventKind, JobOutcome,
    NewJob, Retention, Subscription, Subscriptions,
};

use crate::world::{MINUTE, POLICY, World, ending, job, task};

const PAUSES: DeliveryPolicy = DeliveryPolicy {
    base_delay: Duration::from_secs(8),
    max_delay: Duration::from_secs(20),
    at_least: Duration::ZERO,
    give_up_after: Duration::from_secs(100),
};

const ALL: [EventKind; 5] = [
    EventKind::Progressing,
    EventKind::Published,
    EventKind::Rejected,
    EventKind::Failed,
    EventKind::Warning,
];

fn subscription(target: &str, kinds: &[EventKind]) -> Subscription {
    Subscription { pipeline: "films".into(), target: target.into(), kinds: kinds.to_vec() }
}

/// A world in which `site` is told of everything.
fn told(world: World) -> World {
    world.queue.subscribe(Subscriptions::new(vec![subscription("site", &ALL)]));
    world
}

fn claim(world: &World, target: &str) -> Option<Delivery> {
    world.queue.claim_delivery(target, MINUTE).unwrap()
}

/// Delivers all that is due: kind, job, task and detail of each.
fn heard(world: &World, target: &str) -> Vec<(EventKind, String, Option<String>, String)> {
    let next = || {
        let delivery = claim(world, target)?;
        assert!(world.queue.delivered(&delivery).unwrap());
        let event = delivery.event;
        Some((event.kind, event.job.unwrap_or_default(), event.task, event.detail))
    };
    std::iter::from_fn(next).collect()
}

pub fn told_of_what_happens(world: World) {
    let world = told(world);
    world.enqueue("j", &[task("a", &[])]);
    assert_eq!(heard(&world, "site"), [], "nothing has happened");
    let lease = world.claim();
    world.queue.set_job_asset("j", "film", "j.mov").unwrap();
    world
        .queue
        .complete(
            &lease,
            &Completion {
                warnings: vec!["careful".into()],
                then: vec![task("b", &[])],
                ..Completion::default()
            },
        )
        .unwrap();
    let result = Completion { result: "{\"g\":1}".into(), ..ending() };
    world.queue.complete(&world.claim(), &result).unwrap();
    let of = |kind, task: Option<&str>, detail: &str| {
        (kind, "j".to_owned(), task.map(str::to_owned), detail.to_owned())
    };
    let wanted = [
        of(EventKind::Progressing, None, ""),
        of(EventKind::Warning, Some("a"), "careful"),
        of(EventKind::Published, Some("b"), "{\"g\":1}"),
    ];
    assert_eq!(heard(&world, "site"), wanted);
    let all = world.queue.deliveries(Some(DeliveryState::Delivered), 9).unwrap();
    let ids: BTreeSet<_> = all.iter().map(|one| &one.event.id).collect();
    assert_eq!(ids.len(), 3, "each has an id of its own");
    let published = &all[0];
    assert_eq!(published.event.asset.as_deref(), Some("film"));
    assert_eq!(
        (published.event.name.as_str(), published.event.pipeline.as_str()),
        ("j.mov", "films")
    );
    assert_eq!((published.event.at, published.attempts), (1_000_000, 1));
    assert_eq!(published.ended_at, Some(1_000_000));
}

pub fn told_of_bad_ends(world: World) {
    let world = told(world);
    for id in ["rejected", "failed", "given-up", "lost", "cancelled"] {
        world.enqueue(id, &[task("a", &[])]);
        let lease = world.claim();
        match id {
            "rejected" => world.queue.reject(&lease, "bad").unwrap(),
            "failed" => {
                let job = Some(JobOutcome::Failed { reason: "worse".into() });
                world.queue.complete(&lease, &Completion { job, ..ending() }).unwrap();
            }
            "given-up" => {
                let once = vodmill_queue::RetryPolicy { max_attempts: 1, ..POLICY };
                world.queue.fail(&lease, "no use", "{}", &once).unwrap();
            }
            "lost" => {
                world.queue.set_setting(vodmill_queue::MAX_LOST_LEASES, "1").unwrap();
                world.clock.advance(2 * MINUTE);
                assert_eq!(world.queue.reap_expired().unwrap(), 1);
            }
            _ => drop(world.queue.cancel(id).unwrap()),
        }
    }
    let said = heard(&world, "site");
    let ends: Vec<_> = said.iter().filter(|one| one.0 != EventKind::Progressing).collect();
    let ends: Vec<_> = ends
        .iter()
        .map(|(kind, job, task, detail)| (*kind, job.as_str(), task.as_deref(), detail.as_str()))
        .collect();
    let wanted = [
        (EventKind::Rejected, "rejected", Some("a"), "bad"),
        (EventKind::Failed, "failed", Some("a"), "worse"),
        (EventKind::Failed, "given-up", Some("a"), "no use"),
        (EventKind::Failed, "lost", Some("a"), "lease expired 1 times"),
    ];
    assert_eq!(ends, wanted);
}

/// What is told twice, since the answer was lost, has happened once.
pub fn said_once(world: World) {
    let world = told(world);
    world.enqueue("j", &[task("a", &[])]);
    let lease = world.claim();
    for _ in 0..2 {
        world.queue.complete(&lease, &ending()).unwrap();
    }
    assert_eq!(heard(&world, "site").len(), 2);
    assert!(world.queue.reject(&lease, "late").is_err());
    assert_eq!(heard(&world, "site"), []);
}

/// A transaction that does not happen tells nothing.
pub fn nothing_of_what_did_not_happen(world: World) {
    let world = told(world);
    world.enqueue("j", &[task("a", &[])]);
    let lease = world.claim();
    assert_eq!(heard(&world, "site").len(), 1);
    let stranding = Completion { warnings: vec!["careful".into()], ..Completion::default() };
    assert!(world.queue.complete(&lease, &stranding).is_err());
    assert_eq!(heard(&world, "site"), []);
}

pub fn each_hears_what_it_wants(world: World) {
    let other = Subscription { pipeline: "shows".into(), ..subscription("shows", &ALL) };
    let subscriptions =
        vec![subscription("ends", &[EventKind::Published]), subscription("site", &ALL), other];
    world.queue.subscribe(Subscriptions::new(subscriptions));
    world.enqueue("j", &[task("a", &[])]);
    world.queue.complete(&world.claim(), &ending()).unwrap();
    let shows = NewJob { pipeline: "shows".into(), ..job("k") };
    world.queue.enqueue(&shows, &[task("a", &[])]).unwrap();
    world.claim();
    world.queue.announce("films", "dear").unwrap();
    let kinds = |target| heard(&world, target).into_iter().map(|one| one.0).collect::<Vec<_>>();
    assert_eq!(kinds("ends"), [EventKind::Published]);
    assert_eq!(kinds("site"), [EventKind::Progressing, EventKind::Published, EventKind::Warning]);
    assert_eq!(kinds("shows"), [EventKind::Progressing]);
    // Nobody is told any more: nothing is written.
    world.queue.subscribe(Subscriptions::default());
    world.queue.announce("films", "dearer").unwrap();
    assert_eq!(world.queue.deliveries(None, 99).unwrap().len(), 5);
}

pub fn claimed_by_one(world: World) {
    let world = told(world);
    world.enqueue("j", &[task("a", &[])]);
    world.claim();
    let first = claim(&world, "site").expect("an event");
    assert_eq!(claim(&world, "site"), None);
    world.clock.advance(MINUTE);
    let second = claim(&world, "site").expect("the first claimer is gone");
    assert_eq!((second.attempt, &second.event), (2, &first.event));
    assert!(!world.queue.delivered(&first).unwrap(), "too late");
    let state = world.queue.delivery_failed(&first, "late", None).unwrap();
    assert_eq!(state, DeliveryState::Waiting, "it is not the first one's any more");
    assert!(world.queue.delivered(&second).unwrap());
    world.clock.advance(MINUTE);
    assert_eq!(claim(&world, "site"), None);
}

pub fn retried_with_back_off_then_dead(world: World) {
    let world = told(world);
    world.enqueue("j", &[task("a", &[])]);
    world.claim();
    let mut attempts = 0;
    let (begun, mut pauses) = (std::time::Instant::now(), Vec::new());
    loop {
        assert!(begun.elapsed() < MINUTE, "it never ends");
        let mut waited = 0;
        let delivery = loop {
            match claim(&world, "site") {
                Some(delivery) => break delivery,
                None => world.clock.advance(Duration::from_secs(1)),
            }
            waited += 1;
        };
        pauses.push(waited);
        attempts += 1;
        assert_eq!(delivery.attempt, attempts);
        if world.queue.delivery_failed(&delivery, "500", Some(&PAUSES)).unwrap()
            == DeliveryState::Dead
        {
            break;
        }
    }
    // Half to all of 8, 16, 20, 20 ...
    let bounds = [0..=0, 4..=8, 8..=16, 10..=20, 10..=20];
    assert!(pauses.iter().zip(&bounds).all(|(pause, bound)| bound.contains(pause)), "{pauses:?}");
    assert!((7..=12).contains(&attempts), "{pauses:?}");
    let dead = world.queue.deliveries(Some(DeliveryState::Dead), 9).unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].error.as_deref(), dead[0].attempts), (Some("500"), attempts));
    world.clock.advance(10 * MINUTE);
    assert_eq!(claim(&world, "site"), None);
}

pub fn put_off_for_as_long_as_is_asked(world: World) {
    let world = told(world);
    world.enqueue("j", &[task("a", &[])]);
    world.claim();
    for (asked, waits) in [(15, 15), (3600, 20)] {
        let policy = DeliveryPolicy { at_least: Duration::from_secs(asked), ..PAUSES };
        let delivery = claim(&world, "site").unwrap();
        world.queue.delivery_failed(&delivery, "503", Some(&policy)).unwrap();
        world.clock.advance(Duration::from_secs(waits - 1));
        assert_eq!(claim(&world, "site"), None, "{asked} s were asked for");
        world.clock.advance(Duration::from_secs(1));
    }
    assert!(claim(&world, "site").is_some(), "no longer than the longest wait");
}

pub fn dead_letters_are_retried(world: World) {
    let subscriptions = vec![subscription("one", &ALL), subscription("two", &ALL)];
    world.queue.subscribe(Subscriptions::new(subscriptions));
    world.enqueue("j", &[task("a", &[])]);
    world.claim();
    for target in ["one", "two"] {
        let delivery = claim(&world, target).expect("an event");
        let state = world.queue.delivery_failed(&delivery, "410", None).unwrap();
        assert_eq!(state, DeliveryState::Dead);
    }
    world.clock.advance(10 * MINUTE);
    let dead = || world.queue.deliveries(Some(DeliveryState::Dead), 9).unwrap();
    let number = dead().iter().find(|one| one.target == "one").unwrap().id;
    assert_eq!(world.queue.retry_deliveries(DeadLetters::Of("three")).unwrap(), 0);
    assert_eq!(world.queue.retry_deliveries(DeadLetters::One(number)).unwrap(), 1);
    assert_eq!(world.queue.retry_deliveries(DeadLetters::One(number)).unwrap(), 0);
    let again = claim(&world, "one").expect("it is taken up again");
    assert_eq!(again.attempt, 1);
    let state = world.queue.delivery_failed(&again, "500", Some(&PAUSES)).unwrap();
    assert_eq!(state, DeliveryState::Waiting, "its time counts from the retry");
    assert_eq!(world.queue.retry_deliveries(DeadLetters::All).unwrap(), 1);
    assert_eq!(heard(&world, "two").len(), 1);
}

/// A target that fails keeps none of its other events back, and nobody else's.
pub fn failures_keep_nobody_waiting(world: World) {
    let subscriptions = vec![subscription("down", &ALL), subscription("up", &ALL)];
    world.queue.subscribe(Subscriptions::new(subscriptions));
    for id in ["j", "k"] {
        world.enqueue(id, &[task("a", &[])]);
        world.claim();
        world.clock.advance(Duration::from_secs(1));
    }
    let first = claim(&world, "down").expect("an event");
    world.queue.delivery_failed(&first, "500", Some(&PAUSES)).unwrap();
    let second = claim(&world, "down").expect("the other event");
    assert_eq!(second.event.job.as_deref(), Some("k"));
    assert_eq!(heard(&world, "up").len(), 2);
}

pub fn forgotten_in_time(world: World) {
    let world = told(world);
    for id in ["j", "k", "l"] {
        world.enqueue(id, &[task("a", &[])]);
        world.claim();
    }
    assert!(world.queue.delivered(&claim(&world, "site").unwrap()).unwrap());
    let dead = claim(&world, "site").unwrap();
    world.queue.delivery_failed(&dead, "410", None).unwrap();
    let keep = Retention { delivered: MINUTE, dead: 3 * MINUTE, unserved: 1000 * MINUTE };
    let forget = || world.queue.forget_deliveries(&keep).unwrap();
    assert_eq!(forget(), 0);
    world.clock.advance(MINUTE);
    assert_eq!(forget(), 1);
    world.clock.advance(2 * MINUTE);
    assert_eq!(forget(), 1);
    world.clock.advance(100 * MINUTE);
    assert_eq!(forget(), 0, "what waits is not forgotten");
    world.clock.advance(1000 * MINUTE);
    assert_eq!(forget(), 0);
    let left = world.queue.deliveries(None, 9).unwrap();
    assert_eq!((left.len(), left[0].state), (1, DeliveryState::Dead), "nobody came for it");
    assert_eq!(world.queue.retry_deliveries(DeadLetters::All).unwrap(), 1);
    assert_eq!(heard(&world, "site").len(), 1);
}
