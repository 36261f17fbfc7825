//! The character set of a subtitle track. Containers want UTF-8; what was put into them is often as
//! the text file had it: a legacy code page, or UTF-16.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes that are enough to tell one code page from another.
const MAX_SAMPLE: usize = 1 << 20;

/// Domains whose language chardetng knows the usual code pages of, by ISO 639-2 and ISO 639-1.
const DOMAINS: [(&[&str], &[u8]); 21] = [
    (&["ara", "ar"], b"eg"),
    (&["bul", "bg"], b"bg"),
    (&["ces", "cze", "cs"], b"cz"),
    (&["deu", "ger", "de"], b"de"),
    (&["ell", "gre", "el"], b"gr"),
    (&["est", "et"], b"ee"),
    (&["fas", "per", "fa"], b"ir"),
    (&["fra", "fre", "fr"], b"fr"),
    (&["heb", "he"], b"il"),
    (&["hrv", "hr"], b"hr"),
    (&["hun", "hu"], b"hu"),
    (&["jpn", "ja"], b"jp"),
    (&["kor", "ko"], b"kr"),
    (&["lav", "lv"], b"lv"),
    (&["lit", "lt"], b"lt"),
    (&["pol", "pl"], b"pl"),
    (&["ron", "rum", "ro"], b"ro"),
    (&["rus", "ru"], b"ru"),
    (&["tha", "th"], b"th"),
    (&["tur", "tr"], b"tr"),
    (&["ukr", "uk"], b"ua"),
];

/// Looks at the texts of a track, one after the other.
#[derive(Default)]
pub(super) struct Survey {
    /// Texts of UTF-8 beyond ASCII, and texts that are not UTF-8.
    utf8: u64,
    foreign: u64,
    /// Bytes of zero at even and at odd places: in UTF-16 the upper half of Latin letters, blanks
    /// and line feeds.
    zeros: [u64; 2],
    marks: [u64; 2],
    sample: Vec<u8>,
}

impl Survey {
    /// Takes a text.
    pub(super) fn look(&mut self, text: &[u8]) {
        for (at, _) in text.iter().enumerate().filter(|(_, byte)| **byte == 0) {
            self.zeros[at % 2] += 1;
        }
        self.marks[0] += u64::from(text.starts_with(b"\xfe\xff"));
        self.marks[1] += u64::from(text.starts_with(b"\xff\xfe"));
        let (letters, damaged) = letters(text);
        if damaged > letters / 4 {
            self.foreign += 1;
        } else if letters > 0 {
            self.utf8 += 1;
        }
        let room = MAX_SAMPLE - self.sample.len();
        self.sample.extend(text.iter().take(room));
        self.sample.extend(self.sample.len().lt(&MAX_SAMPLE).then_some(b'\n'));
    }

    /// What the texts are written in, as far as that can be told; `language` is the track's.
    pub(super) fn finish(self, language: Option<&str>) -> &'static Encoding {
        // Zeros are no text in any other character set. At even places they are upper halves that
        // come first.
        let [even, odd] = [self.zeros[0] + self.marks[0], self.zeros[1] + self.marks[1]];
        if even + odd > 0 {
            return if even > odd { UTF_16BE } else { UTF_16LE };
        }
        // A few texts of a code page may happen to be UTF-8; and a few of UTF-8 may be damaged.
        if self.foreign <= self.utf8 {
            return UTF_8;
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
        detector.feed(&self.sample, true);
        detector.guess(language.and_then(domain), Utf8Detection::Deny)
    }
}

/// Letters beyond ASCII that are UTF-8, and places that are not. In a code page a letter is the former
/// by accident now and then; a text that was cut, or converted badly, has a few of the latter.
fn letters(text: &[u8]) -> (usize, usize) {
    text.utf8_chunks().fold((0, 0), |(letters, damaged), chunk| {
        let beyond_ascii = chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        (letters + beyond_ascii, damaged + usize::from(!chunk.invalid().is_empty()))
    })
}

fn domain(language: &str) -> Option<&'static [u8]> {
    let language = language.to_ascii_lowercase();
    let mut parts = language.split(['-', '_']);
    let primary = parts.next()?;
    if ["zh", "zho", "chi"].contains(&primary) {
        // Traditional and simplified characters have code pages of their own.
        return parts.find_map(|part| match part {
            "tw" | "hk" | "hant" => Some(&b"tw"[..]),
            "cn" | "sg" | "hans" => Some(b"cn"),
            _ => None,
        });
    }
    let entry = DOMAINS.iter().find(|(codes, _)| codes.contains(&primary));
    entry.map(|(_, domain)| *domain)
}

