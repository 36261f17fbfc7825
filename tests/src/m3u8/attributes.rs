//! Attribute lists (RFC 8216, 4.2).

use super::{decimal, integer};

/// The attributes of a tag: name, value, and whether it is quoted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Vec<(String, String, bool)>);

impl Attributes {
    /// Reads a list; only `known` names may stand in it.
    pub fn parse(list: &str, known: &[&str]) -> Result<Attributes, String> {
        let mut found: Vec<(String, String, bool)> = Vec::new();
        let mut rest = Some(list);
        while let Some(text) = rest {
            let (name, value, quoted, after) = first(text)?;
            if !known.contains(&name) {
                return Err(format!("the attribute {name} does not belong here"));
            }
            if found.iter().any(|(before, ..)| before == name) {
                return Err(format!("the attribute {name} stands twice"));
            }
            found.push((name.to_owned(), value.to_owned(), quoted));
            rest = after;
        }
        Ok(Attributes(found))
    }

    fn get(&self, name: &str, quoted: bool) -> Result<Option<&str>, String> {
        let found = self.0.iter().find(|(known, ..)| known == name);
        match found {
            Some((_, _, other)) if *other != quoted => Err(format!("quotes of {name} are wrong")),
            found => Ok(found.map(|(_, value, _)| value.as_str())),
        }
    }

    /// A quoted-string.
    pub fn quoted(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.get(name, true)?.map(str::to_owned))
    }

    /// A quoted-string that must be there.
    pub fn required(&self, name: &str) -> Result<String, String> {
        self.quoted(name)?.ok_or_else(|| format!("{name} is missing"))
    }

    /// An unquoted value.
    pub fn bare(&self, name: &str) -> Result<Option<&str>, String> {
        self.get(name, false)
    }

    /// A decimal-integer.
    pub fn integer(&self, name: &str) -> Result<Option<u64>, String> {
        self.bare(name)?.map(integer).transpose()
    }

    /// A decimal-floating-point.
    pub fn decimal(&self, name: &str) -> Result<Option<f64>, String> {
        self.bare(name)?.map(decimal).transpose()
    }

    /// YES or NO; NO when absent.
    pub fn yes(&self, name: &str) -> Result<bool, String> {
        match self.bare(name)? {
            None | Some("NO") => Ok(false),
            Some("YES") => Ok(true),
            Some(other) => Err(format!("{name} is {other}")),
        }
    }
}

/// The first attribute and what follows its comma.
fn first(list: &str) -> Result<(&str, &str, bool, Option<&str>), String> {
    let bad = || format!("a bad attribute list: {list:?}");
    let (name, rest) = list.split_once('=').ok_or_else(bad)?;
    let legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(legal) {
        return Err(bad());
    }
    let (value, quoted, after) = match rest.strip_prefix('"') {
        Some(open) => {
            let (value, after) = open.split_once('"').ok_or_else(bad)?;
            (value, true, after)
        }
        None => {
            let end = rest.find(',').unwrap_or(rest.len());
            (&rest[..end], false, &rest[end..])
        }
    };
    if !quoted && (value.is_empty() || value.contains(['"', ' '])) {
        return Err(bad());
    }
    match after {
        "" => Ok((name, value, quoted, None)),
        _ => Ok((name, value, quoted, Some(after.strip_prefix(',').ok_or_else(bad)?))),
    }
}
