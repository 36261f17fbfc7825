//! What is in a package: streams and their form, playlists and their tags, objects.

use std::collections::{BTreeMap, BTreeSet};

use super::{Level, PACKAGE, Raw};
use crate::baseline::{Package, Pictures, Stream};
use crate::limits::Limits;

/// Compares the packages of a clip.
pub(super) fn compare(
    clip: &str,
    was: &Package,
    is: &Package,
    limits: &Limits,
    raw: &mut Vec<Raw>,
) {
    let mut found = Found { clip, was, is, raw };
    for finding in is.findings.iter().filter(|finding| !was.findings.contains(finding)) {
        found.add(PACKAGE, "", finding.clone());
    }
    // Where nothing was made, that says enough.
    if is.streams.is_empty() && !is.findings.is_empty() {
        return;
    }
    found.streams(limits);
    found.playlists();
    found.objects();
}

struct Found<'a> {
    clip: &'a str,
    was: &'a Package,
    is: &'a Package,
    raw: &'a mut Vec<Raw>,
}

impl Found<'_> {
    fn add(&mut self, subject: &str, of: &str, what: String) {
        let (subject, of) = (subject.to_owned(), of.to_owned());
        self.raw.push(Raw {
            subject,
            level: Level::Red,
            of,
            what,
            clip: Some(self.clip.to_owned()),
        });
    }

    fn streams(&mut self, limits: &Limits) {
        let (was, is) = (self.was, self.is);
        for (name, old) in &was.streams {
            match is.streams.get(name) {
                None => self.add(&old.preset, name, "it is missing".to_owned()),
                Some(new) => self.stream(name, old, new, limits),
            }
        }
        for (name, new) in is.streams.iter().filter(|(name, _)| !was.streams.contains_key(*name)) {
            self.add(&new.preset, name, "it is additional".to_owned());
        }
    }

    fn stream(&mut self, name: &str, was: &Stream, is: &Stream, limits: &Limits) {
        let subject = &is.preset;
        for what in differences(&was.form, &is.form) {
            let swapped =
                if what.starts_with("size ") { self.swapped(name, was, is) } else { None };
            self.add(subject, name, swapped.unwrap_or(what));
        }
        if was.preset != is.preset {
            self.add(subject, name, format!("made by preset {}, was {}", is.preset, was.preset));
        }
        let pictures = match (&was.pictures, &is.pictures) {
            (Some(was), Some(is)) => pictures(was, is),
            (Some(_), None) => vec!["pictures are lost".to_owned()],
            (None, Some(_)) => vec!["it has pictures, and had none".to_owned()],
            (None, None) => Vec::new(),
        };
        for what in pictures {
            self.add(subject, name, what);
        }
        for what in bytes(was, is, limits) {
            self.add(subject, name, what);
        }
    }

    /// The stream whose size this one has now, and that has its own.
    fn swapped(&self, name: &str, was: &Stream, is: &Stream) -> Option<String> {
        let (old, new) = (was.form.get("size")?, is.form.get("size")?);
        let has = |package: &Package, other: &str, size: &String| {
            package.streams.get(other).is_some_and(|stream| stream.form.get("size") == Some(size))
        };
        let mut others = self.was.streams.keys().filter(|other| *other != name);
        let other = others.find(|other| has(self.was, other, new) && has(self.is, other, old))?;
        Some(format!("size {new}, was {old}: swapped with {other}"))
    }

    fn playlists(&mut self) {
        let (was, is) = (self.was, self.is);
        for (name, old) in &was.playlists {
            if self.is_of_missing(name) {
                continue;
            }
            let subject = self.subject(name);
            match is.playlists.get(name) {
                None => self.add(&subject, name, "the playlist is missing".to_owned()),
                Some(new) => {
                    for what in differences(old, new) {
                        self.add(&subject, name, what);
                    }
                }
            }
        }
    }

    /// How many objects there are of each name.
    fn objects(&mut self) {
        let (was, is) = (self.was, self.is);
        let names: BTreeSet<&String> = was.objects.keys().chain(is.objects.keys()).collect();
        for name in names {
            let count = |package: &Package| package.objects.get(name).copied().unwrap_or(0);
            let subject = self.subject(name);
            match (count(was), count(is)) {
                _ if self.is_of_missing(name) => {}
                (old, new) if old == new => {}
                (_, 0) => self.add(&subject, name, "the file is missing".to_owned()),
                (0, _) => self.add(&subject, name, "the file is additional".to_owned()),
                (old, new) => self.add(&subject, name, format!("{new} of them, was {old}")),
            }
        }
    }

    /// The preset whose stream a playlist or an object is of.
    fn subject(&self, name: &str) -> String {
        let streams = self.was.streams.iter().chain(&self.is.streams);
        let mut of = streams.filter(|(stream, _)| is_of(stream, name));
        of.next().map_or(PACKAGE.to_owned(), |(_, stream)| stream.preset.clone())
    }

    /// Whether it is of a stream that is missing or additional, which says enough.
    fn is_of_missing(&self, name: &str) -> bool {
        let lost = self.was.streams.keys().filter(|stream| !self.is.streams.contains_key(*stream));
        let added = self.is.streams.keys().filter(|stream| !self.was.streams.contains_key(*stream));
        lost.chain(added).any(|stream| is_of(stream, name))
    }
}

