//! The program `vodmill`.

use std::process::ExitCode;

fn main() -> ExitCode {
    vodmill::main()
}
