//! Keeping a world in a file of its own. A file that holds anything else than a world is
//! neither read nor overwritten: its path comes from settings.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::world::World;

/// What stands at the start of the file, so that nothing else is taken for a world.
const FORMAT: &str = "chatport-sandbox-world-1";
/// The longest file that is read.
const MAX_FILE: u64 = 64 * 1024 * 1024;

#[derive(Serialize)]
struct Kept<'a> {
    format: &'static str,
    world: &'a World,
}

#[derive(Deserialize)]
struct Found {
    format: String,
    world: World,
}

/// Why a world can't be read or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("the installation's settings can't be read")]
    Settings,
    #[error("the world's file must be an absolute path that ends in `.json`")]
    Path,
    #[error("another installation keeps its world in this file")]
    Taken,
    #[error("the world's file holds something else than a world; it was left as it is")]
    NotAWorld,
    #[error("the world's file can't be read or written: {0}")]
    Io(#[from] io::Error),
}

/// Refuse a path at which no world may be.
pub(crate) fn check(path: &Path) -> Result<(), FileError> {
    let right = path.is_absolute() && path.extension().is_some_and(|extension| extension == "json");
    if right { Ok(()) } else { Err(FileError::Path) }
}

/// Read the world; `None` if there is no file yet.
pub(crate) fn load(path: &Path) -> Result<Option<World>, FileError> {
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if !about.is_file() || about.len() > MAX_FILE {
        return Err(FileError::NotAWorld);
    }
    let found: Found = serde_json::from_slice(&fs::read(path)?).map_err(|_| FileError::NotAWorld)?;
    if found.format == FORMAT { Ok(Some(found.world)) } else { Err(FileError::NotAWorld) }
}

/// Write the world beside its file, then put it in the file's place: readers and crashes
/// meet the old world or the new one, never half of one.
pub(crate) fn save(path: &Path, world: &World) -> Result<(), FileError> {
    let text = serde_json::to_vec(&Kept { format: FORMAT, world }).map_err(io::Error::from)?;
    let beside = beside(path);
    // Left over if the program died while it wrote.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // It holds what the buttons carry.
        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    file.write_all(&text)?;
    drop(file);
    Ok(fs::rename(&beside, path)?)
}

/// Remove the file, if it holds a world.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    if load(path)?.is_some() {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("json.sandbox-new")
}