/// Whether an object is of a stream: the file itself, or in its folder.
fn is_of(stream: &str, object: &str) -> bool {
    let object = object.strip_prefix("private/").unwrap_or(object);
    object.strip_prefix(stream).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What is not the same of two lists.
fn differences(was: &BTreeMap<String, String>, is: &BTreeMap<String, String>) -> Vec<String> {
    let mut all = Vec::new();
    for name in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
        match (was.get(name), is.get(name)) {
            (Some(_), None) => all.push(format!("{name} is missing")),
            (None, Some(_)) => all.push(format!("{name} is additional")),
            (Some(old), Some(new)) if old != new => {
                let [old, new] =
                    [old, new].map(|value| if value.is_empty() { "once" } else { value });
                all.push(format!("{name} {new}, was {old}"));
            }
            _ => {}
        }
    }
    all
}

fn pictures(was: &Pictures, is: &Pictures) -> Vec<String> {
    let share = |pictures: &Pictures| pictures.b * 100 / pictures.frames.max(1);
    let mut all = Vec::new();
    if was.frames != is.frames {
        all.push(format!("{} pictures, was {}", is.frames, was.frames));
    }
    if was.gop != is.gop {
        all.push(format!("a key frame every {} pictures, was {}", is.gop, was.gop));
    }
    if was.b > 0 && is.b == 0 {
        all.push(format!("B-frames are lost: none, was {} %", share(was)));
    } else if was.b == 0 && is.b > 0 {
        all.push(format!("B-frames are additional: {} %, was none", share(is)));
    } else if share(is) * 2 < share(was) {
        all.push(format!("fewer B-frames: {} %, was {} %", share(is), share(was)));
    }
    all
}

fn bytes(was: &Stream, is: &Stream, limits: &Limits) -> Vec<String> {
    let (was, is) = (was.bytes, is.bytes);
    let mut all = Vec::new();
    match (was.sound, is.sound) {
        (1.., 0) => all.push("sound is lost".to_owned()),
        (0, 1..) => all.push("it has sound, and had none".to_owned()),
        (0, 0) => {}
        (old, new) => {
            let percent = (new as f64 / old as f64 - 1.0) * 100.0;
            if percent > limits.sound {
                all.push(format!("{percent:.1} % more bytes of sound, limit {} %", limits.sound));
            } else if -percent > limits.sound {
                all.push(format!(
                    "{:.1} % fewer bytes of sound, limit {} %",
                    -percent, limits.sound
                ));
            }
        }
    }
    let share = |bytes: crate::baseline::Bytes| {
        bytes.packaging as f64 * 100.0
            / (bytes.pictures + bytes.sound + bytes.packaging).max(1) as f64
    };
    let media_was = (was.pictures + was.sound + was.packaging).max(1);
    let more = (is.packaging as f64 - was.packaging as f64) * 100.0 / media_was as f64;
    if more > limits.packaging && share(is) > share(was) {
        all.push(format!(
            "packaging takes {more:.1} % of all bytes more, limit {} %",
            limits.packaging
        ));
    }
    all
}
