//! Names and metadata of others on terminals, in logs and in texts: what they hold is shown, and
//! does nothing.

use std::borrow::Cow;

/// `text` with every character escaped that is not seen but changes what is: controls, terminals'
/// escape sequences, line ends, what turns the direction of writing, what has no width.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match is_hidden(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// As [`printable`], line by line. Every line but the first is indented, so that none of them can be
/// taken for a line of ours.
pub fn printable_lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        let indent = if line.starts_with("  ") { "" } else { "  " };
        shown.push_str(if number == 0 { "" } else { "\n" });
        shown.push_str(if number == 0 { "" } else { indent });
        shown.push_str(&printable(line));
    }
    shown
}

/// Whether a character is not seen itself.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_escaped() {
        for (text, shown) in [
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\nvodmill: done\r\tb", "a\\nvodmill: done\\r\\tb"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("gpj.\u{202e}mp4", "gpj.\\u{202e}mp4"),
            ("\u{2066}x\u{2069}\u{200b}\u{feff}", "\\u{2066}x\\u{2069}\\u{200b}\\u{feff}"),
            ("\u{e0041}\u{7f}\0", "\\u{e0041}\\u{7f}\\u{0}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["Größe – 中文 עברית العربية", "a\\b", "👩‍👩‍👧 क्‍ष", ""]
        {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn no_line_passes_for_ours() {
        assert_eq!(
            printable_lines("a\nvodmill: b\n  c\r\n\x07d\n"),
            "a\n  vodmill: b\n  c\n  \\u{7}d"
        );
    }
}
