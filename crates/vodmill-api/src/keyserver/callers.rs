//! By which name a server is asked, and from which pages. A name that a stranger owns may lead to this
//! machine (DNS rebinding), and his page then reads what is for this machine alone: so a server that
//! listens here alone goes by its own names, and by those that it was told.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use vodmill_delivery::AssetPath;
use vodmill_keys::Kid;

use super::answer::Refusal;
use super::gate::decoded;
use super::{KeyServer, KeySettings, PREFLIGHT, gate, operators, viewer};
use crate::peer::Peer;

/// Names under which this server may be asked, and pages that may read what it says.
#[derive(Clone, Debug)]
pub(crate) struct Callers {
    /// None where any name will do.
    names: Option<Vec<String>>,
    origins: Origins,
    tokens: bool,
}

#[derive(Clone, Debug)]
struct Origins {
    any: bool,
    /// Pages of this machine, whatever served them.
    local: bool,
    named: Vec<String>,
}

impl Callers {
    /// `local`: it listens on this machine alone. Elsewhere any name will do unless some are told, and
    /// any page where everybody may have everything.
    pub(super) fn new(settings: &KeySettings, tokens: bool, local: bool) -> Callers {
        let is_checked = local || !settings.hosts.is_empty();
        let named = settings.origins.clone();
        let any = named.iter().any(|origin| origin == "*");
        let origins = Origins {
            any: any || (named.is_empty() && !tokens && !local),
            local: local && !tokens,
            named,
        };
        let names = settings.hosts.iter().map(|host| bare(host));
        Callers { names: is_checked.then(|| names.collect()), origins, tokens }
    }

    /// The name and port by which it is asked. A proxy that is believed may name it as proxies name
    /// what is behind them, without a dot: no stranger owns such a name.
    fn host(&self, request: &Request, by_proxy: bool) -> Result<Option<Authority>, Refusal> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
        let Some(names) = &self.names else { return Ok(host) };
        let bad = |reason| Refusal::new(StatusCode::BAD_REQUEST, reason);
        let host = host.ok_or_else(|| bad("one Host is needed"))?;
        if hosts.next().is_some() || host.as_str().contains('@') {
            return Err(bad("one Host is needed"));
        }
        let is_ours = |authority: &Authority| {
            let name = bare(authority.host());
            is_this_machine(&name)
                || names.contains(&name)
                || (by_proxy && !name.contains(['.', ':']))
        };
        // A request may name it twice (RFC 9112, 3.2.2).
        if is_ours(&host) && request.uri().authority().is_none_or(is_ours) {
            return Ok(Some(host));
        }
        let reason = "this server is not asked by this name: add it to key_server.hosts";
        Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, reason))
    }

    /// Whether pages of this origin may read what is answered to a request for this host.
    fn may_read(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let Origins { any, local, named } = &self.origins;
        let Some((_, authority)) = origin.split_once("://") else { return *any };
        let is_local =
            || authority.parse::<Authority>().is_ok_and(|it| is_this_machine(&bare(it.host())));
        *any || named.iter().any(|one| one == origin)
            || host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
            || (*local && is_local())
    }

    /// Which pages may read what is for viewers. Cookies are for named origins only (Fetch standard,
    /// 3.2.5).
    fn cors(&self) -> CorsLayer {
        let cors = CorsLayer::new()
            .allow_methods([Method::GET, Method::HEAD])
            .allow_headers([header::AUTHORIZATION, header::RANGE])
            .expose_headers([header::CONTENT_LENGTH, header::CONTENT_RANGE, header::RETRY_AFTER])
            .max_age(PREFLIGHT);
        if self.origins.any {
            return cors.allow_origin(Any);
        }
        let callers = self.clone();
        let allowed = move |origin: &HeaderValue, request: &Parts| {
            callers.may_read(origin, host_of(&request.headers))
        };
        cors.allow_origin(AllowOrigin::predicate(allowed)).allow_credentials(self.tokens)
    }
}

