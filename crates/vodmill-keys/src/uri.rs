//! Where players get a key: a template of the operator.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::key::Kid;

/// What stays as it is in a path (RFC 3986, 2.3), and the slashes of an asset's name.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The longest template, in bytes.
const MAX_TEMPLATE: usize = 2048;

/// The key URI of a pipeline, with `{kid}`, `{asset}` and `{generation}` to be
/// filled in: absolute, or relative to the media playlist (RFC 8216 §4.3.2.4).
///
/// The last part of its path holds `{kid}` and no other placeholder, so that
/// keys can be exported as files whose names the URIs end with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUriTemplate {
    template: String,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyUriError {
    /// Empty, or of more than 2048 bytes.
    #[error("a key URI template has 1 to 2048 bytes")]
    Length,
    /// A character that no URI has, or that cannot be quoted.
    #[error("a key URI cannot have the character {0:?}")]
    Character(char),
    /// A brace without its partner.
    #[error("unbalanced braces")]
    Braces,
    /// A placeholder that does not exist.
    #[error("unknown placeholder {{{0}}}: there are kid, asset and generation")]
    Unknown(String),
    /// `{kid}` is not in the last part of the path.
    #[error("the last part of the path must contain {{kid}}")]
    KidNotLast,
    /// The last part of the path has `{asset}` or `{generation}`.
    #[error("the last part of the path can contain no placeholder but {{kid}}")]
    NotAFileName,
}

impl Kid {
    /// The id in a key URI: 32 hex digits in the last part of its path that are no part of more.
    pub fn in_uri(uri: &str) -> Option<Kid> {
        let mut runs = last_of_path(uri).split(|c: char| !c.is_ascii_hexdigit());
        runs.find_map(Kid::from_hex)
    }
}

enum Part<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

impl KeyUriTemplate {
    /// Checks a template.
    ///
    /// # Errors
    /// [`KeyUriError`], for the operator to read.
    pub fn parse(template: &str) -> Result<Self, KeyUriError> {
        if template.is_empty() || template.len() > MAX_TEMPLATE {
            return Err(KeyUriError::Length);
        }
        let bad =
            |c: &char| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`');
        if let Some(bad) = template.chars().find(bad) {
            return Err(KeyUriError::Character(bad));
        }
        for part in parts(template)? {
            if let Part::Placeholder(name) = part
                && !matches!(name, "kid" | "asset" | "generation")
            {
                return Err(KeyUriError::Unknown(name.to_owned()));
            }
        }
        let last = last_of_path(template);
        if last.contains("{asset}") || last.contains("{generation}") {
            return Err(KeyUriError::NotAFileName);
        }
        if !last.contains("{kid}") {
            return Err(KeyUriError::KidNotLast);
        }
        Ok(Self { template: template.to_owned() })
    }

    /// The URI of one key. Asset and generation are percent-encoded (RFC 3986
    /// §2.1), but for the slashes in them.
    pub fn uri(&self, kid: &Kid, asset: &str, generation: &str) -> String {
        fill(&self.template, kid, asset, generation)
    }

    /// The name of the file that the key is exported to: the last part of the
    /// path of its URI.
    pub fn file_name(&self, kid: &Kid) -> String {
        fill(last_of_path(&self.template), kid, "", "")
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.template
    }
}

/// The template was checked: its braces are balanced.
fn fill(template: &str, kid: &Kid, asset: &str, generation: &str) -> String {
    let mut uri = String::with_capacity(template.len() + 64);
    for part in parts(template).unwrap_or_default() {
        match part {
            Part::Text(text) => uri.push_str(text),
            Part::Placeholder("kid") => uri.push_str(&kid.to_string()),
            Part::Placeholder("asset") => uri.extend(utf8_percent_encode(asset, PATH)),
            Part::Placeholder(_) => uri.extend(utf8_percent_encode(generation, PATH)),
        }
    }
    uri
}

fn parts(template: &str) -> Result<Vec<Part<'_>>, KeyUriError> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(KeyUriError::Braces)?;
        if text.contains('}') || name.contains('{') {
            return Err(KeyUriError::Braces);
        }
        parts.push(Part::Text(text));
        parts.push(Part::Placeholder(name));
        rest = after;
    }
    if rest.contains('}') {
        return Err(KeyUriError::Braces);
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

fn last_of_path(template: &str) -> &str {
    let path = template.split(['?', '#']).next().unwrap_or_default();
    // A host is not a path: of `https://{kid}` there is no last part.
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => path,
    };
    path.rsplit('/').next().unwrap_or_default()
}
