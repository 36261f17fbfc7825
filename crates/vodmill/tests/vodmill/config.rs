use std::path::Path;

use crate::golden::{compare, vodmill};

const BAD: [(&str, &str); 7] = [
    ("vodmill.toml", "workers = \"two\"\nlistn = \"127.0.0.1:1\"\nkeep_renditions = \"10Gb\"\n"),
    (
        "presets/hls.toml",
        "kind = \"ladder\"\ndescripton = \"x\"\n\n[video]\nspeed = \"quick\"\ngop_secs = 2\n\n\
         [[rung]]\nname = \"low\"\nwidth = -1\nheight = 360\nmax_bitrate = \"8oo k\"\ncrff = 3\n\n\
         [[rung]]\nname = 'mid'\nwidth = 10\n",
    ),
    ("presets/syntax.toml", "kind = \"mp4\"\n[video\nx = 1\n[audio]\ny = = 3\n"),
    ("presets/kind.toml", "kind = \"mp5\"\n"),
    (
        "presets/phone.toml",
        "kind = \"mp4\"\n[video]\nwidth = 640\nheight = 360\ncrf = 300\nmax_bitrate = \"8oo k\"\n",
    ),
    (
        "pipelines/p.toml",
        "thumbnails = 3\n[hls]\ncontainer = \"mp4\"\niframes = \"yes\"\n[encryption]\nkey = \"x\"\n",
    ),
    ("pipelines/.hidden.toml", "not looked at"),
];

fn write(home: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let file = home.join(name);
        std::fs::create_dir_all(file.parent().expect("folder")).expect("folder");
        std::fs::write(file, text).expect("write");
    }
}

#[test]
fn every_fault_of_every_file_is_named_at_once() {
    let home = tempfile::tempdir().expect("scratch");
    write(home.path(), &BAD);
    let output = vodmill(home.path(), &["daemon"]);
    assert_eq!(output.status.code(), Some(2));
    compare("faults.txt", &String::from_utf8(output.stderr).expect("text"));
    for made in ["state", "inbox", "published"] {
        assert!(!home.path().join(made).exists(), "{made} was made");
    }
}

#[test]
fn settings_may_be_left_out_or_given() {
    let home = tempfile::tempdir().expect("scratch");
    assert!(vodmill(home.path(), &["presets"]).status.success());
    let text = "workers = 2\nstate = \"s\"\nlisten = \"127.0.0.1:0\"\ndrain_seconds = 1\n\
                keep_renditions = \"1GiB\"\nchild_memory = 3000000000\nstall_seconds = 10\n\
                settle_seconds = 1\nlog = \"debug\"\n";
    write(home.path(), &[("vodmill.toml", text)]);
    let output = vodmill(home.path(), &["presets"]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_examples_of_the_documentation_are_valid() {
    let home = tempfile::tempdir().expect("scratch");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
    let files =
        ["vodmill.toml", "pipelines/clear-fmp4.toml", "pipelines/small.toml", "presets/small.toml"];
    for name in files {
        let text = std::fs::read_to_string(examples.join(name)).expect("example");
        write(home.path(), &[(name, &text)]);
    }
    // A folder `presets` replaces the built-in ones, and clear-fmp4 wants one of them.
    let hls = vodmill(Path::new("/"), &["presets", "show", "hls"]).stdout;
    std::fs::write(home.path().join("presets/hls.toml"), hls).expect("write");
    let output = vodmill(home.path(), &["pipelines"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
