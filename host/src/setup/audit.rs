//! Who did what. Rows are only ever added, and hold no secret.

use chatport_sdk::time::Timestamp;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};
use uuid::Uuid;

use crate::{ids::OrganizationId, store::entities::audit};

/// Who acts: an API key, an account on a platform, or the host itself.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Its name, e.g. `key:abc`.
    pub name: String,
    /// The request in which it acts.
    pub request_id: Option<String>,
}

impl Actor {
    /// An actor, in a request.
    pub fn new(name: impl Into<String>, request_id: Option<String>) -> Self {
        Self { name: name.into(), request_id }
    }

    /// The host itself.
    pub fn host() -> Self {
        Self::new("host", None)
    }

    /// An account on a platform.
    pub fn account(backend: &str, account: &str) -> Self {
        Self::new(format!("{backend}:{account}"), None)
    }
}

/// Write one row: `actor` did `action` to `object`, with this `result`.
///
/// # Errors
/// The database refuses.
pub async fn write(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    actor: &Actor,
    action: &str,
    object: &str,
    result: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    write_for(on, Some(organization), actor, action, object, result, now).await
}

/// The same where it may be no organization's: keys and subscriptions.
///
/// # Errors
/// The database refuses.
pub async fn write_for(
    on: &impl ConnectionTrait,
    organization: Option<&OrganizationId>,
    actor: &Actor,
    action: &str,
    object: &str,
    result: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    audit::Entity::insert(audit::ActiveModel {
        id: Set(Uuid::now_v7()),
        organization: Set(organization.map(|organization| organization.as_str().to_owned())),
        actor: Set(actor.name.clone()),
        action: Set(action.to_owned()),
        object: Set(object.to_owned()),
        result: Set(result.to_owned()),
        request_id: Set(actor.request_id.clone()),
        at: Set(now.as_micros()),
    })
    .exec_without_returning(on)
    .await?;
    Ok(())
}
