//! Runs the program and compares what it says with committed text.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs vodmill with that home.
pub fn vodmill(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vodmill"));
    command.current_dir(home).args(arguments);
    for variable in ["VODMILL_HOME", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.output().expect("vodmill starts")
}

/// Compares with `golden/<name>`; with VODMILL_GOLDEN=write it is written instead.
pub fn compare(name: &str, text: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vodmill/golden").join(name);
    if std::env::var_os("VODMILL_GOLDEN").is_some() {
        std::fs::write(&file, text).expect("golden file is written");
    }
    let wanted = std::fs::read_to_string(&file).expect("golden file");
    assert_eq!(text, wanted, "{name}; VODMILL_GOLDEN=write accepts what is");
}
