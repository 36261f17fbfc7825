//! The program `vodmill` with fault points, for tests: see the crate `vodmill-fault`.

fn main() -> std::process::ExitCode {
    vodmill::main()
}
