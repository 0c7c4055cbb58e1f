//! Who may call the API: keys in the database, of which only digests are stored. Those in use
//! are kept in memory; a revoked one is refused at once where it was revoked, and by other
//! replicas as soon as they hear of it.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use chatport_sdk::{schemars::JsonSchema, secret::Secret, time::Timestamp};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, sea_query::Expr,
};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    ids::OrganizationId,
    security::api_keys::{ApiKey, Scopes},
    setup::audit::{self, Actor},
    store::{
        cache::KnownKey,
        entities::api_keys::{ActiveModel, Column, Entity, Model},
        only,
    },
};

/// How long a key is valid unless asked otherwise, in days.
pub const DEFAULT_DAYS: u32 = 365;
/// The longest that a key can be valid, in days.
pub const MAX_DAYS: u32 = 730;
/// `last_used_at` is written at most this often.
const COARSE: Duration = Duration::from_secs(3600);

/// Whoever calls, proven by a key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key's id.
    pub key: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The one organization that it is narrowed to.
    pub organization: Option<OrganizationId>,
}

/// A key, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyView {
    /// Its id: the part after `cp_live_`.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The one organization that it is narrowed to; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is valid.
    pub expires_at: Timestamp,
    /// When it was last used, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The one organization that it is narrowed to.
    pub organization: Option<OrganizationId>,
    /// For how many days it is valid.
    pub days: u32,
}

/// Make a key. Its text is in the answer and never again.
///
/// # Errors
/// The database refuses, e.g. for an organization that doesn't exist.
pub async fn create(app: &App, new: NewKey, actor: &Actor) -> Result<(KeyView, Secret), DbErr> {
    let key = ApiKey::generate(app.random.as_ref());
    let now = app.clock.now();
    let lifetime = Duration::from_secs(u64::from(new.days.min(MAX_DAYS)) * 24 * 3600);
    let row = Model {
        id: key.id().to_owned(),
        digest: key.digest().to_vec(),
        name: new.name,
        scopes: new.scopes.to_string(),
        organization: new.organization.as_ref().map(|organization| organization.as_str().to_owned()),
        created_at: now.as_micros(),
        expires_at: now.plus(lifetime).as_micros(),
        last_used_at: None,
        revoked_at: None,
    };
    let active = ActiveModel {
        id: Set(row.id.clone()),
        digest: Set(row.digest.clone()),
        name: Set(row.name.clone()),
        scopes: Set(row.scopes.clone()),
        organization: Set(row.organization.clone()),
        created_at: Set(row.created_at),
        expires_at: Set(row.expires_at),
        last_used_at: Set(None),
        revoked_at: Set(None),
    };
    let transaction = app.database.begin_for_all().await?;
    Entity::insert(active).exec_without_returning(&transaction).await?;
    audit::write_for(&transaction, new.organization.as_ref(), actor, "key.create", &row.id, "done", now).await?;
    transaction.commit().await?;
    Ok((view(row), key.text()))
}

/// Whether there is any key at all.
///
/// # Errors
/// The database refuses.
pub async fn any(app: &App) -> Result<bool, DbErr> {
    Ok(Entity::find().count(app.database.read()).await? > 0)
}

/// Who presents this key; `None` if it isn't valid.
///
/// # Errors
/// The database refuses.
pub async fn authenticate(app: &App, presented: &str) -> Result<Option<Caller>, DbErr> {
    // A mistyped key is refused without asking the database.
    let Some(key) = ApiKey::parse(presented) else { return Ok(None) };
    let cache = app.database.cache();
    let read = async || {
        let row = only(Entity::find_by_id(key.id()), app.database.read()).await?;
        Ok::<_, DbErr>(row.map(KnownKey::from))
    };
    let known = cache.find(&cache.known.api_keys, "", key.id().to_owned(), read).await?;
    let Some(known) = known else { return Ok(None) };
    let (row, now) = (&known.row, app.clock.now());
    let is_valid = key.matches(&row.digest) && row.revoked_at.is_none() && row.expires_at > now.as_micros();
    if !is_valid {
        return Ok(None);
    }
    if known.last_used_at.load(Relaxed) < now.minus(COARSE).as_micros() {
        known.last_used_at.store(now.as_micros(), Relaxed);
        Box::pin(note_use(app, &row.id, now)).await;
    }
    Ok(Some(Caller {
        scopes: row.scopes.parse().unwrap_or_default(),
        organization: row.organization.clone().map(OrganizationId::stored),
        key: row.id.clone(),
    }))
}

async fn note_use(app: &App, id: &str, now: Timestamp) {
    let noted = Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(now.as_micros()))
        .filter(Column::Id.eq(id))
        .exec(app.database.write_uncached())
        .await;
    if let Err(error) = noted {
        tracing::warn!(%error, "can't note that a key was used");
    }
}

/// All keys, those of one organization where the caller is narrowed to it.
///
/// # Errors
/// The database refuses.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<KeyView>, DbErr> {
    let mut query = Entity::find().order_by_asc(Column::CreatedAt);
    if let Some(organization) = &caller.organization {
        query = query.filter(Column::Organization.eq(organization.as_str()));
    }
    Ok(query.all(app.database.read()).await?.into_iter().map(view).collect())
}

/// Revoke a key at once. Whether there was such a valid key.
///
/// # Errors
/// The database refuses.
pub async fn revoke(app: &App, caller: &Caller, id: &str, actor: &Actor) -> Result<bool, DbErr> {
    let now = app.clock.now();
    let transaction = app.database.begin_for_all().await?;
    let row = Entity::find_by_id(id).filter(Column::RevokedAt.is_null()).one(&transaction).await?;
    let Some(row) = row else { return Ok(false) };
    let organization = row.organization.map(OrganizationId::stored);
    if caller.organization.is_some() && caller.organization != organization {
        return Ok(false);
    }
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now.as_micros()))
        .filter(Column::Id.eq(id))
        .exec(&transaction)
        .await?;
    audit::write_for(&transaction, organization.as_ref(), actor, "key.revoke", id, "done", now).await?;
    transaction.commit().await?;
    Ok(true)
}

fn view(row: Model) -> KeyView {
    KeyView {
        id: row.id,
        name: row.name,
        scopes: row.scopes.parse().unwrap_or_default(),
        organization: row.organization,
        created_at: Timestamp::from_micros(row.created_at),
        expires_at: Timestamp::from_micros(row.expires_at),
        last_used_at: row.last_used_at.map(Timestamp::from_micros),
        revoked_at: row.revoked_at.map(Timestamp::from_micros),
    }
}
