//! `[aws]` of `vodmill.toml`: how AWS is reached, but for buckets.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use vodmill_aws::Access;

/// How SNS and CloudFront are reached. Secrets have no place here: they come from the environment, a
/// profile, or the machine's role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AwsSettings {
    /// Profile of the AWS configuration files to take credentials from. Default: the usual chain
    /// of environment, profile, web identity, container and machine role.
    pub profile: Option<String>,
    /// File to take credentials from, in the form of AWS's `~/.aws/credentials`. Default: that one.
    pub credentials_file: Option<PathBuf>,
    /// URL of a server that speaks the protocol of SNS. Default: AWS, in the region of each topic.
    pub sns_endpoint: Option<String>,
    /// URL of a server that speaks the protocol of CloudFront. Default: AWS.
    pub cloudfront_endpoint: Option<String>,
    /// Invalidated paths in a month above which a `warning` is told. An account has 1,000 free.
    #[schemars(range(min = 1))]
    pub invalidation_alarm: u32,
}

impl Default for AwsSettings {
    fn default() -> AwsSettings {
        AwsSettings {
            profile: None,
            credentials_file: None,
            sns_endpoint: None,
            cloudfront_endpoint: None,
            invalidation_alarm: 1000,
        }
    }
}

impl AwsSettings {
    /// How SNS is reached.
    pub fn sns(&self) -> Access {
        self.access(&self.sns_endpoint)
    }

    /// How CloudFront is reached.
    pub fn cloudfront(&self) -> Access {
        self.access(&self.cloudfront_endpoint)
    }

    fn access(&self, endpoint: &Option<String>) -> Access {
        Access {
            endpoint: endpoint.clone(),
            region: None,
            profile: self.profile.clone(),
            credentials_file: self.credentials_file.clone(),
        }
    }
}
