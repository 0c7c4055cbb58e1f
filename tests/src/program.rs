//! The real program as a child process, with a data folder and a port of its own.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::client::Client;

/// Where the built program is. It is built first, so that no suite runs an old one.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let built = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "chatport-host", "--bin", "chatport"])
            .current_dir(root)
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the program doesn't build");
        let here = std::env::current_exe().expect("this test's path");
        // target/debug/deps/suite → target/debug/chatport
        here.ancestors().nth(2).expect("target/debug").join("chatport")
    })
}

/// A running Chatport.
pub struct Chatport {
    child: Child,
    pub url: String,
    pub api_key: String,
    pub data: Arc<TempDir>,
    arguments: Vec<String>,
    log: Arc<Mutex<String>>,
}

impl Chatport {
    /// Start with these further arguments on an empty data folder.
    pub async fn start(arguments: &[&str]) -> Self {
        let data = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let port = free_port().await;
        let mut all =
            vec!["serve".to_owned(), format!("--listen=127.0.0.1:{port}"), format!("--data={}", data.path().display())];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Self::launch(all, data, format!("http://127.0.0.1:{port}"), String::new()).await
    }

    async fn launch(arguments: Vec<String>, data: Arc<TempDir>, url: String, api_key: String) -> Self {
        let mut child = Command::new(program())
            .args(&arguments)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .env("CHATPORT_LOG", std::env::var("CHATPORT_LOG").unwrap_or_else(|_| "info".into()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let log = Arc::new(Mutex::new(String::new()));
        let stdout = child.stdout.take().expect("piped");
        let stderr = child.stderr.take().expect("piped");
        tokio::spawn(collect(BufReader::new(stdout), Arc::clone(&log)));
        tokio::spawn(collect(BufReader::new(stderr), Arc::clone(&log)));
        let mut chatport = Self { child, url, api_key, data, arguments, log };
        chatport.ready().await;
        if chatport.api_key.is_empty() {
            let text = chatport.log();
            let start = text.find("cp_live_").unwrap_or_else(|| panic!("no API key was printed:\n{text}"));
            chatport.api_key = text[start..]
                .split(|c: char| c.is_whitespace() || c == '\'' || c == '"')
                .next()
                .unwrap_or_default()
                .to_owned();
        }
        chatport
    }

    async fn ready(&mut self) {
        let client = Client::new(self.url.clone(), None);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the program ended with {status}:\n{}", self.log());
            }
            if let Ok(answer) = client.try_raw(http::Method::GET, "/readyz", &[], "").await
                && answer.status.is_success()
            {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "not ready in 20 s:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A client with the first API key.
    pub fn client(&self) -> Client {
        Client::new(self.url.clone(), Some(&self.api_key))
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Kill it as a crash does: SIGKILL, no farewell.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Ask it to end (SIGTERM) and wait; the answer is whether it ended well.
    pub async fn stop(&mut self) -> bool {
        let pid = self.child.id().expect("running").to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(sent.success());
        let ended = tokio::time::timeout(Duration::from_secs(45), self.child.wait()).await;
        ended.expect("it ends within 45 s").expect("waited").success()
    }

    /// Start again on the same data folder and port.
    pub async fn restart(&mut self) {
        let again =
            Self::launch(self.arguments.clone(), Arc::clone(&self.data), self.url.clone(), self.api_key.clone()).await;
        *self = again;
    }
}

async fn collect(mut lines: BufReader<impl tokio::io::AsyncRead + Unpin>, log: Arc<Mutex<String>>) {
    let mut line = String::new();
    while let Ok(1..) = lines.read_line(&mut line).await {
        log.lock().expect("no panic").push_str(&line);
        line.clear();
    }
}

async fn free_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address").port()
}
