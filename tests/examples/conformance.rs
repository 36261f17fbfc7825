//! Applies the rules of a package from the command line.
//!
//! `cargo run -p vodmill-tests --example conformance ASSET [KEYS]`

use std::path::PathBuf;
use std::process::ExitCode;

use vodmill_tests::conformance::check_package;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let Some(asset) = arguments.next() else {
        eprintln!("usage: conformance ASSET [KEYS]");
        return ExitCode::from(2);
    };
    let violations = check_package(&asset, arguments.next().as_deref());
    for violation in &violations {
        println!("{violation}");
    }
    ExitCode::from(u8::from(!violations.is_empty()))
}
