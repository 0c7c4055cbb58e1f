//! The worlds of this process, one for each installation. Every read and change of a world
//! goes through here: a change that can't be kept in the world's file hasn't happened.

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chatport_sdk::prelude::*;
use tokio::{sync::watch, time::timeout};

use crate::{
    Settings,
    faults::{Fault, Faults, Operation},
    file::{self, FileError},
    world::{FIRST_ID, World},
};

/// The worlds, by the slot of their installation.
#[derive(Default)]
pub(crate) struct Worlds {
    open: Mutex<HashMap<String, Arc<Open>>>,
}

struct Open {
    file: Option<PathBuf>,
    world: Mutex<World>,
    faults: Mutex<Faults>,
    /// Counts the changes of the world and its faults. It starts at the time, so that what
    /// somebody saw before a restart isn't taken for what there is now.
    changes: watch::Sender<i64>,
}

impl Open {
    fn has_changed(&self) {
        self.changes.send_modify(|changes| *changes = changes.saturating_add(1));
    }
}

impl fmt::Debug for Worlds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worlds")
    }
}

impl Worlds {
    /// Open the world of an installation, or start it.
    pub(crate) fn open(&self, site: &Site) -> Result<(), FileError> {
        self.opened(site).map(drop)
    }

    /// Look at the world.
    pub(crate) fn read<T>(&self, site: &Site, look: impl FnOnce(&World) -> T) -> Result<T, FileError> {
        Ok(look(&lock(&self.opened(site)?.world)))
    }

    /// Change the world. After an error it is as it was. Nothing is awaited meanwhile, so a
    /// caller who stops waiting never leaves a change half done.
    pub(crate) fn change<T, E: From<FileError>>(
        &self,
        site: &Site,
        change: impl FnOnce(&mut World) -> Result<T, E>,
    ) -> Result<T, E> {
        let open = self.opened(site)?;
        let mut world = lock(&open.world);
        let mut changed = world.clone();
        let result = change(&mut changed)?;
        if let Some(path) = &open.file {
            file::save(path, &changed)?;
        }
        *world = changed;
        open.has_changed();
        Ok(result)
    }

    /// How often the world or its faults have changed, as soon as that isn't what was `seen`
    /// any more; after some `patience` even if it is.
    pub(crate) async fn changes(&self, site: &Site, seen: Option<i64>, patience: Duration) -> Result<i64, FileError> {
        let mut changes = self.opened(site)?.changes.subscribe();
        // In vain, or because the world is removed: either way the reader asks again.
        let _ = timeout(patience, changes.wait_for(|&changes| Some(changes) != seen)).await;
        Ok(*changes.borrow())
    }

    /// Look at the faults of the world.
    pub(crate) fn faults<T>(&self, site: &Site, look: impl FnOnce(&Faults) -> T) -> Result<T, FileError> {
        Ok(look(&lock(&self.opened(site)?.faults)))
    }

    /// Change the faults of the world.
    pub(crate) fn change_faults<T>(&self, site: &Site, change: impl FnOnce(&mut Faults) -> T) -> Result<T, FileError> {
        let open = self.opened(site)?;
        let mut faults = lock(&open.faults);
        let before = faults.clone();
        let result = change(&mut faults);
        if *faults != before {
            open.has_changed();
        }
        Ok(result)
    }

    /// The fault that waits for an operation, used up once.
    pub(crate) fn take_fault(&self, site: &Site, operation: Operation) -> Result<Option<Fault>, FileError> {
        self.change_faults(site, |faults| faults.take(operation))
    }

    /// Forget the world and its file.
    pub(crate) fn remove(&self, site: &Site) -> Result<(), FileError> {
        let open = self.opened(site)?;
        let mut all = lock(&self.open);
        if let Some(path) = &open.file {
            file::remove(path)?;
        }
        all.remove(site.slot());
        Ok(())
    }

    fn opened(&self, site: &Site) -> Result<Arc<Open>, FileError> {
        let mut all = lock(&self.open);
        if let Some(open) = all.get(site.slot()) {
            return Ok(open.clone());
        }
        let settings = Settings::of(site).map_err(|_| FileError::Settings)?;
        let kept = match &settings.file {
            None => None,
            Some(path) => {
                file::check(path)?;
                if all.values().any(|other| other.file.as_ref() == Some(path)) {
                    return Err(FileError::Taken);
                }
                file::load(path)?
            }
        };
        let world = kept.unwrap_or_else(|| World::new(&settings.world, first_id(site)));
        let changes = watch::Sender::new(site.now().as_micros());
        let open = Open { file: settings.file, world: Mutex::new(world), faults: Mutex::default(), changes };
        let open = Arc::new(open);
        all.insert(site.slot().into(), open.clone());
        Ok(open)
    }
}

/// A world that is being set up counts its ids from 1. One that has to be made anew after a
/// restart counts from the time: what the host remembers of the lost world must not be taken
/// for something in the new one.
fn first_id(site: &Site) -> u64 {
    if site.identity().is_none() {
        return FIRST_ID;
    }
    u64::try_from(site.now().as_seconds()).unwrap_or(0).max(FIRST_ID + 1)
}

/// A panic elsewhere leaves a world whole (changes are made on a clone): go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
