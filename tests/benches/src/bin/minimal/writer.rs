//! The one writer: a transaction holds everything that has come while the one before was
//! being committed.

use std::future::Future;

use axum::body::Bytes;
use chatport_bench::connection::Problem;
use tokio::sync::{mpsc, oneshot};

/// Most writes of a transaction.
const MOST: usize = 256;

/// Something to be written.
#[derive(Debug)]
pub(crate) enum Write {
    /// A message, and whom to tell that it is on disk.
    Accept { body: Bytes, answer: oneshot::Sender<()> },
    /// The platform has taken this message.
    Delivered(i64),
}

/// A message on disk.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) body: Bytes,
}

/// Where messages are kept.
pub(crate) trait Store: Send + 'static {
    /// What waits from an earlier run, and the first id that is free.
    fn waiting(&mut self) -> impl Future<Output = Result<(Vec<Message>, i64), Problem>> + Send;

    /// Commit new messages and deliveries, together.
    fn write(&mut self, accepted: &[Message], delivered: &[i64]) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// Write until nobody can send any more, or a commit fails.
pub(crate) async fn run(
    mut store: impl Store,
    mut writes: mpsc::UnboundedReceiver<Write>,
    sends: mpsc::UnboundedSender<Message>,
) -> Result<(), Problem> {
    let (waiting, mut next) = store.waiting().await?;
    // Senders live as long as the program.
    waiting.into_iter().for_each(|message| drop(sends.send(message)));
    let mut gathered = Vec::with_capacity(MOST);
    let (mut accepted, mut answers, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
    while writes.recv_many(&mut gathered, MOST).await > 0 {
        for write in gathered.drain(..) {
            match write {
                Write::Accept { body, answer } => {
                    accepted.push(Message { id: next, body });
                    answers.push(answer);
                    next += 1;
                }
                Write::Delivered(id) => delivered.push(id),
            }
        }
        store.write(&accepted, &delivered).await?;
        delivered.clear();
        for (message, answer) in accepted.drain(..).zip(answers.drain(..)) {
            // Whoever asked may have gone.
            let _ = answer.send(());
            let _ = sends.send(message);
        }
    }
    Ok(())
}
