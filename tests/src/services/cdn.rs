//! A stand-in for CloudFront's invalidations that enforces what CloudFront does: signatures, names,
//! the form of paths, references that mean one thing only, and how much may be in progress.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::boto::ACCOUNT;
use super::http::{Answer, Asked, HttpServer};

/// Paths of single objects in progress at a time.
const PATHS: usize = 3000;

/// Paths with a wildcard in progress at a time.
const WILDCARDS: usize = 15;

/// A server with one distribution.
pub struct Cdn {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    distribution: String,
    batches: BTreeMap<String, Batch>,
    refusals: Vec<String>,
    /// Batches are taken on, and the answer is lost.
    forgetful: bool,
    /// Status and code of its answer to whatever is asked.
    refuses: Option<(u16, &'static str)>,
}

/// An invalidation.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The caller's reference.
    pub reference: String,
    /// Its paths.
    pub paths: Vec<String>,
    /// Whether caches have dropped them.
    pub completed: bool,
}

impl Cdn {
    /// Starts one with this distribution.
    pub fn start(distribution: &str) -> Cdn {
        let state = State { distribution: distribution.to_owned(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let its = Arc::clone(&state);
        let server = HttpServer::start(move |asked| its.lock().expect("whole").answer(&asked));
        Cdn { server, state }
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        self.server.url("")
    }

    /// The credentials that it knows, as the environment names them.
    pub fn account(&self) -> [(&'static str, &'static str); 2] {
        ACCOUNT
    }

    /// What it took on, in no order.
    pub fn batches(&self) -> Vec<Batch> {
        self.state.lock().expect("whole").batches.values().cloned().collect()
    }

    /// Codes of what it refused.
    pub fn refusals(&self) -> Vec<String> {
        self.state.lock().expect("whole").refusals.clone()
    }

    /// All that is in progress is done.
    pub fn complete_all(&self) {
        let mut state = self.state.lock().expect("whole");
        state.batches.values_mut().for_each(|batch| batch.completed = true);
    }

    /// Puts something in progress as another would, by hand in the console say.
    pub fn occupy(&self, paths: &[String]) {
        let batch = Batch { reference: "console".into(), paths: paths.to_vec(), completed: false };
        self.state.lock().expect("whole").batches.insert("ICONSOLE".into(), batch);
    }

    /// It answers all requests with this status and code; none: it works.
    pub fn refuse(&self, refuses: Option<(u16, &'static str)>) {
        self.state.lock().expect("whole").refuses = refuses;
    }

    /// Whether it takes batches on and hangs up before it says so.
    pub fn forget_answers(&self, forgetful: bool) {
        self.state.lock().expect("whole").forgetful = forgetful;
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Option<Answer> {
        let (status, body) = match self.act(asked) {
            Ok(_) if self.forgetful => return None,
            Ok(done) => done,
            Err((status, code)) => {
                self.refusals.push(code.to_owned());
                let body = format!(
                    "<?xml version=\"1.0\"?>\n<ErrorResponse><Error><Type>Sender</Type><Code>{code}\
                     </Code><Message>It is &quot;{code}&quot;.</Message></Error><RequestId>1\
                     </RequestId></ErrorResponse>"
                );
                (status, body)
            }
        };
        Some(Answer { status, headers: vec!["content-type: text/xml".to_owned()], body })
    }

    fn act(&mut self, asked: &Asked) -> Result<(u16, String), (u16, &'static str)> {
        if !is_signed(asked) {
            return Err((403, "SignatureDoesNotMatch"));
        }
        if let Some(refusal) = self.refuses {
            return Err(refusal);
        }
        let path = asked.target.strip_prefix("/2020-05-31/distribution/").unwrap_or_default();
        let (distribution, rest) = path.split_once('/').unwrap_or_default();
        if distribution != self.distribution {
            return Err((404, "NoSuchDistribution"));
        }
        match (asked.method.as_str(), rest.strip_prefix("invalidation")) {
            ("POST", Some("")) => self.create(&String::from_utf8_lossy(&asked.body)),
            ("GET", Some(id)) => {
                let id = id.trim_start_matches('/');
                let batch = self.batches.get(id).ok_or((404, "NoSuchInvalidation"))?;
                Ok((200, describe(id, batch)))
            }
            _ => Err((400, "InvalidArgument")),
        }
    }

    fn create(&mut self, body: &str) -> Result<(u16, String), (u16, &'static str)> {
        let paths = all(body, "Path");
        let quantity = all(body, "Quantity").first().and_then(|it| it.parse::<usize>().ok());
        let reference = all(body, "CallerReference").pop().ok_or((400, "MissingBody"))?;
        if quantity != Some(paths.len()) || paths.is_empty() {
            return Err((400, "InconsistentQuantities"));
        }
        let is_wild = |path: &String| path.ends_with('*');
        let good = |path: &String| {
            path.starts_with('/') && !path[..path.len() - 1].contains('*') && !path.contains(' ')
        };
        if !paths.iter().all(good) {
            return Err((400, "InvalidArgument"));
        }
        if let Some((id, known)) = self.batches.iter().find(|(_, it)| it.reference == reference) {
            return match known.paths == paths {
                true => Ok((201, describe(id, known))),
                false => Err((409, "InvalidationBatchAlreadyExists")),
            };
        }
        let open = self.batches.values().filter(|batch| !batch.completed);
        let open: Vec<&String> = open.flat_map(|batch| &batch.paths).chain(&paths).collect();
        let wild = open.iter().filter(|path| is_wild(path)).count();
        if wild > WILDCARDS || open.len() - wild > PATHS {
            return Err((400, "TooManyInvalidationsInProgress"));
        }
        let id = format!("I{}", self.batches.len());
        let batch = Batch { reference, paths, completed: false };
        let body = describe(&id, &batch);
        self.batches.insert(id, batch);
        Ok((201, body))
    }
}

fn describe(id: &str, batch: &Batch) -> String {
    let status = if batch.completed { "Completed" } else { "InProgress" };
    format!(
        "<?xml version=\"1.0\"?>\n<Invalidation xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
         <Id>{id}</Id><Status>{status}</Status><CreateTime>2026-11-22T08:00:00Z</CreateTime>\
         <InvalidationBatch><CallerReference>{}</CallerReference></InvalidationBatch></Invalidation>",
        batch.reference
    )
}

/// The texts of all elements of that name.
fn all(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1).filter_map(|rest| rest.split(&close).next());
    parts.map(|text| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).collect()
}

/// Whether it is signed with the account's secret (AWS Signature Version 4), reckoned anew.
fn is_signed(asked: &Asked) -> bool {
    let authorization = asked.header("authorization");
    let field = |name: &str| {
        let (_, after) = authorization.split_once(&format!("{name}="))?;
        after.split(',').next().map(str::trim)
    };
    let (Some(credential), Some(names), Some(signature)) =
        (field("Credential"), field("SignedHeaders"), field("Signature"))
    else {
        return false;
    };
    let Some(scope) = credential.strip_prefix(&format!("{}/", ACCOUNT[0].1)) else { return false };
    if !scope.ends_with("/us-east-1/cloudfront/aws4_request") || !names.contains("host") {
        return false;
    }
    let headers: String =
        names.split(';').map(|name| format!("{name}:{}\n", asked.header(name))).collect();
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let body = hex(&Sha256::digest(&asked.body));
    let canonical = format!("{}\n{path}\n{query}\n{headers}\n{names}\n{body}", asked.method);
    let canonical = hex(&Sha256::digest(canonical.as_bytes()));
    let date = asked.header("x-amz-date");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{canonical}");
    let mut key = format!("AWS4{}", ACCOUNT[1].1).into_bytes();
    for part in scope.split('/') {
        key = mac(&key, part);
    }
    hex(&mac(&key, &text)) == signature
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key will do");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
