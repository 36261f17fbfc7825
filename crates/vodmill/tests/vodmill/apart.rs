//! Places that may not lie within one another, whatever they are called.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::golden::vodmill;

/// A home with these settings and this pipeline `p`, and what a command says of it.
struct Home(tempfile::TempDir);

impl Home {
    fn new(settings: &str, pipeline: &str) -> Home {
        let home = Home(tempfile::tempdir().expect("scratch"));
        home.write("vodmill.toml", settings);
        home.write("pipelines/p.toml", pipeline);
        home
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("a path").to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, text).expect("write");
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = vodmill(self.0.path(), arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Refused with all of these words, and nothing made.
    fn refused(&self, arguments: &[&str], words: &[&str]) {
        let (code, said) = self.run(arguments);
        assert_eq!(code, Some(2), "{said}");
        for word in words {
            assert!(said.contains(word), "{word} is not in {said}");
        }
        for made in ["state", "inbox", "published", "out"] {
            assert!(!self.0.path().join(made).is_dir() || made == "state", "{made} was made");
        }
    }

    fn accepted(&self) {
        let (code, said) = self.run(&["pipelines"]);
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn what_is_served_or_watched_holds_no_secrets() {
    let secret = "[keys]\nkek = \"file:secrets/kek\"\n[key_server]\njwks = \"secrets/jwks\"\n";
    for (settings, pipeline, words) in [
        ("", "destination = \"state\"", "p.toml:1: `destination`"),
        ("", "# x\ndestination = \".\"", "p.toml:2: `destination`"),
        ("", "destination = \"./state//keys/\"", "is inside `state` of vodmill.toml"),
        ("", "inbox = \"state/keys\"", "is inside `state` of vodmill.toml"),
        ("", "inbox = \"pipelines\"", "`inbox`"),
        ("", "destination = \"presets/x\"", "is inside"),
        ("", "done = \"state/done\"", "`done`"),
        ("", "rejected = \"published\"", "is the same as `destination` of pipelines/p.toml"),
        ("", "done = \"inbox/p\"", "is the same as `inbox` of pipelines/p.toml"),
        ("", "inbox = \"in\"\ndestination = \"in/out\"", "is inside `inbox` of pipelines/p.toml:1"),
        ("", "inbox = \"a\"\ndone = \"d\"\nrejected = \"d/r\"", "is inside `done` of"),
        ("state = \"/srv/x\"", "destination = \".\"", "vodmill.toml"),
        ("state = \"pipelines/s\"", "", "pipelines"),
        ("\nstate = \"published\"", "", "is the same as `state` of vodmill.toml:2"),
        ("state = \"s3://media/x\"", "", "no folder"),
        (secret, "destination = \"secrets\"", "holds `keys.kek` of vodmill.toml:2"),
        (secret, "inbox = \"secrets\"", "holds `key_server.jwks` of vodmill.toml:4"),
    ] {
        Home::new(settings, pipeline).refused(&["daemon"], &[words]);
    }
    let told = "[[notify]]\nname = \"x\"\nto = \"https://x.example/\"\nsecret_file = \"out/s\"";
    Home::new("", &format!("destination = \"out\"\n{told}"))
        .refused(&["daemon"], &["`notify[0].secret_file`", "`destination` of pipelines/p.toml:1"]);
}

#[test]
fn other_names_of_a_folder_do_not_help() {
    for (link, target, destination) in [
        ("alias", "state", "alias"),
        ("alias", "state", "alias/keys"),
        ("alias", ".", "alias/state"),
        ("deep/alias", "../state/not/yet", "deep/alias"),
    ] {
        let home = Home::new("", &format!("destination = \"{destination}\""));
        let link = home.0.path().join(link);
        fs::create_dir_all(link.parent().expect("a folder")).expect("folder");
        symlink(target, link).expect("link");
        home.refused(&["daemon"], &["`state` of vodmill.toml"]);
    }
    let home = Home::new("", "");
    home.write("pipelines/p.toml", &format!("destination = \"{}/\"", home.at("./state")));
    home.refused(&["daemon"], &["is the same as `state`"]);
    let home = Home::new("", "destination = \"state/keys\"");
    symlink(home.0.path(), home.0.path().join("me")).expect("link");
    home.refused(&["--home", "me/me", "daemon"], &["is inside `state`"]);
}

#[test]
fn pipelines_keep_apart() {
    for (one, other, words) in [
        ("inbox = \"in\"", "inbox = \"./in/\"", "is the same as `inbox` of pipelines/p.toml:1"),
        ("inbox = \"in\"", "inbox = \"in/deeper\"", "is inside `inbox`"),
        ("inbox = \"in\"", "destination = \"in\"", "`inbox` of pipelines/p.toml:1"),
        ("inbox = \"in\"", "done = \"in/done\"", "`inbox` of pipelines/p.toml:1"),
        ("destination = \"out\"", "destination = \"out/b\"", "is inside `destination`"),
        ("destination = \"out\"", "done = \"out/b\"", "is inside `destination`"),
        ("destination = \"s3://media/a\"", "destination = \"s3://media\"", "holds `destination`"),
        (
            "inbox = \"s3://media/a\"",
            "destination = \"s3://media/a/b/\"",
            "is inside `inbox` of pipelines/p.toml:1",
        ),
    ] {
        let home = Home::new("", one);
        home.write("pipelines/q.toml", other);
        home.refused(&["daemon"], &["pipelines/q.toml:1: ", words]);
    }
}

#[test]
fn what_is_meant_is_kept() {
    for (settings, pipeline) in [
        ("", "inbox = \"in\"\ndone = \"in/done\"\nrejected = \"in/refused\""),
        ("", "inbox = \"in\"\ndone = \"archive\"\nrejected = \"refused\""),
        ("", "destination = \"state2\""),
        ("", "inbox = \"s3://media/in\"\ndestination = \"s3://media/out\""),
        ("[keys]\nkek = \"file:state/kek\"\n[key_server]\ntokens = \"pipelines/tokens\"", ""),
    ] {
        Home::new(settings, pipeline).accepted();
    }
    let home = Home::new("", "destination = \"out\"\ndone = \"archive\"");
    home.write("pipelines/q.toml", "destination = \"./out/\"\ndone = \"archive\"");
    home.accepted();
}

#[test]
fn what_is_no_place_is_none_anywhere() {
    let work = "queue = \"postgres://db/v\"\nwork =";
    for (settings, pipeline, words) in [
        (String::new(), "destination = \"s3:/media\"", "p.toml:1: \"s3:/media\" is no place"),
        (String::new(), "\ninbox = \"mysql://media\"", "p.toml:2: \"mysql://media\" is no place"),
        (String::new(), "done = \"S3://media\"", "is no place"),
        (String::new(), "rejected = \"~/refused\"", "is no place"),
        (String::new(), "events = \"mysql://sqs/x\"", "p.toml:1: events"),
        (String::new(), "[delivery]\nbase_url = \"mysql://cdn\"", "p.toml:2: delivery.base_url"),
        (String::new(), "[encryption]\nkey_uri = \"mysql://k/{kid}\"", "p.toml:2: encryption"),
        (format!("{work} \"gs://media\""), "", "vodmill.toml:2: `work`"),
        ("queue = \"mysql://db/v\"\nwork = \"w\"".into(), "", "vodmill.toml:1: `queue`"),
        ("state = \"file:///srv/state\"".into(), "", "vodmill.toml:1: `state`"),
        ("[s3]\nendpoint = \"s3.example\"".into(), "", "vodmill.toml:2: `s3.endpoint`"),
        ("[aws]\nsns_endpoint = \"ftp://x\"".into(), "", "vodmill.toml:2: `aws.sns_endpoint`"),
    ] {
        Home::new(&settings, pipeline).refused(&["daemon"], &[words]);
    }
    let (_, said) = Home::new("", "inbox = \"s3:/a\"\ndestination = \"s3:/b\"").run(&["presets"]);
    assert!(said.contains("p.toml:1") && said.contains("p.toml:2"), "all at once: {said}");
}

#[test]
fn flags_pass_the_same_checks() {
    let home = Home::new("", "");
    home.write("a.mp4", "x");
    home.write("state/keys/other", "x");
    for out in ["state", ".", "inbox/p/done", "pipelines/x", "s3:/media", "published/x", "~/x"] {
        home.refused(&["run", "a.mp4", "--out", out], &["--out: "]);
    }
    home.refused(&["gc", "--in", "state/keys"], &["--in: "]);
    home.refused(&["rekey", "talk", "--in", "mysql://x"], &["--in: "]);
    home.refused(&["keys", "export", "talk", "--to", "published"], &["--to: ", "`destination`"]);
    home.refused(&["keys", "export", "talk", "--to", "state/keys"], &["--to: ", "`state`"]);
    home.refused(&["check", "a", "--keys", "published/keys"], &["--keys: ", "`destination`"]);
    for dir in [".", "state", "state/keys"] {
        home.refused(&["sync", dir, "s3://media/x"], &["DIR: ", "would be uploaded"]);
    }
    assert!(!Path::new(&home.at("published")).exists());
}
