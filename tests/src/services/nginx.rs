//! nginx with a configuration of its user's, on the loopback address, with a certificate for it.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use super::PATIENCE;
use crate::product::{descendants, gone, signal, wait_until};
use crate::tools::succeeded;

/// A running nginx, killed when dropped.
pub struct Nginx {
    child: Child,
    folder: TempDir,
    port: u16,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// All headers, with names in small letters, a line each.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The one header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        let mut values = self.head.lines().filter_map(|line| line.strip_prefix(&start));
        let value = values.next();
        assert_eq!(values.next(), None, "{name} twice: {}", self.head);
        value
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Nginx {
    /// Starts it with `configuration`, which listens with TLS on `port` and nowhere else; its files
    /// are moved to a folder of the test.
    pub fn start(configuration: &str, port: u16) -> Nginx {
        let folder = tempfile::Builder::new().prefix("vodmill-nginx-").tempdir().expect("a folder");
        // Its workers are another user's.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("a mode");
        certificate(folder.path());
        let file = folder.path().join("nginx.conf");
        fs::write(&file, moved(configuration, folder.path())).expect("a configuration");
        let log = fs::File::create(folder.path().join("start.log")).expect("a log");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "nginx", "-g", "daemon off;", "-c"]).arg(&file);
        command.arg("-e").arg(folder.path().join("error.log"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // Debian keeps it where only root looks.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin"));
        let child = command.spawn().expect("nginx: scripts/install --tests brings it");
        let mut nginx = Nginx { child, folder, port };
        wait_until("nginx listens", PATIENCE, || {
            let ended = nginx.child.try_wait().expect("waiting");
            assert!(ended.is_none(), "nginx ended: {}", nginx.said());
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        nginx
    }

    /// What stands in its logs.
    pub fn said(&self) -> String {
        let texts = ["start.log", "error.log", "access.log"]
            .map(|name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default());
        texts.concat()
    }

    /// One request, on a connection of its own; `header` is whole lines. The path goes out as it is.
    pub fn ask(&self, method: &str, path: &str, header: &str) -> Reply {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", "-verify_ip", "127.0.0.1"]);
        command.arg("-CAfile").arg(self.folder.path().join(CERTIFICATE));
        command.args(["-connect", &format!("127.0.0.1:{}", self.port)]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("openssl runs");
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{header}\r\n");
        let mut input = child.stdin.take().expect("its input");
        input.write_all(request.as_bytes()).expect("a request");
        let ended = child.wait_with_output().expect("an answer");
        let why = String::from_utf8_lossy(&ended.stderr).into_owned();
        parse(ended.stdout).unwrap_or_else(|| panic!("{path}: no answer: {why}"))
    }

    /// `GET`.
    pub fn get(&self, path: &str, header: &str) -> Reply {
        self.ask("GET", path, header)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let family = descendants(self.child.id());
        signal("KILL", &family);
        let _ = self.child.wait();
        gone(&family);
        if thread::panicking() {
            eprintln!("--- nginx\n{}", self.said());
        }
    }
}

const CERTIFICATE: &str = "media.example.org.pem";

/// A certificate and its key.
fn certificate(folder: &Path) {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    command.args(["-nodes", "-days", "2", "-subj", "/CN=media.example.org"]);
    command.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
    command.arg("-out").arg(folder.join(CERTIFICATE));
    command.arg("-keyout").arg(folder.join("media.example.org.key"));
    succeeded(&mut command).expect("a certificate");
}

/// Where a user's files would be, the test's are; bodies on their way too, so that nginx need not be
/// root.
fn moved(configuration: &str, folder: &Path) -> String {
    let name = folder.to_str().expect("a path of ours");
    let mut text = configuration.to_owned();
    for place in ["/etc/nginx", "/var/log/nginx", "/var/cache/nginx", "/run"] {
        assert!(text.contains(&format!(" {place}/")), "{place} is not there");
        text = text.replace(&format!(" {place}/"), &format!(" {name}/"));
    }
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let kinds = kinds.map(|kind| format!("\n    {kind}_temp_path {name}/{kind};"));
    text.replacen("\nhttp {", &format!("\nhttp {{{}", kinds.concat()), 1)
}

fn parse(answer: Vec<u8>) -> Option<Reply> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let (first, lines) = head.split_once("\r\n")?;
    let status = first.split(' ').nth(1)?.parse().ok()?;
    let line = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        format!("{}: {value}\n", name.to_ascii_lowercase())
    };
    let head = lines.lines().map(line).collect();
    let body = answer[end + 4..].to_vec();
    let body = match answer[..end].windows(7).any(|seven| seven.eq_ignore_ascii_case(b"chunked")) {
        true => unchunked(&body)?,
        false => body,
    };
    Some(Reply { status, head, body })
}

/// RFC 9112, 7.1, without trailers.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
