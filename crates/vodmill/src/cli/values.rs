//! Values of options, as people write them.

use std::str::FromStr;
use std::time::Duration;

use vodmill_delivery::Epoch;

/// A time as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let bad = || format!("{text:?} is not a time such as 90s, 30m, 12h or 7d");
        let unit = text.chars().next_back().ok_or_else(bad)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(bad()),
        };
        let count: u32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| bad())?;
        Ok(Span(Duration::from_secs(u64::from(count) * seconds)))
    }
}

/// A moment, as seconds since 1970 or as RFC 3339 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Epoch);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        if let Ok(seconds) = text.parse() {
            return Ok(Moment(Epoch(seconds)));
        }
        let at = text.parse::<jiff::Timestamp>().ok();
        let seconds = at.and_then(|at| u64::try_from(at.as_second()).ok());
        let wrong = || format!("{text:?} is no time such as 1767225600 or 2026-01-01T00:00:00Z");
        seconds.map(|seconds| Moment(Epoch(seconds))).ok_or_else(wrong)
    }
}

/// The part of all views that plays a rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub rung: String,
    pub per_mille: u32,
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Share, String> {
        let (rung, percent) = text.rsplit_once('=').unwrap_or((text, ""));
        let percent = percent.strip_suffix('%').unwrap_or(percent).parse::<u32>().ok();
        match percent.filter(|&percent| percent <= 100 && !rung.is_empty()) {
            Some(percent) => Ok(Share { rung: rung.to_owned(), per_mille: percent * 10 }),
            None => Err(format!("{text:?} is no share such as 1080p=60")),
        }
    }
}

/// A glob and what the `Cache-Control` of its files is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheRule {
    /// As it was given.
    pub pattern: String,
    pub value: String,
}

impl FromStr for CacheRule {
    type Err = String;

    fn from_str(text: &str) -> Result<CacheRule, String> {
        let (pattern, value) = text.split_once('=').ok_or("it is not PATTERN=VALUE")?;
        if value.contains(char::is_control) {
            return Err("the value has control characters".to_owned());
        }
        Ok(CacheRule { pattern: pattern.to_owned(), value: value.trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let seconds = |text: &str| text.parse().map(|Span(time)| time.as_secs()).ok();
        assert_eq!(
            ["0s", "90s", "30m", "6h", "7d"].map(seconds),
            [Some(0), Some(90), Some(1800), Some(21_600), Some(604_800)]
        );
        for wrong in ["", "6", "h", "-1h", "1.5h", "99999999999999999999d", "1w", "1é"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_read_in_both_forms() {
        let at = Ok(Moment(Epoch(1_767_225_600)));
        assert_eq!("1767225600".parse(), at);
        assert_eq!("2026-01-01T00:00:00Z".parse(), at);
        assert_eq!("2026-01-01T01:00:00+01:00".parse(), at);
        for wrong in ["", "tomorrow", "2026-01-01", "-5", "1960-01-01T00:00:00Z"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_are_whole_per_cents() {
        let share = Share { rung: "a=b".into(), per_mille: 600 };
        assert_eq!("a=b=60%".parse(), Ok(share));
        for wrong in ["", "1080p", "1080p=", "=50", "1080p=101", "1080p=-1", "1080p=1.5"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn rules_are_a_glob_and_a_value() {
        let rule: CacheRule = "*.html=max-age=60".parse().expect("a rule");
        assert_eq!((rule.pattern.as_str(), rule.value.as_str()), ("*.html", "max-age=60"));
        assert!("*.html".parse::<CacheRule>().is_err());
        assert!("*.html=a\r\nb".parse::<CacheRule>().is_err());
    }
}
