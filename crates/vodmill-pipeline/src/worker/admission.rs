//! Admission: whether this machine has room for a piece of work, asked before it begins. What does
//! not fit waits, or goes to another worker; it is no failure and counts no attempt.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, getrlimit};

const MIB: u64 = 1 << 20;

/// Disk that is left to everything else: the queue must be able to write.
const DISK_RESERVE: u64 = 128 * MIB;

/// Files that starting a child and the queue need beside what is open.
const SPARE_FILES: u64 = 16;

/// What a piece of work needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of scratch.
    pub disk: u64,
}

/// What there is; none where the system does not tell.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    memory: Option<u64>,
    free_memory: Option<u64>,
    free_disk: Option<u64>,
    open_files: Option<(u64, u64)>,
}

/// What was promised to work that is under way.
#[derive(Debug, Default)]
struct Taken {
    pieces: u32,
    needs: Needs,
}

/// Admits work to this process.
pub(crate) struct Admission {
    /// Where scratch is.
    folder: PathBuf,
    taken: Mutex<Taken>,
}

impl Admission {
    pub(crate) fn new(folder: PathBuf) -> Admission {
        Admission { folder, taken: Mutex::default() }
    }

    /// Sets room aside until the permit is dropped, or says what there is too little of.
    pub(crate) fn admit(&self, needs: Needs) -> Result<Permit<'_>, String> {
        let room = Room::of(&self.folder);
        let mut taken = self.taken();
        if let Some(shortage) = shortage(&taken, needs, &room) {
            return Err(shortage);
        }
        taken.pieces += 1;
        taken.needs.memory += needs.memory;
        taken.needs.disk += needs.disk;
        Ok(Permit { admission: self, needs })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room that is set aside.
pub(crate) struct Permit<'a> {
    admission: &'a Admission,
    needs: Needs,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut taken = self.admission.taken();
        taken.pieces -= 1;
        taken.needs.memory -= self.needs.memory;
        taken.needs.disk -= self.needs.disk;
    }
}

/// What there is too little of. Work that is alone gets all the memory there is: it may need less
/// than was reckoned, and else would wait for ever.
fn shortage(taken: &Taken, needs: Needs, room: &Room) -> Option<String> {
    let wanted = needs.disk + taken.needs.disk + DISK_RESERVE;
    if let Some(free) = room.free_disk.filter(|free| *free < wanted) {
        return Some(format!("disk: {} free, {} needed", mib(free), mib(wanted)));
    }
    let wanted = needs.memory + taken.needs.memory;
    let most = room.memory.map(|memory| memory / 10 * 9);
    if let Some(most) = most.filter(|most| taken.pieces > 0 && *most < wanted) {
        return Some(format!("memory: {} in all, {} needed", mib(most), mib(wanted)));
    }
    // Others on this machine take from it too. Nothing uses at once what it was promised.
    let wanted = needs.memory / 4;
    if let Some(free) = room.free_memory.filter(|free| *free < wanted) {
        return Some(format!("memory: {} free, {} needed", mib(free), mib(needs.memory)));
    }
    let (open, most) = room.open_files?;
    (most < open + SPARE_FILES)
        .then(|| format!("open files: {open} of {most}, {SPARE_FILES} needed"))
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(MIB))
}

impl Room {
    fn of(folder: &Path) -> Room {
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let (limit, used) = cgroup();
        let left = limit.map(|limit| limit.saturating_sub(used.unwrap_or(0)));
        let disk = rustix::fs::statvfs(folder).ok();
        let open = fs::read_dir("/proc/self/fd").map(|files| files.count() as u64).ok();
        Room {
            memory: least(field(&meminfo, "MemTotal:"), limit),
            free_memory: least(field(&meminfo, "MemAvailable:"), left),
            free_disk: disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
            open_files: open.zip(getrlimit(Resource::Nofile).current),
        }
    }
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// A line of /proc/meminfo, in bytes.
fn field(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Limit and use of this process's control group (cgroup v2), where there is one.
fn cgroup() -> (Option<u64>, Option<u64>) {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let folder = Path::new("/sys/fs/cgroup").join(group);
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok();
    (number("memory.max"), number("memory.current"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDS: Needs = Needs { memory: 400 * MIB, disk: 100 * MIB };

    fn room() -> Room {
        Room {
            memory: Some(1000 * MIB),
            free_memory: Some(500 * MIB),
            free_disk: Some(1000 * MIB),
            open_files: Some((20, 1024)),
        }
    }

    fn taken(pieces: u32) -> Taken {
        let needs = Needs {
            memory: NEEDS.memory * u64::from(pieces),
            disk: NEEDS.disk * u64::from(pieces),
        };
        Taken { pieces, needs }
    }

    #[test]
    fn what_fits_is_admitted() {
        assert_eq!(shortage(&taken(1), NEEDS, &room()), None);
        assert_eq!(shortage(&taken(9), NEEDS, &Room::default()), None, "nothing is known");
    }

    #[test]
    fn what_there_is_too_little_of_is_named() {
        let short = |taken, room| shortage(&taken, NEEDS, &room).unwrap_or_default();
        let disk = Room { free_disk: Some(300 * MIB), ..room() };
        assert_eq!(short(taken(1), disk), "disk: 300 MiB free, 328 MiB needed");
        assert_eq!(short(taken(2), room()), "memory: 900 MiB in all, 1200 MiB needed");
        let busy = Room { free_memory: Some(99 * MIB), ..room() };
        assert_eq!(short(taken(0), busy), "memory: 99 MiB free, 400 MiB needed");
        let files = Room { open_files: Some((50, 64)), ..room() };
        assert_eq!(short(taken(0), files), "open files: 50 of 64, 16 needed");
    }

    #[test]
    fn alone_it_may_need_more_than_there_is() {
        let small = Room { memory: Some(200 * MIB), ..room() };
        assert_eq!(shortage(&taken(0), NEEDS, &small), None);
    }

    #[test]
    fn room_comes_back() {
        let admission = Admission::new(std::env::temp_dir());
        let needs = Needs { memory: MIB, disk: MIB };
        let permit = admission.admit(needs).expect("room for a MiB");
        assert_eq!(admission.taken().needs, needs);
        drop(permit);
        assert_eq!(admission.taken().needs, Needs::default());
    }

    #[test]
    fn reads_what_the_kernel_writes() {
        assert_eq!(field("MemTotal:  9 kB\nMemAvailable:    2 kB\n", "MemAvailable:"), Some(2048));
        let here = Room::of(&std::env::temp_dir());
        assert!(here.memory > here.free_memory && here.free_disk > Some(0), "{here:?}");
        assert!(here.open_files.is_some_and(|(open, most)| open > 0 && open < most), "{here:?}");
    }
}
