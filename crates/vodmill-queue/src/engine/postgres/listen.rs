//! How the server tells that a task may be ready.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::AsyncMessage;

use super::link::Pool;
use crate::backoff::jittered;
use crate::engine::ReadySignal;

pub(super) const NOTIFY: &str = "NOTIFY vodmill_ready";
const LISTEN: &str = "LISTEN vodmill_ready";
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Passes the server's notifications on, over a connection of its own, while the runtime lives.
pub(super) async fn listen(pool: Arc<Pool>, ready: Arc<ReadySignal>) {
    let mut pause = Duration::from_millis(100);
    loop {
        match once(&pool, &ready).await {
            Ok(()) => pause = Duration::from_millis(100),
            Err(error) => {
                tracing::debug!(%error, "not listening to the queue's database");
                pause = (pause * 2).min(LAST_PAUSE);
            }
        }
        sleep(jittered(pause)).await;
    }
}

/// Until the connection ends; an error if there was none.
async fn once(pool: &Pool, ready: &Arc<ReadySignal>) -> Result<(), tokio_postgres::Error> {
    let address = pool.address();
    let (client, mut connection) = address.config.connect(address.tls.clone()).await?;
    let woken = ready.clone();
    let ended = tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message {
                woken.raise();
            }
        }
    });
    client.batch_execute(LISTEN).await?;
    // For what became ready before we listened.
    ready.raise();
    // It ends when the server does; the client is kept until then, for dropping it would end it.
    let _ended = ended.await;
    drop(client);
    Ok(())
}
