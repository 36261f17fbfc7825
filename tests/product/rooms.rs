//! The rooms of the house: which crate may see which, and which crate has which hard dependency.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Each crate of the product and the crates of the product that it may see.
const MAY_SEE: &[(&str, &[&str])] = &[
    ("vodmill-model", &[]),
    ("vodmill-delivery", &[]),
    ("vodmill-clock", &[]),
    ("vodmill-fault", &[]),
    ("vodmill-http", &[]),
    ("vodmill-secret", &[]),
    ("vodmill-manifest", &[]),
    (
        "vodmill-keys",
        &["vodmill-aws", "vodmill-fault", "vodmill-http", "vodmill-queue", "vodmill-secret"],
    ),
    ("vodmill-aws", &[]),
    ("vodmill-store", &["vodmill-aws", "vodmill-fault", "vodmill-model"]),
    ("vodmill-queue", &["vodmill-clock", "vodmill-fault", "vodmill-model"]),
    ("vodmill-av", &["vodmill-model"]),
    (
        "vodmill-pipeline",
        &[
            "vodmill-clock",
            "vodmill-delivery",
            "vodmill-fault",
            "vodmill-keys",
            "vodmill-manifest",
            "vodmill-model",
            "vodmill-queue",
            "vodmill-secret",
            "vodmill-store",
        ],
    ),
    ("vodmill-notify", &["vodmill-aws", "vodmill-clock", "vodmill-http", "vodmill-queue"]),
    (
        "vodmill-api",
        &[
            "vodmill-clock",
            "vodmill-delivery",
            "vodmill-keys",
            "vodmill-model",
            "vodmill-pipeline",
            "vodmill-queue",
            "vodmill-secret",
            "vodmill-store",
        ],
    ),
    (
        "vodmill",
        &[
            "vodmill-api",
            "vodmill-av",
            "vodmill-clock",
            "vodmill-delivery",
            "vodmill-aws",
            "vodmill-fault",
            "vodmill-keys",
            "vodmill-model",
            "vodmill-notify",
            "vodmill-pipeline",
            "vodmill-queue",
            "vodmill-secret",
            "vodmill-store",
        ],
    ),
    ("vodmill-tests", &[]),
];

/// Each hard dependency and the one crate that has it.
const AT_HOME_IN: &[(&str, &str)] = &[
    ("ffmpeg-next", "vodmill-av"),
    ("rusqlite", "vodmill-queue"),
    ("aes", "vodmill-keys"),
    ("cbc", "vodmill-keys"),
    ("aes-gcm", "vodmill-keys"),
    ("axum", "vodmill-api"),
    ("rsa", "vodmill-delivery"),
    ("tokio-postgres", "vodmill-queue"),
    ("aws-config", "vodmill-aws"),
    ("aws-sdk-kms", "vodmill-keys"),
    ("aws-sdk-s3", "vodmill-store"),
    ("aws-sdk-sqs", "vodmill-store"),
    ("aws-sdk-sns", "vodmill-notify"),
    ("aws-sigv4", "vodmill-notify"),
];

#[test]
fn crates_see_only_what_they_may() {
    for package in packages() {
        let name = package["name"].as_str().expect("a name");
        let allowed = MAY_SEE.iter().find(|(room, _)| *room == name);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{name} has no place in the house"));
        for seen in dependencies(&package).into_iter().filter(|seen| seen.starts_with("vodmill")) {
            assert!(allowed.contains(&seen.as_str()), "{name} may not see {seen}");
        }
    }
}

#[test]
fn hard_dependencies_have_one_home() {
    for package in packages() {
        let name = package["name"].as_str().expect("a name");
        // The tests judge with ciphers of their own choice.
        if name == "vodmill-tests" {
            continue;
        }
        let seen = dependencies(&package);
        for (dependency, home) in AT_HOME_IN.iter().filter(|(_, home)| *home != name) {
            assert!(!seen.contains(*dependency), "{dependency} belongs in {home}, not in {name}");
        }
    }
}

fn packages() -> Vec<Value> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON of cargo");
    metadata["packages"].as_array().expect("packages").clone()
}

/// What the crate is built from; what only its tests use is not counted.
fn dependencies(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("dependencies").iter();
    let built_in = all.filter(|dependency| dependency["kind"].as_str() != Some("dev"));
    built_in.map(|dependency| dependency["name"].as_str().expect("a name").to_owned()).collect()
}
