//! Who has a file open for writing, as far as this machine tells.
//!
//! `/proc` has every process's open files with their flags, but shows them to their owner and to
//! root alone; `/proc/locks` is seen by everybody, but few programs take locks. Neither sees what
//! another machine, or another container, has open.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{fstatfs, major, minor};

/// What is known of those who write to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Nobody on this machine, and no other machine can.
    Nobody,
    /// A program, by its name.
    Somebody(String),
    /// Nobody that can be seen; somebody may be out of sight.
    OutOfSight,
}

/// The number of the first process namespace (`PROC_PID_INIT_INO` of the kernel).
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// File systems that other machines write to as well (statfs(2)): NFS, SMB, SMB2, CIFS, FUSE, Ceph,
/// AFS, 9P, Coda, OCFS2, GFS2, Lustre, NCP.
const SHARED: [u32; 13] = [
    0x6969,
    0x517b,
    0xfe53_4d42,
    0xff53_4d42,
    0x6573_5546,
    0x00c3_6400,
    0x5346_414f,
    0x0102_1997,
    0x7375_7245,
    0x7461_636f,
    0x0116_1970,
    0x0bd0_0bd0,
    0x564c,
];

/// The files that were open for writing at one moment, on this machine.
#[derive(Debug, Default)]
pub struct OpenFiles {
    /// By device and inode: who has it open.
    written: HashMap<(u64, u64), String>,
    /// By device as `/proc/locks` spells it, with the inode.
    locked: HashMap<String, String>,
    /// The users of processes whose files are hidden from us.
    hidden: Vec<Vec<u32>>,
    /// Whether every process of the machine is listed at all.
    all_listed: bool,
}

impl OpenFiles {
    /// Looks through all processes.
    ///
    /// # Errors
    /// If there is no `/proc`.
    pub fn look() -> io::Result<OpenFiles> {
        let mut found = OpenFiles { all_listed: all_are_listed(), ..OpenFiles::default() };
        let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
        for (file, process) in locks.lines().filter_map(write_lock) {
            found.locked.insert(file.to_owned(), named(process));
        }
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let process = name.to_str().unwrap_or_default();
            if process.bytes().all(|byte| byte.is_ascii_digit()) {
                found.add(process);
            }
        }
        Ok(found)
    }

    fn add(&mut self, process: &str) {
        let folder = Path::new("/proc").join(process);
        match fs::read_dir(folder.join("fd")) {
            Ok(open) => {
                for entry in open.flatten() {
                    // What its link leads to is looked at, not its name: that may have changed.
                    let Ok(file) = fs::metadata(entry.path()) else { continue };
                    let info = folder.join("fdinfo").join(entry.file_name());
                    if file.is_file() && fs::read_to_string(info).is_ok_and(|i| is_writing(&i)) {
                        self.written.insert((file.dev(), file.ino()), named(process));
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
                // Threads of the kernel have no memory of their own, and no files.
                if status.contains("VmSize:") {
                    self.hidden.push(users(&status));
                }
            }
            // It ended meanwhile.
            Err(_) => {}
        }
    }

    /// Who had this file open for writing at that moment.
    ///
    /// # Errors
    /// If the file cannot be looked at.
    pub fn writers(&self, file: &File) -> io::Result<Writers> {
        let facts = file.metadata()?;
        let lock = format!("{:02x}:{:02x}:{}", major(facts.dev()), minor(facts.dev()), facts.ino());
        let seen = self.written.get(&(facts.dev(), facts.ino())).or(self.locked.get(&lock));
        if let Some(name) = seen {
            return Ok(Writers::Somebody(name.clone()));
        }
        // Root's daemons write as the user whom they serve, so root by itself is not suspected.
        let may_write =
            |users: &Vec<u32>| facts.mode() & 0o022 != 0 || users.contains(&facts.uid());
        let hidden = !self.all_listed || self.hidden.iter().any(may_write);
        Ok(if hidden || is_shared(file)? { Writers::OutOfSight } else { Writers::Nobody })
    }
}

/// The flags of open(2), in octal: the lowest two bits are 0 only for reading, and a mere path
/// (`O_PATH`) is open for nothing.
fn is_writing(fdinfo: &str) -> bool {
    let flags = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 0o3 != 0 && flags & 0o10_000_000 == 0)
}

