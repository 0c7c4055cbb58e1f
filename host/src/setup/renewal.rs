//! Getting new credentials: one call at a time for an installation and kind, however many
//! wait for it. Where the platform only promises to send them, everybody waits for the
//! happening that brings them, on whichever replica it arrives.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chatport_sdk::{
    failure::{Cause, Failure},
    install::Renewal,
};
use sea_orm::DbErr;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::{
    contain::{SETUP_LIMIT, contained},
    sites::{self, Loaded},
    tokens,
};
use crate::{app::App, ids::InstallationId};

/// How often the database is asked whether the tokens have arrived at another replica.
const LOOK: Duration = Duration::from_millis(500);
/// A credential that runs out sooner than this is renewed before it is used.
const LASTING: Duration = Duration::from_secs(60);
/// When to try again what waits for a credential.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// The longest that anybody waits for promised tokens in one go.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Credentials that are being renewed; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Renewals {
    flights: Arc<Mutex<Flights>>,
}

/// By installation and kind.
type Flights = HashMap<(InstallationId, String), Arc<Flight>>;

/// The renewal of one kind of one installation.
#[derive(Debug, Default)]
struct Flight {
    /// Held while the backend is asked; remembers when promised tokens may be asked for again.
    asked: tokio::sync::Mutex<Option<Instant>>,
    arrived: Notify,
}

impl Renewals {
    /// The installation with credentials that last; loaded again where one was renewed.
    ///
    /// # Errors
    /// The backend can't renew, the platform refuses, or what was asked for isn't here yet.
    pub async fn fresh(&self, app: &App, loaded: Loaded) -> Result<Loaded, Failure> {
        let Some(renew) = loaded.backend.install().and_then(|install| install.renew()) else { return Ok(loaded) };
        let soon = app.clock.now().plus(LASTING);
        let mut is_renewed = false;
        for kind in renew.kinds(&loaded.site) {
            if loaded.site.token(kind).is_some_and(|token| token.expires_at.is_none_or(|at| at > soon)) {
                continue;
            }
            // On the heap: most credentials last, and then nothing of this is needed.
            if !Box::pin(self.ensure(app, &loaded, kind)).await? {
                let detail = "a fresh credential has been asked for";
                return Err(Failure::new(Cause::AwaitingCredential, detail).retry_after(Some(ASK_AGAIN)));
            }
            is_renewed = true;
        }
        if !is_renewed {
            return Ok(loaded);
        }
        let again = sites::load(app, &loaded.organization, loaded.id).await;
        again.map_err(|error| Failure::new(Cause::Unavailable, error.to_string()))
    }

    /// Get a token of `kind` that is newer than those `loaded` knows. The answer tells
    /// whether there is one now; if not, it has been asked for and hasn't come yet.
    ///
    /// # Errors
    /// The backend can't renew, or the platform refuses.
    pub async fn ensure(&self, app: &App, loaded: &Loaded, kind: &str) -> Result<bool, Failure> {
        let flight = self.flight(loaded.id, kind);
        let deadline = {
            let mut asked = flight.asked.lock().await;
            if has_newer(app, loaded, kind).await? {
                return Ok(true);
            }
            match *asked {
                Some(again) if Instant::now() < again => again,
                _ => match renew(app, loaded, kind).await? {
                    None => {
                        self.arrived(loaded.id);
                        return Ok(true);
                    }
                    Some(wait) => *asked.insert(Instant::now() + wait),
                },
            }
        };
        wait(app, loaded, kind, &flight, deadline.min(Instant::now() + LONGEST_WAIT)).await
    }

    /// New tokens of an installation have been stored: whoever waits looks again.
    pub fn arrived(&self, installation: InstallationId) {
        let flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = flights.iter().filter(|((of, _), _)| *of == installation);
        waiting.for_each(|(_, flight)| flight.arrived.notify_waiters());
    }

    fn flight(&self, installation: InstallationId, kind: &str) -> Arc<Flight> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.entry((installation, kind.to_owned())).or_default())
    }
}

/// Ask the backend. `None`: new tokens are stored. Else they will come; how long to wait.
async fn renew(app: &App, loaded: &Loaded, kind: &str) -> Result<Option<Duration>, Failure> {
    let (backend, site, wanted) = (Arc::clone(&loaded.backend), loaded.call(app).site, kind.to_owned());
    let asked = contained(SETUP_LIMIT, async move {
        match backend.install().and_then(|install| install.renew()) {
            Some(renew) => renew.renew(&site, &wanted).await,
            None => Err(Failure::new(Cause::Unauthorized, "the credential has run out and can't be renewed")),
        }
    });
    let renewal = asked.await.map_err(|error| Failure::new(Cause::Unreachable, error.to_string()))??;
    match renewal {
        Renewal::Renewed(new) => {
            let stored = async {
                let transaction = app.database.begin(&loaded.organization).await?;
                tokens::store(&transaction, app, &loaded.holder(), new, app.clock.now()).await?;
                Ok::<_, tokens::TokenError>(transaction.commit().await?)
            };
            stored.await.map_err(|error| Failure::new(Cause::Unavailable, error.to_string()))?;
            Ok(None)
        }
        Renewal::Asked { retry_after } => Ok(Some(retry_after)),
        _ => Err(Failure::new(Cause::Unavailable, "the backend answered in a way that this host doesn't know")),
    }
}

/// Wait for promised tokens.
async fn wait(app: &App, loaded: &Loaded, kind: &str, flight: &Flight, deadline: Instant) -> Result<bool, Failure> {
    loop {
        let arrived = flight.arrived.notified();
        if has_newer(app, loaded, kind).await? {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        // A timeout means the same as a wake-up: look again.
        let _ = timeout_at(deadline.min(Instant::now() + LOOK), arrived).await;
    }
}

async fn has_newer(app: &App, loaded: &Loaded, kind: &str) -> Result<bool, Failure> {
    let now = app.clock.now();
    let rows: Result<_, DbErr> = tokens::usable(app.database.read(), &loaded.organization, loaded.id, now).await;
    let rows = rows.map_err(|error| Failure::new(Cause::Unavailable, error.to_string()))?;
    let newest = rows.iter().find(|row| row.kind == kind).map(|row| row.id);
    let has_newer = newest.is_some() && newest != loaded.newest(kind);
    if has_newer {
        // It may have come to another replica, which this one hasn't heard of yet.
        app.database.outdate(&loaded.organization);
    }
    Ok(has_newer)
}
