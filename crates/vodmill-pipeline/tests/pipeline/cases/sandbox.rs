//! What a child can reach: its assignment, and nothing else.

use std::fs;
use std::net::TcpListener;

use vodmill_model::MediaError;
use vodmill_model::pipeline::InputPolicy;
use vodmill_pipeline::{ChildCommand, Error, Limits, Sandbox, Settings};

use crate::home::{Bounds, Home};

/// What prying found at that level.
fn found(level: Sandbox) -> String {
    let home = Home::new();
    let folder = tempfile::tempdir().expect("a folder");
    let original = folder.path().join("original");
    fs::write(&original, "x").and(fs::write(folder.path().join("beside"), "x")).expect("files");
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
    assert_eq!(found(Sandbox::Required), "reads the original, uses threads");
}

#[test]
fn without_a_sandbox_it_reaches_more() {
    let all = found(Sandbox::Off);
    for what in ["reads a file beside it", "connects", "starts a program"] {
        assert!(all.contains(what), "{all}");
    }
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "this process has it");
    assert!(!all.contains("environment, "), "it is never handed on: {all}");
}
