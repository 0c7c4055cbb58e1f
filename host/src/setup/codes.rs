//! Issuing verification codes: a row of the token table holds a digest of the code, and the
//! backend says how it is to be entered. The code itself is in the answer alone.

use std::{sync::Arc, time::Duration};

use chatport_sdk::{secret::Secret, time::Timestamp, verification::Purpose};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::{
    SetupFailure,
    audit::{self, Actor},
    contain::contained_pure,
    sites::{self, Loaded},
    state::InstallationState,
    tokens,
};
use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    security::codes::Code,
    store::entities::tokens::{ActiveModel, Column, Entity},
};

/// How long a code can be entered.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// The time in which the limits below count.
const COUNTED: Duration = Duration::from_secs(3600);
/// Most codes for a user in that time.
const MOST_PER_USER: u64 = 5;
/// Most codes for channels in that time, where no user is named.
const MOST_NAMELESS: u64 = 60;

/// What a code's digest is bound to besides backend and installation. One for both purposes:
/// whoever enters a code doesn't say what it is for.
pub(super) const DIGEST_KIND: &str = "code";

/// The kind under which codes for a purpose are stored.
pub(super) const fn stored_kind(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::User => "code.user",
        Purpose::Channel => "code.channel",
    }
}

/// A code to be shown to the person who is to enter it.
#[derive(Clone, Debug)]
pub struct IssuedCode {
    /// The installation in which it is valid.
    pub installation: InstallationId,
    /// The code in groups.
    pub code: Secret,
    /// Until when.
    pub expires_at: Timestamp,
    /// How it is entered; the code stands in it.
    pub steps: Vec<Value>,
    /// A link that does it all.
    pub deep_link: Option<Url>,
}

/// Issue a code. It replaces the one that the user may still have for this.
///
/// # Errors
/// The backend has no such codes, the installation isn't active, or too many were asked for.
pub async fn issue(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    purpose: Purpose,
    user: Option<&str>,
    actor: &Actor,
) -> Result<IssuedCode, SetupFailure> {
    let loaded = sites::load_now(app, organization, installation).await?;
    check(app, &loaded, purpose, user)?;
    let code = Code::generate(app.random.as_ref());
    let (steps, deep_link) = present(&loaded, purpose, &code.grouped())?;
    let now = app.clock.now();
    let expires_at = now.plus(LIFETIME);
    let transaction = app.database.begin_uncached().await?;
    make_room(&transaction, &loaded, purpose, user.unwrap_or_default(), now).await?;
    let digest = loaded.holder().digest(&app.keyring, DIGEST_KIND, code.secret());
    Entity::insert(ActiveModel {
        organization: Set(organization.as_str().to_owned()),
        id: Set(Uuid::now_v7()),
        installation: Set(installation.0),
        backend: Set(loaded.backend_id().to_owned()),
        kind: Set(stored_kind(purpose).to_owned()),
        label: Set(String::new()),
        subject: Set(user.unwrap_or_default().to_owned()),
        digest: Set(Some(digest.value.to_vec())),
        sealed: Set(None),
        key_id: Set(digest.key_id),
        created_at: Set(now.as_micros()),
        expires_at: Set(Some(expires_at.as_micros())),
        used_at: Set(None),
        revoked_at: Set(None),
    })
    .exec_without_returning(&transaction)
    .await?;
    audit::write(&transaction, organization, actor, "code.issue", &installation.to_string(), "done", now).await?;
    transaction.commit().await?;
    Ok(IssuedCode { installation, code: code.grouped(), expires_at, steps, deep_link })
}

fn check(app: &App, loaded: &Loaded, purpose: Purpose, user: Option<&str>) -> Result<(), SetupFailure> {
    let offered = loaded.backend.verification().is_some_and(|part| part.purposes().contains(&purpose));
    if !offered {
        return Err(SetupFailure::CodesNotOffered { backend: loaded.backend_id().to_owned(), purpose });
    }
    if purpose == Purpose::User && user.is_none_or(str::is_empty) {
        return Err(SetupFailure::field("user", "is required: the application's id of the user to be linked"));
    }
    if user.is_some_and(|user| user.len() > 256) {
        return Err(SetupFailure::field("user", "must have at most 256 bytes"));
    }
    if loaded.state() != InstallationState::Active {
        return Err(SetupFailure::NotActive { installation: loaded.id, state: loaded.state() });
    }
    if loaded.backend.descriptor().needs_public_url && app.public_url.is_none() {
        return Err(SetupFailure::NeedsPublicUrl(
            "the platform must reach this host: set the host's public URL".into(),
        ));
    }
    Ok(())
}

fn present(loaded: &Loaded, purpose: Purpose, code: &Secret) -> Result<(Vec<Value>, Option<Url>), SetupFailure> {
    let (backend, site) = (Arc::clone(&loaded.backend), &loaded.site);
    let presented = contained_pure(|| backend.verification().map(|part| part.present(site, purpose, code)));
    let presented = presented.map_err(|error| SetupFailure::call(loaded.backend_id(), error))?.unwrap_or_default();
    Ok((presented.steps.iter().map(|step| step.to_json(true)).collect(), presented.deep_link))
}

/// Keep to the limits, and revoke the code that the user still has for this.
async fn make_room(
    transaction: &DatabaseTransaction,
    loaded: &Loaded,
    purpose: Purpose,
    subject: &str,
    now: Timestamp,
) -> Result<(), SetupFailure> {
    let kind = stored_kind(purpose);
    let most = if subject.is_empty() { MOST_NAMELESS } else { MOST_PER_USER };
    let recent = Entity::find()
        .filter(Column::Organization.eq(loaded.organization.as_str()))
        .filter(Column::Installation.eq(loaded.id.0))
        .filter(Column::Kind.eq(kind))
        .filter(Column::Subject.eq(subject))
        .filter(Column::CreatedAt.gt(now.minus(COUNTED).as_micros()))
        .order_by_asc(Column::CreatedAt);
    if recent.clone().count(transaction).await? >= most {
        let oldest = recent.one(transaction).await?.map_or(now.as_micros(), |row| row.created_at);
        let retry_after = Timestamp::from_micros(oldest).plus(COUNTED).since(now);
        return Err(SetupFailure::TooManyCodes { retry_after });
    }
    if !subject.is_empty() {
        tokens::revoke_query(&loaded.organization, loaded.id, now)
            .filter(Column::Kind.eq(kind))
            .filter(Column::Subject.eq(subject))
            .filter(Column::UsedAt.is_null())
            .exec(transaction)
            .await?;
    }
    Ok(())
}

/// Forget codes that no limit counts any more.
///
/// # Errors
/// The database refuses.
pub async fn forget_old(app: &App) -> Result<u64, sea_orm::DbErr> {
    let oldest = app.clock.now().minus(24 * COUNTED).as_micros();
    let forgotten = Entity::delete_many()
        .filter(Column::Kind.is_in([stored_kind(Purpose::User), stored_kind(Purpose::Channel)]))
        .filter(Column::CreatedAt.lt(oldest))
        .exec(app.database.write_uncached())
        .await?;
    Ok(forgotten.rows_affected)
}
