//! What a child can reach: its assignment, and nothing else.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;

use vodmill_model::MediaError;
use vodmill_model::pipeline::InputPolicy;
use vodmill_pipeline::{ChildCommand, Error, Limits, Sandbox, Settings};

use crate::home::{Bounds, Home, wait_until};

/// What prying found at that level.
fn found(level: Sandbox) -> String {
    let home = Home::new();
    let folder = tempfile::tempdir().expect("a folder");
    let original = folder.path().join("original");
    for name in ["original", "beside", "spare", "key"] {
        fs::write(folder.path().join(name), "x").expect("a file");
    }
    let _socket = UnixListener::bind(folder.path().join("socket")).expect("a socket");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = format!("port={}", listener.local_addr().expect("an address").port());
    let settings = home.settings(Bounds::default());
    let settings = Settings {
        child: ChildCommand {
            arguments: ["prying_child", "--exact", "--ignored", &port].map(str::to_owned).into(),
            ..settings.child
        },
        limits: Limits { sandbox: level, ..settings.limits },
        ..settings
    };
    match vodmill_pipeline::probe(&settings, &original, &InputPolicy::default()) {
        Err(Error::Media(MediaError::Rejected(rejected))) => rejected.detail,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_child_reaches_its_original_and_nothing_else() {
    assert_eq!(found(Sandbox::Required), "reads the original, uses threads, ");
}

#[test]
fn without_a_sandbox_it_reaches_more() {
    let all = found(Sandbox::Off);
    for what in [
        "reads a file beside it",
        "connects",
        "connects to a socket in a folder",
        "starts a program",
        "opens a key to others",
        "dates the original",
        "sets its parent's limits",
        "outlives its parent",
        "has signals sent",
        "SYS_fsetxattr",
        "SYS_unshare",
        "SYS_clock_settime",
        "SYS_sethostname",
    ] {
        assert!(all.contains(&format!("{what}, ")), "{what}: {all}");
    }
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "this process has it");
    assert!(!all.contains("knows its parent's environment, "), "it is never handed on: {all}");
}

#[test]
fn what_a_child_has_started_ends_with_it() {
    let all = found(Sandbox::Off);
    let started = all.split(", ").find_map(|what| what.strip_prefix("starts process "));
    let started = started.expect("without a sandbox it starts one");
    // The kernel carries a SIGKILL out after the call that sends it.
    wait_until("the process ended", || has_ended(started));
}

/// Whether there is nothing of a process but what its new parent has not yet asked for.
fn has_ended(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
    matches!(state, None | Some("Z" | "X"))
}
