//! The worker from submission to proof, with a [`Transcode`](vodmill_model::Transcode) that knows no
//! codec: fast, and with every fault to order.
//!
//! Children are this very binary, started on one of the two tests below that do nothing otherwise.

mod cases;
mod fake;
mod home;
mod tree;
mod worker_process;

use fake::Fake;

/// What follows `name=` among this process's arguments. Arguments of that form match no test, so
/// the test harness lets them pass.
fn argument(name: &str) -> Option<String> {
    std::env::args().find_map(|argument| Some(argument.strip_prefix(name)?.to_owned()))
}

#[test]
#[ignore = "runs in a process of its own, with an assignment on standard input"]
fn child() {
    let Some(desk) = argument("desk=") else { return };
    let fake = Fake::at(desk);
    // The harness may have begun a line of its own.
    println!();
    vodmill_pipeline::child::main(&fake);
    fake.linger();
    std::process::exit(0);
}

#[test]
#[ignore = "runs in a process of its own, with an assignment on standard input"]
fn prying_child() {
    if argument("port=").is_some() {
        println!();
        vodmill_pipeline::child::main(&Fake::prying());
        std::process::exit(0);
    }
}

#[test]
#[ignore = "runs in a process of its own, and is killed"]
fn worker() {
    if let Some(home) = argument("home=") {
        worker_process::main(home.as_ref());
    }
}
