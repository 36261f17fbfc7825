//! What a job's tasks have cost, as their results tell.

use serde_json::Value;
use vodmill_model::Failed;
use vodmill_queue::{Completion, TaskInfo};

use super::{StageResult, TaskKind};

/// Field of a task's result with the processor time of its children.
const CPU_MS: &str = "cpu_ms";

/// Milliseconds of processor time of the tasks of a job; of the attempts that counted, and of what
/// was not there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effort {
    /// Of encoding, trials among it.
    pub encode: u64,
    /// Of all else: probing, packaging, proof.
    pub package: u64,
}

impl Effort {
    pub(super) fn of(tasks: &[TaskInfo]) -> Effort {
        let mut effort = Effort::default();
        for task in tasks {
            let result = task.result.as_deref().unwrap_or_default();
            let result: Value = serde_json::from_str(result).unwrap_or_default();
            let cpu_ms = result[CPU_MS].as_u64().unwrap_or(0);
            let encodes =
                [TaskKind::Analyse, TaskKind::Video, TaskKind::Audio].map(TaskKind::as_str);
            match encodes.contains(&task.kind.as_str()) {
                true => effort.encode += cpu_ms,
                false => effort.package += cpu_ms,
            }
        }
        effort
    }
}

/// The completion with the processor time in its result.
pub(super) fn noted(completion: Completion, cpu_ms: u64) -> StageResult {
    if cpu_ms == 0 {
        return Ok(completion);
    }
    let fault = |error| Failed::from_error("describe result", &error);
    let mut result: Value = serde_json::from_str(&completion.result).map_err(fault)?;
    if let Some(fields) = result.as_object_mut() {
        fields.insert(CPU_MS.to_owned(), cpu_ms.into());
    }
    Ok(Completion { result: result.to_string(), ..completion })
}
