//! A platform on a port of this machine, which answers as it is told.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chatport_sdk::{
    async_trait,
    http::{Answer, Dispatch, HttpClient, HttpError, HttpErrorKind},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use url::Url;
use uuid::Uuid;

use super::super::{Resolve, Transports};
use crate::security::network::Policy;

/// The platform's name in tests.
pub(super) const HOST: &str = "chat.test";

/// What the platform does with a request.
#[derive(Clone, Copy)]
pub(super) enum Reply {
    /// Sends this.
    Bytes(&'static str),
    /// Sends this, then nothing more, and keeps the connection.
    Stall(&'static str),
    /// Sends this and closes the connection.
    Close(&'static str),
    /// Sends 200 once it is told to.
    WhenTold,
}

pub(super) const OK: Reply = Reply::Bytes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");

/// The platform.
pub(super) struct Platform {
    pub(super) port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    pub(super) told: Arc<Notify>,
}

impl Platform {
    /// One that answers the first request with the first reply and so on; the last reply
    /// serves for all that follow.
    pub(super) async fn that_replies<const N: usize>(replies: [Reply; N]) -> Self {
        let replies: Arc<[Reply]> = Arc::new(replies);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let platform = Self {
            port: listener.local_addr().expect("an address").port(),
            connections: Arc::default(),
            requests: Arc::default(),
            told: Arc::default(),
        };
        let (connections, requests, told) =
            (platform.connections.clone(), platform.requests.clone(), platform.told.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, replies.clone(), requests.clone(), told.clone()));
            }
        });
        platform
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("the requests").clone()
    }

    /// Wait until it has heard so many requests.
    pub(super) async fn has_heard(&self, count: usize) {
        while self.requests().len() < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(super) fn url(&self) -> Url {
        Url::parse(&format!("http://{HOST}:{}/hook?token=secret", self.port)).expect("a URL")
    }

    /// The operator's grant for it.
    pub(super) fn grant(&self) -> String {
        format!("{HOST}=127.0.0.1:{}", self.port)
    }
}

async fn serve(
    mut stream: TcpStream,
    replies: Arc<[Reply]>,
    requests: Arc<Mutex<Vec<String>>>,
    told: Arc<Notify>,
) -> io::Result<()> {
    loop {
        let mut request = Vec::new();
        while !is_whole(&request) {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        let number = {
            let mut requests = requests.lock().expect("the requests");
            requests.push(String::from_utf8_lossy(&request).into_owned());
            requests.len() - 1
        };
        match replies[number.min(replies.len() - 1)] {
            Reply::Bytes(text) => stream.write_all(text.as_bytes()).await?,
            Reply::Stall(text) => {
                stream.write_all(text.as_bytes()).await?;
                std::future::pending::<()>().await;
            }
            Reply::Close(text) => return stream.write_all(text.as_bytes()).await,
            Reply::WhenTold => {
                told.notified().await;
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
            }
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// What the name service says.
#[derive(Clone)]
pub(super) enum Lookup {
    /// These addresses, always.
    Is(Vec<IpAddr>),
    /// First these, afterwards those.
    Turns(Vec<IpAddr>, Vec<IpAddr>),
    /// First these, afterwards no answer for ever.
    ThenHangs(Vec<IpAddr>),
    /// No answer for ever.
    Hangs,
}

/// A name service that the test writes.
#[derive(Default)]
pub(super) struct Names {
    entries: HashMap<String, Lookup>,
    asked: AtomicUsize,
}

impl Names {
    pub(super) fn with(host: &str, lookup: Lookup) -> Arc<Self> {
        Arc::new(Self { entries: HashMap::from([(host.to_owned(), lookup)]), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let again = self.asked.fetch_add(1, Ordering::SeqCst) > 0;
        match self.entries.get(host) {
            Some(Lookup::Is(ips)) => Ok(ips.clone()),
            Some(Lookup::Turns(first, then)) => Ok(if again { then.clone() } else { first.clone() }),
            Some(Lookup::ThenHangs(first)) if !again => Ok(first.clone()),
            Some(Lookup::ThenHangs(_) | Lookup::Hangs) => std::future::pending().await,
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

pub(super) fn local() -> Vec<IpAddr> {
    vec![Ipv4Addr::LOCALHOST.into()]
}

pub(super) fn transports(grants: &[String], names: Arc<Names>, authority: Option<&Path>) -> Transports {
    let policy = Policy::parse(grants, false).expect("grants");
    Transports::with_resolver(policy, authority, names).expect("TLS")
}

/// A backend's client, and the mark of its calls.
pub(super) struct Caller {
    pub(super) client: HttpClient,
    pub(super) dispatch: Dispatch,
}

impl Caller {
    pub(super) fn of(transports: &Transports) -> Self {
        let dispatch = Dispatch::default();
        let transport = transports.for_installation("acme", Uuid::nil());
        Self { client: HttpClient::new(transport, dispatch.clone()), dispatch }
    }

    /// One whose operator has granted it the platform.
    pub(super) fn to(platform: &Platform) -> Self {
        Self::of(&transports(&[platform.grant()], Names::with(HOST, Lookup::Is(local())), None))
    }

    pub(super) async fn post(&self, url: Url) -> Result<Answer, HttpError> {
        self.client.post(url).body("text/plain", "body").timeout(Duration::from_millis(300)).send().await
    }

    /// Post, fail, and be told how; the mark must say the same.
    pub(super) async fn failure(&self, url: Url) -> (HttpErrorKind, bool) {
        let error = self.post(url).await.expect_err("the call fails");
        assert_eq!(self.dispatch.is_marked(), error.sent, "{error:?}");
        (error.kind, error.sent)
    }
}
