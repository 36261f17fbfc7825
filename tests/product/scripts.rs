//! What the repository says about itself.

use std::fs;
use std::path::Path;

/// A lockfile that names a registry's host would tie everyone to that host.
#[test]
fn the_lockfile_names_no_host() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/package-lock.json");
    let text = fs::read_to_string(path).expect("the lockfile");
    assert!(!text.contains("resolved") && !text.contains("://"), "it names a host");
}
