//! What a child gives up before it looks at anything that a stranger made: every file but those of
//! its assignment, every network and socket, other programs and processes, and all calls to the
//! kernel that media work is not made of. A hole in a codec then leads nowhere.
//!
//! Landlock (landlock(7)) keeps it to its files, seccomp (seccomp(2)) to its calls; each where the
//! kernel has it.

mod calls;

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
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

/// What a child may do below its scratch folder. It makes files and folders there and nothing else:
/// the parent opens what it finds, and would follow a link or wait for the other end of a pipe.
fn in_scratch() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
        | AccessFs::Refer
}

/// What of the sandbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Confinement {
    /// Files are out of reach, and signals to others.
    pub files: bool,
    /// So are networks, other processes, and what is no media work.
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
    let refused = calls::refuse_others();
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
        .add_rules(path_beneath_rules(scratch, in_scratch()))?
        .restrict_self()?;
    Ok(status.ruleset == RulesetStatus::FullyEnforced)
}
