//! ARCHITECTURE.md says which crate sees which, and where each hard dependency is: no more and no
//! less is what cargo builds from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

type Names = BTreeSet<String>;

#[test]
fn crates_see_what_the_architecture_says() {
    let stated: BTreeMap<String, Names> = table("| crate | sees |");
    let mut built = dependencies();
    // It uses no crate of the product, and judges with libraries of its own choice.
    let tests = built.remove("vodmill-tests").expect("the crate of these tests");
    assert_eq!(ours(&tests), Names::new(), "vodmill-tests sees");
    let built: BTreeMap<String, Names> =
        built.into_iter().map(|(name, seen)| (name, ours(&seen))).collect();
    let crates = |table: &BTreeMap<String, Names>| table.keys().cloned().collect::<Names>();
    assert_eq!(crates(&stated), crates(&built), "crates of the table, and of the workspace");
    for (name, seen) in &built {
        assert_eq!(&stated[name], seen, "{name} sees by ARCHITECTURE.md, and by its Cargo.toml");
    }
}

#[test]
fn hard_dependencies_are_where_the_architecture_says() {
    let mut built = dependencies();
    built.remove("vodmill-tests");
    let stated = rows("| dependency | only in |");
    assert!(stated.len() > 5, "{stated:?}");
    for (dependencies, homes) in stated {
        let homes: Names = homes.iter().map(|name| full(name)).collect();
        for dependency in dependencies {
            let users = built.iter().filter(|(_, seen)| seen.contains(&dependency));
            let users: Names = users.map(|(name, _)| name.clone()).collect();
            assert_eq!(homes, users, "{dependency} is by ARCHITECTURE.md, and by Cargo.toml, in");
        }
    }
}

/// What each crate of a table may see, by full names.
fn table(head: &str) -> BTreeMap<String, Names> {
    let mut table = BTreeMap::new();
    for (crates, seen) in rows(head) {
        for name in crates {
            let seen: Names = seen.iter().map(|name| full(name)).collect();
            let twice = table.insert(full(&name), seen);
            assert_eq!(twice, None, "{name} stands twice in the table");
        }
    }
    table
}

/// The rows below a head: the names in backticks of the first column, and of the second.
fn rows(head: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    let text = fs::read_to_string(path).expect("ARCHITECTURE.md");
    let (_, below) = text.split_once(head).unwrap_or_else(|| panic!("no table {head}"));
    let lines = below.trim_start().lines().skip(1).take_while(|line| line.starts_with('|'));
    lines.map(row).collect()
}

fn row(line: &str) -> (Vec<String>, Vec<String>) {
    let mut cells = line.trim_matches('|').split('|').map(names);
    match (cells.next(), cells.next(), cells.next()) {
        (Some(left), Some(right), None) => (left, right),
        _ => panic!("not two columns: {line}"),
    }
}

/// The words in backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The table leaves out what all names begin with.
fn full(name: &str) -> String {
    if name.starts_with("vodmill") { name.to_owned() } else { format!("vodmill-{name}") }
}

fn ours(dependencies: &Names) -> Names {
    dependencies.iter().filter(|name| name.starts_with("vodmill")).cloned().collect()
}

/// What each crate of the workspace is built from; what only its tests use is not counted.
fn dependencies() -> BTreeMap<String, Names> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON of cargo");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|package| (name(package), built_from(package))).collect()
}

fn built_from(package: &Value) -> Names {
    let all = package["dependencies"].as_array().expect("dependencies").iter();
    all.filter(|dependency| dependency["kind"].as_str() != Some("dev")).map(name).collect()
}

fn name(of: &Value) -> String {
    of["name"].as_str().expect("a name").to_owned()
}