/// A text as UTF-8, and whether something in it meant nothing and was replaced.
pub(super) fn decode(text: &[u8], encoding: &'static Encoding) -> (String, bool) {
    let (text, replaced) = encoding.decode_with_bom_removal(text);
    // libav's decoders end a text at a zero.
    (text.replace('\0', ""), replaced)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, EUC_KR, GBK, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252};

    use super::*;

    fn found<'a>(
        texts: impl IntoIterator<Item = &'a [u8]>,
        language: Option<&str>,
    ) -> &'static Encoding {
        let mut survey = Survey::default();
        texts.into_iter().for_each(|text| survey.look(text));
        survey.finish(language)
    }

    fn survives(texts: &[&str], encoding: &'static Encoding, language: Option<&str>) {
        let bytes: Vec<Vec<u8>> =
            texts.iter().map(|text| encoding.encode(text).0.into_owned()).collect();
        let found = found(bytes.iter().map(Vec::as_slice), language);
        let decoded: Vec<_> = bytes.iter().map(|text| decode(text, found)).collect();
        let expected: Vec<_> = texts.iter().map(|text| ((*text).to_owned(), false)).collect();
        assert_eq!(decoded, expected, "{} taken for {}", encoding.name(), found.name());
    }

    const KOREAN: [&str; 3] =
        ["안녕하세요, 여러분", "뷁은 드문 글자입니다", "오늘은 날씨가 좋네요"];

    #[test]
    fn code_pages_are_told_apart() {
        for language in [None, Some("kor")] {
            survives(&KOREAN, EUC_KR, language);
        }
        survives(&["ここで待っていてください", "ありがとうございます"], SHIFT_JIS, Some("jpn"));
        survives(&["ここで待っていてください", "ありがとうございます"], SHIFT_JIS, None);
        survives(&["Où êtes-vous allé ?", "À bientôt, chère amie"], WINDOWS_1252, Some("fre"));
        survives(&["Ну что, пойдём домой?", "Я не знаю"], WINDOWS_1251, None);
        survives(&["Zażółć gęślą jaźń", "Dzień dobry"], WINDOWS_1250, Some("pol"));
        for (simplified, traditional) in [("zho", "chi"), ("zh-Hans", "zh-TW")] {
            survives(&["我们明天再见面吧", "你好，世界"], GBK, Some(simplified));
            survives(&["我們明天再見面吧", "請問您是哪一位"], BIG5, Some(traditional));
        }
    }

    #[test]
    fn one_short_text_of_a_code_page_may_be_utf_8_by_accident() {
        // "짜" in CP949 is a letter of two bytes in UTF-8.
        let short: &[u8] = b"\xc2\xa5";
        assert!(std::str::from_utf8(short).is_ok());
        let long: Vec<Vec<u8>> =
            KOREAN.iter().map(|text| EUC_KR.encode(text).0.into_owned()).collect();
        let texts = std::iter::once(short).chain(long.iter().map(Vec::as_slice));
        assert_eq!(found(texts, Some("kor")), EUC_KR);
    }

    #[test]
    fn utf_16_is_known_by_its_zeros_or_its_mark() {
        let utf16 = |text: &str, big: bool| -> Vec<u8> {
            let bytes = |unit| if big { u16::to_be_bytes(unit) } else { u16::to_le_bytes(unit) };
            text.encode_utf16().flat_map(bytes).collect()
        };
        for (big, encoding) in [(true, UTF_16BE), (false, UTF_16LE)] {
            let text = utf16("안녕 하세요 1", big);
            assert_eq!(found([text.as_slice()], None), encoding);
            assert_eq!(decode(&text, encoding), ("안녕 하세요 1".to_owned(), false));
            let marked = utf16("\u{feff}漢字", big);
            assert_eq!(found([marked.as_slice()], None), encoding);
            assert_eq!(decode(&marked, encoding), ("漢字".to_owned(), false));
        }
    }

    #[test]
    fn damaged_utf_8_stays_utf_8() {
        let texts = ["é à la carte".as_bytes(), "naïve".as_bytes(), b"caf\xc3"];
        assert_eq!(found(texts, None), UTF_8);
        assert_eq!(decode(b"caf\xc3", UTF_8), ("caf\u{fffd}".to_owned(), true));
        assert_eq!(found([b"plain".as_slice()], None), UTF_8);
        // Converters were seen to lose a byte of the first letter of each text, or to cut the last.
        let first = KOREAN.map(|text| [&text.as_bytes()[..1], &text.as_bytes()[2..]].concat());
        assert_eq!(found(first.iter().map(Vec::as_slice), Some("kor")), UTF_8);
        let last = KOREAN.map(|text| text.as_bytes()[..text.len() - 1].to_vec());
        assert_eq!(found(last.iter().map(Vec::as_slice), None), UTF_8);
    }
}
