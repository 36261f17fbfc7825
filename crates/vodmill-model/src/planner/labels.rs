//! What single channels are called: by libav in layouts, by people in titles.

/// A channel, in libav's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    Left,
    Right,
    Centre,
    Lfe,
    BackLeft,
    BackRight,
    BackCentre,
    SideLeft,
    SideRight,
    /// Left and right of a mix that holds surround sound in its phases (Lt/Rt).
    LeftTotal,
    RightTotal,
}

use Label::*;

/// libav's names.
const NAMES: [(Label, &str); 11] = [
    (Left, "FL"),
    (Right, "FR"),
    (Centre, "FC"),
    (Lfe, "LFE"),
    (BackLeft, "BL"),
    (BackRight, "BR"),
    (BackCentre, "BC"),
    (SideLeft, "SL"),
    (SideRight, "SR"),
    (LeftTotal, "DL"),
    (RightTotal, "DR"),
];

/// Words of titles.
const WORDS: [(Label, &[&str]); 9] = [
    (Left, &["l", "left", "fl", "lo", "links", "gauche"]),
    (Right, &["r", "right", "fr", "ro", "rechts", "droite"]),
    (Centre, &["c", "center", "centre", "fc"]),
    (Lfe, &["lfe", "sub", "subwoofer"]),
    (BackLeft, &["ls", "bl", "lsr", "lrs"]),
    (BackRight, &["rs", "br", "rsr", "rrs"]),
    (SideLeft, &["sl", "lss"]),
    (SideRight, &["sr", "rss"]),
    (LeftTotal, &["lt"]),
];

/// Words that make a surround channel of left and right.
const BEHIND: [&str; 4] = ["surround", "rear", "back", "side"];

/// The label of a track of one channel, whose layout may be `mono`, which is none.
pub(super) fn of_layout(layout: &str) -> Option<Label> {
    let (_, inside) = layout.split_once('(').unwrap_or(("", layout));
    let name = inside.trim_end_matches(')');
    NAMES.iter().find(|(_, known)| *known == name).map(|(label, _)| *label)
}

/// libav's name of the layout of channels in its order; none if they are no front with company.
pub(super) fn layout(labels: &[Label]) -> Option<String> {
    let known = match labels {
        [Left, Right] | [LeftTotal, RightTotal] => "stereo",
        [Left, Right, Centre, Lfe, BackLeft, BackRight] => "5.1",
        [Left, Right, Centre, Lfe, SideLeft, SideRight] => "5.1(side)",
        [Left, Right, Centre, Lfe, BackLeft, BackRight, SideLeft, SideRight] => "7.1",
        [Left, Right, others @ ..] if !others.contains(&LeftTotal) => {
            let name = |label: &Label| NAMES.iter().find(|(known, _)| known == label);
            let names: Vec<_> = labels.iter().filter_map(name).map(|(_, name)| *name).collect();
            return Some(names.join("+"));
        }
        _ => return None,
    };
    Some(known.to_owned())
}

/// A title, as far as it tells of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Title {
    pub label: Option<Label>,
    /// The other words, without numbers: what titles of one sound have in common.
    pub stem: String,
}

/// Reads a title such as `English L` or `Audio 2`.
pub(super) fn of_title(title: &str) -> Title {
    let lower = title.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words = words.map(|word| word.trim_end_matches(char::is_numeric));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let behind = words.iter().any(|word| BEHIND.contains(word));
    let label = words.iter().find_map(|word| of_word(word));
    let names_channel =
        |word: &&str| of_word(word).is_some() || (label.is_some() && BEHIND.contains(word));
    let stem: Vec<_> = words.iter().copied().filter(|word| !names_channel(word)).collect();
    let label = match label {
        Some(Left) if behind => Some(BackLeft),
        Some(Right) if behind => Some(BackRight),
        label => label,
    };
    Title { label, stem: stem.join(" ") }
}

fn of_word(word: &str) -> Option<Label> {
    if word == "rt" {
        return Some(RightTotal);
    }
    WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(label, _)| *label)
}

/// What a title says besides the channel, as it is written: `English` of `English - Left`.
pub(super) fn common_title(title: &str) -> Option<String> {
    let is_of_channel = |word: &str| {
        let word = word.to_lowercase();
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
        let bare = plain.trim_end_matches(char::is_numeric);
        bare.is_empty() || of_word(bare).is_some() || BEHIND.contains(&bare)
    };
    let words: Vec<_> = title.split_whitespace().filter(|word| !is_of_channel(word)).collect();
    let common = words.join(" ");
    (!common.is_empty()).then_some(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_of_one_channel_name_it() {
        assert_eq!(of_layout("1 channels (FL)"), Some(Left));
        assert_eq!(of_layout("1 channels (LFE)"), Some(Lfe));
        assert_eq!(of_layout("FR"), Some(Right));
        assert_eq!(of_layout("mono"), None);
        assert_eq!(of_layout("stereo"), None);
        assert_eq!(of_layout(""), None);
    }

    #[test]
    fn channels_that_make_a_layout_have_a_name() {
        assert_eq!(layout(&[Left, Right]).as_deref(), Some("stereo"));
        assert_eq!(layout(&[LeftTotal, RightTotal]).as_deref(), Some("stereo"));
        assert_eq!(layout(&[Left, Right, Centre]).as_deref(), Some("FL+FR+FC"));
        assert_eq!(layout(&[Left, Centre]), None);
        assert_eq!(layout(&[]), None);
    }

    #[test]
    fn titles_tell_channels_and_what_they_belong_to() {
        let of = |title: &str| {
            let Title { label, stem } = of_title(title);
            (label, stem)
        };
        let is = |label, stem: &str| (label, stem.to_owned());
        assert_eq!(of("English L"), is(Some(Left), "english"));
        assert_eq!(of("English - Right"), is(Some(Right), "english"));
        assert_eq!(of("Left Surround"), is(Some(BackLeft), ""));
        assert_eq!(of("Audio 12"), is(None, "audio"));
        assert_eq!(of("CH2"), is(None, "ch"));
        assert_eq!(of("Commentary"), is(None, "commentary"));
        assert_eq!(of(""), is(None, ""));
        assert_eq!(common_title("English - Left").as_deref(), Some("English"));
        assert_eq!(common_title("Left"), None);
        assert_eq!(common_title("Audio 1").as_deref(), Some("Audio"));
    }
}
