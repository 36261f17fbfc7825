//! The little XML that CloudFront speaks.

use std::fmt::Write;

/// A text as it is written between tags.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => drop(write!(out, "&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// The text of the first element of that name that holds text alone.
pub(crate) fn text_of(xml: &str, name: &str) -> Option<String> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = after.split_once(&format!("</{name}>"))?;
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    Some(text.replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_go_there_and_back() {
        for text in ["/a b/*", "/a&b<c>", "&amp;"] {
            let xml = format!("<A><Path>{}</Path><Path>other</Path></A>", escaped(text));
            assert_eq!(text_of(&xml, "Path").as_deref(), Some(text));
        }
        assert_eq!(text_of("<Id>1", "Id"), None);
        assert_eq!(text_of("<Idea>1</Idea>", "Id"), None);
    }
}
