//! Playlists rewritten for one viewer: every URI of a media or multivariant playlist (RFC 8216, and
//! the tags of its second edition) is handed to the caller; all else stays as it is, to the byte.
//!
//! A relative URI does not inherit its playlist's query, and some players send neither headers nor
//! cookies for segments: so what lets a viewer in has to stand in each URI.

use crate::url::SignableUrl;

/// What a URI of a playlist leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A media segment, or a part of one.
    Segment,
    /// An initialization section, EXT-X-MAP.
    Map,
    /// A key, EXT-X-KEY or EXT-X-SESSION-KEY.
    Key,
    /// Another media playlist: a variant, EXT-X-MEDIA, EXT-X-I-FRAME-STREAM-INF,
    /// EXT-X-RENDITION-REPORT.
    Playlist,
    /// Anything else, as EXT-X-SESSION-DATA.
    Other,
}

/// Why a playlist cannot be rewritten; lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// The first line is not `#EXTM3U`.
    #[error("it is no playlist: it does not begin with #EXTM3U")]
    NotAPlaylist,
    /// A quoted string without its end, or attributes without names.
    #[error("line {0}: attributes cannot be told apart")]
    Attributes(usize),
    /// A URI that holds a variable: what it will be is not known here.
    #[error("line {0}: a URI with a variable ({{$...}}) cannot be rewritten")]
    Variable(usize),
    /// The caller could not say what a URI is to be.
    #[error("line {line}: {cause}")]
    Uri {
        /// The line.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
}

/// Says what a URI becomes, None for what it is, or why that cannot be said.
pub type Each<'a> = dyn FnMut(Kind, &str) -> Result<Option<String>, String> + 'a;

/// Rewrites the URIs of a playlist.
///
/// # Errors
/// [`RewriteError`]; nothing is left out silently.
pub fn rewrite(playlist: &str, each: &mut Each<'_>) -> Result<String, RewriteError> {
    if playlist.lines().next().map(str::trim_end) != Some("#EXTM3U") {
        return Err(RewriteError::NotAPlaylist);
    }
    let mut out = String::with_capacity(playlist.len() * 2);
    let mut variant = false;
    for (number, line) in (1..).zip(playlist.split_inclusive('\n')) {
        // White space at the end is no part of a URI.
        let text = line.trim_end();
        let mut pen = Pen { line: number, out: &mut out, each };
        match text.strip_prefix('#') {
            None if text.is_empty() => {}
            None => {
                pen.uri(if variant { Kind::Playlist } else { Kind::Segment }, text)?;
                variant = false;
            }
            Some(tag) => {
                variant |= tag.starts_with("EXT-X-STREAM-INF:");
                pen.tag(text, tag)?;
            }
        }
        out.push_str(&line[text.len()..]);
    }
    Ok(out)
}

/// Whether a tag has attributes, and a URI among them.
fn is_with_attributes((name, value): &(&str, &str)) -> bool {
    name.starts_with("EXT-X-") && (value.contains("URI=") || value.contains("X-ASSET-LIST="))
}

/// What writes one line.
struct Pen<'a> {
    line: usize,
    out: &'a mut String,
    each: &'a mut Each<'a>,
}

impl Pen<'_> {
    fn tag(&mut self, text: &str, tag: &str) -> Result<(), RewriteError> {
        match tag.split_once(':').filter(is_with_attributes) {
            None => self.out.push_str(text),
            Some((name, attributes)) => {
                self.out.push_str(&format!("#{name}:"));
                self.attributes(name, attributes)?;
            }
        }
        Ok(())
    }

    fn uri(&mut self, kind: Kind, uri: &str) -> Result<(), RewriteError> {
        let line = self.line;
        if uri.contains("{$") {
            return Err(RewriteError::Variable(line));
        }
        match (self.each)(kind, uri).map_err(|cause| RewriteError::Uri { line, cause })? {
            None => self.out.push_str(uri),
            Some(other) if other.contains(['"', '\n', '\r']) || other.is_empty() => {
                let cause = format!("{other:?} cannot stand for {uri:?}");
                return Err(RewriteError::Uri { line, cause });
            }
            Some(other) => self.out.push_str(&other),
        }
        Ok(())
    }

    /// An attribute list (RFC 8216, 4.2): commas part it, but not within quotes.
    fn attributes(&mut self, tag: &str, list: &str) -> Result<(), RewriteError> {
        let mut rest = list;
        while !rest.is_empty() {
            let wrong = RewriteError::Attributes(self.line);
            let Some((name, value)) = rest.split_once('=') else { return Err(wrong) };
            if !is_name(name) {
                return Err(wrong);
            }
            self.out.push_str(name);
            self.out.push('=');
            rest = self.value(tag, name.trim_start(), value)?;
            if let Some(after) = rest.strip_prefix(',') {
                self.out.push(',');
                rest = after;
            } else if !rest.is_empty() {
                return Err(wrong);
            }
        }
        Ok(())
    }

    /// Writes the value that `rest` begins with; what comes after it.
    fn value<'t>(&mut self, tag: &str, name: &str, rest: &'t str) -> Result<&'t str, RewriteError> {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (value, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            self.out.push_str(value);
            return Ok(after);
        };
        let wrong = RewriteError::Attributes(self.line);
        let Some((text, after)) = quoted.split_once('"') else { return Err(wrong) };
        self.out.push('"');
        match is_uri(name) && !text.is_empty() {
            true => self.uri(kind_of(tag, name), text)?,
            false => self.out.push_str(text),
        }
        self.out.push('"');
        Ok(after)
    }
}

