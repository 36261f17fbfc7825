use std::time::Duration;

use vodmill_queue::{Completion, Error, JobOutcome, TaskState};

use crate::world::{MINUTE, World, ending, task};

fn claim_ended(world: &World, holder: &str) -> Option<String> {
    world.queue.claim_ended(holder, MINUTE).unwrap().map(|job| job.id)
}

pub fn handed_to_one(world: World) {
    for id in ["j", "k"] {
        world.enqueue(id, &[task("a", &[])]);
        assert_eq!(claim_ended(&world, "me"), None);
        world.queue.complete(&world.claim(), &ending()).unwrap();
        world.clock.advance(Duration::from_secs(1));
        let found = claim_ended(&world, "me");
        assert_eq!(found.as_deref(), Some(id));
    }
    assert_eq!(claim_ended(&world, "you"), None);
    world.queue.mark_cleaned("k").unwrap();
    world.clock.advance(MINUTE);
    assert_eq!(claim_ended(&world, "you").as_deref(), Some("j"), "the first settler is gone");
    assert_eq!(claim_ended(&world, "me"), None);
    world.queue.mark_cleaned("j").unwrap();
    world.clock.advance(MINUTE);
    assert_eq!(claim_ended(&world, "me"), None);
}

/// A holder that does not know yet may be writing.
pub fn not_before_its_holders_are_gone(world: World) {
    world.enqueue("j", &[task("a", &[]), task("b", &[]), task("c", &[])]);
    let (a, b, c) = (world.claim(), world.claim(), world.claim());
    world.queue.reject(&a, "why").unwrap();
    assert_eq!(claim_ended(&world, "me"), None);
    world.queue.release(&b).unwrap();
    world.queue.release(&b).unwrap();
    assert_eq!(world.task("j", "b").state, TaskState::Cancelled);
    assert_eq!(claim_ended(&world, "me"), None, "c is still held");
    assert!(world.queue.heartbeat(&c, MINUTE).is_err());
    world.clock.advance(MINUTE);
    assert_eq!(claim_ended(&world, "me").as_deref(), Some("j"));
}

/// A process that has the queue to itself need not wait for one that is gone.
pub fn let_go_with_all(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    world.queue.complete(&world.claim(), &ending()).unwrap();
    assert_eq!(claim_ended(&world, "gone").as_deref(), Some("j"));
    assert_eq!(claim_ended(&world, "me"), None);
    world.queue.release_all().unwrap();
    assert_eq!(claim_ended(&world, "me").as_deref(), Some("j"));
}

/// Its settler would remove what it stores now.
pub fn not_retried_while_it_is_settled(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    world.queue.cancel("j").unwrap();
    assert_eq!(claim_ended(&world, "me").as_deref(), Some("j"));
    for refused in [world.queue.restart("j"), world.queue.retry("j")] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, Error::BeingSettled { seconds: 1..=61, .. }), "{refused}");
    }
    world.queue.mark_cleaned("j").unwrap();
    world.queue.restart("j").unwrap();
}

/// Taken up again after its settler was gone, it is nobody's to settle, and to be settled anew when
/// it ends.
pub fn retried_when_its_settler_is_gone(world: World) {
    world.enqueue("j", &[task("a", &[])]);
    let reason = "why".into();
    let job = Some(JobOutcome::Failed { reason });
    world.queue.cancel("j").unwrap();
    assert_eq!(claim_ended(&world, "me").as_deref(), Some("j"));
    world.clock.advance(MINUTE);
    world.queue.restart("j").unwrap();
    assert_eq!(claim_ended(&world, "you"), None);
    assert!(world.queue.mark_cleaned("j").is_err());
    world.queue.complete(&world.claim(), &Completion { job, ..ending() }).unwrap();
    assert_eq!(claim_ended(&world, "you").as_deref(), Some("j"));
}
