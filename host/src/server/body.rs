//! Bodies of requests: never too long, never too slow, whoever reads them.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{BoxError, body::Body};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::connection::Busy;

/// Why a body can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than allowed.
    #[error("the body is too long")]
    TooLong,
    /// It takes longer than allowed.
    #[error("the body takes too long")]
    TooSlow,
    /// The connection broke, or the body isn't what HTTP says.
    #[error("the body could not be read")]
    Broken,
}

/// Read a whole body of at most `limit` bytes. A length that is announced is believed
/// before anything is read.
///
/// # Errors
/// Why it can't be had.
pub async fn read_body(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let announced = HttpBody::size_hint(&body).lower();
    if usize::try_from(announced).is_ok_and(|announced| announced > limit) {
        return Err(BodyError::TooLong);
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(reason(error.as_ref())),
    }
}

fn reason(error: &(dyn Error + 'static)) -> BodyError {
    let causes = || std::iter::successors(Some(error), |&error| error.source());
    if let Some(known) = causes().find_map(|cause| cause.downcast_ref::<BodyError>()) {
        *known
    } else if causes().any(|cause| cause.is::<LengthLimitError>()) {
        BodyError::TooLong
    } else {
        BodyError::Broken
    }
}

/// A request's body with the server's limits around it. The time runs from the first read.
#[derive(Debug)]
pub(super) struct Bounded<B> {
    body: Limited<B>,
    patience: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<B> Bounded<B> {
    pub(super) fn new(body: B, limit: usize, patience: Duration) -> Self {
        Self { body: Limited::new(body, limit), patience, deadline: None }
    }
}

impl<B> HttpBody for Bounded<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        let patience = this.patience;
        let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(patience)));
        if !deadline.is_elapsed() {
            ready!(deadline.as_mut().poll(cx));
        }
        Poll::Ready(Some(Err(BodyError::TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body; its connection counts as busy until it is sent.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) body: Body,
    pub(super) _busy: Busy,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trickle(pause: Duration) -> Body {
        let chunks = futures_util::stream::unfold((), move |()| async move {
            tokio::time::sleep(pause).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        Body::from_stream(chunks)
    }

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read_whole() {
        assert_eq!(read_body(Body::from("abc"), 3).await, Ok(Bytes::from_static(b"abc")));
        assert_eq!(read_body(Body::from("abcd"), 3).await, Err(BodyError::TooLong));
    }

    #[tokio::test]
    async fn a_body_whose_length_is_not_announced_is_cut_at_the_limit() {
        assert_eq!(read_body(trickle(Duration::ZERO), 100).await, Err(BodyError::TooLong));
    }

    #[tokio::test]
    async fn a_body_that_trickles_in_is_too_slow_though_something_always_comes() {
        let limit = Duration::from_millis(100);
        let body = Bounded::new(trickle(limit / 10), 1_000, limit);
        let started = tokio::time::Instant::now();
        assert_eq!(read_body(Body::new(body), 1_000).await, Err(BodyError::TooSlow));
        assert!(started.elapsed() >= limit);
    }

    #[tokio::test]
    async fn the_servers_limit_holds_for_readers_without_one() {
        let body = Body::new(Bounded::new(trickle(Duration::ZERO), 10, Duration::from_secs(10)));
        assert_eq!(read_body(body, usize::MAX).await, Err(BodyError::TooLong));
    }
}
