//! What a child gives up before it looks at anything that a stranger made: every file but those of
//! its assignment, every network, other programs, and the doors of the kernel that media work never
//! needs. A hole in a codec then leads nowhere.
//!
//! Landlock (landlock(7)) keeps it to its files, seccomp (seccomp(2)) from the rest; each where the
//! kernel has it.

use std::collections::BTreeMap;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use serde::{Deserialize, Serialize};
use vodmill_model::Failed;

use super::SCRATCH;
use crate::settings::Sandbox;

/// What is known and tested; later kernels are asked for no more.
const LANDLOCK: ABI = ABI::V6;

/// What libraries read of a system: modules that they load late, zones, processors, themselves.
const SYSTEM: [&str; 11] = [
    "/usr",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system",
    "/dev/urandom",
    "/dev/zero",
];

/// Calls that media work never makes. A call that is refused fails with EPERM, as if the user had
/// no right to it: a library then does without.
const REFUSED: [libc::c_long; 26] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
];

/// What of the sandbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Confinement {
    /// Files are out of reach, and signals to others.
    pub files: bool,
    /// Networks and odd calls are.
    pub calls: bool,
}

impl Confinement {
    pub(crate) fn is_whole(self) -> bool {
        self.files && self.calls
    }
}

/// Gives up what an assignment does not need, which is to read `files` and to write below the
/// scratch folder. To be called before the first thread starts: threads inherit it.
///
/// # Errors
/// If the sandbox is required and this kernel does not offer all of it.
pub(super) fn enter(level: Sandbox, files: &[&Path]) -> Result<Confinement, Failed> {
    if level == Sandbox::Off {
        return Ok(Confinement { files: false, calls: false });
    }
    let kept_to_files = keep_to(files);
    let refused = refuse_calls();
    let (files, calls) = (matches!(kept_to_files, Ok(true)), refused.is_ok());
    let confinement = Confinement { files, calls };
    if level == Sandbox::Required && !confinement.is_whole() {
        let cause = match (kept_to_files, refused) {
            (Err(error), _) => format!("Landlock: {error}"),
            (Ok(false), _) => "this kernel has no Landlock of version 6 (Linux 6.12)".to_owned(),
            (_, Err(error)) => format!("seccomp: {error}"),
            (_, Ok(())) => "unknown".to_owned(),
        };
        return Err(Failed::new("enter the sandbox", cause));
    }
    Ok(confinement)
}

/// Whether all that was asked for is enforced.
fn keep_to(files: &[&Path]) -> Result<bool, RulesetError> {
    let (read, all) = (AccessFs::from_read(LANDLOCK), AccessFs::from_all(LANDLOCK));
    let scratch = std::env::var_os(SCRATCH);
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules(files, read & !AccessFs::Execute))?
        .add_rules(path_beneath_rules(scratch, all & !AccessFs::Execute))?
        .restrict_self()?;
    Ok(status.ruleset == RulesetStatus::FullyEnforced)
}

fn refuse_calls() -> Result<(), seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.into_iter().map(|call| (call, Vec::new())).collect();
    // An original in a bucket is read from the parent, through a socket that is a file.
    let other_than_files = SeccompCondition::new(
        0,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Ne,
        libc::AF_UNIX.unsigned_abs().into(),
    )?;
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(vec![other_than_files])?]);
    let refusal = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let machine = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refusal, machine)?;
    seccompiler::apply_filter(&BpfProgram::try_from(filter)?)
}
