//! The real program as a child process, with a data folder and a port of its own.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::client::Client;

/// Where the built program is. It is built first, so that no suite runs an old one.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let built = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "chatport-host", "--bin", "chatport"])
            // As this suite is built, so is the program beside which it is put.
            .args(if cfg!(debug_assertions) { &[][..] } else { &["--release"] })
            .current_dir(root)
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the program doesn't build");
        let here = std::env::current_exe().expect("this test's path");
        // target/debug/deps/suite → target/debug/chatport
        here.ancestors().nth(2).expect("target/debug").join("chatport")
    })
}

/// Run the program to its end, with this environment and nothing else, in this folder.
pub async fn run(arguments: &[&str], environment: &[(&str, &str)], folder: &Path) -> Output {
    let ended = command(arguments, environment).current_dir(folder).output();
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends within 20 s").expect("it runs")
}

fn command(arguments: &[impl AsRef<std::ffi::OsStr>], environment: &[(impl AsRef<str>, impl AsRef<str>)]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).env_clear().env("PATH", std::env::var("PATH").unwrap_or_default()).kill_on_drop(true);
    for (name, value) in environment {
        command.env(name.as_ref(), value.as_ref());
    }
    command
}

/// The data folder's name.
const DATA: &str = "data";

/// What a Chatport is started with, each time.
#[derive(Clone)]
struct Launch {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    home: Arc<TempDir>,
    url: String,
}

/// A running Chatport.
pub struct Chatport {
    child: Child,
    pub url: String,
    pub api_key: String,
    /// Its data folder, which it has made itself.
    pub data: PathBuf,
    launch: Launch,
    out: Arc<Mutex<String>>,
    log: Arc<Mutex<String>>,
    collecting: Vec<JoinHandle<()>>,
}

impl Chatport {
    /// Start with these further arguments and a data folder that isn't there yet.
    pub async fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[]).await
    }

    /// The same, with this environment.
    pub async fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let launch = Launch::new(arguments, environment).await;
        let mut chatport = Self::launch(launch, String::new()).await;
        let text = chatport.printed();
        let key = key_in(&text).unwrap_or_else(|| panic!("no API key was printed:\n{text}{}", chatport.log()));
        chatport.api_key = key;
        chatport
    }

    /// One more on the same Postgres and under the same keys, with a data folder and a port
    /// of its own.
    pub async fn replica(&self) -> Self {
        let keyring = std::fs::read_to_string(self.data.join("keyring")).expect("the key ring's file");
        let inherited = self.launch.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let environment: Vec<(&str, &str)> = inherited.chain([("CHATPORT_KEYRING", keyring.trim())]).collect();
        let arguments: Vec<&str> = self.launch.arguments.iter().map(String::as_str).skip(3).collect();
        Self::launch(Launch::new(&arguments, &environment).await, self.api_key.clone()).await
    }

    async fn launch(launch: Launch, api_key: String) -> Self {
        let mut child = command(&launch.arguments, &launch.environment)
            .current_dir(launch.home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (out, log) = (Arc::default(), Arc::default());
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let collecting =
            vec![tokio::spawn(collect(stdout, Arc::clone(&out))), tokio::spawn(collect(stderr, Arc::clone(&log)))];
        let (url, data) = (launch.url.clone(), launch.home.path().join(DATA));
        let mut chatport = Self { child, url, api_key, data, launch, out, log, collecting };
        chatport.ready().await;
        chatport
    }

    /// It is ready when it says so; the first lines are printed before that.
    async fn ready(&mut self) {
        let client = Client::new(self.url.clone(), None);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                self.collected().await;
                panic!("the program ended with {status}:\n{}", self.log());
            }
            if let Ok(answer) = client.try_raw(http::Method::GET, "/readyz", &[], "").await
                && answer.status.is_success()
                && self.printed().contains("Three things to try")
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

    /// What it has printed on standard output since it was started last.
    pub fn printed(&self) -> String {
        self.out.lock().expect("no panic").clone()
    }

    /// The address of the demo's world, as its first lines show it.
    pub fn demo_address(&self) -> String {
        let printed = self.printed();
        printed.split_whitespace().find(|word| word.contains("/in/")).expect("the way to the demo").to_owned()
    }

    /// What it has logged since it was started last.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Its SQLite file.
    pub fn database_file(&self) -> PathBuf {
        self.data.join("chatport.db")
    }

    /// Send it a signal, e.g. `STOP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().expect("running").to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Kill it as a crash does: SIGKILL, no farewell.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("killed");
        self.collected().await;
    }

    /// Ask it to end (SIGTERM) and wait; the answer is whether it ended well.
    pub async fn stop(&mut self) -> bool {
        self.signal("TERM");
        let ended = tokio::time::timeout(Duration::from_secs(45), self.child.wait()).await;
        let ended = ended.expect("it ends within 45 s").expect("waited").success();
        self.collected().await;
        ended
    }

    /// All that an ended process printed has been read.
    async fn collected(&mut self) {
        for task in self.collecting.drain(..) {
            task.await.expect("no panic");
        }
    }

    /// Start again on the same data folder and port.
    pub async fn restart(&mut self) {
        let again = Self::launch(self.launch.clone(), self.api_key.clone()).await;
        *self = again;
    }

    /// Start again with one argument more.
    pub async fn restart_with(&mut self, argument: String) {
        self.launch.arguments.push(argument);
        self.restart().await;
    }
}

impl Launch {
    async fn new(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let home = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let port = free_port().await;
        let folder = format!("--data={}", home.path().join(DATA).display());
        let mut all = vec!["serve".to_owned(), format!("--listen=127.0.0.1:{port}"), folder];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let mut environment: Vec<(String, String)> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if !environment.iter().any(|(name, _)| name == "CHATPORT_LOG") {
            let log = std::env::var("CHATPORT_LOG").unwrap_or_else(|_| "info".into());
            environment.push(("CHATPORT_LOG".into(), log));
        }
        Self { arguments: all, environment, home, url: format!("http://127.0.0.1:{port}") }
    }
}

/// The API key in a text, if there is one.
pub fn key_in(text: &str) -> Option<String> {
    let start = text.find("cp_live_")?;
    let is_part = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    Some(text[start..].chars().take_while(is_part).collect())
}

async fn collect(mut lines: BufReader<impl tokio::io::AsyncRead + Unpin>, log: Arc<Mutex<String>>) {
    let mut line = String::new();
    while let Ok(1..) = lines.read_line(&mut line).await {
        log.lock().expect("no panic").push_str(&line);
        line.clear();
    }
}

/// A port that nobody listens on.
pub async fn free_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address").port()
}