/// Whether it is the name of an attribute; some writers put a blank before it.
fn is_name(name: &str) -> bool {
    let bare = name.trim_start();
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    !bare.is_empty() && bare.bytes().all(fits)
}

/// Attributes that hold a URI: URI, SERVER-URI, X-ASSET-URI, X-ASSET-LIST.
fn is_uri(attribute: &str) -> bool {
    attribute == "URI" || attribute.ends_with("-URI") || attribute == "X-ASSET-LIST"
}

fn kind_of(tag: &str, attribute: &str) -> Kind {
    match tag {
        _ if attribute != "URI" => Kind::Other,
        "EXT-X-KEY" | "EXT-X-SESSION-KEY" => Kind::Key,
        "EXT-X-MAP" => Kind::Map,
        "EXT-X-PART" | "EXT-X-PRELOAD-HINT" => Kind::Segment,
        "EXT-X-MEDIA" | "EXT-X-I-FRAME-STREAM-INF" | "EXT-X-IMAGE-STREAM-INF" => Kind::Playlist,
        "EXT-X-RENDITION-REPORT" => Kind::Playlist,
        _ => Kind::Other,
    }
}

/// What becomes of the URIs of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Becomes {
    /// They stay.
    #[default]
    Same,
    /// They get this query, after what they have.
    Query(String),
    /// They are resolved against a URL and get this query; URIs of other hosts stay as they are, so
    /// that no other host is sent a signature.
    Under {
        /// The playlist's own URL at the CDN.
        base: SignableUrl,
        /// The query.
        query: String,
    },
}

/// What becomes of all URIs of a playlist: the caller's choice for each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Segments, initialization sections, and what is of no other kind.
    pub media: Becomes,
    /// Other playlists.
    pub playlists: Becomes,
    /// Keys: their server wants a viewer's token and no signature of a CDN.
    pub keys: Becomes,
}

impl Rules {
    /// Rewrites a playlist by these rules.
    ///
    /// # Errors
    /// [`RewriteError`].
    pub fn apply(&self, playlist: &str) -> Result<String, RewriteError> {
        rewrite(playlist, &mut |kind, uri| {
            let rule = match kind {
                Kind::Segment | Kind::Map | Kind::Other => &self.media,
                Kind::Playlist => &self.playlists,
                Kind::Key => &self.keys,
            };
            Ok(rule.apply(uri))
        })
    }
}

impl Becomes {
    fn apply(&self, uri: &str) -> Option<String> {
        match self {
            Becomes::Same => None,
            // skd: and data: are for the player itself.
            Becomes::Query(_) if has_scheme(uri) && !is_http(uri) => None,
            Becomes::Query(query) => Some(with_query(uri, query)),
            Becomes::Under { base, query } => {
                let whole = resolve(base, uri)?;
                Some(with_query(&whole, query))
            }
        }
    }
}

fn is_http(uri: &str) -> bool {
    let begins = |scheme: &str| {
        uri.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    begins("https://") || begins("http://")
}

/// Whether a scheme comes before the first slash (RFC 3986, 3.1 and 4.2).
fn has_scheme(uri: &str) -> bool {
    let first = uri.split(['/', '?', '#']).next().unwrap_or(uri);
    first.contains(':')
}

/// `uri` with a query after the one that it has, before its fragment.
fn with_query(uri: &str, query: &str) -> String {
    if query.is_empty() {
        return uri.to_owned();
    }
    let (uri, fragment) = uri.split_at(uri.find('#').unwrap_or(uri.len()));
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{query}{fragment}")
}

/// The whole URL of `uri` in the playlist at `base` (RFC 3986, 5.2); dots are left for the player
/// to take out. None if it is another host's.
fn resolve(base: &SignableUrl, uri: &str) -> Option<String> {
    let base = base.as_str();
    let without_query = base.split('?').next().unwrap_or(base);
    let host_ends = without_query.find("://").map_or(0, |at| at + 3);
    let path =
        without_query[host_ends..].find('/').map_or(without_query.len(), |at| host_ends + at);
    let origin = &without_query[..path];
    if is_http(uri) {
        let rest = uri.strip_prefix(origin)?;
        let ends = rest.is_empty() || rest.starts_with(['/', '?', '#']);
        return ends.then(|| uri.to_owned());
    }
    if has_scheme(uri) || uri.starts_with("//") {
        return None;
    }
    if uri.starts_with('/') {
        return Some(format!("{origin}{uri}"));
    }
    if uri.starts_with(['?', '#']) {
        return Some(format!("{without_query}{uri}"));
    }
    let folder =
        without_query[path..].rfind('/').map_or("/", |at| &without_query[path..=path + at]);
    Some(format!("{origin}{folder}{uri}"))
}
