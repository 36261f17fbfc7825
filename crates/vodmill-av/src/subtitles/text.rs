//! The text of a cue: what WebVTT players understand, and nothing that they would take for markup.

/// Fields of an ASS event before its text, as libav's decoders write them.
const EVENT_FIELDS: usize = 9;
/// Markup that is kept.
const STYLES: [char; 3] = ['b', 'i', 'u'];

/// Plain text.
pub(super) fn from_plain(text: &str) -> String {
    tidy(&text.replace("\r\n", "\n"))
}

/// The text of an ASS event, its overrides turned into tags.
pub(super) fn from_event(event: &str) -> String {
    let fields = event.strip_prefix("Dialogue:").map_or(EVENT_FIELDS, |_| EVENT_FIELDS + 1);
    let Some(text) = event.splitn(fields, ',').nth(fields - 1) else { return String::new() };
    tidy(&overrides(text))
}

/// Replaces ASS's escapes and `{\i1}`-like overrides; drops drawings.
fn overrides(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<char> = Vec::new();
    let mut drawing = false;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '{' if rest.contains('}') => {
                let (block, after) = rest.split_once('}').unwrap_or((rest, ""));
                rest = after;
                for tag in block.split('\\').skip(1) {
                    apply(tag.trim(), &mut open, &mut drawing, &mut out);
                }
            }
            _ if drawing => {}
            '\\' if rest.starts_with(['N', 'n', 'h']) => {
                out.push(if rest.starts_with('h') { '\u{a0}' } else { '\n' });
                rest = &rest[1..];
            }
            '\r' => {}
            next => out.push(next),
        }
    }
    close_all(&mut open, &mut out);
    out
}

fn apply(tag: &str, open: &mut Vec<char>, drawing: &mut bool, out: &mut String) {
    if let Some(level) = tag.strip_prefix('p').and_then(|level| level.parse::<u32>().ok()) {
        *drawing = level > 0;
        return;
    }
    if tag == "r" || tag.strip_prefix('r').is_some_and(|style| !style.is_empty()) {
        return close_all(open, out);
    }
    let Some(style) = tag.chars().next().filter(|style| STYLES.contains(style)) else { return };
    match tag[1..].parse::<u32>() {
        Ok(0) => close(style, open, out),
        // Bold may be given as a weight.
        Ok(value) if style == 'b' && (2..600).contains(&value) => close(style, open, out),
        Ok(_) if !open.contains(&style) => {
            open.push(style);
            out.push_str(&format!("<{style}>"));
        }
        _ => {}
    }
}

/// Closes `style`, and opens again what was opened within it.
fn close(style: char, open: &mut Vec<char>, out: &mut String) {
    let Some(at) = open.iter().position(|&other| other == style) else { return };
    let inner = open.split_off(at + 1);
    inner.iter().rev().for_each(|inner| out.push_str(&format!("</{inner}>")));
    out.push_str(&format!("</{style}>"));
    open.pop();
    inner.iter().for_each(|inner| out.push_str(&format!("<{inner}>")));
    open.extend(inner);
}

fn close_all(open: &mut Vec<char>, out: &mut String) {
    while let Some(style) = open.pop() {
        out.push_str(&format!("</{style}>"));
    }
}

/// Decodes entities, strips all tags but the kept ones, trims lines and drops empty ones.
fn tidy(text: &str) -> String {
    let text = entities(&tags(text.trim_start_matches('\u{feff}')));
    let lines = text.lines().map(str::trim).filter(|line| !bare(line).is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    if bare(&text).is_empty() { String::new() } else { text }
}

/// `text` without the tags that are kept.
fn bare(text: &str) -> String {
    let mut text = text.to_owned();
    for style in STYLES {
        text = text.replace(&format!("<{style}>"), "").replace(&format!("</{style}>"), "");
    }
    text.trim().to_owned()
}

fn tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let tag = &rest[at..];
        match tag.find('>').filter(|&end| looks_like_tag(&tag[1..end])) {
            Some(end) => {
                let name = tag[1..end].to_ascii_lowercase();
                let style = name.strip_prefix('/').unwrap_or(&name);
                if style.len() == 1 && style.starts_with(STYLES) {
                    out.push_str(&format!("<{name}>"));
                }
                rest = &tag[end + 1..];
            }
            None => {
                out.push('<');
                rest = &tag[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// `<font color=x>` and `</c>` are tags; `a < b > c` has none.
fn looks_like_tag(inside: &str) -> bool {
    let name = inside.strip_prefix('/').unwrap_or(inside);
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.contains(['<', '\n'])
}

/// The entities that subtitles use; an ampersand of any other kind is itself.
fn entities(text: &str) -> String {
    const NAMED: [(&str, &str); 9] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&nbsp;", "\u{a0}"),
        ("&lrm;", "\u{200e}"),
        ("&rlm;", "\u{200f}"),
        ("&amp;", "&"),
    ];
    NAMED.iter().fold(text.to_owned(), |text, (name, character)| text.replace(name, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> String {
        from_event(&format!("0,0,Default,,0,0,0,,{text}"))
    }

    #[test]
    fn overrides_become_tags_or_nothing() {
        assert_eq!(event(r"{\an8}up, {\i1}there{\i0}"), "up, <i>there</i>");
        assert_eq!(event(r"{\b1}a{\i1}b{\b0}c"), "<b>a<i>b</i></b><i>c</i>");
        assert_eq!(event(r"{\u1}open"), "<u>open</u>");
        assert_eq!(event(r"{\b400}light{\b700}heavy"), "light<b>heavy</b>");
        assert_eq!(event(r"{\p1}m 0 0 l 10 10{\p0}seen"), "seen");
        assert_eq!(event(r"{\pos(1,2)\c&H00FF00&}green"), "green");
    }

    #[test]
    fn lines_and_spaces_are_kept_but_no_empty_ones() {
        assert_eq!(event(r"one\Ntwo\n\N three\hfour "), "one\ntwo\nthree\u{a0}four");
        assert_eq!(event(r"{\i1}{\i0}\N "), "");
        assert_eq!(from_plain("a\r\nb"), "a\nb");
    }

    #[test]
    fn foreign_markup_goes_and_text_stays() {
        assert_eq!(from_plain("<font color=\"#fff\">x</font> <I>y</I>"), "x <i>y</i>");
        assert_eq!(from_plain("1 < 2 && 3 > 2"), "1 < 2 && 3 > 2");
        assert_eq!(from_plain("R&amp;B &lt;3"), "R&B <3");
        assert_eq!(from_plain("{not an override"), "{not an override");
    }
}
