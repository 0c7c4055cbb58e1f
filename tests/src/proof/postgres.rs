//! A PostgreSQL server of a rig's own, which it may stop, and let die, without harm to others.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::program::free_port;

/// Where Debian puts the server's programs.
const BIN: &str = "/usr/lib/postgresql/15/bin";

/// The server. It goes away with this value.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    pub port: u16,
}

impl Postgres {
    /// Make and start one. Its files are in memory where there is a place for that: a server
    /// that crashes keeps what it has written, and starts again at once however busy the disk
    /// is. Its commits take a few milliseconds, as on a real disk, so that some are under way
    /// when something happens.
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("proof-pg").tempdir_in(memory()).expect("a temporary folder");
        let server = Self { folder, port: free_port().await };
        let owned = Command::new("chown").arg("postgres").arg(server.folder.path()).output().expect("chown runs");
        assert!(!is_root() || owned.status.success(), "{owned:?}");
        let data = server.data();
        server.run("initdb", &["-D", &data, "-U", "chatport", "-A", "trust", "--no-sync"]);
        server.up();
        server
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Start it, and wait until it answers.
    pub fn up(&self) {
        let folder = self.folder.path().display();
        let options = format!(
            "-p {} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200 \
             -c commit_delay=5000 -c commit_siblings=0",
            self.port
        );
        let (data, log) = (self.data(), self.log().display().to_string());
        self.run("pg_ctl", &["-D", &data, "-w", "-t", "60", "-l", &log, "-o", &options, "start"]);
    }

    /// Stop it: `immediate` is a crash, `fast` ends what is under way.
    pub fn stop(&self, mode: &str) {
        let data = self.data();
        self.run("pg_ctl", &["-D", &data, "-w", "-t", "60", "-m", mode, "stop"]);
    }

    /// Its address, with no database.
    pub fn url(&self) -> String {
        format!("postgres://chatport@127.0.0.1:{}", self.port)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let done = self.output(program, arguments);
        let told = String::from_utf8_lossy(&done.stderr);
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        assert!(done.status.success(), "{program} {arguments:?}: {told}\n{log}");
    }

    fn output(&self, program: &str, arguments: &[&str]) -> Output {
        let program = format!("{BIN}/{program}");
        // PostgreSQL refuses to run as root.
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", &program]);
            command
        } else {
            Command::new(program)
        };
        let quiet = std::process::Stdio::null;
        // The server inherits these, so nobody may wait for their end.
        let error = std::fs::File::create(self.folder.path().join("told")).expect("a file");
        command.stdin(quiet()).stdout(quiet()).stderr(error);
        let status = command.args(arguments).current_dir(self.folder.path()).status().expect("it runs");
        let stderr = std::fs::read(self.folder.path().join("told")).unwrap_or_default();
        Output { status, stdout: Vec::new(), stderr }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.data();
        let _ = self.output("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]);
    }
}

/// A folder in memory, or else any.
fn memory() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    if shared.is_dir() { shared } else { std::env::temp_dir() }
}

fn is_root() -> bool {
    let told = Command::new("id").arg("-u").output().expect("id runs");
    told.stdout.starts_with(b"0\n")
}
