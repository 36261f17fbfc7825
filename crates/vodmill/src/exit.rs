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
    let is_usage = |link: Link<'_>| {
        let no_pipeline =
            matches!(link.downcast_ref(), Some(vodmill_pipeline::Error::NoPipeline(_)));
        no_pipeline || was_refused(link) || link.is::<Usage>() || link.is::<Problems>()
    };
    match () {
        () if error.chain().any(is_usage) => 2,
        () if error.chain().any(|link| refusal(link).is_some()) => 3,
        () => 1,
    }
}

/// Whether the queue was asked for what is not there or cannot be: nothing was changed.
fn was_refused(link: Link<'_>) -> bool {
    use vodmill_queue::Error::{NoSuchJob, Refused};
    let error = match link.downcast_ref() {
        Some(vodmill_pipeline::Error::Queue(error)) => Some(error),
        _ => link.downcast_ref(),
    };
    matches!(error, Some(NoSuchJob { .. } | Refused { .. }))
}

/// The error with all its causes, and for a refused input what its owner can do.
pub fn explain(error: &anyhow::Error) -> String {
    match error.chain().find_map(refusal) {
        Some(rejected) => format!("{error:#}\n  {}", rejected.remedy),
        None => format!("{error:#}"),
    }
}

/// One error of a chain.
type Link<'a> = &'a (dyn std::error::Error + 'static);

/// The refusal that an error is; transparent ones show it as themselves, not as their source.
fn refusal(link: Link<'_>) -> Option<&Rejected> {
    use vodmill_pipeline::Error::Media;
    match (link.downcast_ref(), link.downcast_ref()) {
        (Some(Media(MediaError::Rejected(rejected))), _) => Some(rejected),
        (_, Some(MediaError::Rejected(rejected))) => Some(rejected),
        _ => link.downcast_ref(),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use vodmill_model::Failed;
    use vodmill_model::outcome::Reason;

    use super::*;

    #[test]
    fn whose_fault_it_is_shows_in_the_code() {
        let refused = || MediaError::from(Rejected::new(Reason::Empty, "0 bytes"));
        let code = |error: anyhow::Error| code_of(&error.context("probe"));
        assert_eq!(code(refused().into()), 3);
        assert_eq!(code(vodmill_pipeline::Error::from(refused()).into()), 3);
        assert_eq!(code(vodmill_pipeline::Error::NoPipeline("p".into()).into()), 2);
        assert_eq!(code(Usage::error("no such file")), 2);
        assert_eq!(code(MediaError::from(Failed::new("encode", "disk full")).into()), 1);
    }

    #[test]
    fn a_refusal_comes_with_its_remedy() {
        let refused = MediaError::from(Rejected::new(Reason::Empty, "0 bytes"));
        let told = Err::<(), _>(refused).context("probe a.mp4").map_err(|error| explain(&error));
        let wanted = "probe a.mp4: input_empty: 0 bytes\n  The file has no content. Export or copy it again.";
        assert_eq!(told, Err(wanted.to_owned()));
    }
}
