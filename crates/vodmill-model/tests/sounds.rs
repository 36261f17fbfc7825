//! Which sounds are found in tracks.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{catalogue, fixture};
use vodmill_model::audio_map::{AudioInput, MappedSound};
use vodmill_model::outcome::Reason;
use vodmill_model::plan::{AudioEncode, HazardCode};
use vodmill_model::role::Role;
use vodmill_model::units::Ticks;
use vodmill_model::{AudioTrack, Catalogue, MediaInfo, Plan, Rejected};

/// A film whose sound tracks are these.
fn film(tracks: Vec<AudioTrack>) -> MediaInfo {
    let mut media = fixture("plain-1080p25");
    media.audio = tracks;
    for (index, track) in (1..).zip(&mut media.audio) {
        track.index = index;
    }
    media
}

fn mono() -> AudioTrack {
    AudioTrack {
        channels: 1,
        layout: "mono".to_owned(),
        default: false,
        language: None,
        ..fixture("plain-1080p25").audio[0].clone()
    }
}

fn silent() -> AudioTrack {
    AudioTrack { silent_channels: vec![0], ..mono() }
}

fn labelled(layout: &str) -> AudioTrack {
    AudioTrack { layout: format!("1 channels ({layout})"), ..mono() }
}

fn titled(title: &str) -> AudioTrack {
    AudioTrack { title: Some(title.to_owned()), ..mono() }
}

fn spoken(language: &str) -> AudioTrack {
    AudioTrack { language: Some(language.to_owned()), ..mono() }
}

fn stereo() -> AudioTrack {
    AudioTrack { channels: 2, layout: "stereo".to_owned(), ..mono() }
}

/// A plan of sound in playlists of its own, with up to six channels.
fn try_plan(media: &MediaInfo, map: &str) -> Result<Plan, Rejected> {
    let mut catalogue: Catalogue = catalogue();
    let pipeline = catalogue.pipelines.get_mut("default").unwrap();
    pipeline.hls.audio = vodmill_model::pipeline::AudioPlacement::Group;
    if !map.is_empty() {
        pipeline.input.audio = toml::from_str::<AudioInput>(map).unwrap();
    }
    let Some(vodmill_model::Preset::Ladder(ladder)) = catalogue.presets.get_mut("hls") else {
        panic!("no ladder")
    };
    ladder.audio.channels = 6;
    common::plan_of(media, &catalogue, "default")
}

fn plan(tracks: Vec<AudioTrack>) -> Plan {
    try_plan(&film(tracks), "").unwrap()
}

/// The tracks of each alternative, as `1+2`, with its layout.
fn sounds(plan: &Plan) -> Vec<String> {
    let tracks = |encode: &AudioEncode| match &encode.join {
        None => encode.track.to_string(),
        Some(join) => {
            let tracks: Vec<_> = join.parts.iter().map(|part| part.track.to_string()).collect();
            tracks.join("+")
        }
    };
    let alternatives = &plan.hls().unwrap().audio;
    let encodes = alternatives.iter().map(|sound| plan.audio_encode(&sound.audio).unwrap());
    encodes.map(|encode| format!("{} {}", tracks(encode), encode.layout)).collect()
}

fn of(tracks: Vec<AudioTrack>) -> Vec<String> {
    sounds(&plan(tracks))
}

#[test]
fn left_and_right_as_two_tracks_are_one_sound() {
    assert_eq!(of(vec![mono(), mono()]), ["1+2 stereo"]);
    assert_eq!(of(vec![labelled("FL"), labelled("FR")]), ["1+2 stereo"]);
    assert_eq!(of(vec![labelled("FR"), labelled("FL")]), ["2+1 stereo"], "whatever the order");
    assert_eq!(of(vec![titled("Left"), titled("Right")]), ["1+2 stereo"]);
    assert_eq!(of(vec![labelled("DL"), labelled("DR")]), ["1+2 stereo"]);
}

#[test]
fn what_is_silent_is_dropped_and_said() {
    let mut tracks = vec![mono(), mono()];
    tracks.extend((0..6).map(|_| silent()));
    let plan = plan(tracks);
    assert_eq!(sounds(&plan), ["1+2 stereo"]);
    let dropped = |it: &&vodmill_model::plan::Hazard| it.code == HazardCode::TrackDropped;
    assert_eq!(plan.hazards.iter().filter(dropped).filter(|it| it.repair).count(), 6);
    let published: Vec<_> = plan.original.tracks.iter().map(|track| track.published).collect();
    assert_eq!(published[1..], [true, true, false, false, false, false, false, false]);
}

