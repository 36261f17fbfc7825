//! Pauses before something that failed is tried again.

use std::time::Duration;

/// The pause after this many failures: `base`, doubled with each further one, at most `max`.
pub(crate) fn doubled(base: Duration, max: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(30);
    base.saturating_mul(1 << doublings).min(max)
}

/// Between half of it and all, so that those who failed together do not come back together.
pub(crate) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds = Duration::from_secs;
        let pauses =
            [0, 1, 2, 3, 4, 99].map(|failures| doubled(seconds(10), seconds(35), failures));
        assert_eq!(pauses, [10, 10, 20, 35, 35, 35].map(seconds));
    }

    #[test]
    fn jitter_takes_half_at_most() {
        let pause = Duration::from_secs(10);
        assert!((0..100).map(|_| jittered(pause)).all(|cut| pause / 2 <= cut && cut <= pause));
    }
}
