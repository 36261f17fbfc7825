//! What a run of the program came to, as an exit code.

use std::fmt;

use vodmill_model::Rejected;
use vodmill_model::outcome::MediaError;

use crate::config::problem::Problems;

/// The caller asked for something that is not there; exit code 2.
#[derive(Debug)]
pub struct Usage(anyhow::Error);

impl Usage {
    /// A usage error with this message.
    pub fn error(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> anyhow::Error {
        Usage::because(anyhow::Error::msg(message))
    }

    /// A usage error because of another error.
    pub fn because(error: anyhow::Error) -> anyhow::Error {
        Usage(error).into()
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Usage {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// 2 for usage and configuration, 3 for a refused input, 1 for all else.
pub fn code_of(error: &anyhow::Error) -> u8 {
    let of_link = |link: &(dyn std::error::Error + 'static)| {
        if link.is::<Usage>() || link.is::<Problems>() {
            return Some(2);
        }
        let rejected =
            link.is::<Rejected>() || matches!(link.downcast_ref(), Some(MediaError::Rejected(_)));
        rejected.then_some(3)
    };
    error.chain().find_map(of_link).unwrap_or(1)
}

/// The error with all its causes, and for a refused input what its owner can do.
pub fn explain(error: &anyhow::Error) -> String {
    let remedy = error.chain().find_map(|link| match link.downcast_ref() {
        Some(MediaError::Rejected(rejected)) => Some(rejected),
        _ => link.downcast_ref::<Rejected>(),
    });
    match remedy {
        Some(rejected) => format!("{error:#}\n{}", rejected.remedy),
        None => format!("{error:#}"),
    }
}
