//! The two requests of CloudFront's that are needed, signed (Signature Version 4) and sent by
//! ourselves: its SDK takes longer to build than all else here.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use jiff::Timestamp;
use vodmill_aws::{Access, SdkConfig};
use vodmill_http::http::{Method, Request, Response};

use crate::error::{Error, Result};
use crate::http::{self, Http, Patience};
use crate::xml::{escaped, text_of};

/// Where CloudFront of all regions is.
const ENDPOINT: &str = "https://cloudfront.amazonaws.com";

/// Its region, as signatures have it.
const REGION: &str = "us-east-1";

/// Version of the interface.
const VERSION: &str = "2020-05-31";

const TIMEOUT: Duration = Duration::from_secs(20);

/// CloudFront, for one thread.
pub(crate) struct CloudFront<'a> {
    http: Http,
    patience: Patience<'a>,
    config: SdkConfig,
    endpoint: String,
}

impl<'a> CloudFront<'a> {
    pub(crate) fn open(
        access: &Access,
        go_on: &'a dyn Fn(Duration) -> bool,
    ) -> Result<CloudFront<'a>> {
        let patience = Patience { timeout: TIMEOUT, go_on };
        let http = Http::new(TIMEOUT)?;
        let endpoint = access.endpoint.clone().unwrap_or_else(|| ENDPOINT.to_owned());
        // The endpoint is CloudFront's; where credentials come from has its own.
        let region = access.region.clone().or_else(|| Some(REGION.to_owned()));
        let access = Access { endpoint: None, region, ..access.clone() };
        let config = http.within(patience, vodmill_aws::sdk_config(&access))?;
        Ok(CloudFront {
            http,
            patience,
            config,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
        })
    }

    /// Has these paths dropped; the name of the invalidation. Asked again with the same reference
    /// and paths, it is the same invalidation.
    pub(crate) fn create(
        &self,
        distribution: &str,
        reference: &str,
        paths: &[String],
    ) -> Result<String> {
        let items: String =
            paths.iter().map(|path| format!("<Path>{}</Path>", escaped(path))).collect();
        let batch = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/{VERSION}/\"><Paths>\
             <Quantity>{}</Quantity><Items>{items}</Items></Paths>\
             <CallerReference>{}</CallerReference></InvalidationBatch>",
            paths.len(),
            escaped(reference)
        );
        let answer = self.ask(Method::POST, &format!("{distribution}/invalidation"), batch)?;
        text_of(&answer, "Id").ok_or_else(|| unread("Id"))
    }

    /// Whether an invalidation is completed.
    pub(crate) fn is_completed(&self, distribution: &str, invalidation: &str) -> Result<bool> {
        let path = format!("{distribution}/invalidation/{invalidation}");
        let answer = self.ask(Method::GET, &path, String::new())?;
        let status = text_of(&answer, "Status").ok_or_else(|| unread("Status"))?;
        Ok(status == "Completed")
    }

    fn ask(&self, method: Method, path: &str, body: String) -> Result<String> {
        let url = format!("{}/{VERSION}/distribution/{path}", self.endpoint);
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .header("content-type", "application/xml")
            .body(body)
            .map_err(|_| Error::BadAddress(url))?;
        self.sign(&mut request)?;
        let request = request.map(String::into_bytes);
        let answer = self.http.ask(request, self.patience)?;
        let text = String::from_utf8_lossy(answer.body());
        match answer.status().is_success() {
            true => Ok(text.into_owned()),
            false => Err(refusal(&answer, &text)),
        }
    }

    fn sign(&self, request: &mut Request<String>) -> Result<()> {
        let unmade = |error: &dyn std::error::Error| Error::unmade("sign the request", error);
        let identity = self.credentials()?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("cloudfront")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unmade(&error))?
            .into();
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let (method, url) = (request.method().as_str(), request.uri().to_string());
        let body = SignableBody::Bytes(request.body().as_bytes());
        let signable = SignableRequest::new(method, url, headers, body);
        let signable = signable.map_err(|error| unmade(&error))?;
        let signed = sign(signable, &parameters).map_err(|error| unmade(&error))?;
        signed.into_parts().0.apply_to_request_http1x(request);
        Ok(())
    }

    /// Asked for each time: they run out, and the provider keeps them as long as they last.
    fn credentials(&self) -> Result<Credentials> {
        let provider = self.config.credentials_provider();
        let none =
            || Error::Unmade { operation: "find credentials", cause: "there are none".into() };
        let provider = provider.ok_or_else(none)?;
        let found = self.http.within(self.patience, provider.provide_credentials())?;
        found.map_err(|error| Error::unmade("find credentials", &error))
    }
}

fn refusal(answer: &Response<Vec<u8>>, text: &str) -> Error {
    match (text_of(text, "Code"), text_of(text, "Message")) {
        (Some(code), message) => Error::Aws { code, message: message.unwrap_or_default() },
        _ => http::refusal(answer, Timestamp::now()),
    }
}

fn unread(element: &str) -> Error {
    let cause = format!("there is no {element} in it");
    Error::Unmade { operation: "read CloudFront's answer", cause }
}
