//! The dialler: it looks a name up, has every address of the answer checked, connects to one
//! of those very addresses, and checks once more whom it is connected to. A name that
//! resolves to something else a moment later changes nothing.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use chatport_sdk::{
    async_trait,
    http::{HttpError, HttpErrorKind},
};
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};
use tower::Service;

use crate::security::network::{Policy, Scheme, check_all};

const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The least time that each address gets, so that one that doesn't answer leaves time for
/// the next.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(1);

/// Looks names up.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of a name.
    ///
    /// # Errors
    /// There is none, or nobody knows.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Looks names up as the operating system does.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Makes connections that the policy allows.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) policy: Arc<Policy>,
    pub(super) resolver: Arc<dyn Resolve>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, HttpError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HttpError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(&uri).await.map(TokioIo::new) })
    }
}

fn failed(kind: HttpErrorKind, detail: impl Into<String>) -> HttpError {
    HttpError::new(kind, false, detail)
}

impl Connector {
    async fn connect(&self, uri: &Uri) -> Result<TcpStream, HttpError> {
        let scheme = uri.scheme_str().and_then(Scheme::parse);
        let (Some(scheme), Some(host)) = (scheme, uri.host()) else {
            return Err(failed(HttpErrorKind::BadRequest, "only http and https URLs can be called"));
        };
        let port = uri.port_u16().unwrap_or(scheme.default_port());
        let ips = self.addresses(host).await?;
        let check = |ips: &[IpAddr]| {
            check_all(&self.policy, scheme, host, port, ips)
                .map_err(|detail| failed(HttpErrorKind::AddressRefused, detail))
        };
        check(&ips)?;
        let addresses: Vec<SocketAddr> = ips.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        let stream = timeout(CONNECT_TIMEOUT, dial(host, &addresses))
            .await
            .unwrap_or_else(|_| Err(failed(HttpErrorKind::Timeout, format!("{host} doesn't accept a connection"))))?;
        let peer = stream.peer_addr().map_err(|_| failed(HttpErrorKind::Connect, "the connection is gone"))?;
        check(&[peer.ip()])?;
        // Requests are small and written whole.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, HttpError> {
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(ip) = literal.parse() {
            return Ok(vec![ip]);
        }
        match timeout(LOOKUP_TIMEOUT, self.resolver.resolve(host)).await {
            Ok(Ok(ips)) if !ips.is_empty() => Ok(ips),
            Ok(_) => Err(failed(HttpErrorKind::Connect, format!("no address is known for {host}"))),
            Err(_) => Err(failed(HttpErrorKind::Timeout, format!("looking {host} up takes too long"))),
        }
    }
}

async fn dial(host: &str, addresses: &[SocketAddr]) -> Result<TcpStream, HttpError> {
    let share = CONNECT_TIMEOUT / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut error = failed(HttpErrorKind::Connect, format!("no address is known for {host}"));
    for address in addresses {
        error = match timeout(share.max(ADDRESS_TIMEOUT), TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(refused)) => failed(HttpErrorKind::Connect, format!("no connection to {host}: {}", refused.kind())),
            Err(_) => failed(HttpErrorKind::Timeout, format!("{host} doesn't accept a connection")),
        };
    }
    Err(error)
}
