//! What hostile code would try in a child's place.

mod calls;

use std::fs::{self, File, Permissions};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::parent_id;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use rustix::process::{Resource, Rlimit, getpriority_process, prlimit, setrlimit};

use crate::argument;

/// The names of everything that worked, each followed by a comma; `original` is all that may.
pub fn pry(original: &Path) -> String {
    let mut worked = files(original);
    worked.extend(secrets(original));
    worked.extend(networks(original));
    worked.extend(processes());
    worked.extend(calls::particular(original));
    worked.extend(calls::answered());
    let mut text = worked.iter().map(|what| format!("{what}, ")).collect::<String>();
    if let Some(pid) = calls::fork() {
        text += &format!("starts process {pid}, ");
    }
    text
}

type Tries<'a> = &'a [(&'static str, bool)];

fn that_worked(tries: Tries<'_>) -> Vec<&'static str> {
    tries.iter().filter(|(_, worked)| *worked).map(|(what, _)| *what).collect()
}

fn files(original: &Path) -> Vec<&'static str> {
    let beside = original.with_file_name("beside");
    that_worked(&[
        ("reads the original", fs::read(original).is_ok()),
        ("reads a file beside it", fs::read(&beside).is_ok()),
        ("lists its folder", fs::read_dir(beside.parent().unwrap_or(&beside)).is_ok()),
        ("reads the users", fs::read("/etc/passwd").is_ok()),
        ("reads the users by a detour", fs::read("/proc/self/root/etc/passwd").is_ok()),
        ("overwrites the original", fs::write(original, "x").is_ok()),
        ("removes the original", fs::remove_file(original.with_file_name("spare")).is_ok()),
        ("writes beside it", fs::write(&beside, "x").is_ok()),
        ("writes where everybody may", tempfile::tempfile().is_ok()),
        ("links", symlink("/etc/passwd", original.with_file_name("link")).is_ok()),
        ("links by another name", fs::hard_link(original, original.with_file_name("two")).is_ok()),
    ])
}

/// What needs no right to read a file, only to be its owner.
fn secrets(original: &Path) -> Vec<&'static str> {
    let key = original.with_file_name("key");
    let open = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o644)).is_ok();
    let read = File::open(original);
    let dated = read.is_ok_and(|file| file.set_modified(SystemTime::UNIX_EPOCH).is_ok());
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    let owned = chown(&key, Some(user.as_raw()), Some(group.as_raw())).is_ok();
    that_worked(&[
        ("opens a key to others", open(&key)),
        ("opens the original to others", open(original)),
        ("gives a key away", owned),
        ("dates the original", dated),
    ])
}

fn networks(original: &Path) -> Vec<&'static str> {
    let port: u16 = argument("port=").and_then(|text| text.parse().ok()).unwrap_or(0);
    let socket = original.with_file_name("socket");
    that_worked(&[
        ("connects", TcpStream::connect(("127.0.0.1", port)).is_ok()),
        ("listens", TcpListener::bind("127.0.0.1:0").is_ok()),
        ("sends datagrams", UdpSocket::bind("127.0.0.1:0").is_ok()),
        ("connects to a socket in a folder", UnixStream::connect(&socket).is_ok()),
        ("listens in a folder", UnixListener::bind(original.with_file_name("mine")).is_ok()),
        ("sends datagrams within the machine", UnixDatagram::unbound().is_ok()),
        ("makes a pair of sockets", UnixStream::pair().is_ok()),
    ])
}

fn processes() -> Vec<&'static str> {
    let parent = rustix::process::Pid::from_raw(parent_id().cast_signed());
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let of_parent = |name: &str| format!("/proc/{}/{name}", parent_id());
    that_worked(&[
        ("reads the environment of the first process", fs::read("/proc/1/environ").is_ok()),
        ("reads its parent's environment", fs::read(of_parent("environ")).is_ok()),
        ("lists its parent's files", fs::read_dir(of_parent("fd")).is_ok()),
        ("opens its parent's memory", File::open(of_parent("mem")).is_ok()),
        ("is told how far back its parent stands", getpriority_process(parent).is_ok()),
        ("sets its parent's limits", prlimit(parent, Resource::Core, none).is_ok()),
        ("sets its own limits", setrlimit(Resource::Core, none).is_ok()),
        ("starts a program", Command::new("/bin/true").status().is_ok()),
        ("knows its parent's environment", std::env::var_os("CARGO_MANIFEST_DIR").is_some()),
        ("uses threads", std::thread::spawn(|| 1).join().is_ok()),
    ])
}
