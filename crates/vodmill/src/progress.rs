//! How far jobs are, for people: speed and time left from what the queue knows.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use vodmill_clock::{Clock as _, SystemClock, UnixMillis};
use vodmill_model::printable;
use vodmill_pipeline::Bar;

/// Speed of one stream and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Seconds of media in a second; none before anything is known, or where media has no part.
    pub speed: Option<f64>,
    /// Time to the end.
    pub left: Option<Duration>,
}

/// The pace of a stream of which `done` units were made in `elapsed`.
pub fn pace(bar: &Bar, done: u64, elapsed: Duration) -> Pace {
    let seconds = elapsed.as_secs_f64();
    // Time goes on after a stream is done.
    if done == 0 || seconds <= 0.0 || bar.done >= bar.total {
        return Pace { speed: None, left: None };
    }
    let units_per_second = done as f64 / seconds;
    let left = bar.total.saturating_sub(bar.done) as f64 / units_per_second;
    Pace {
        speed: bar.rate.map(|rate| units_per_second / rate.approximate()),
        left: Duration::try_from_secs_f64(left).ok(),
    }
}

/// One stream in words, as `v360 120/300 (40 %) 2.1x 0:12 left`.
pub fn describe(bar: &Bar, pace: Pace) -> String {
    let Bar { of, done, total, .. } = bar;
    let mut line = format!("{of} {done}/{total} ({} %)", percent(bar));
    write_pace(&mut line, pace);
    line
}

/// Whole per cent.
pub fn percent(bar: &Bar) -> u64 {
    (bar.done * 100).checked_div(bar.total).unwrap_or(100)
}

/// Whole per cent of all streams together.
pub fn overall(bars: &[Bar]) -> u64 {
    let sum: u64 = bars.iter().map(percent).sum();
    sum.checked_div(bars.len() as u64).unwrap_or(0)
}

fn write_pace(line: &mut String, pace: Pace) {
    // Writing into a String cannot fail.
    if let Some(speed) = pace.speed {
        let _ = write!(line, " {speed:.1}x");
    }
    if let Some(left) = pace.left.filter(|left| !left.is_zero()) {
        let _ = write!(line, " {} left", clock(left));
    }
}

/// Minutes and seconds, with hours where there are any.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// How long ago that was; none if it is to come.
pub fn since(time: UnixMillis) -> Duration {
    Duration::from_millis(now().saturating_sub(time).max(0).unsigned_abs())
}

/// How long it is until then; none if it is over.
pub fn until(time: UnixMillis) -> Duration {
    Duration::from_millis(time.saturating_sub(now()).max(0).unsigned_abs())
}

/// The present time.
pub fn now() -> UnixMillis {
    SystemClock.now()
}

/// Remembers when each stream began to move, and how far it was then: what was done before (in an
/// earlier run, or found again) says nothing about speed, nor does the time it waited.
#[derive(Debug, Default)]
pub struct Meter {
    began: HashMap<(String, String), (u64, Instant)>,
}

impl Meter {
    /// The pace of a stream of a job at `now`.
    pub fn pace(&mut self, job: &str, bar: &Bar, now: Instant) -> Pace {
        let name = (job.to_owned(), bar.of.clone());
        let (first, since) = self.began.entry(name).or_insert((bar.done, now));
        if *first == bar.done {
            *since = now;
        }
        pace(bar, bar.done.saturating_sub(*first), now.saturating_duration_since(*since))
    }
}

/// Intervals that double: 1, 2, 4, 8 … seconds after the start.
#[derive(Debug)]
pub struct Doubling {
    next: Duration,
}

impl Default for Doubling {
    fn default() -> Doubling {
        Doubling { next: Duration::from_secs(1) }
    }
}

impl Doubling {
    /// Whether it is time again, `elapsed` after the start.
    pub fn is_due(&mut self, elapsed: Duration) -> bool {
        let due = elapsed >= self.next;
        while elapsed >= self.next {
            self.next *= 2;
        }
        due
    }
}

/// One bar for each stream of each job, on a terminal.
pub struct Bars {
    screen: MultiProgress,
    bars: HashMap<(String, String), ProgressBar>,
}

impl Default for Bars {
    fn default() -> Bars {
        Bars { screen: MultiProgress::new(), bars: HashMap::new() }
    }
}

impl Bars {
    /// Draws one stream of the job `id`, called `name`.
    pub fn draw(&mut self, id: &str, name: &str, bar: &Bar, pace: Pace) {
        let screen = &self.screen;
        let drawn = self.bars.entry((id.to_owned(), bar.of.clone())).or_insert_with(|| {
            let fresh =
                ProgressBar::new(bar.total).with_prefix(format!("{} {}", printable(name), bar.of));
            screen.add(fresh.with_style(style()))
        });
        let mut message = String::new();
        write_pace(&mut message, pace);
        drawn.set_length(bar.total);
        drawn.set_position(bar.done);
        drawn.set_message(message);
        if bar.done >= bar.total {
            drawn.finish();
        }
    }

    /// Takes the bars of a job away.
    pub fn end(&mut self, id: &str) {
        self.bars.retain(|(job, _), bar| {
            if job == id {
                bar.finish_and_clear();
            }
            job != id
        });
    }
}

fn style() -> ProgressStyle {
    let template = "{prefix:28!} {bar:30} {percent:>3} % {pos}/{len}{msg}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use vodmill_model::Ratio;

    use super::*;

    fn bar(done: u64) -> Bar {
        Bar { of: "v360".to_owned(), done, total: 300, rate: Some(Ratio::new(25, 1)) }
    }

    #[test]
    fn speed_and_time_left_come_from_what_was_done_since() {
        let mut meter = Meter::default();
        let start = Instant::now();
        assert_eq!(meter.pace("job", &bar(50), start), Pace { speed: None, left: None });
        let start = start + Duration::from_secs(60);
        assert_eq!(meter.pace("job", &bar(50), start), Pace { speed: None, left: None });
        let pace = meter.pace("job", &bar(150), start + Duration::from_secs(2));
        assert_eq!(pace, Pace { speed: Some(2.0), left: Some(Duration::from_secs(3)) });
        assert_eq!(describe(&bar(150), pace), "v360 150/300 (50 %) 2.0x 0:03 left");
    }

    #[test]
    fn intervals_double_and_do_not_pile_up() {
        let mut doubling = Doubling::default();
        let due: Vec<u64> =
            (0..20).filter(|&second| doubling.is_due(Duration::from_secs(second))).collect();
        assert_eq!(due, [1, 2, 4, 8, 16]);
        assert!(doubling.is_due(Duration::from_secs(1000)));
        assert!(!doubling.is_due(Duration::from_secs(1001)));
    }

    #[test]
    fn clocks_have_hours_only_where_needed() {
        assert_eq!(clock(Duration::from_millis(100)), "0:01");
        assert_eq!(clock(Duration::from_secs(3671)), "1:01:11");
    }
}