#[test]
fn a_side_that_is_silent_makes_mono_of_the_other() {
    assert_eq!(of(vec![mono(), silent()]), ["1 mono"]);
    assert_eq!(of(vec![silent(), mono(), mono(), mono()]), ["2 mono", "3+4 stereo"]);
    assert_eq!(of(vec![silent(), silent()]), ["1 mono"], "silence is all that there is");
}

#[test]
fn languages_and_titles_stay_apart() {
    let pairs = vec![spoken("eng"), spoken("eng"), spoken("fra"), spoken("fra")];
    assert_eq!(of(pairs), ["1+2 stereo", "3+4 stereo"]);
    let turns = vec![spoken("eng"), spoken("fra"), spoken("eng"), spoken("fra")];
    assert_eq!(of(turns), ["1+3 stereo", "2+4 stereo"]);
    assert_eq!(of(vec![spoken("eng"), spoken("fra")]), ["1 mono", "2 mono"]);
    assert_eq!(of(vec![titled("Main"), titled("Commentary")]), ["1 mono", "2 mono"]);
    let named = ["English L", "English R", "French L", "French R"].map(titled);
    let plan = plan(named.to_vec());
    assert_eq!(sounds(&plan), ["1+2 stereo", "3+4 stereo"]);
    let names: Vec<_> =
        plan.hls().into_iter().flat_map(|hls| &hls.audio).map(|it| &it.name).collect();
    assert_eq!(names, ["English", "French"]);
    let other_length = AudioTrack { end: Ticks::from_seconds(3), ..mono() };
    assert_eq!(of(vec![mono(), other_length]), ["1 mono", "2 mono"]);
    assert_eq!(of(vec![stereo(), mono()]), ["1 stereo", "2 mono"], "commentary beside the film");
    let described = AudioTrack { roles: vec![Role::Description], ..mono() };
    assert_eq!(of(vec![mono(), described]), ["1 mono", "2 mono"]);
}

#[test]
fn six_tracks_are_surround_sound() {
    assert_eq!(of(vec![mono(); 6]), ["1+2+3+4+5+6 5.1"]);
    assert_eq!(of(vec![mono(); 8]), ["1+2+3+4+5+6 5.1", "7+8 stereo"]);
    let mut no_lfe = vec![mono(); 6];
    no_lfe[3] = silent();
    assert_eq!(of(no_lfe), ["1+2+3+4+5+6 5.1"], "a film without a thunderstorm");
    assert_eq!(of(vec![mono(); 4]), ["1+2 stereo", "3+4 stereo"]);
    let labels = ["FC", "LFE", "FL", "FR", "SL", "SR"].map(labelled);
    assert_eq!(of(labels.to_vec()), ["3+4+1+2+5+6 5.1"]);
    let pairs = ["eng", "eng", "fra", "fra", "deu", "deu"].map(spoken);
    assert_eq!(of(pairs.to_vec()), ["1+2 stereo", "3+4 stereo", "5+6 stereo"]);
}

#[test]
fn channels_of_one_track_are_put_together_as_well() {
    let eight = |silent: &[u32]| AudioTrack {
        channels: 8,
        layout: String::new(),
        silent_channels: silent.to_vec(),
        ..mono()
    };
    let plan = plan(vec![eight(&[2, 3, 4, 5, 6, 7])]);
    assert_eq!(sounds(&plan), ["1+1 stereo"]);
    let filters: Vec<_> = plan.audio[0].join.iter().flat_map(|join| &join.parts).collect();
    assert!(filters[1].filter.contains("pan=mono|c0=c1"), "{filters:?}");
    assert_eq!(of(vec![eight(&[])]), ["1 5.1"], "the usual layout");
}

