//! A small disk of its own: a file system in memory, mounted at a folder. Needs root, or
//! `sudo` without a password; where neither is there, the rig fails and says so.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// The disk. It goes away with this value.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
}

const BALLAST: &str = "ballast";

impl Disk {
    /// A disk of so many kilobytes.
    pub fn of(kilobytes: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = format!("size={kilobytes}k,mode=0700");
        as_root(&["mount", "-t", "tmpfs", "-o", &options, "none"], folder.path());
        Self { folder }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Take room away until so many kilobytes are free at most. The program may be taking
    /// some at the same time.
    pub fn leave_free(&self, kilobytes: u64) {
        let ballast = OpenOptions::new().create(true).append(true).open(self.ballast());
        let mut ballast = ballast.expect("an empty file always finds room");
        loop {
            let take = self.free().saturating_sub(kilobytes);
            let block = vec![0_u8; usize::try_from(take * 1024).expect("a small disk")];
            match ballast.write_all(&block) {
                Ok(()) if take == 0 => return,
                // Somebody was faster: there is even less.
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return,
                done => done.expect("it is written"),
            }
        }
    }

    /// Give all the room back.
    pub fn make_room(&self) {
        if self.ballast().exists() {
            std::fs::remove_file(self.ballast()).expect("it is ours");
        }
    }

    /// Kilobytes that are free.
    pub fn free(&self) -> u64 {
        let told = Command::new("df").args(["-k", "--output=avail"]).arg(self.path()).output().expect("df runs");
        let text = String::from_utf8_lossy(&told.stdout);
        text.lines().nth(1).and_then(|line| line.trim().parse().ok()).expect("df tells a number")
    }

    fn ballast(&self) -> PathBuf {
        self.path().join(BALLAST)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        as_root(&["umount", "--lazy"], self.folder.path());
    }
}

fn as_root(words: &[&str], folder: &Path) {
    let is_root = is_root_user();
    let mut command = Command::new(if is_root { words[0] } else { "sudo" });
    if !is_root {
        command.args(["-n", words[0]]);
    }
    let done = command.args(&words[1..]).arg(folder).output();
    let done = done.unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "a small disk needs root or sudo without a password: {words:?}: {error}");
}

fn is_root_user() -> bool {
    let told = Command::new("id").arg("-u").output().expect("id runs");
    told.stdout.starts_with(b"0\n")
}
