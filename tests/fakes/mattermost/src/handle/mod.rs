//! The handle of a running server: start, clock, faults, logs. What people do is in the other
//! files of this folder.
//!
//! Users, teams and channels are named by id or by name; a name that does not exist is a mistake
//! in the test and panics.

mod acting;
pub(crate) mod apps;
pub(crate) mod forge;
mod looking;
mod making;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::faults::FaultRule;
use crate::options::Options;
use crate::request_log::{LoggedRequest, SentRequest};
use crate::serve;
use crate::state::Shared;

/// A running server. It stops when the last clone of its handle is dropped.
#[derive(Debug, Clone)]
pub struct FakeMattermost {
    pub(crate) shared: Arc<Shared>,
    _acceptor: Arc<Acceptor>,
}

/// Stops accepting, and closes every connection, when it is dropped.
#[derive(Debug)]
struct Acceptor(JoinHandle<()>);

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl FakeMattermost {
    /// Starts a server on this machine.
    ///
    /// # Panics
    /// If the port cannot be had.
    pub async fn start(options: Options) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await.expect("the port is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let site_url = format!("http://{address}{}", options.subpath);
        let shared = Arc::new(Shared::new(options, site_url));
        let acceptor = tokio::spawn(serve::accept(Arc::clone(&shared), listener));
        Self { shared, _acceptor: Arc::new(Acceptor(acceptor)) }
    }

    /// The site URL, without a slash at the end.
    pub fn url(&self) -> String {
        self.shared.site_url.clone()
    }

    /// Address of a REST route, e.g. `api("posts")`.
    pub fn api(&self, route: &str) -> String {
        format!("{}/api/v4/{route}", self.shared.site_url)
    }

    /// The public key for trigger ids, as `config/client` gives it.
    pub fn public_key(&self) -> String {
        self.shared.key.public_b64()
    }

    /// The server's time, ms since 1970.
    pub fn now_ms(&self) -> i64 {
        self.shared.now()
    }

    /// Moves the server's clock forward: sessions expire, pending post ids are forgotten, the
    /// times in trigger ids and tokens move along.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
    }

    /// Makes requests go wrong.
    pub fn fault(&self, rule: FaultRule) {
        self.shared.faults().add(rule);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// Every request the server got, in order.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log().got.clone()
    }

    /// The requests of a method whose path is this one, in order.
    pub fn requests_to(&self, method: &str, path: &str) -> Vec<LoggedRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.method == method && request.path == path);
        requests
    }

    /// Every request the server sent to integrations, in order, redirects included.
    pub fn sent(&self) -> Vec<SentRequest> {
        self.shared.log().sent.clone()
    }

    /// Forgets all requests so far.
    pub fn clear_requests(&self) {
        self.shared.log().clear();
    }

    /// The most requests for new posts in a channel that were under way at the same time.
    pub fn most_posts_at_once(&self, channel: &str) -> usize {
        let channel = self.channel_id(channel);
        self.shared.log().most_posts_at_once(&channel)
    }
}
