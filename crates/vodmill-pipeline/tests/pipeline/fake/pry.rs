//! What hostile code would try in a child's place.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;

use crate::argument;

/// The names of everything that worked; `original` is all that may.
pub fn pry(original: &Path) -> String {
    let port: u16 = argument("port=").and_then(|text| text.parse().ok()).unwrap_or(0);
    let beside = original.with_file_name("beside");
    let tries = [
        ("reads the original", fs::read(original).is_ok()),
        ("reads a file beside it", fs::read(&beside).is_ok()),
        ("lists its folder", fs::read_dir(beside.parent().unwrap_or(&beside)).is_ok()),
        ("reads the users", fs::read("/etc/passwd").is_ok()),
        ("reads the environment of the first process", fs::read("/proc/1/environ").is_ok()),
        ("overwrites the original", fs::write(original, "x").is_ok()),
        ("removes the original", fs::remove_file(original).is_ok()),
        ("writes beside it", fs::write(&beside, "x").is_ok()),
        ("writes where everybody may", tempfile::tempfile().is_ok()),
        ("connects", TcpStream::connect(("127.0.0.1", port)).is_ok()),
        ("listens", TcpListener::bind("127.0.0.1:0").is_ok()),
        ("sends datagrams", UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("starts a program", Command::new("/bin/true").status().is_ok()),
        ("knows its parent's environment", std::env::var_os("CARGO_MANIFEST_DIR").is_some()),
        ("uses threads", std::thread::spawn(|| 1).join().is_ok()),
    ];
    let worked: Vec<_> =
        tries.iter().filter(|(_, worked)| *worked).map(|(what, _)| *what).collect();
    worked.join(", ")
}
