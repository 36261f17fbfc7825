//! The calls to the kernel that are left to a child (seccomp(2)): those that media work is made of.
//!
//! What is not named here fails with ENOSYS, as on a kernel that is older: a library then does
//! without. So nobody has to think of every call that could do harm (to another's files, to the
//! daemon, to the machine), nor of those that the next kernel brings. Numbers with the bit of x32 are
//! not named either; a call by the 32-bit entry ends the process.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};

/// Whatever their arguments are. Paths are Landlock's to judge.
const PLAIN: &[libc::c_long] = &[
    // Files that are open.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sync_file_range,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_readahead,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_flock,
    // What there is.
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    // Scratch.
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    // Waiting; the connections and pipes that are there already.
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_pipe2,
    libc::SYS_eventfd2,
    libc::SYS_recvfrom,
    libc::SYS_shutdown,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    // Memory.
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_get_mempolicy,
    libc::SYS_set_mempolicy,
    libc::SYS_mbind,
    // Threads.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_getcpu,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Signals of its own.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // Time, chance, and who it is.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_times,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getrusage,
    libc::SYS_uname,
    libc::SYS_sysinfo,
];

/// The same under names that not every machine has.
#[cfg(target_arch = "x86_64")]
const OLD: &[libc::c_long] = &[
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_getdents,
    libc::SYS_unlink,
    libc::SYS_rmdir,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_getrlimit,
    libc::SYS_time,
];
#[cfg(target_arch = "aarch64")]
const OLD: &[libc::c_long] = &[libc::SYS_renameat, libc::SYS_getrlimit];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OLD: &[libc::c_long] = &[];

/// What may be done to a descriptor; not to whom it signals, nor a lease that halts its writers.
const FCNTL: [libc::c_int; 6] = [
    libc::F_DUPFD,
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
];

/// What devices and files are asked; not for flags that are kept with a file.
const IOCTL: [libc::Ioctl; 6] =
    [libc::FIOCLEX, libc::FIONCLEX, libc::FIONBIO, libc::FIONREAD, libc::TCGETS, libc::TIOCGWINSZ];

/// A thread's name, and names of memory; not who is to kill it when its parent dies.
const PRCTL: [libc::c_int; 3] = [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA];

/// Of one thread (setpriority(2)); the type of libc's constant depends on the C library.
const PRIO_PROCESS: u32 = 0;

/// Name spaces that a thread could begin.
const NAME_SPACES: libc::c_int = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// Set-user-ID, set-group-ID, sticky.
const ODD_MODES: libc::mode_t = libc::S_ISUID | libc::S_ISGID | libc::S_ISVTX;

/// Rules of calls by their number; a call passes by any of its rules, or if it has none.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Leaves this thread, and those that it will start, no other calls.
pub(super) fn refuse_others() -> Result<(), Error> {
    let refusal = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let machine = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules()?, refusal, SeccompAction::Allow, machine)?;
    seccompiler::apply_filter(&BpfProgram::try_from(filter)?)
}

fn rules() -> Result<Rules, Error> {
    let mut rules: Rules = PLAIN.iter().chain(OLD).map(|call| (*call, Vec::new())).collect();
    of_descriptors(&mut rules)?;
    of_processes(&mut rules)?;
    Ok(rules)
}

fn of_descriptors(rules: &mut Rules) -> Result<(), Error> {
    rules.insert(libc::SYS_openat, when([bits(3, ODD_MODES, 0)?])?);
    rules.insert(libc::SYS_mkdirat, when([bits(2, ODD_MODES, 0)?])?);
    #[cfg(target_arch = "x86_64")]
    {
        rules.insert(libc::SYS_open, when([bits(2, ODD_MODES, 0)?])?);
        rules.insert(libc::SYS_mkdir, when([bits(1, ODD_MODES, 0)?])?);
    }
    rules.insert(libc::SYS_fcntl, one_of(1, FCNTL.map(libc::c_int::unsigned_abs))?);
    rules.insert(libc::SYS_ioctl, one_of(1, IOCTL.map(|request| request as u32))?);
    // Over a connection, and to no address beside it.
    rules.insert(libc::SYS_sendto, when([is_null(4)?])?);
    Ok(())
}

fn of_processes(rules: &mut Rules) -> Result<(), Error> {
    let own = std::process::id();
    let thread = libc::CLONE_THREAD.unsigned_abs();
    rules.insert(libc::SYS_clone, when([bits(0, thread | NAME_SPACES.unsigned_abs(), thread)?])?);
    // It may end or stop itself, and nobody else.
    rules.insert(libc::SYS_tgkill, when([is(0, own)?])?);
    rules.insert(libc::SYS_prctl, one_of(0, PRCTL.map(libc::c_int::unsigned_abs))?);
    // Limits are looked at, and not set.
    let mut own_limits = when([is(0, 0)?, is_null(2)?])?;
    own_limits.extend(when([is(0, own)?, is_null(2)?])?);
    rules.insert(libc::SYS_prlimit64, own_limits);
    // An encoder may step back behind others, and choose its processors.
    rules.insert(libc::SYS_getpriority, when([is(0, PRIO_PROCESS)?, is(1, 0)?])?);
    rules.insert(libc::SYS_setpriority, when([is(0, PRIO_PROCESS)?, is(1, 0)?])?);
    rules.insert(libc::SYS_sched_setaffinity, when([is(0, 0)?])?);
    Ok(())
}

/// A rule that holds when all of the conditions do.
fn when<const N: usize>(conditions: [SeccompCondition; N]) -> Result<Vec<SeccompRule>, Error> {
    Ok(vec![SeccompRule::new(conditions.into())?])
}

/// Rules of which one holds when an argument is one of the values.
fn one_of<const N: usize>(argument: u8, values: [u32; N]) -> Result<Vec<SeccompRule>, Error> {
    values.into_iter().map(|value| Ok(SeccompRule::new(vec![is(argument, value)?])?)).collect()
}

fn is(argument: u8, value: u32) -> Result<SeccompCondition, Error> {
    let (length, equal) = (SeccompCmpArgLen::Dword, SeccompCmpOp::Eq);
    Ok(SeccompCondition::new(argument, length, equal, value.into())?)
}

fn bits(argument: u8, mask: u32, value: u32) -> Result<SeccompCondition, Error> {
    let (length, masked) = (SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask.into()));
    Ok(SeccompCondition::new(argument, length, masked, value.into())?)
}

fn is_null(argument: u8) -> Result<SeccompCondition, Error> {
    let (length, equal) = (SeccompCmpArgLen::Qword, SeccompCmpOp::Eq);
    Ok(SeccompCondition::new(argument, length, equal, 0)?)
}
