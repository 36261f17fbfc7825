//! Language codes: ISO 639-2 in MP4, BCP 47 (the shortest code) in HLS, and names for people.

/// ISO 639-1 code (or the shortest there is), ISO 639-2 terminology and bibliographic codes, name.
const TABLE: &[(&str, &str, &str, &str)] = &[
    ("ar", "ara", "ara", "Arabic"),
    ("bg", "bul", "bul", "Bulgarian"),
    ("bn", "ben", "ben", "Bengali"),
    ("bs", "bos", "bos", "Bosnian"),
    ("ca", "cat", "cat", "Catalan"),
    ("cs", "ces", "cze", "Czech"),
    ("cy", "cym", "wel", "Welsh"),
    ("da", "dan", "dan", "Danish"),
    ("de", "deu", "ger", "German"),
    ("el", "ell", "gre", "Greek"),
    ("en", "eng", "eng", "English"),
    ("es", "spa", "spa", "Spanish"),
    ("et", "est", "est", "Estonian"),
    ("eu", "eus", "baq", "Basque"),
    ("fa", "fas", "per", "Persian"),
    ("fi", "fin", "fin", "Finnish"),
    ("fo", "fao", "fao", "Faroese"),
    ("fr", "fra", "fre", "French"),
    ("ga", "gle", "gle", "Irish"),
    ("gl", "glg", "glg", "Galician"),
    ("he", "heb", "heb", "Hebrew"),
    ("hi", "hin", "hin", "Hindi"),
    ("hr", "hrv", "hrv", "Croatian"),
    ("hu", "hun", "hun", "Hungarian"),
    ("hy", "hye", "arm", "Armenian"),
    ("id", "ind", "ind", "Indonesian"),
    ("is", "isl", "ice", "Icelandic"),
    ("it", "ita", "ita", "Italian"),
    ("ja", "jpn", "jpn", "Japanese"),
    ("ka", "kat", "geo", "Georgian"),
    ("ko", "kor", "kor", "Korean"),
    ("la", "lat", "lat", "Latin"),
    ("lb", "ltz", "ltz", "Luxembourgish"),
    ("lt", "lit", "lit", "Lithuanian"),
    ("lv", "lav", "lav", "Latvian"),
    ("mk", "mkd", "mac", "Macedonian"),
    ("ms", "msa", "may", "Malay"),
    ("mt", "mlt", "mlt", "Maltese"),
    ("nb", "nob", "nob", "Norwegian Bokmål"),
    ("nl", "nld", "dut", "Dutch"),
    ("nn", "nno", "nno", "Norwegian Nynorsk"),
    ("no", "nor", "nor", "Norwegian"),
    ("pl", "pol", "pol", "Polish"),
    ("pt", "por", "por", "Portuguese"),
    ("ro", "ron", "rum", "Romanian"),
    ("ru", "rus", "rus", "Russian"),
    ("se", "sme", "sme", "Northern Sami"),
    ("sk", "slk", "slo", "Slovak"),
    ("sl", "slv", "slv", "Slovenian"),
    ("so", "som", "som", "Somali"),
    ("sq", "sqi", "alb", "Albanian"),
    ("sr", "srp", "srp", "Serbian"),
    ("sv", "swe", "swe", "Swedish"),
    ("sw", "swa", "swa", "Swahili"),
    ("ta", "tam", "tam", "Tamil"),
    ("th", "tha", "tha", "Thai"),
    ("tr", "tur", "tur", "Turkish"),
    ("uk", "ukr", "ukr", "Ukrainian"),
    ("ur", "urd", "urd", "Urdu"),
    ("vi", "vie", "vie", "Vietnamese"),
    ("yi", "yid", "yid", "Yiddish"),
    ("zh", "zho", "chi", "Chinese"),
];

/// The table's entry for the primary language of `tag`.
fn entry(tag: &str) -> Option<&'static (&'static str, &'static str, &'static str, &'static str)> {
    let primary = tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase();
    TABLE.iter().find(|(short, term, bibl, _)| [*short, *term, *bibl].contains(&primary.as_str()))
}

/// `tag` as BCP 47 wants it (RFC 5646, 2.2.1: the shortest code); none for what is no tag.
pub(crate) fn bcp47(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let plain = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain || !(2..=35).contains(&tag.len()) || tag.eq_ignore_ascii_case("und") {
        return None;
    }
    match (entry(&tag), tag.split_once('-')) {
        (Some((short, ..)), Some((_, rest))) => Some(format!("{short}-{rest}")),
        (Some((short, ..)), None) => Some((*short).to_owned()),
        (None, _) => Some(tag),
    }
}

/// The ISO 639-2 terminology code of `tag`, three letters, if it has one.
pub(super) fn iso639(tag: &str) -> Option<String> {
    if let Some((_, term, ..)) = entry(tag) {
        return Some((*term).to_owned());
    }
    let tag = tag.trim().to_ascii_lowercase();
    let three = tag.len() == 3 && tag.bytes().all(|byte| byte.is_ascii_lowercase());
    (three && tag != "und").then_some(tag)
}

/// The name of the language for people, if it is known.
pub(super) fn name(tag: &str) -> Option<&'static str> {
    entry(tag).map(|&(.., name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_turned_into_the_form_that_each_container_wants() {
        assert_eq!(bcp47("swe").as_deref(), Some("sv"));
        assert_eq!(bcp47("ger").as_deref(), Some("de"));
        assert_eq!(bcp47("por-BR").as_deref(), Some("pt-BR"));
        assert_eq!(bcp47("gsw").as_deref(), Some("gsw"));
        assert_eq!(bcp47("a \"quoted\" mess"), None);
        assert_eq!(iso639("en-GB").as_deref(), Some("eng"));
        assert_eq!(iso639("fre").as_deref(), Some("fra"));
        assert_eq!(iso639("und"), None);
    }
}
