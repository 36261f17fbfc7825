//! What a document shows of a command, beside what the command shows here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// Ids of the document, and which ones they are here.
pub type Ids = BTreeMap<String, String>;

/// What differs from one time to the next, and what stands for it.
static DIFFERS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let differs = [
        (r"\bvm1\.(t\d+)\.\d+\.(\w+)\.\.\S+", "vm1.$1.$2..MAC"),
        (r"\bt\d{10}\b", "SECRET"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "MOMENT"),
        (r"\b[0-9a-f]{8,64}\b", "ID"),
        (r"(Policy|Expires|Signature)=[^;&\s]+", "$1=SIGNED"),
        (r"\b\d+(\.\d+)? ([kMGT]?B(/s)?)", "SIZE"),
        (r"\b\d+/\d+ \(\d+ %\)", "DONE"),
        (r"\b\d+(\.\d+)? ?%", "SHARE"),
        (r"\b\d+(:\d\d)+\b", "TIME"),
        (r"\b\d+(\.\d+)? s\b", "SECONDS"),
        (r"\b\d+\.\d+x", "SPEED"),
        (r"BANDWIDTH=\d+", "BANDWIDTH=RATE"),
    ];
    differs.map(|(pattern, stands)| (expression(pattern), stands)).to_vec()
});

static ID: LazyLock<Regex> = LazyLock::new(|| expression(r"\b[0-9a-f]{8,64}\b"));

fn expression(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"))
}

/// A line with one space where there are many, and without what differs from time to time.
pub fn masked(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut line = words.join(" ");
    for (differs, stands) in DIFFERS.iter() {
        line = differs.replace_all(&line, *stands).into_owned();
    }
    line
}

/// Whether a line is as it is shown; `…` stands for anything.
fn is_as_shown(shown: &str, real: &str) -> bool {
    let parts: Vec<String> = masked(shown).split('…').map(regex::escape).collect();
    expression(&format!("^{}$", parts.join(".*"))).is_match(&masked(real))
}

/// Looks for all lines that are shown, in their order; what is between them was left out. Tells which
/// ids stand for which, or the line that is not there.
pub fn compare(shown: &[String], real: &str) -> Result<Ids, String> {
    let mut ids = Ids::new();
    let mut lines = real.lines();
    for line in shown.iter().filter(|line| !line.trim().is_empty() && line.trim() != "…") {
        let found = lines.by_ref().find(|real| is_as_shown(line, real));
        let found = found.ok_or_else(|| format!("this line is not there: {line}"))?;
        if !line.contains('…') {
            ids.extend(ID.find_iter(line).zip(ID.find_iter(found)).map(pair));
        }
    }
    Ok(ids)
}

fn pair((shown, real): (regex::Match<'_>, regex::Match<'_>)) -> (String, String) {
    (shown.as_str().to_owned(), real.as_str().to_owned())
}

/// A text of the document with the ids of here, whole ones and beginnings of four characters or more.
pub fn with_ids(text: &str, ids: &Ids) -> String {
    static PART: LazyLock<Regex> = LazyLock::new(|| expression(r"\b[0-9a-f]{4,64}\b"));
    let here = |part: &regex::Captures<'_>| {
        let part = &part[0];
        let known = ids.iter().find(|(shown, _)| shown.starts_with(part));
        known.map_or(part.to_owned(), |(_, real)| real[..part.len().min(real.len())].to_owned())
    };
    PART.replace_all(text, here).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_differs_each_time_is_not_compared() {
        let shown =
            lines("2c651456eb1baace  running  33 %  0:14 ago  a.mp4\n9.3 MB in 0.3 s, 14.0 MB/s");
        let real =
            "91add64a69e54c19  running 7 %  1:02:03 ago  a.mp4\nmore\n687 kB in 12.25 s, 3 MB/s\n";
        let ids = compare(&shown, real).expect("the same");
        assert_eq!(ids["2c651456eb1baace"], "91add64a69e54c19");
        assert_eq!(with_ids("vodmill jobs show 2c65", &ids), "vodmill jobs show 91ad");
    }

    #[test]
    fn what_is_wrong_is_found() {
        let wrong = [
            ("19 objects, 9 I-frames", "19 objects, 8 I-frames"),
            ("a running", "a published"),
            ("one\ntwo", "two\none"),
            ("one", "one more"),
            ("one\none", "one"),
            ("1280x720", "1280x721"),
            ("vm1.t1795336000.1795339600.YmJi..8J", "vm1.t1795336000.1795339600.YmJj..8J"),
            ("a … c", "a b d"),
        ];
        for (shown, real) in wrong {
            assert!(compare(&lines(shown), real).is_err(), "{shown:?} is not {real:?}");
        }
    }

    #[test]
    fn what_is_left_out_may_be_anything() {
        assert!(compare(&lines("one\n…\nthree …"), "one\ntwo\nthree four\n").is_ok());
    }
}
