//! Calling a backend without letting its panics and hangs out.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

/// How long a call during setup may take.
pub const SETUP_LIMIT: Duration = Duration::from_secs(30);

/// How a call went wrong on our side of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The backend panicked.
    #[error("the backend panicked")]
    Panicked,
    /// The backend didn't come back in time.
    #[error("the backend took too long")]
    TimedOut,
}

/// Run a call as a task of its own, at most for `limit`. It is aborted when the caller goes
/// away.
///
/// # Errors
/// The call panicked or took too long.
pub async fn contained<T: Send + 'static>(
    limit: Duration,
    call: impl Future<Output = T> + Send + 'static,
) -> Result<T, CallError> {
    // What it logs belongs to the request that called it.
    let task = tokio::spawn(call.in_current_span());
    match tokio::time::timeout(limit, AbortOnDropHandle::new(task)).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) => Err(CallError::Panicked),
        Err(_) => Err(CallError::TimedOut),
    }
}

/// Run a pure call.
///
/// # Errors
/// The call panicked.
pub fn contained_pure<T>(call: impl FnOnce() -> T) -> Result<T, CallError> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| CallError::Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_and_a_hang_come_back_as_errors() {
        let limit = Duration::from_millis(50);
        assert_eq!(contained(limit, async { 7 }).await, Ok(7));
        assert_eq!(contained::<()>(limit, async { panic!("a bug") }).await, Err(CallError::Panicked));
        assert_eq!(contained(limit, std::future::pending::<()>()).await, Err(CallError::TimedOut));
        assert_eq!(contained_pure(|| -> () { panic!("a bug") }), Err(CallError::Panicked));
    }

    #[tokio::test]
    async fn a_call_logs_within_the_span_of_its_caller() {
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry());
        let span = tracing::info_span!("request");
        let call = contained(Duration::from_secs(60), async { tracing::Span::current().id() });
        assert_eq!(call.instrument(span.clone()).await, Ok(span.id()));
        assert!(span.id().is_some());
    }

    #[tokio::test]
    async fn a_call_ends_with_its_caller() {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let call = contained(Duration::from_secs(60), async move {
            let _kept = sender;
            std::future::pending::<()>().await;
        });
        let _ = tokio::time::timeout(Duration::from_millis(50), call).await;
        assert!(receiver.await.is_err(), "what the call held is dropped");
    }
}
