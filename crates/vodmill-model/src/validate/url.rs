//! URLs of HTTP servers.

/// Whether `url` is the whole URL of something that an HTTP server has: a scheme, a host, perhaps a
/// port; no user, password or fragment.
pub fn is_http_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let is_odd = |byte: u8| !byte.is_ascii_graphic() || b"\"<>\\^`{|}#".contains(&byte);
    is_host_and_port(authority) && !url.bytes().any(is_odd)
}

fn is_host_and_port(authority: &str) -> bool {
    // Of an IPv6 address, the colons are within brackets.
    let end = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[end..].split_once(':') {
        Some((host, port)) => (&authority[..end + host.len()], Some(port)),
        None => (authority, None),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    !host.is_empty() && !host.contains('@') && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_urls_of_http_servers_are_taken() {
        for url in [
            "https://keys.example",
            "http://127.0.0.1:8480/k/1",
            "http://[::1]:8480/k/1?v=1",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/video",
        ] {
            assert!(is_http_url(url), "{url}");
        }
        for url in [
            "",
            "keys.example",
            "ftp://keys.example",
            "mysql://keys.example",
            "http:/keys.example",
            "http:///k",
            "https://:8480/k",
            "https://me:secret@keys.example",
            "https://keys.example:99999/k",
            "https://keys.example:k/k",
            "http://[::1]:0/",
            "https://keys.example/a b",
            "https://keys.example/#k",
        ] {
            assert!(!is_http_url(url), "{url}");
        }
    }
}
