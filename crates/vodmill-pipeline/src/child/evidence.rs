//! What is kept of work that failed, so that a person can do it again and look on.

use std::path::Path;

use serde_json::Value;

use super::Assignment;

/// The folder that a reproduction works in, instead of scratch that is gone.
pub const EVIDENCE_FOLDER: &str = "/tmp/vodmill-evidence";

/// Longest assignment that is kept, in bytes; that of a chunk is far below.
const LONGEST: usize = 1 << 20;

impl Assignment {
    /// The assignment in a form that `vodmill child` takes again, without keys. None where it is too
    /// long to be kept with the job.
    pub(crate) fn evidence(&self, scratch: &Path) -> Option<String> {
        let mut value = serde_json::to_value(self).ok()?;
        for order in ["segments", "package", "check"] {
            for keys in ["input/keys", "keys"] {
                if let Some(keys) = value.pointer_mut(&format!("/{order}/{keys}")) {
                    *keys = Value::Null;
                }
            }
        }
        let text = value.to_string().replace(&*scratch.to_string_lossy(), EVIDENCE_FOLDER);
        (text.len() <= LONGEST).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use vodmill_model::transcode::ProbeOrder;

    use super::*;

    #[test]
    fn the_same_can_be_asked_again() {
        let original = "/var/lib/vodmill/work/j/7/original".into();
        let assignment = Assignment::Probe(ProbeOrder { original, max_pixels: 1 });
        let text = assignment.evidence(Path::new("/var/lib/vodmill/work/j/7")).unwrap_or_default();
        let again: Assignment = serde_json::from_str(&text).expect("an assignment");
        let Assignment::Probe(ProbeOrder { original, .. }) = again else { panic!("{again:?}") };
        assert_eq!(original, Path::new(EVIDENCE_FOLDER).join("original"));
    }
}
