//! The states of things, and their names in the database.

use std::fmt;

/// An enum that is stored, printed and parsed as one lower-case word.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The state's name, one lower-case word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The state of that name, if there is one.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// Where a job stands. It is in exactly one state.
    JobState {
        /// Enqueued; no task has been claimed yet.
        Waiting = "waiting",
        /// At least one task has been claimed.
        Running = "running",
        /// Ended well.
        Published = "published",
        /// Ended: the input's fault.
        Rejected = "rejected",
        /// Ended: ours or the world's fault, after all attempts.
        Failed = "failed",
        /// Ended: an operator said so.
        Cancelled = "cancelled",
    }
}

impl JobState {
    /// Whether the job is over (though all but `Published` can be retried).
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

words! {
    /// Where a task stands.
    TaskState {
        /// Waits for other tasks.
        Waiting = "waiting",
        /// Can be claimed, from its `run_at` on.
        Ready = "ready",
        /// A holder works on it.
        Leased = "leased",
        /// Completed.
        Done = "done",
        /// Its job ended before it did.
        Cancelled = "cancelled",
        /// It found the input at fault.
        Rejected = "rejected",
        /// All its attempts are spent; the evidence is kept.
        Quarantined = "quarantined",
    }
}

words! {
    /// What an event reports.
    EventKind {
        /// Work on a job has begun.
        Progressing = "progressing",
        /// A job has ended well.
        Published = "published",
        /// A job has ended: the input's fault.
        Rejected = "rejected",
        /// A job has ended: ours or the world's fault.
        Failed = "failed",
        /// Something that subscribers should know, and that ends nothing.
        Warning = "warning",
    }
}

words! {
    /// Where the delivery of an event to one target stands.
    DeliveryState {
        /// It is to be tried, or is being tried.
        Waiting = "waiting",
        /// The target has it.
        Delivered = "delivered",
        /// It was given up: a dead letter.
        Dead = "dead",
    }
}

words! {
    /// Where a batch of paths that caches are to drop stands.
    BatchState {
        /// It is to be sent, or sent again.
        Open = "open",
        /// It was accepted, and is not known to be done.
        Sent = "sent",
        /// All caches have dropped its paths.
        Completed = "completed",
        /// It was given up.
        Dead = "dead",
    }
}
