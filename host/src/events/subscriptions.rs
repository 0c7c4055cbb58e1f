//! Where events go: a name, a URL, the wanted kinds and the signing secrets. A secret is
//! shown once, when it is made; during a rotation both sign.

use std::{sync::Arc, time::Duration};

use chatport_sdk::{schemars::JsonSchema, secret::Secret, time::Timestamp};
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, IntoActiveModel, QueryOrder};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{EventKind, health::LastFailure};
use crate::{
    app::App,
    security::{
        sealing::{self, Aad, OpenError},
        webhook_signature,
    },
    store::{
        Database,
        entities::subscriptions::{self, Entity, Model},
        lock_streams, only,
    },
};

/// How long an old secret goes on signing after a rotation.
const GRACE: Duration = Duration::from_secs(24 * 3600);

/// What an application asks for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSubscription {
    /// Where events are posted to.
    pub url: Url,
    /// The wanted kinds; none means all.
    #[serde(default)]
    pub kinds: Vec<EventKind>,
    /// Make a new secret; the old one goes on signing for 24 hours.
    #[serde(default)]
    pub rotate_secret: bool,
}

/// A subscription as it stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionView {
    /// Its name.
    pub name: String,
    /// Where events are posted to.
    pub url: Url,
    /// The wanted kinds; none means all.
    pub kinds: Vec<EventKind>,
    /// The signing secret (`whsec_…`), in the answer that makes it and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The last attempt to send there that failed, as far as this process knows since it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// When the receiver last took an event, as far as this process knows since it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Why a subscription can't be kept or used.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] DbErr),
    /// The secret can't be opened.
    #[error(transparent)]
    Sealing(#[from] OpenError),
    /// The name isn't allowed.
    #[error("a name has 1 to 64 of a-z, A-Z, 0-9, `.`, `_` and `-`")]
    Name,
    /// The URL isn't allowed.
    #[error("{0}")]
    Url(String),
}

#[derive(Serialize, Deserialize)]
struct StoredSecret {
    sealed: String,
    until: Option<i64>,
}

/// Whether a subscription with these stored kinds wants `kind`. No kinds means all.
pub(super) fn wants(kinds: &str, kind: EventKind) -> bool {
    kinds.is_empty() || kinds.split(' ').any(|wanted| wanted == kind.as_str())
}

/// The secrets that sign now, newest first.
///
/// # Errors
/// A secret that can't be opened.
pub fn secrets(app: &App, row: &Model) -> Result<Vec<Secret>, OpenError> {
    let now = app.clock.now().as_micros();
    stored(row)
        .into_iter()
        .filter(|secret| secret.until.is_none_or(|until| until > now))
        .map(|secret| sealing::open(&app.keyring, &associated(&row.name), &secret.sealed))
        .collect()
}

fn stored(row: &Model) -> Vec<StoredSecret> {
    serde_json::from_str(&row.secrets).unwrap_or_default()
}

fn associated(name: &str) -> Aad<'_> {
    Aad { kind: "subscription", row: name, ..Aad::default() }
}

/// Refuse at once what could never be called: nobody watches the attempts.
fn check_url(app: &App, url: &Url) -> Result<(), SubscriptionError> {
    let has_user = !url.username().is_empty() || url.password().is_some();
    if !matches!(url.scheme(), "http" | "https") || has_user {
        let detail = "must be an http or https address without a user name and a password";
        return Err(SubscriptionError::Url(detail.into()));
    }
    app.transports.check_subscription(url).map_err(SubscriptionError::Url)
}

