//! Checks of who is told, and of whose caches drop what.

use super::url::is_http_url;
use super::{Report, is_name};
use crate::notify::{Invalidation, Notify};

/// Most seconds that an attempt may take; its lease is longer.
const LONGEST: u32 = 60;

pub(super) fn check(all: &[Notify], report: &mut Report<'_>) {
    for (number, one) in all.iter().enumerate() {
        let at = |field: &str| format!("notify[{number}].{field}");
        let message = "use lower-case letters, digits and hyphens, 64 at most";
        report.expect(is_name(&one.name), at("name"), message);
        let twice = all[..number].iter().any(|other| other.name == one.name);
        report.expect(!twice, at("name"), format!("{:?} is there twice: rename one", one.name));
        let message = "nothing would be told: name events, or leave it out for all";
        report.expect(!one.events.is_empty(), at("events"), message);
        report.within(one.timeout_seconds, 1..=LONGEST, &at("timeout_seconds"));
        report.within(one.give_up_hours, 1..=24 * 30, &at("give_up_hours"));
        check_target(one, &at, report);
    }
}

fn check_target(one: &Notify, at: &dyn Fn(&str) -> String, report: &mut Report<'_>) {
    let secrets = [&one.secret_file, &one.secret_env].iter().filter(|it| !it.is_empty()).count();
    if one.is_topic() {
        let message = "it is no ARN of an SNS topic, such as \
                       \"arn:aws:sns:eu-central-1:123456789012:video\"";
        report.expect(is_topic(&one.to), at("to"), message);
        let message = "SNS signs by itself: remove it";
        return report.expect(secrets == 0, at("secret_file"), message);
    }
    let message = "it is no URL, as \"https://site.example/hooks/video\": without user, password \
                   and fragment";
    report.expect(is_http_url(&one.to), at("to"), message);
    let message = "set secret_file or secret_env, one of the two: receivers prove with it that \
                   it was us";
    report.expect(secrets == 1, at("secret_file"), message);
}

fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    let [_, partition, service, region, account, topic] = parts[..] else { return false };
    let good = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    partition.starts_with("aws")
        && service == "sns"
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && [region, topic].iter().all(|part| !part.is_empty() && part.chars().all(good))
}

pub(super) fn check_invalidation(invalidation: &Invalidation, report: &mut Report<'_>) {
    let id = &invalidation.distribution;
    let good = (1..=32).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let message = "it is no id of a distribution, such as \"E2QWRUHAPOMQZL\"";
    report.expect(good, "invalidation.distribution", message);
    let path = &invalidation.path;
    let safe = |c: char| c.is_ascii_alphanumeric() || "/._-~%".contains(c);
    let good = path.is_empty() || (path.starts_with('/') && path.chars().all(safe));
    let message = "write it as in URLs, with a slash before it and escapes where needed";
    report.expect(good && !path.contains("//"), "invalidation.path", message);
}
