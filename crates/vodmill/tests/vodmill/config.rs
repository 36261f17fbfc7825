use std::os::unix::fs::PermissionsExt as _;
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

#[test]
fn a_map_has_keys_of_anybody_s() {
    let home = tempfile::tempdir().expect("scratch");
    let said = |tags: &str| {
        let text = format!("[objects]\ntags = {{ {tags} }}\n");
        write(home.path(), &[("pipelines/p.toml", &text)]);
        let output = vodmill(home.path(), &["pipelines"]);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let good = said("team = \"tv\", \"cost centre\" = \"7\"");
    assert!(good.0, "{}", good.1);
    let bad = said("team = 7");
    assert!(!bad.0 && bad.1.contains("`team` must be"), "{}", bad.1);
}

#[test]
fn where_old_media_goes_is_checked() {
    let home = tempfile::tempdir().expect("scratch");
    let said = |destination: &str, lifecycle: &str| {
        let text = format!("destination = \"{destination}\"\n{lifecycle}\n");
        write(home.path(), &[("pipelines/p.toml", &text)]);
        let output = vodmill(home.path(), &["lifecycle", "p"]);
        let [out, err] = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code(), out + &err)
    };
    let bucket = "s3://media/tv";
    let table = "[lifecycle]\ncheaper_class";
    let (code, told) = said(bucket, &format!("{table} = \"GLACIER_IR\"\ncheaper_after_days = 1"));
    assert_eq!(code, Some(0), "{told}");
    for part in ["vodmill/p/media", "\"GLACIER_IR\"", "\"tv/\"", "131072", "vodmill/p/uploads"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let nothing = said(bucket, "");
    assert_eq!(nothing, (Some(0), "{\n  \"Rules\": []\n}\n".to_owned()));
    for (destination, lifecycle, fault) in [
        (bucket, format!("{table} = \"GLACIER\""), "viewers can be served from"),
        (bucket, format!("{table} = \"STANDARD_IA\"\ncheaper_after_days = 7"), "set it to 30"),
        (bucket, format!("{table} = \"STANDARD_IA\"\nlarger_than_kib = 1"), "set it to 128"),
        ("published", format!("{table} = \"STANDARD_IA\""), "is a folder"),
        ("published", String::new(), "publishes in a folder"),
    ] {
        let (code, told) = said(destination, &lifecycle);
        assert!(code == Some(2) && told.contains(fault), "{lifecycle}: {told}");
    }
}

const NOTIFY: &str = "
[[notify]]
name = \"site\"
to = \"https://site.example/hooks\"
secret_file = \"site.secret\"
";

/// Who starts a daemon hears of a missing secret at once, and not when the first job has ended.
#[test]
fn secrets_are_looked_for_before_anything_is_touched() {
    let home = tempfile::tempdir().expect("scratch");
    let default = include_str!("../../../../pipelines/default.toml");
    write(home.path(), &[("pipelines/p.toml", &format!("{default}{NOTIFY}"))]);
    let said = |home: &Path| {
        let output = vodmill(home, &["daemon"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!home.join("state").exists(), "state was made");
        String::from_utf8(output.stderr).expect("text")
    };
    let missing = said(home.path());
    assert!(missing.contains("pipelines/p.toml: notify \"site\": secret_file"), "{missing}");
    write(home.path(), &[("site.secret", "whsec_c2hvcnQ=")]);
    let set_mode = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(home.path().join("site.secret"), mode).expect("mode");
    };
    set_mode(0o644);
    let open = said(home.path());
    assert!(open.contains("chmod 600") && !open.contains("c2hvcnQ"), "{open}");
    set_mode(0o600);
    let weak = said(home.path());
    assert!(weak.contains("24 to 64 bytes") && !weak.contains("c2hvcnQ"), "{weak}");
    // Whoever only looks needs none.
    assert!(vodmill(home.path(), &["pipelines"]).status.success());
}

#[test]
fn whom_to_tell_is_checked() {
    let home = tempfile::tempdir().expect("scratch");
    let default = include_str!("../../../../pipelines/default.toml");
    let wrong = "
[[notify]]
name = \"Site 1\"
to = \"ftp://site.example\"
secret_env = \"A\"
secret_file = \"b\"
events = []
timeout_seconds = 90
[[notify]]
name = \"topic\"
to = \"arn:aws:sqs:eu-central-1:123456789012:video\"
secret_env = \"A\"
[[notify]]
name = \"topic\"
to = \"https://u:p@site.example/\"
[invalidation]
distribution = \"https://d1.cloudfront.net\"
path = \"video/\"
";
    write(home.path(), &[("pipelines/p.toml", &format!("{default}{wrong}"))]);
    let output = vodmill(home.path(), &["pipelines"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).expect("text");
    for path in [
        "notify[0].name",
        "notify[0].to",
        "notify[0].secret_file",
        "notify[0].events",
        "notify[0].timeout_seconds",
        "notify[1].to",
        "notify[1].secret_file",
        "notify[2].name",
        "notify[2].to",
        "notify[2].secret_file",
        "invalidation.distribution",
        "invalidation.path",
    ] {
        assert!(said.contains(&format!(" {path}: ")), "{path} is not in {said}");
    }
    assert_eq!(said.lines().count(), 13, "{said}");
}

#[test]
fn every_setting_stands_in_the_readme() {
    let home = tempfile::tempdir().expect("scratch");
    write(home.path(), &[("vodmill.toml", "no-such-setting = 1\n")]);
    let said = String::from_utf8(vodmill(home.path(), &["presets"]).stderr).expect("text");
    let (_, fields) = said.rsplit_once("here are ").expect("the fields that there are");
    let readme = include_str!("../../../../README.md");
    let (_, table) = readme.split_once("## Configuration").expect("the section");
    let (table, _) = table.split_once("## Exit codes").expect("the next section");
    for field in fields.trim().split(", ") {
        let named = [format!("`{field}`"), format!("`[{field}]`")];
        assert!(named.iter().any(|name| table.contains(name)), "{field}");
    }
    let listed = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    for field in listed {
        let field = field.trim_matches(['[', ']']);
        assert!(fields.split([',', ' ', '\n']).any(|known| known == field), "{field}");
    }
}

#[test]
fn the_region_of_an_audience_is_one_of_the_price_file() {
    let home = tempfile::tempdir().expect("scratch");
    let default = include_str!("../../../../pipelines/default.toml");
    let said = |region: &str| {
        let audience = format!("[audience]\nexpected_views = 10\nregion = \"{region}\"\n");
        write(home.path(), &[("pipelines/p.toml", &format!("{default}{audience}"))]);
        let output = vodmill(home.path(), &["pipelines"]);
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    assert_eq!(said("us-east-1").0, Some(0));
    let (code, told) = said("moon");
    assert_eq!(code, Some(2));
    assert!(told.contains("pipelines/p.toml: audience.region: the price file has no"), "{told}");
}
