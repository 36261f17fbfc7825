use vodmill_manifest::hls::{MultivariantPlaylist, PlaylistError};

use crate::golden::full;

fn rule(change: impl FnOnce(&mut MultivariantPlaylist)) -> String {
    let mut playlist = full();
    change(&mut playlist);
    match playlist.write() {
        Err(PlaylistError::Rule(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rules_over_entries_are_kept() {
    assert!(rule(|p| p.audio.clear()).contains("not defined"));
    assert!(rule(|p| p.subtitles.clear()).contains("not defined"));
    assert!(rule(|p| p.audio[1].default = true).contains("two defaults"));
    assert!(rule(|p| p.audio[1].name = p.audio[0].name.clone()).contains("two members"));
    assert!(rule(|p| p.audio[0].name.clear()).contains("empty"));
    assert!(rule(|p| p.variants[0].bandwidth = 0).contains("zero"));
    assert!(rule(|p| p.variants[0].average_bandwidth = Some(u64::MAX)).contains("larger"));
    assert!(rule(|p| p.variants[0].frame_rate.as_mut().unwrap().den = 0).contains("frame rate"));
    assert!(rule(|p| p.variants[0].score = None).contains("SCORE"));
    let empty = MultivariantPlaylist::default();
    assert_eq!(empty.write(), Err(PlaylistError::Empty));
}

#[test]
fn what_cannot_be_quoted_is_refused() {
    for bad in ["a\"b", "a\nb", "a\rb"] {
        let mut playlist = full();
        playlist.audio[0].name = bad.into();
        let refused = playlist.write();
        assert!(matches!(refused, Err(PlaylistError::Unquotable { attribute: "NAME", .. })));
        let mut playlist = full();
        playlist.variants[0].codecs[0] = bad.into();
        assert!(matches!(playlist.write(), Err(PlaylistError::Unquotable { .. })));
    }
}

#[test]
fn a_default_is_always_autoselected() {
    let mut playlist = full();
    playlist.audio[0].autoselect = false;
    assert!(playlist.write().unwrap().contains("DEFAULT=YES,AUTOSELECT=YES"));
}

#[test]
fn it_reads_back_as_it_was() {
    let text = full().write().unwrap();
    let mut read = MultivariantPlaylist::read(text.as_bytes()).unwrap();
    for (read, written) in read.variants.iter_mut().zip(full().variants) {
        let rate = read.frame_rate.unwrap();
        assert_eq!((rate.num, rate.den), (23_976, 1000));
        read.frame_rate = written.frame_rate;
    }
    assert_eq!(read, full());
}
