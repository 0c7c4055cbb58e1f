//! Posting to the platform: each sender has a connection of its own, and tries a message
//! until the platform takes it.

use std::{sync::Arc, time::Duration};

use chatport_bench::{
    BOT_TOKEN,
    connection::{Connection, Problem},
};
use http::Method;
use tokio::{
    sync::{Mutex, mpsc},
    time::sleep,
};

use crate::writer::{Message, Write};

/// How long a message waits that wasn't taken.
const PAUSE: Duration = Duration::from_millis(200);

type Waiting = Arc<Mutex<mpsc::UnboundedReceiver<Message>>>;

/// Start the senders.
pub(crate) fn spawn(
    platform: &str,
    senders: usize,
    waiting: mpsc::UnboundedReceiver<Message>,
    writes: &mpsc::UnboundedSender<Write>,
) -> Result<(), Problem> {
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..senders {
        let connection = Connection::with_key(platform, BOT_TOKEN)?;
        tokio::spawn(send_all(connection, Arc::clone(&waiting), writes.clone()));
    }
    Ok(())
}

async fn send_all(mut connection: Connection, waiting: Waiting, writes: mpsc::UnboundedSender<Write>) {
    loop {
        let next = waiting.lock().await.recv().await;
        let Some(Message { id, body }) = next else { return };
        while !is_taken(&mut connection, body.clone()).await {
            sleep(PAUSE).await;
        }
        let _ = writes.send(Write::Delivered(id));
    }
}

async fn is_taken(connection: &mut Connection, body: bytes::Bytes) -> bool {
    connection.send(Method::POST, "/api/v4/posts", body).await.is_ok_and(|answer| answer.status.is_success())
}
