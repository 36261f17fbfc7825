use vodmill_model::MediaError;
use vodmill_model::transcode::ProbeOrder;

use super::*;
use crate::worker::Needs;

/// What becomes of a shell in a child's place; its assignment fits into no pipe.
fn end_of(script: &str, still: Duration) -> Failed {
    let command =
        ChildCommand { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] };
    let whole = Duration::from_secs(60);
    let bounds =
        Bounds { memory: 1 << 30, file_size: 1 << 20, still, whole, needs: Needs::default() };
    let runner = ChildRunner {
        command: &command,
        bounds: &bounds,
        sandbox: Sandbox::Off,
        scratch: None,
        original: None,
    };
    let original = "x".repeat(1 << 20).into();
    let assignment = Assignment::Probe(ProbeOrder { original, max_pixels: 1 });
    match runner.run::<Value>(&assignment, &mut |_| {}, &|| false) {
        Err(StageError::Media(MediaError::Failed(failed))) => failed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_child_that_dies_before_it_has_read_its_assignment_tells_why() {
    let patience = Duration::from_secs(60);
    let failed = end_of("echo libx265.so: no such library >&2; exit 127", patience);
    assert!(failed.cause.contains("exit status: 127"), "{failed}");
    assert!(failed.cause.contains("libx265.so: no such library"), "{failed}");
    let failed = end_of("exec <&-; kill -SEGV $$", patience);
    assert!(failed.cause.contains("signal: 11"), "{failed}");
}

#[test]
fn a_child_that_never_reads_its_assignment_is_noticed() {
    let failed = end_of("echo waits for a disk >&2; sleep 60", Duration::from_millis(200));
    assert!(failed.cause.contains("no progress in the media"), "{failed}");
    assert!(failed.cause.contains("waits for a disk"), "{failed}");
}

#[test]
fn what_a_crashed_child_leaves_behind_holds_nobody() {
    let begun = Instant::now();
    let failed = end_of("sleep 60 & echo crashed >&2; kill -ABRT $$", Duration::from_secs(50));
    assert!(failed.cause.contains("crashed"), "{failed}");
    assert!(begun.elapsed() < Duration::from_secs(30), "it waited for another's pipe");
}
