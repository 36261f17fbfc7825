//! WebVTT: cues and their times.

/// A cue.
#[derive(Clone, Debug, PartialEq)]
pub struct Cue {
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// What it says.
    pub text: String,
}

/// The cues of a file.
pub fn cues(text: &str) -> Result<Vec<Cue>, String> {
    let header = text.lines().next().unwrap_or_default();
    if header != "WEBVTT" && !header.starts_with("WEBVTT ") {
        return Err(format!("the first line is {header:?}"));
    }
    let blocks = text.split("\n\n").skip(1).filter(|block| block.contains("-->"));
    blocks.map(cue).collect()
}

fn cue(block: &str) -> Result<Cue, String> {
    let timing = block.lines().position(|line| line.contains("-->"));
    let mut lines = block.lines().skip(timing.unwrap_or(0));
    let timing = lines.next().unwrap_or_default();
    let (start, rest) = timing.split_once(" --> ").ok_or_else(|| format!("{timing:?}"))?;
    let end = rest.split_whitespace().next().unwrap_or_default();
    let text: Vec<&str> = lines.collect();
    Ok(Cue { start: seconds(start)?, end: seconds(end)?, text: text.join("\n") })
}

fn seconds(text: &str) -> Result<f64, String> {
    let bad = || format!("the time {text:?}");
    let (whole, milli) = text.split_once('.').ok_or_else(bad)?;
    if milli.len() != 3 {
        return Err(bad());
    }
    let mut sum = 0;
    for part in whole.split(':') {
        sum = sum * 60 + part.parse::<u64>().map_err(|_| bad())?;
    }
    Ok(sum as f64 + milli.parse::<f64>().map_err(|_| bad())? / 1000.0)
}

/// MPEGTS and LOCAL of X-TIMESTAMP-MAP (RFC 8216, 3.5).
pub fn timestamp_map(text: &str) -> Result<Option<(u64, f64)>, String> {
    let line = text.lines().find_map(|line| line.strip_prefix("X-TIMESTAMP-MAP="));
    let Some(line) = line else { return Ok(None) };
    let value = |name: &str| {
        let found = line.split(',').find_map(|part| part.strip_prefix(name));
        found.ok_or_else(|| format!("X-TIMESTAMP-MAP without {name}"))
    };
    let ticks = value("MPEGTS:")?.parse().map_err(|why| format!("MPEGTS: {why}"))?;
    Ok(Some((ticks, seconds(value("LOCAL:")?)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_and_map() {
        let text = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n\
                    1\n00:00:01.500 --> 01:00:02.000 line:0\nhej\ndu\n";
        let found = cues(text).expect("good WebVTT");
        assert_eq!(found, [Cue { start: 1.5, end: 3602.0, text: "hej\ndu".to_owned() }]);
        assert_eq!(timestamp_map(text), Ok(Some((900_000, 0.0))));
    }
}
