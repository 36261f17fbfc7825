//! Failed requests to S3: which are tried again, and what to do about the others.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_types::retry::ErrorKind;

/// Why S3 did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteError {
    /// S3's code, such as `AccessDenied`, where it gave one.
    pub code: Option<String>,
    /// The status of its answer, where there was one.
    pub status: Option<u16>,
    /// In words.
    pub message: String,
    /// How often it was tried.
    pub tries: u32,
}

impl RemoteError {
    /// Whether only a change by the operator can help: of credentials, rights, the bucket.
    pub fn is_lasting(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        let lasting = [
            "AccessDenied",
            "AccountProblem",
            "AllAccessDisabled",
            "AuthorizationHeaderMalformed",
            "ExpiredToken",
            "InvalidAccessKeyId",
            "InvalidToken",
            "NoCredentials",
            "NoRegion",
            "NoSuchBucket",
            "PermanentRedirect",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
        ];
        lasting.contains(&code) || matches!(self.status, Some(301 | 401 | 403))
    }

    /// What to do about it, where that is known.
    pub fn remedy(&self) -> Option<&'static str> {
        match (self.code.as_deref().unwrap_or_default(), self.status) {
            ("NoSuchBucket", _) => Some("make the bucket, or correct its name, region or endpoint"),
            ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken", _) => {
                Some("correct the access key and its secret, or the profile")
            }
            ("ExpiredToken", _) => Some("renew the credentials"),
            ("RequestTimeTooSkewed", _) => Some("set this machine's clock"),
            ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "TemporaryRedirect", _)
            | (_, Some(301 | 307)) => Some("the bucket is in another region: set `region`"),
            ("NoCredentials", _) => Some(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role for this \
                 machine",
            ),
            ("NoRegion", _) => {
                Some("set `region` in [s3] of vodmill.toml, AWS_REGION, or a profile that has one")
            }
            ("AccessDenied", _) | (_, Some(401 | 403)) => {
                Some("allow these credentials to do this in the bucket's policy")
            }
            ("Unreachable" | "Timeout", _) => {
                Some("see that the endpoint is right and the server runs")
            }
            _ => None,
        }
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(status) = self.status {
            write!(f, " (HTTP {status})")?;
        }
        if self.tries > 1 {
            write!(f, ", tried {} times", self.tries)?;
        }
        self.remedy().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

impl Error for RemoteError {}

/// What a failed attempt means for the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// May go better next time.
    Passing,
    /// As `Passing`, and the server may have done what it was asked.
    Unknown,
    /// There is no such object.
    NotFound,
    /// There is no such multipart upload.
    NoUpload,
    /// A condition did not hold.
    Condition,
    /// It is in an archive.
    Archived,
    /// Will not go better.
    Lasting,
}

/// One failed attempt of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestFailure {
    pub(crate) kind: FailureKind,
    pub(crate) error: RemoteError,
    /// Whether the outcome of this try or one before it is not known.
    pub(crate) after_unknown: bool,
}

impl RequestFailure {
    /// A failure that this program found, not the server.
    pub(crate) fn ours(
        kind: FailureKind,
        code: &str,
        message: impl Into<String>,
    ) -> RequestFailure {
        let code = Some(code.to_owned());
        let error = RemoteError { code, status: None, message: message.into(), tries: 1 };
        RequestFailure { kind, error, after_unknown: kind == FailureKind::Unknown }
    }

    /// A step that a test has ordered to fail.
    pub(crate) fn at_point(error: std::io::Error) -> RequestFailure {
        RequestFailure::ours(FailureKind::Passing, "FaultPoint", error.to_string())
    }

    /// What arrived is not what was sent.
    pub(crate) fn corrupt(message: impl Into<String>) -> RequestFailure {
        RequestFailure::ours(FailureKind::Passing, "Corrupt", message)
    }

    /// No answer in time.
    pub(crate) fn late(seconds: u64) -> RequestFailure {
        RequestFailure::ours(
            FailureKind::Unknown,
            "Timeout",
            format!("not done within {seconds} s"),
        )
    }

