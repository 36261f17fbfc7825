//! The progress of a sync, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use vodmill_store::sync::Event;

/// One bar over all bytes, once it is known how many there are; nothing without a terminal.
pub struct ProgressLine {
    is_shown: bool,
    bar: ProgressBar,
}

impl ProgressLine {
    /// A line, to be shown or not.
    pub fn new(is_shown: bool) -> ProgressLine {
        ProgressLine { is_shown, bar: ProgressBar::hidden() }
    }

    /// Moves the bar.
    pub fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Planned { bytes, .. } if self.is_shown && *bytes > 0 => {
                self.bar = ProgressBar::new(*bytes).with_style(style());
                self.bar.enable_steady_tick(Duration::from_millis(250));
            }
            Event::Same { bytes, .. } | Event::Uploaded { bytes, .. } => self.bar.inc(*bytes),
            _ => {}
        }
    }

    /// Does something that writes lines, beside the bar.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let template = "{bar:30} {percent:>3} % {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
