//! Plans of real-life originals against committed text. `BLESS=1 cargo test -p vodmill-model`
//! writes the text anew; read the difference before committing it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue, fixture, fixture_names, manifest_path, plan_of};

#[test]
fn plans_are_as_committed() {
    let mut wrong = Vec::new();
    for name in fixture_names() {
        let text = match plan_of(&fixture(&name), &catalogue(), "default") {
            Ok(plan) => serde_json::to_string_pretty(&plan).unwrap(),
            Err(rejected) => serde_json::to_string_pretty(&rejected).unwrap(),
        } + "\n";
        let path = manifest_path(&format!("tests/golden/{name}.json"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != text {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "plans differ, look with BLESS=1 and git diff: {wrong:?}");
}
