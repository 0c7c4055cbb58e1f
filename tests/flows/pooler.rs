//! Chatport behind a real PgBouncer: what works through a pooler, and what it says where
//! something doesn't.

use std::{path::Path, process::Stdio, time::Duration};

use chatport_fake_mattermost::{FakeMattermost, Options};
use chatport_tests::{
    database::postgres_database,
    eventually,
    mattermost::connect_bot,
    organization::Organization,
    program::{Chatport, free_port, run},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The first version that carries prepared statements in transaction mode.
const CARRIES_STATEMENTS: (u32, u32) = (1, 21);

/// A PgBouncer before the private PostgreSQL, on a port of its own.
struct Pooler {
    _child: Child,
    _folder: TempDir,
    /// The database through it.
    url: String,
}

/// The version of the installed PgBouncer.
async fn version() -> (u32, u32) {
    let said = Command::new("pgbouncer").arg("--version").output().await;
    let said = said.expect("pgbouncer is installed: `bash tests/run` installs it");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let number = text.lines().next().and_then(|line| line.strip_prefix("PgBouncer ")).expect("a version");
    let mut parts = number.split('.').map(|part| part.parse().expect("a number"));
    (parts.next().expect("major"), parts.next().expect("minor"))
}

impl Pooler {
    async fn start(mode: &str) -> Self {
        let direct = url::Url::parse(&postgres_database().await).expect("a URL");
        let (folder, port) = (tempfile::tempdir().expect("a temporary folder"), free_port().await);
        let statements = if version().await >= CARRIES_STATEMENTS { "max_prepared_statements = 200" } else { "" };
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=chatport\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\nmax_client_conn = 200\n\
             ignore_startup_parameters = extra_float_digits\n{statements}\n",
            direct.port().expect("a port"),
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("written");
        let mut command = Command::new("pgbouncer");
        if is_root() {
            // It refuses to run as root.
            open_to_all(folder.path());
            command.args(["-u", "postgres"]);
        }
        let child = command.arg(&file).stderr(Stdio::null()).kill_on_drop(true).spawn().expect("pgbouncer starts");
        eventually("the pooler to listen", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok().then_some(())
        })
        .await;
        let url = format!("postgres://chatport@127.0.0.1:{port}{}", direct.path());
        Self { _child: child, _folder: folder, url }
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|of_process| of_process.uid() == 0)
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("opened");
}

/// Set Mattermost up, send a message and an update, and see both there. The answer is the log.
async fn a_whole_delivery(pooler: &Pooler) -> String {
    let server = FakeMattermost::start(Options::default()).await;
    let allowed = format!("--allow-networks={}", chatport_tests::mattermost::grant(&server));
    let arguments = ["--demo=off", "--app-name=OnCall", &allowed];
    let chatport = Chatport::start_with(&arguments, &[("DATABASE_URL", &pooler.url)]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let bot = connect_bot(&acme, &server).await;
    server.create_channel("acme", "pooled");
    server.join_channel("pooled", "alice");
    let channel = bot.connect("pooled").await;
    for (revision, title) in [(1, "Fire"), (2, "Out")] {
        let message =
            json!({ "revision": revision, "targets": [{ "channel": channel }], "content": { "title": title } });
        acme.put("messages/a1", message).await.expect(202);
        eventually(title, || async {
            let shown = acme.get("messages/a1").await.expect(200);
            (shown["copies"][0]["shown_revision"] == revision).then_some(())
        })
        .await;
    }
    // Pings are answered, or given up, within seconds.
    tokio::time::sleep(Duration::from_secs(4)).await;
    chatport.log()
}

const DEAF: &str = "can't hear what other replicas change";

#[tokio::test(flavor = "multi_thread")]
async fn in_session_mode_everything_works_and_listening_too() {
    let pooler = Pooler::start("session").await;
    let log = a_whole_delivery(&pooler).await;
    assert!(!log.contains(DEAF), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_transaction_mode_a_delivery_works_without_listening_or_the_start_is_refused() {
    let pooler = Pooler::start("transaction").await;
    if version().await >= CARRIES_STATEMENTS {
        a_whole_delivery(&pooler).await;
        return;
    }
    let home = tempfile::tempdir().expect("a temporary folder");
    let ended = run(&["serve", "--listen=127.0.0.1:0"], &[("DATABASE_URL", &pooler.url)], home.path()).await;
    let error = String::from_utf8_lossy(&ended.stderr);
    let said: Vec<&str> = error.lines().filter(|line| line.starts_with("chatport: ")).collect();
    assert_eq!((ended.status.code(), said.len()), (Some(1), 1), "{error}");
    assert!(said[0].contains("PgBouncer 1.21"), "{error}");
}
