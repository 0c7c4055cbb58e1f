//! Where the backend's process calls its platform: each request goes over the present stage's
//! line, one on a connection, so that a connection can be cut.

use std::{convert::Infallible, io, net::SocketAddr};

use bytes::Bytes;
use chatport_sdk::{
    http::{Answer, CALL_TIMEOUT, Call, Dispatch, MAX_ANSWER, Transport},
    testkit::Line,
};
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::Lines;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the suite cuts this connection")]
struct Cut;

/// Listen until the program ends.
pub(super) async fn start(at: SocketAddr, lines: Lines) -> io::Result<()> {
    let listener = TcpListener::bind(at).await?;
    tokio::spawn(async move {
        loop {
            // A connection that ended before it was accepted is nobody's any more.
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, lines.clone()));
            }
        }
    });
    Ok(())
}

async fn serve(stream: TcpStream, lines: Lines) -> Result<(), Infallible> {
    let service = service_fn(move |request| {
        let line = lines.get();
        async move { pass(line.as_deref().ok_or(Cut)?, request).await }
    });
    // An error is a cut, or a client that went away.
    let _ = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
    Ok(())
}

async fn pass(line: &Line, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|_| Cut)?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = Url::parse(&format!("http://platform{path}")).map_err(|_| Cut)?;
    let call = Call::new(head.method, url, head.headers, body, CALL_TIMEOUT, MAX_ANSWER);
    let Answer { status, mut headers, body } = line.send(call, &Dispatch::default()).await.map_err(|_| Cut)?;
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::CONNECTION);
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