/// A line of `/proc/locks` as file and process, where it is a lock for writing.
fn write_lock(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace().skip(1);
    let (kind, _, mode) = (words.next()?, words.next()?, words.next()?);
    let (process, file) = (words.next()?, words.next()?);
    (matches!(kind, "FLOCK" | "POSIX" | "OFDLCK") && mode == "WRITE").then_some((file, process))
}

fn users(status: &str) -> Vec<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    line.split_whitespace().filter_map(|user| user.parse().ok()).collect()
}

/// A process by its name and number.
fn named(process: &str) -> String {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    format!("{} ({process})", name.trim_end())
}

fn is_shared(file: &File) -> io::Result<bool> {
    // A magic number of 32 bits, whose type differs from machine to machine.
    let kind = fstatfs(file)?.f_type as u32;
    Ok(SHARED.contains(&kind))
}

/// Whether `/proc` shows that there are others: not in a container, nor where it is mounted with
/// `hidepid`.
fn all_are_listed() -> bool {
    let namespace = fs::read_link("/proc/self/ns/pid");
    namespace.is_ok_and(|name| name.as_os_str() == FIRST_NAMESPACE)
        && fs::metadata("/proc/1/status").as_ref().is_ok_and(Metadata::is_file)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use rustix::fs::{FlockOperation, flock};

    use super::*;

    fn somebody(file: &File) -> bool {
        let open = OpenFiles::look().expect("/proc");
        matches!(open.writers(file), Ok(Writers::Somebody(_)))
    }

    #[test]
    fn whoever_has_it_open_for_writing_is_seen() {
        let folder = tempfile::tempdir().expect("scratch");
        let path = folder.path().join("film.ts");
        fs::write(&path, "half").expect("write");
        let open = File::open(&path).expect("open");
        assert!(!somebody(&open), "readers are no writers");
        let writer = OpenOptions::new().append(true).open(&path).expect("open");
        assert!(somebody(&open));
        fs::rename(&path, folder.path().join("other.ts")).expect("rename");
        assert!(somebody(&open), "under another name too");
        drop(writer);
        assert!(!somebody(&open));
    }

    #[test]
    fn locks_tell_of_writers_that_are_hidden() {
        let folder = tempfile::tempdir().expect("scratch");
        let path = folder.path().join("film.ts");
        fs::write(&path, "half").expect("write");
        let (open, reader) = (File::open(&path).expect("open"), File::open(&path).expect("open"));
        flock(&reader, FlockOperation::LockExclusive).expect("lock");
        assert!(somebody(&open));
        flock(&reader, FlockOperation::Unlock).expect("unlock");
        assert!(!somebody(&open));
    }

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert!(!is_writing("pos:\t0\nflags:\t0100000\nmnt_id:\t5\n"));
        assert!(is_writing("pos:\t0\nflags:\t0100001\nmnt_id:\t5\n"));
        assert!(is_writing("pos:\t0\nflags:\t0102002\n"));
        assert!(!is_writing("flags:\t012000002\n"), "a path is open for nothing");
        assert!(!is_writing(""));
        let line = "2: POSIX  ADVISORY  WRITE 813 fe:00:262 0 EOF";
        assert_eq!(write_lock(line), Some(("fe:00:262", "813")));
        assert_eq!(write_lock("1: FLOCK  ADVISORY  READ 813 fe:00:262 0 EOF"), None);
        assert_eq!(users("Name:\tx\nUid:\t7\t8\t7\t7\n"), [7, 8, 7, 7]);
    }
}