/// A host in small letters, without the dot of the root.
fn bare(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn is_this_machine(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

fn host_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// All routes of a server: those of the keys, and `others` that are for viewers too. Each request has
/// to name the server rightly, and to come from a page that may read the answer.
pub(crate) fn guarded(keys: KeyServer, others: Router, local: bool) -> Router {
    let callers = Callers::new(&keys.settings, keys.auth.asks_for_tokens(), local);
    let server = Arc::new(keys);
    let keys = Router::new().route("/k/{kid}", axum::routing::get(viewer::key));
    let gate = Router::new().route("/gate", axum::routing::get(gate::gate));
    let operators = match server.auth.has_credentials() {
        true => operators::router(&server),
        false => Router::new(),
    };
    let viewers = others.merge(keys.with_state(Arc::clone(&server))).layer(callers.cors());
    let programs = gate.merge(operators).with_state(Arc::clone(&server));
    let check = middleware::from_fn_with_state((server, Arc::new(callers)), check);
    viewers.merge(programs).fallback(nothing_here).layer(check)
}

async fn nothing_here() -> (StatusCode, [(HeaderName, HeaderValue); 1], &'static str) {
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::NOT_FOUND, no_store, "there is nothing here\n")
}

type Checks = (Arc<KeyServer>, Arc<Callers>);

async fn check(
    State((server, callers)): State<Checks>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let address = server.auth.client(peer, request.headers());
    let host = match callers.host(&request, server.auth.is_proxy(peer)) {
        Ok(host) => host,
        Err(refusal) => {
            refusal.log(address, "request refused");
            return refusal.into_response();
        }
    };
    let host = host.as_ref().map(Authority::as_str);
    let origin = request.headers().get(header::ORIGIN);
    if let Some(origin) = origin.filter(|origin| !callers.may_read(origin, host)) {
        if let Err(refusal) = server.auth.slow_down_address(address) {
            return refusal.into_response();
        }
        let origin = origin.to_str().unwrap_or("?").to_owned();
        let asset = server.asset_at(address, request.uri().path()).await;
        tracing::info!(origin, asset, %address, "page's origin refused");
        // With tokens a browser keeps the answer from the page, and a proxy may let other pages in.
        if !callers.tokens {
            let reason = "pages of this origin may not read this: add it to key_server.origins";
            return Refusal::new(StatusCode::FORBIDDEN, reason).into_response();
        }
    }
    next.run(request).await
}

impl KeyServer {
    /// The asset that a path is of, for the log: a key's, or the one that it names.
    async fn asset_at(&self, address: IpAddr, path: &str) -> Option<String> {
        if let Some(kid) = path.strip_prefix("/k/") {
            let found = self.cache.get(Kid::from_hex(kid)?, self.auth.of_address(address)).await;
            return Some(found.ok()??.asset.clone());
        }
        let path = decoded(path.strip_prefix('/')?)?;
        let (first, inner) = path.split_once('/')?;
        let inner = if first == "v" { inner.split_once('/')?.1 } else { inner };
        Some(AssetPath::of(inner)?.asset.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers(settings: KeySettings, tokens: bool, local: bool) -> Callers {
        Callers::new(&settings, tokens, local)
    }

    fn asked(callers: &Callers, host: &str, by_proxy: bool) -> u16 {
        let request = Request::builder().header("host", host).body(axum::body::Body::empty());
        let checked = callers.host(&request.expect("a request"), by_proxy);
        checked.map_or_else(|refusal| refusal.status.as_u16(), |_| 200)
    }

    #[test]
    fn a_local_server_goes_by_its_own_names_and_those_it_was_told() {
        let hosts = vec!["media.example.org".to_owned()];
        let told = callers(KeySettings { hosts, ..KeySettings::default() }, false, true);
        for (host, status) in [
            ("localhost", 200),
            ("LOCALHOST.:8480", 200),
            ("127.0.0.1:8480", 200),
            ("127.9.9.9", 200),
            ("[::1]:8480", 200),
            ("[::ffff:127.0.0.1]", 200),
            ("media.example.org", 200),
            ("Media.Example.ORG:443", 200),
            ("evil.example", 421),
            ("localhost.evil.example", 421),
            ("127.0.0.1.evil.example:8480", 421),
            ("media.example.org.evil.example", 421),
            ("evil", 421),
            ("0.0.0.0:8480", 421),
            ("192.0.2.1", 421),
            ("[::2]", 421),
            ("127.1", 421),
            ("", 400),
            ("localhost@evil.example", 400),
            ("evil.example@localhost", 400),
            ("localhost/x", 400),
        ] {
            assert_eq!(asked(&told, host, false), status, "{host}");
        }
        assert_eq!(asked(&told, "vodmill", true), 200, "as an upstream of nginx");
        assert_eq!(asked(&told, "evil.example", true), 421);
    }

    #[test]
    fn elsewhere_any_name_will_do_unless_some_are_told() {
        let any = callers(KeySettings::default(), true, false);
        assert_eq!(asked(&any, "keys.example.org", false), 200);
        let hosts = vec!["keys.example.org".to_owned()];
        let told = callers(KeySettings { hosts, ..KeySettings::default() }, true, false);
        assert_eq!(asked(&told, "keys.example.org", false), 200);
        assert_eq!(asked(&told, "evil.example", false), 421);
    }

    #[test]
    fn pages_read_where_they_are_named_or_at_home() {
        let reads = |origins: &[&str], tokens, local, origin: &'static str| {
            let origins = origins.iter().map(|&it| it.to_owned()).collect();
            let callers = callers(KeySettings { origins, ..KeySettings::default() }, tokens, local);
            callers.may_read(&HeaderValue::from_static(origin), Some("media.example.org:8480"))
        };
        let page = "https://www.example.org";
        for (origins, tokens, local, origin, may) in [
            (&[][..], false, true, "http://localhost:3000", true),
            (&[], false, true, "http://[::1]:3000", true),
            (&[], false, true, "http://media.example.org:8480", true),
            (&[], false, true, "http://media.example.org", false),
            (&[], false, true, page, false),
            (&[], false, true, "null", false),
            (&[], false, true, "http://localhost.evil.example", false),
            (&[], false, true, "http://127.0.0.1@evil.example", false),
            (&[page], false, true, page, true),
            (&[page], false, true, "https://www.example.org.evil.example", false),
            (&["*"], false, true, page, true),
            (&[], false, false, page, true),
            (&[page], false, false, "https://evil.example", false),
            (&[], true, true, "http://localhost:3000", false),
            (&[], true, false, page, false),
            (&[page], true, false, page, true),
        ] {
            let case = (origins, tokens, local, origin);
            assert_eq!(reads(origins, tokens, local, origin), may, "{case:?}");
        }
    }
}
