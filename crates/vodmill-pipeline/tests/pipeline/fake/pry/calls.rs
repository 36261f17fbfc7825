//! Calls to the kernel that hostile code would make, straight and with arguments of its own.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use libc::c_long;

/// Calls that nobody may make, each with arguments that the kernel itself refuses: where one is
/// answered otherwise than "no such call", it went through.
macro_rules! refused {
    ($($call:ident)*) => { &[$((stringify!($call), libc::$call)),*] };
}

const REFUSED: &[(&str, c_long)] = refused! {
    // Modes, owners, times and attributes of other files; links, pipes, devices.
    SYS_fchmod SYS_fchmodat SYS_fchmodat2 SYS_fchown SYS_fchownat SYS_utimensat
    SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_removexattr SYS_lremovexattr SYS_fremovexattr
    SYS_symlinkat SYS_linkat SYS_mknodat SYS_truncate SYS_chroot SYS_pivot_root SYS_openat2
    SYS_name_to_handle_at SYS_open_by_handle_at SYS_fanotify_init SYS_fanotify_mark
    SYS_inotify_init1 SYS_inotify_add_watch SYS_quotactl SYS_quotactl_fd SYS_memfd_create
    SYS_memfd_secret SYS_splice SYS_tee SYS_vmsplice
    // Sockets.
    SYS_socket SYS_socketpair SYS_connect SYS_bind SYS_listen SYS_accept SYS_accept4 SYS_sendmsg
    SYS_sendmmsg SYS_recvmsg SYS_recvmmsg
    // Other processes.
    SYS_execve SYS_execveat SYS_clone SYS_clone3 SYS_kill SYS_tkill SYS_tgkill SYS_rt_sigqueueinfo
    SYS_rt_tgsigqueueinfo SYS_pidfd_open SYS_pidfd_getfd SYS_pidfd_send_signal SYS_process_madvise
    SYS_process_mrelease SYS_process_vm_readv SYS_process_vm_writev SYS_ptrace SYS_kcmp
    SYS_prlimit64 SYS_setrlimit SYS_setpriority SYS_sched_setaffinity SYS_sched_setattr
    SYS_sched_setparam SYS_sched_setscheduler SYS_ioprio_set SYS_migrate_pages SYS_move_pages
    SYS_setpgid SYS_setsid SYS_get_robust_list
    // Who it is, and what it may.
    SYS_setuid SYS_setgid SYS_setreuid SYS_setregid SYS_setresuid SYS_setresgid SYS_setfsuid
    SYS_setfsgid SYS_setgroups SYS_capset SYS_personality SYS_prctl SYS_seccomp
    SYS_landlock_create_ruleset SYS_landlock_restrict_self SYS_unshare SYS_setns
    // The kernel.
    SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register SYS_io_setup SYS_bpf
    SYS_perf_event_open SYS_userfaultfd SYS_keyctl SYS_add_key SYS_request_key SYS_init_module
    SYS_finit_module SYS_delete_module SYS_kexec_load SYS_syslog
    // What processes share.
    SYS_shmget SYS_shmat SYS_shmctl SYS_semget SYS_semop SYS_semctl SYS_msgget SYS_msgsnd
    SYS_msgctl SYS_mq_open SYS_mq_unlink
    // The machine.
    SYS_settimeofday SYS_clock_settime SYS_clock_adjtime SYS_adjtimex SYS_sethostname
    SYS_setdomainname SYS_mount SYS_umount2 SYS_mount_setattr SYS_move_mount SYS_open_tree
    SYS_fsopen SYS_fsmount SYS_fsconfig SYS_fspick SYS_swapon SYS_swapoff SYS_reboot SYS_acct
    SYS_timer_create SYS_mlockall
};

