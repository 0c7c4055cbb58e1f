//! A peer as a child process that is asked line by line, and ends with its handle.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::LazyLock,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// The folder in which the peers are installed; the first who asks installs them.
static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers-msteams");
    let ended = std::process::Command::new("bash").arg(here("install")).arg(&folder).status().expect("bash runs");
    assert!(ended.success(), "the peers could not be installed: see what is printed above");
    folder
});

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/msteams").join(name)
}

struct Peer {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    fn start(program: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&*INSTALLED)
            // The SDK warns of what is new in itself.
            .env("PYTHONWARNINGS", "ignore")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { _child: child, input, output }
    }

    async fn read(&mut self) -> Value {
        let line = self.output.next_line().await.expect("it can be read").expect("the peer goes on");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"))
    }

    async fn ask(&mut self, what: &Value) -> Value {
        self.input.write_all(format!("{what}\n").as_bytes()).await.expect("the peer listens");
        self.read().await
    }
}

/// A verdict, and the reason for a refusal.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) accepts: bool,
    pub(crate) why: String,
}

fn verdict(said: &Value) -> Verdict {
    let accepts = said["accepts"].as_bool().expect("a verdict");
    Verdict { accepts, why: said["why"].as_str().unwrap_or_default().to_owned() }
}

/// The issuer of tokens, Microsoft's older validator, and the manifest's schema.
pub(crate) struct Oracle {
    peer: Peer,
    /// Where the issuer is.
    pub(crate) url: String,
}

impl Oracle {
    pub(crate) async fn start(app_id: &str) -> Self {
        let script = here("oracle.mjs");
        let mut peer = Peer::start(Path::new("node"), &[&script.display().to_string(), app_id]);
        let url = peer.read().await["url"].as_str().expect("an address").to_owned();
        Self { peer, url }
    }

    /// A token with these claims; the header's members can be others, too.
    pub(crate) async fn mint(&mut self, claims: &Value, header: &Value, by_rogue: bool) -> String {
        let asked = json!({ "action": "mint", "claims": claims, "header": header, "by_rogue": by_rogue });
        self.peer.ask(&asked).await["token"].as_str().expect("a token").to_owned()
    }

    pub(crate) async fn judge(&mut self, authorization: &str, activity: &Value) -> Verdict {
        let asked = json!({ "action": "verify", "authorization": authorization, "activity": activity });
        verdict(&self.peer.ask(&asked).await)
    }

    pub(crate) async fn judge_manifest(&mut self, manifest: &Value) -> Verdict {
        verdict(&self.peer.ask(&json!({ "action": "manifest", "manifest": manifest })).await)
    }

    /// The keys that it publishes.
    pub(crate) async fn keys(&mut self) -> Value {
        self.peer.ask(&json!({ "action": "keys" })).await
    }
}

/// Microsoft's newer SDK.
pub(crate) struct Judge(Peer);

impl Judge {
    pub(crate) fn start(app_id: &str, oracle: &Oracle) -> Self {
        let keys = format!("{}/keys", oracle.url);
        let arguments = [&here("judge.py").display().to_string(), app_id, &keys];
        Self(Peer::start(&INSTALLED.join("venv/bin/python"), &arguments))
    }

    /// Judge a `token`, `activity`, `answer`, `message` or `card`.
    pub(crate) async fn judge(&mut self, what: &str, value: &Value) -> Verdict {
        verdict(&self.0.ask(&json!({ "what": what, "value": value })).await)
    }
}
