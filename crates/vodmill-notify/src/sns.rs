//! An event to a topic of SNS.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sns::types::MessageAttributeValue;
use vodmill_aws::Access;
use vodmill_queue::Event;

use crate::error::{Error, Result};
use crate::http::{Http, Patience};

/// A client for a topic; opening it may ask the machine for credentials.
pub(crate) fn open(
    http: &Http,
    topic: &str,
    access: &Access,
    patience: Patience<'_>,
) -> Result<Client> {
    // arn:PARTITION:sns:REGION:ACCOUNT:TOPIC
    let region = topic.split(':').nth(3).map(str::to_owned);
    let access = Access { region, ..access.clone() };
    let config = http.within(patience, vodmill_aws::sdk_config(&access))?;
    Ok(Client::from_conf(aws_sdk_sns::config::Builder::from(&config).build()))
}

/// Publishes `body` once. The attributes are for filter policies of subscriptions; a FIFO topic
/// keeps the events of a pipeline in order, and drops a second copy of one.
pub(crate) fn send(
    http: &Http,
    client: &Client,
    topic: &str,
    event: &Event,
    body: String,
    patience: Patience<'_>,
) -> Result<()> {
    let text = |value: &str| {
        let built = MessageAttributeValue::builder().data_type("String").string_value(value);
        built.build().map_err(|error| Error::unmade("describe the event", &error))
    };
    let is_fifo = topic.ends_with(".fifo");
    let publish = client
        .publish()
        .topic_arn(topic)
        .message(body)
        .message_attributes("event", text(event.kind.as_str())?)
        .message_attributes("pipeline", text(&event.pipeline)?)
        .set_message_group_id(is_fifo.then(|| event.pipeline.clone()))
        .set_message_deduplication_id(is_fifo.then(|| event.id.clone()));
    match http.within(patience, publish.send())? {
        Ok(_) => Ok(()),
        Err(error) => Err(match (error.code(), error.message()) {
            (Some(code), message) => Error::Aws {
                code: code.to_owned(),
                message: message.unwrap_or_default().to_owned(),
            },
            _ => Error::NoAnswer(DisplayErrorContext(&error).to_string()),
        }),
    }
}
