//! What this process has cost so far, from `/proc` (proc(5)).

use std::fs;

use super::Usage;

impl Usage {
    /// Of this process; zeros where the kernel does not tell.
    pub(super) fn of_self() -> Usage {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Usage { cpu_ms: cpu_ms(&stat).unwrap_or(0), peak_memory: peak(&status).unwrap_or(0) }
    }
}

/// utime and stime, the 14th and 15th fields, in clock ticks of 10 ms (USER_HZ is 100 everywhere).
fn cpu_ms(stat: &str) -> Option<u64> {
    // The second field is a name in brackets that may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) * 10)
}

fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 9 0 0 0 120 34 0 0 20 0 1 0 5";
        assert_eq!(cpu_ms(stat), Some(1540));
        assert_eq!(peak("VmPeak:\t9 kB\nVmHWM:\t  2048 kB\n"), Some(2 << 20));
        let here = Usage::of_self();
        assert!(here.peak_memory > 1 << 20, "{here:?}");
    }
}
