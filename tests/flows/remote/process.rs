//! The example backend as a real Python process.

use std::{path::Path, process::Stdio, time::Duration};

use chatport_tests::program::free_port;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

/// The secret that it shares with the host.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G";

pub(crate) struct Process {
    child: Option<Child>,
    port: u16,
    secret: String,
    ntfy: String,
}

impl Process {
    /// One that isn't running yet.
    pub(crate) async fn prepared(ntfy: &str) -> Self {
        Self { child: None, port: free_port().await, secret: SECRET.into(), ntfy: ntfy.into() }
    }

    pub(crate) async fn started(ntfy: &str) -> Self {
        let mut process = Self::prepared(ntfy).await;
        process.start().await;
        process
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn with_secret(self, secret: &str) -> Self {
        Self { secret: secret.into(), ..self }
    }

    /// Start, and wait until it listens.
    pub(crate) async fn start(&mut self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let child = Command::new("python3")
            .arg("-B")
            .arg(root.join("examples/remote-python/backend.py"))
            .env("REMOTE_SECRET", &self.secret)
            .env("NTFY_SERVER", &self.ntfy)
            .env("LISTEN", format!("127.0.0.1:{}", self.port))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("Python runs");
        self.child = Some(child);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(tokio::time::Instant::now() < deadline, "the backend doesn't listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kill it as a crash does.
    pub(crate) async fn kill(&mut self) {
        self.child.take().expect("running").kill().await.expect("killed");
    }

    /// Send it a signal: `STOP` makes it hang, `CONT` lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().and_then(Child::id).expect("running").to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs");
        assert!(sent.success());
    }
}