#[test]
fn the_pipeline_has_the_last_word() {
    let map = "map = [\n\
        { from = ['1.1'], language = 'en', name = 'English' },\n\
        { from = ['1.2'], language = 'fr' },\n\
        { from = [2, 3], name = 'Director', role = 'commentary' },\n]";
    let media = film(vec![stereo(), mono(), mono(), mono()]);
    let plan = try_plan(&media, map).unwrap();
    assert_eq!(sounds(&plan), ["1 mono", "1 mono", "2+3 stereo"]);
    let audio = &plan.hls().unwrap().audio;
    let names: Vec<_> = audio.iter().map(|sound| sound.name.as_str()).collect();
    assert_eq!(names, ["English", "French", "Director"]);
    let chosen: Vec<_> = audio.iter().map(|sound| (sound.default, sound.autoselect)).collect();
    assert_eq!(chosen, [(true, true), (false, true), (false, false)]);
    assert!(plan.hazards.iter().any(|it| it.detail.contains("track 4") && it.repair));
    for wrong in
        ["map = [{ from = [5] }]", "map = [{ from = ['1.3'] }]", "map = [{ from = [1, 2] }]"]
    {
        assert_eq!(
            try_plan(&media, wrong).unwrap_err().reason,
            Reason::SoundNotAsMapped,
            "{wrong}"
        );
    }
}

#[test]
fn a_map_is_checked_before_anything_is_done() {
    let paths = |map: &str| {
        let mut catalogue = catalogue();
        let pipeline = catalogue.pipelines.get_mut("default").unwrap();
        pipeline.input.audio = toml::from_str(map).unwrap();
        let issues = vodmill_model::validate::validate(&catalogue);
        issues.into_iter().map(|issue| issue.path).collect::<Vec<_>>()
    };
    assert_eq!(paths("map = [{ from = [1] }, { from = ['2.1', '2.2'] }]"), [""; 0]);
    assert_eq!(paths("map = [{ from = [] }]"), ["input.audio.map[0].from"]);
    assert_eq!(paths("map = [{ from = [1, 2, 3] }]"), ["input.audio.map[0].from"]);
    assert_eq!(paths("map = [{ from = [1, 1] }]"), ["input.audio.map[0].from"]);
    assert_eq!(paths("map = [{ from = [65] }]"), ["input.audio.map[0].from"]);
    assert_eq!(
        paths("map = [{ from = [1], language = 'a b', name = 'a\"b' }]"),
        ["input.audio.map[0].language", "input.audio.map[0].name"]
    );
    for wrong in ["map = [{ from = [0] }]", "map = [{ from = [1], rol = 'dub' }]", "maps = []"] {
        assert!(toml::from_str::<AudioInput>(wrong).is_err(), "{wrong}");
    }
    let sound = MappedSound { from: vec!["2.1".parse().unwrap()], ..MappedSound::default() };
    let text = serde_json::to_string(&sound).unwrap();
    assert_eq!(text, r#"{"from":["2.1"]}"#);
    assert_eq!(serde_json::from_str::<MappedSound>(&text).unwrap(), sound);
}

#[test]
fn roles_are_kept_and_players_choose_what_they_can_tell_apart() {
    let with = |language: &str, roles: &[Role]| AudioTrack {
        language: Some(language.to_owned()),
        roles: roles.to_vec(),
        ..stereo()
    };
    let plan = plan(vec![
        with("eng", &[Role::Commentary]),
        with("eng", &[]),
        with("eng", &[Role::Description]),
        with("eng", &[]),
        with("fra", &[Role::Dub]),
    ]);
    let audio = &plan.hls().unwrap().audio;
    let found: Vec<_> =
        audio.iter().map(|it| (it.name.as_str(), it.default, it.autoselect)).collect();
    assert_eq!(
        found,
        [
            ("English", true, true),
            ("English (commentary)", false, false),
            ("English (audio description)", false, true),
            ("English (2)", false, false),
            ("French (dubbed)", false, true),
        ]
    );
    assert_eq!(plan.files().next().unwrap().audio[1].roles, [Role::Commentary]);
}

#[test]
fn sound_that_drifts_is_stretched_and_said() {
    let drifting = |ticks| AudioTrack { drift: Ticks(ticks), ..stereo() };
    for ticks in [9_000, -9_000] {
        let plan = plan(vec![drifting(ticks)]);
        assert!(plan.audio[0].filter.contains("max_soft_comp"), "{}", plan.audio[0].filter);
        assert!(plan.hazards.iter().any(|it| it.code == HazardCode::SoundDrifts && it.repair));
    }
    let plan = plan(vec![drifting(3_000)]);
    assert!(!plan.audio[0].filter.contains("soft"), "in time as it is");
}
