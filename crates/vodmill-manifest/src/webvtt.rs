//! WebVTT: subtitles, whole and in segments (RFC 8216 §3.5), and storyboards.
//!
//! Times are 90 kHz ticks from the start of the title, written to the nearest
//! millisecond.

use std::fmt::Write as _;
use std::ops::Range;

/// The longest payload of a cue, in bytes, after sanitising.
pub const MAX_CUE_BYTES: usize = 16 * 1024;

/// The MPEG clock has 33 bits.
const CLOCK: u64 = 1 << 33;

/// A subtitle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// First instant, in ticks.
    pub start: u64,
    /// First instant without it, in ticks; after `start`.
    pub end: u64,
    /// What is shown: plain text with lines; the tags `<i>`, `<b>` and `<u>`
    /// keep their meaning, anything else is shown as it stands.
    pub text: String,
}

/// A picture of a storyboard: a part of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryboardCue {
    /// First instant, in ticks.
    pub start: u64,
    /// First instant of the next, in ticks; after `start`.
    pub end: u64,
    /// The sheet's URI, such as `sheet-0001.jpg`; without a fragment.
    pub sheet: String,
    /// Left edge in pixels.
    pub x: u32,
    /// Top edge in pixels.
    pub y: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Why WebVTT was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VttError {
    /// A cue or a segment that ends before or when it starts.
    #[error("from {start} to {end} ticks is no span of time")]
    Span {
        /// Ticks.
        start: u64,
        /// Ticks.
        end: u64,
    },
    /// A payload of more than [`MAX_CUE_BYTES`].
    #[error("the cue at {0} ticks is too long")]
    TooLong(u64),
    /// A sheet's URI with blanks, a fragment or `-->`.
    #[error("not the URI of a storyboard sheet: {0:?}")]
    Sheet(String),
}

/// A whole subtitle file. Cues without visible text are left out.
///
/// # Errors
/// [`VttError::Span`], [`VttError::TooLong`].
pub fn write(cues: &[Cue]) -> Result<String, VttError> {
    let mut out = String::from("WEBVTT\n");
    cues.iter().try_for_each(|cue| cue.write(&mut out))?;
    Ok(out)
}

/// The WebVTT segment of one `span` of the title, in ticks.
///
/// A cue stands, with its own times, in every segment that it touches, as §3.5
/// wants it. `base` is the MPEG timestamp (90 kHz) of the title's start in the
/// media segments: X-TIMESTAMP-MAP maps local time zero to it, modulo 2³³.
///
/// # Errors
/// [`VttError::Span`], [`VttError::TooLong`].
pub fn write_segment(cues: &[Cue], span: Range<u64>, base: u64) -> Result<String, VttError> {
    check_span(span.start, span.end)?;
    let clock = base % CLOCK;
    let mut out = format!("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{clock},LOCAL:00:00:00.000\n");
    let touched = |cue: &&Cue| cue.start < span.end && cue.end > span.start;
    cues.iter().filter(touched).try_for_each(|cue| cue.write(&mut out))?;
    Ok(out)
}

/// A storyboard: for each span of time the part of a sheet (`#xywh=`, W3C
/// Media Fragments §4.2.2) that shows it.
///
/// # Errors
/// [`VttError::Span`], [`VttError::Sheet`].
pub fn write_storyboard(cues: &[StoryboardCue]) -> Result<String, VttError> {
    let mut out = String::from("WEBVTT\n");
    for cue in cues {
        let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '#' | '<' | '>');
        if cue.sheet.is_empty() || cue.sheet.contains(bad) || cue.sheet.contains('&') {
            return Err(VttError::Sheet(cue.sheet.clone()));
        }
        timing(&mut out, cue.start, cue.end)?;
        let StoryboardCue { sheet, x, y, width, height, .. } = cue;
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{sheet}#xywh={x},{y},{width},{height}");
    }
    Ok(out)
}

impl Cue {
    fn write(&self, out: &mut String) -> Result<(), VttError> {
        check_span(self.start, self.end)?;
        if self.text.len() > MAX_CUE_BYTES {
            return Err(VttError::TooLong(self.start));
        }
        let text = sanitise(&self.text);
        if text.len() > MAX_CUE_BYTES {
            return Err(VttError::TooLong(self.start));
        }
        if text.is_empty() {
            return Ok(());
        }
        timing(out, self.start, self.end)?;
        out.push_str(&text);
        out.push('\n');
        Ok(())
    }
}

/// A payload that cannot end its cue: `&`, `<` and `>` are escaped but in the
/// tags `<i>`, `<b>`, `<u>`; so there is no `-->`. Empty lines and control
/// characters are taken out.
pub fn sanitise(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.lines().map(sanitise_line);
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn sanitise_line(line: &str) -> String {
    const TAGS: [&str; 6] = ["<i>", "</i>", "<b>", "</b>", "<u>", "</u>"];
    let mut out = String::with_capacity(line.len());
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next() {
        if let Some(tag) = TAGS.iter().find(|tag| rest.starts_with(**tag)) {
            out.push_str(tag);
            rest = &rest[tag.len()..];
            continue;
        }
        match first {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' => out.push(' '),
            control if control.is_control() => {}
            other => out.push(other),
        }
        rest = &rest[first.len_utf8()..];
    }
    out
}

fn check_span(start: u64, end: u64) -> Result<(), VttError> {
    if end > start { Ok(()) } else { Err(VttError::Span { start, end }) }
}

/// An empty line and the timing line of a cue.
fn timing(out: &mut String, start: u64, end: u64) -> Result<(), VttError> {
    check_span(start, end)?;
    let first = millis(start);
    // A cue shorter than the clock's grain would vanish.
    let last = millis(end).max(first + 1);
    let _ = writeln!(out, "\n{} --> {}", timestamp(first), timestamp(last));
    Ok(())
}

/// To the nearest; ticks / 90.
fn millis(ticks: u64) -> u64 {
    ticks / 90 + u64::from(ticks % 90 >= 45)
}

fn timestamp(millis: u64) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("{:02}:{:02}:{seconds:02}.{millis:03}", minutes / 60, minutes % 60)
}
