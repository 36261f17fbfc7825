use std::path::Path;

use crate::golden::{compare, vodmill};

fn help(command: &[&str]) -> String {
    let home = tempfile::tempdir().expect("scratch");
    let output = vodmill(home.path(), &[command, &["--help"]].concat());
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn help_of_all_commands_is_as_committed() {
    let commands: [&[&str]; 20] = [
        &[],
        &["probe"],
        &["plan"],
        &["run"],
        &["daemon"],
        &["worker"],
        &["check"],
        &["measure"],
        &["queue"],
        &["sync"],
        &["jobs"],
        &["keys"],
        &["keys", "export"],
        &["keys", "token"],
        &["presets"],
        &["sign"],
        &["cost"],
        &["gc"],
        &["restore"],
        &["lifecycle"],
    ];
    let mut all = String::new();
    for command in commands {
        all.push_str(&format!("$ vodmill {} --help\n{}\n", command.join(" "), help(command)));
    }
    compare("help.txt", &all);
}

#[test]
fn exit_codes_tell_usage_from_failure() {
    let home = tempfile::tempdir().expect("scratch");
    let code = |arguments: &[&str]| vodmill(home.path(), arguments).status.code();
    assert_eq!(code(&["presets"]), Some(0));
    assert_eq!(code(&["frobnicate"]), Some(2));
    assert_eq!(code(&["plan", "not-there.mp4"]), Some(2));
    assert_eq!(code(&["presets", "show", "not-there"]), Some(2));
    assert_eq!(code(&["--log", "loudly", "presets"]), Some(2));
    assert_eq!(code(&["--home", "not-there", "presets"]), Some(2));
}

#[test]
fn the_schemas_of_documents_are_those_that_are_published() {
    let home = tempfile::tempdir().expect("scratch");
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    for (document, file) in [
        ("asset", "asset-2.json"),
        ("receipt", "receipt-2.json"),
        ("measurement", "measurement-1.json"),
    ] {
        let printed = vodmill(home.path(), &["schema", document]);
        assert!(printed.status.success(), "{printed:?}");
        let published = std::fs::read_to_string(published.join(file)).expect("a schema");
        assert_eq!(String::from_utf8_lossy(&printed.stdout), published, "{document}");
    }
}

#[test]
fn nothing_is_made_by_looking() {
    let home = tempfile::tempdir().expect("scratch");
    for arguments in [&["presets"][..], &["jobs"], &["keys", "list"], &["pipelines", "--schema"]] {
        assert!(vodmill(home.path(), arguments).status.success(), "{arguments:?}");
    }
    assert_eq!(std::fs::read_dir(home.path()).expect("list").count(), 0);
}

#[test]
fn a_built_in_file_is_a_start_for_ones_own() {
    let home = tempfile::tempdir().expect("scratch");
    for (kind, name) in [("pipelines", "default"), ("presets", "hls"), ("presets", "phone")] {
        let shown = vodmill(home.path(), &[kind, "show", name]).stdout;
        let file = home.path().join(format!("{name}.toml"));
        std::fs::write(&file, shown).expect("write");
        let path = file.to_str().expect("path");
        assert!(vodmill(home.path(), &[kind, "validate", path]).status.success());
    }
}