/// The same under the names that only x86_64 has.
#[cfg(target_arch = "x86_64")]
const OLD: &[(&str, c_long)] = refused! {
    SYS_chmod SYS_chown SYS_lchown SYS_utime SYS_utimes SYS_futimesat SYS_symlink SYS_link SYS_mknod
    SYS_creat SYS_uselib SYS_ioperm SYS_iopl SYS_modify_ldt SYS_arch_prctl SYS_kexec_file_load
    SYS_inotify_init SYS_ustat SYS_sysfs
};
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[(&str, c_long)] = &[];

/// The bit of an x32 call.
const X32: c_long = 0x4000_0000;

/// Makes a call; the number of the error, zero if there is none.
#[expect(unsafe_code, reason = "hostile code keeps to no rules")]
pub fn call(number: c_long, arguments: [c_long; 6]) -> i32 {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: callers give no call an address that it could write to.
    match unsafe { libc::syscall(number, a, b, c, d, e, f) } {
        -1 => std::io::Error::last_os_error().raw_os_error().unwrap_or(0),
        _ => 0,
    }
}

/// Those that the kernel has answered, if only to refuse what was asked.
pub fn answered() -> Vec<&'static str> {
    let reaches = |(_, number): &&(&str, c_long)| call(*number, [-1; 6]) != libc::ENOSYS;
    REFUSED.iter().chain(OLD).filter(reaches).map(|(name, _)| *name).collect()
}

/// Starts a process that would outlive this one; its number.
#[expect(unsafe_code, reason = "hostile code keeps to no rules")]
pub fn fork() -> Option<i32> {
    // SAFETY: the new process does nothing but wait for its end.
    match unsafe { libc::fork() } {
        0 => loop {
            // SAFETY: it takes no address.
            unsafe { libc::sleep(60) };
        },
        pid => (pid > 0).then_some(pid),
    }
}

/// What would go through with the right arguments: only these are refused, not the call.
pub fn particular(original: &Path) -> Vec<&'static str> {
    let parent = c_long::from(std::os::unix::process::parent_id().cast_signed());
    let file = std::fs::File::open(original).expect("the original");
    let fd = c_long::from(std::os::fd::AsRawFd::as_raw_fd(&file));
    let null = CString::new(Path::new("/dev/null").as_os_str().as_bytes()).expect("a path");
    let null = null.as_ptr() as c_long;
    let (create, set_user_id) = (c_long::from(libc::O_CREAT | libc::O_RDONLY), 0o4666);
    let tries: [(&str, c_long, [c_long; 6]); 12] = [
        ("is told of its parent's signals", libc::SYS_kill, [parent, 0, 0, 0, 0, 0]),
        ("signals a thread", libc::SYS_tgkill, [parent, parent, 0, 0, 0, 0]),
        ("outlives its parent", libc::SYS_prctl, [libc::PR_SET_PDEATHSIG.into(), 0, 0, 0, 0, 0]),
        ("steps before its parent", libc::SYS_setpriority, [0, parent, 0, 0, 0, 0]),
        ("reads its parent's limits", libc::SYS_prlimit64, [parent, 4, 0, 0, 0, 0]),
        ("has signals sent", libc::SYS_fcntl, [fd, libc::F_SETOWN.into(), 0, 0, 0, 0]),
        ("halts writers", libc::SYS_fcntl, [fd, libc::F_SETLEASE.into(), 2, 0, 0, 0]),
        ("watches a folder", libc::SYS_fcntl, [fd, libc::F_NOTIFY.into(), 0, 0, 0, 0]),
        ("sets flags of a file", libc::SYS_ioctl, [fd, 0x4008_6602, -1, 0, 0, 0]),
        ("types for others", libc::SYS_ioctl, [fd, 0x5412, -1, 0, 0, 0]),
        (
            "makes a program of another user",
            libc::SYS_openat,
            [-100, null, create, set_user_id, 0, 0],
        ),
        ("makes x32 calls", X32 | libc::SYS_getpid, [0; 6]),
    ];
    let reaches =
        |(_, number, arguments): &&(_, c_long, _)| call(*number, *arguments) != libc::ENOSYS;
    tries.iter().filter(reaches).map(|(what, ..)| *what).collect()
}
