//! How often one viewer, or one address, may ask.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::bounded::Bounded;

/// Viewers and addresses that are remembered. Who is forgotten begins anew: the limit is against
/// greed, not against an army.
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
    moments: Bounded<K, Duration>,
}

impl<K: std::hash::Hash + Eq> Limiter<K> {
    pub(crate) fn new(rate: Rate) -> Limiter<K> {
        let step = (rate.per_second > 0).then(|| Duration::from_secs(1) / rate.per_second.max(1));
        let burst = step.unwrap_or_default() * rate.burst.max(1);
        Limiter { step, burst, moments: Bounded::new(REMEMBERED) }
    }

    /// How long one who has used up its burst has to wait; nothing is counted.
    pub(crate) fn wait(&self, who: K, now: Duration) -> Option<Duration> {
        let next = self.moments.get(who)?.max(now) + self.step?;
        (next - now).checked_sub(self.burst).filter(|wait| !wait.is_zero())
    }

    /// Counts one request at `now`; or says how long to wait, and does not count it.
    pub(crate) fn take(&self, who: K, now: Duration) -> Result<(), Duration> {
        let Some(step) = self.step else { return Ok(()) };
        self.moments.change(
            who,
            || now,
            |rest| {
                let next = (*rest).max(now) + step;
                match (next - now).checked_sub(self.burst) {
                    Some(wait) if !wait.is_zero() => Err(wait),
                    _ => {
                        *rest = next;
                        Ok(())
                    }
                }
            },
        )
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

    #[test]
    fn a_customer_counts_as_one() {
        let home = |text: &str| rate_limit_key(text.parse().expect("an address"));
        assert_eq!(home("2001:db8::1"), home("2001:db8::ffff:1"));
        assert_ne!(home("2001:db8::1"), home("2001:db8:0:1::1"));
        assert_eq!(home("::ffff:192.0.2.1"), home("192.0.2.1"));
        assert_ne!(home("192.0.2.2"), home("192.0.2.1"));
    }
}