/// Create or change a subscription. The second value says whether it is new.
///
/// # Errors
/// The request isn't acceptable, or the database refuses.
pub async fn put(
    app: &App,
    name: &str,
    request: PutSubscription,
) -> Result<(SubscriptionView, bool), SubscriptionError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !(1..=64).contains(&name.len()) || !name.chars().all(allowed) {
        return Err(SubscriptionError::Name);
    }
    check_url(app, &request.url)?;
    let now = app.clock.now();
    let present = Entity::find_by_id(name).one(app.database.read()).await?;
    let mut secrets = present.as_ref().map(stored).unwrap_or_default();
    let fresh =
        (present.is_none() || request.rotate_secret).then(|| webhook_signature::new_secret(app.random.as_ref()));
    if let Some(secret) = &fresh {
        for old in secrets.iter_mut().filter(|old| old.until.is_none()) {
            old.until = Some(now.plus(GRACE).as_micros());
        }
        let sealed = sealing::seal(&app.keyring, &associated(name), secret);
        secrets.insert(0, StoredSecret { sealed, until: None });
        secrets.truncate(2);
    }
    let kinds: Vec<&str> = request.kinds.iter().map(|kind| kind.as_str()).collect();
    let row = Model {
        name: name.to_owned(),
        url: request.url.to_string(),
        kinds: kinds.join(" "),
        // Serializing plain data into memory can't fail.
        secrets: serde_json::to_string(&secrets).expect("secrets are plain data"),
        created_at: present.as_ref().map_or(now.as_micros(), |row| row.created_at),
        updated_at: now.as_micros(),
    };
    let is_new = present.is_none();
    let active = row.clone().into_active_model().reset_all();
    let change = app.database.begin_for_all().await?;
    if is_new {
        Entity::insert(active).exec_without_returning(&change).await?;
    } else {
        active.update(&change).await?;
    }
    change.commit().await?;
    if present.is_none_or(|former| former.url != row.url) {
        app.subscription_health.forget(name);
    }
    let secret = fresh.map(|secret| secret.expose().to_owned());
    Ok((SubscriptionView { secret, ..view(app, &row)? }, is_new))
}

/// The subscriptions as they are stored, by name; kept in memory.
///
/// # Errors
/// The database refuses.
pub(crate) async fn stored_rows(database: &Database) -> Result<Arc<Vec<Model>>, DbErr> {
    let read = async || {
        let rows = Entity::find().order_by_asc(subscriptions::Column::Name).all(database.read()).await?;
        Ok::<_, DbErr>(Some(rows))
    };
    let cache = database.cache();
    Ok(cache.find(&cache.known.subscriptions, "", (), read).await?.unwrap_or_default())
}

/// A subscription as it is stored. One that isn't known is looked up.
///
/// # Errors
/// The database refuses.
pub(crate) async fn stored_row(database: &Database, name: &str) -> Result<Option<Model>, DbErr> {
    match stored_rows(database).await?.iter().find(|row| row.name == name) {
        Some(row) => Ok(Some(row.clone())),
        None => only(Entity::find_by_id(name), database.read()).await,
    }
}

/// All subscriptions.
///
/// # Errors
/// The database refuses.
pub async fn list(app: &App) -> Result<Vec<SubscriptionView>, SubscriptionError> {
    let rows = Entity::find().order_by_asc(subscriptions::Column::Name).all(app.database.read()).await?;
    rows.iter().map(|row| view(app, row)).collect()
}

/// Remove a subscription and what waits for it. Whether there was one.
///
/// # Errors
/// The database refuses.
pub async fn remove(app: &App, name: &str) -> Result<bool, SubscriptionError> {
    let change = app.database.begin_for_all().await?;
    lock_streams(&change, "subscription", name).await?;
    let removed = Entity::delete_by_id(name).exec(&change).await?.rows_affected == 1;
    change.commit().await?;
    app.subscription_health.forget(name);
    Ok(removed)
}

fn view(app: &App, row: &Model) -> Result<SubscriptionView, SubscriptionError> {
    let kinds = row.kinds.split(' ').filter(|kind| !kind.is_empty());
    let health = app.subscription_health.of(&row.name);
    Ok(SubscriptionView {
        name: row.name.clone(),
        url: Url::parse(&row.url).map_err(|_| SubscriptionError::Url("the stored URL can't be read".into()))?,
        kinds: kinds.filter_map(|kind| EventKind::ALL.into_iter().find(|known| known.as_str() == kind)).collect(),
        secret: None,
        last_failure: health.last_failure,
        last_success_at: health.last_success_at,
        created_at: Timestamp::from_micros(row.created_at),
        updated_at: Timestamp::from_micros(row.updated_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kinds_means_all_and_a_kind_is_matched_whole() {
        assert!(wants("", EventKind::ActionInvoked));
        assert!(wants("account.linked action.invoked", EventKind::ActionInvoked));
        assert!(!wants("account.linked", EventKind::ActionInvoked));
        assert!(!wants("xaction.invoked", EventKind::ActionInvoked));
    }
}
