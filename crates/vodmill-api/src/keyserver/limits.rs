//! How often one viewer, or one address, may ask.

use std::convert::Infallible;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;

/// Viewers and addresses that are remembered. One that is forgotten starts with a full burst: the
/// limit is for single clients, not for a botnet.
const REMEMBERED: usize = 65_536;

/// A rate with room for bursts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second in the long run; 0 for no limit.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

/// Counts for each `K`, by the generic cell rate algorithm (ITU-T I.371): one moment is all that is
/// kept.
pub(crate) struct Limiter<K> {
    /// From one request to the next in the long run; none without a limit.
    step: Option<Duration>,
    burst: Duration,
    /// The uptime at which each would be back at rest.
    moments: Cache<K, Arc<Mutex<Duration>>>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    pub(crate) fn new(rate: Rate) -> Limiter<K> {
        let step = (rate.per_second > 0).then(|| Duration::from_secs(1) / rate.per_second.max(1));
        let burst = step.unwrap_or_default() * rate.burst.max(1);
        Limiter { step, burst, moments: Cache::new(REMEMBERED) }
    }

    /// How long one who has used up its burst has to wait; nothing is counted.
    pub(crate) fn wait(&self, who: K, now: Duration) -> Option<Duration> {
        let moment = self.moments.get(&who)?;
        let rest = *moment.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait_at(rest.max(now) + self.step?, now)
    }

    /// Counts one request at `now`; or says how long to wait, and does not count it.
    pub(crate) fn take(&self, who: K, now: Duration) -> Result<(), Duration> {
        let Some(step) = self.step else { return Ok(()) };
        let new = || Ok::<_, Infallible>(Arc::new(Mutex::new(now)));
        let Ok(moment) = self.moments.get_or_insert_with(&who, new);
        let mut rest = moment.lock().unwrap_or_else(PoisonError::into_inner);
        let next = (*rest).max(now) + step;
        if let Some(wait) = self.wait_at(next, now) {
            return Err(wait);
        }
        *rest = next;
        Ok(())
    }

    /// How long to wait at `now` where the next request would put the moment of rest at `next`.
    fn wait_at(&self, next: Duration, now: Duration) -> Option<Duration> {
        (next - now).checked_sub(self.burst).filter(|wait| !wait.is_zero())
    }
}

/// What is counted as one client: an IPv4 address, or a /64 of IPv6, which one customer has.
pub(crate) fn rate_limit_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !0 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let limiter = Limiter::new(Rate { per_second: 10, burst: 3 });
        let (start, step) = (Duration::from_secs(7), Duration::from_millis(100));
        let at = |who, millis| limiter.take(who, start + Duration::from_millis(millis));
        assert_eq!([at(1, 0), at(1, 0), at(1, 0)], [Ok(()); 3]);
        assert_eq!(limiter.wait(1, start), Some(Duration::from_millis(100)));
        assert_eq!((limiter.wait(2, start), limiter.wait(1, start + step)), (None, None));
        assert_eq!(at(1, 0), Err(Duration::from_millis(100)));
        assert_eq!(at(2, 0), Ok(()), "another viewer is not held up");
        assert_eq!(at(1, 99), Err(Duration::from_millis(1)));
        assert_eq!([at(1, 100), at(1, 1000), at(1, 1000)], [Ok(()); 3]);
        let none = Limiter::new(Rate { per_second: 0, burst: 0 });
        assert!((0..1000).all(|_| none.take(1, start).is_ok()));
    }

    /// Memory is bounded, and a flood of others does not reset who is limited.
    #[test]
    fn a_flood_of_others_resets_nobody() {
        let limiter = Limiter::new(Rate { per_second: 1, burst: 2 });
        let start = Duration::ZERO;
        assert_eq!([limiter.take(0, start), limiter.take(0, start)], [Ok(()); 2]);
        assert!(limiter.take(0, start).is_err());
        for other in 1..4 * REMEMBERED {
            assert_eq!(limiter.take(other, start), Ok(()));
        }
        assert!(limiter.take(0, start).is_err(), "it was forgotten");
        assert!(limiter.moments.len() <= REMEMBERED, "{}", limiter.moments.len());
    }

    #[test]
    fn a_customer_counts_as_one() {
        let home = |text: &str| rate_limit_key(text.parse().expect("an address"));
        assert_eq!(home("2001:db8::1"), home("2001:db8::ffff:1"));
        assert_ne!(home("2001:db8::1"), home("2001:db8:0:1::1"));
        assert_eq!(home("::ffff:192.0.2.1"), home("192.0.2.1"));
        assert_ne!(home("192.0.2.2"), home("192.0.2.1"));
    }
}
