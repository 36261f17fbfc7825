//! Texts of a subtitle track, in whatever character set: what is shown is text, and no more of it
//! than was there.

#![no_main]

use libfuzzer_sys::fuzz_target;

const LANGUAGES: [Option<&str>; 5] = [None, Some("kor"), Some("zh-TW"), Some("rus"), Some("")];

fuzz_target!(|bytes: &[u8]| {
    let [choice, rest @ ..] = bytes else { return };
    let texts: Vec<&[u8]> = rest.split(|byte| *byte == b'\n').collect();
    let language = LANGUAGES[usize::from(*choice) % LANGUAGES.len()];
    let shown = vodmill_av::read_texts(&texts, language);
    assert_eq!(shown.len(), texts.len());
    for (shown, text) in shown.iter().zip(&texts) {
        assert!(!shown.contains('\0') && shown.len() <= 4 * text.len());
    }
});