    pub(crate) fn is_corrupt(&self) -> bool {
        self.error.code.as_deref() == Some("Corrupt")
    }

    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.kind, FailureKind::Passing | FailureKind::Unknown)
    }

    /// Whether the server does not know what it was asked for.
    pub(crate) fn is_unsupported(&self) -> bool {
        let code = self.error.code.as_deref().unwrap_or_default();
        matches!(code, "NotImplemented" | "InvalidArgument" | "InvalidRequest" | "MalformedXML")
            || matches!(self.error.status, Some(400 | 405 | 501))
    }

    /// Whether there was no answer.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self.error.code.as_deref(), Some("Unreachable" | "Timeout"))
            && self.error.status.is_none()
    }

    /// Whether these credentials may not do this.
    pub(crate) fn is_denied(&self) -> bool {
        self.error.code.as_deref() == Some("AccessDenied") || self.error.status == Some(403)
    }
}

impl<E> From<SdkError<E, HttpResponse>> for RequestFailure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> RequestFailure {
        let words = |error: &SdkError<E, HttpResponse>| DisplayErrorContext(error).to_string();
        match &error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let cause = root_cause(&error);
                let words = answer.err().message().or((status == 200).then_some(&*cause));
                refused(status, answer.err().code(), words)
            }
            SdkError::TimeoutError(_) => {
                RequestFailure::ours(FailureKind::Unknown, "Timeout", root_cause(&error))
            }
            SdkError::ResponseError(_) => {
                RequestFailure::ours(FailureKind::Unknown, "BadAnswer", root_cause(&error))
            }
            SdkError::DispatchFailure(failure)
                if failure.is_io()
                    || failure.is_timeout()
                    || failure.as_connector_error().is_some_and(|error| {
                        error.as_other() == Some(ErrorKind::TransientError)
                    }) =>
            {
                RequestFailure::ours(FailureKind::Unknown, "Unreachable", root_cause(&error))
            }
            SdkError::DispatchFailure(_) if words(&error).contains("redential") => {
                RequestFailure::ours(
                    FailureKind::Lasting,
                    "NoCredentials",
                    "there are no credentials to sign with",
                )
            }
            SdkError::DispatchFailure(_) if words(&error).contains("egion must be set") => {
                RequestFailure::ours(
                    FailureKind::Lasting,
                    "NoRegion",
                    "it is not known which region to ask",
                )
            }
            _ => RequestFailure::ours(FailureKind::Lasting, "NotSent", root_cause(&error)),
        }
    }
}

/// What the innermost error says: those around it only say that something failed.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn refused(status: u16, code: Option<&str>, message: Option<&str>) -> RequestFailure {
    let kind = match (code.unwrap_or_default(), status) {
        ("NoSuchUpload", _) => FailureKind::NoUpload,
        ("NoSuchBucket", _) => FailureKind::Lasting,
        ("InvalidObjectState", _) => FailureKind::Archived,
        ("PreconditionFailed", _) | (_, 412) => FailureKind::Condition,
        ("InternalError" | "RequestTimeout", _) => FailureKind::Unknown,
        (
            "SlowDown"
            | "ServiceUnavailable"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequests"
            | "BadDigest"
            | "XAmzContentChecksumMismatch"
            | "IncompleteBody"
            | "OperationAborted"
            | "ConditionalRequestConflict",
            _,
        ) => FailureKind::Passing,
        (_, 404) => FailureKind::NotFound,
        (_, 501) => FailureKind::Lasting,
        (_, 503 | 429) => FailureKind::Passing,
        // An error in the body of a 200 is one that came up after the answer had begun.
        (_, 200 | 408 | 500..) => FailureKind::Unknown,
        _ => FailureKind::Lasting,
    };
    let words = match status {
        404 => "there is no such thing",
        401 | 403 => "access denied",
        _ => "refused without a word",
    };
    let message = message.filter(|text| !text.is_empty()).unwrap_or(words).to_owned();
    let error =
        RemoteError { code: code.map(str::to_owned), status: Some(status), message, tries: 1 };
    RequestFailure { kind, error, after_unknown: kind == FailureKind::Unknown }
}
