//! A home with files that were written by hand, or not by hand at all.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use vodmill::Config;

/// What stands between the files of a seed.
const CUT: &str = "\n#---\n";

fuzz_target!(|text: &str| {
    let home = tempfile::tempdir().expect("a folder");
    let names = ["vodmill.toml", "pipelines/one.toml", "presets/one.toml"];
    for (name, content) in names.iter().zip(text.splitn(names.len(), CUT)) {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    if let Err(problems) = Config::load(home.path(), None) {
        assert!(!problems.to_string().is_empty());
    }
});
