//! The clock as it was when it was last looked at.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use vodmill_clock::{UnixMillis, millis};

/// Milliseconds that are no change: a server's answer may come late.
const TOLERANCE: i64 = 2_000;

/// What a look at the clock showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockChange {
    /// It was not looked at before.
    Unknown,
    /// It goes on as it went.
    None,
    /// It was set forward, or back, by so many milliseconds.
    By(i64),
}

/// The clock at the last look, and the uptime then.
#[derive(Debug, Default)]
pub(crate) struct LastLook(Mutex<Option<(UnixMillis, Duration)>>);

impl LastLook {
    /// What a look shows at this time and uptime.
    pub(crate) fn look(&self, now: UnixMillis, uptime: Duration) -> ClockChange {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((then, uptime_then)) = last.replace((now, uptime)) else {
            return ClockChange::Unknown;
        };
        let passed = millis(uptime.saturating_sub(uptime_then));
        let change = now.saturating_sub(then).saturating_sub(passed);
        if change.abs() < TOLERANCE { ClockChange::None } else { ClockChange::By(change) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_passes_is_no_change() {
        let last = LastLook::default();
        let seconds = Duration::from_secs;
        assert_eq!(last.look(1_000_000, seconds(7)), ClockChange::Unknown);
        assert_eq!(last.look(1_060_500, seconds(67)), ClockChange::None);
        assert_eq!(last.look(1_060_500, seconds(68)), ClockChange::None, "an answer was late");
        assert_eq!(last.look(4_660_500, seconds(68)), ClockChange::By(3_600_000));
        assert_eq!(last.look(1_061_500, seconds(69)), ClockChange::By(-3_600_000));
        assert_eq!(last.look(1_062_500, seconds(70)), ClockChange::None);
    }
}
