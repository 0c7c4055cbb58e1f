//! The one polymorphic token table. What is only compared is kept as a keyed digest; what
//! must be used again is sealed, bound to its row, its kind and the servers that it was
//! given for, so that a sealed value moved elsewhere doesn't open.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chatport_sdk::{
    Url,
    backend::MessagingBackend,
    secret::Secret,
    time::Timestamp,
    token::{NewToken, Replace, TokenKind, TokenOrigin, TokenUse},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    security::{
        digests::{self, Digest},
        keyring::Keyring,
        sealing::{self, Aad, OpenError},
    },
    store::{
        Change,
        entities::tokens::{ActiveModel, Column, Entity, Model},
    },
};

/// How long the token before the newest stays usable while rotating.
const GRACE: Duration = Duration::from_secs(3600);
/// The subject of a token that the platform isn't known to use yet.
const AWAITS_CONFIRMATION: &str = "awaits_confirmation";

/// Kinds with this prefix are the host's own; no backend can declare one.
pub(super) const HOST_KINDS: &str = "code.";

/// Why a token can't be kept or revealed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The backend hands out a kind that it doesn't declare.
    #[error("the backend `{backend}` made a token of kind `{kind}`, which its descriptor doesn't declare")]
    Undeclared {
        /// The backend.
        backend: String,
        /// The kind.
        kind: String,
    },
    /// An empty token would match an empty one.
    #[error("the backend `{backend}` made an empty token of kind `{kind}`")]
    Empty {
        /// The backend.
        backend: String,
        /// The kind.
        kind: String,
    },
    /// The database refuses.
    #[error("the database refuses: {0}")]
    Store(#[from] DbErr),
}

/// Whose tokens they are.
#[derive(Clone)]
pub struct Holder {
    /// The organization.
    pub organization: OrganizationId,
    /// The installation.
    pub installation: InstallationId,
    /// Its backend.
    pub backend: Arc<dyn MessagingBackend>,
    /// The servers that its settings name; see [`servers`].
    pub servers: String,
}

impl Holder {
    /// The name of the backend.
    pub fn backend_id(&self) -> &'static str {
        self.backend.descriptor().id
    }

    /// Open a sealed row.
    pub(super) fn open(&self, keyring: &Keyring, row: &Model, kind: &TokenKind) -> Result<Secret, OpenError> {
        let id = row.id.to_string();
        sealing::open(keyring, &self.aad(&id, kind), row.sealed.as_deref().unwrap_or_default())
    }

    fn aad<'a>(&'a self, row: &'a str, kind: &TokenKind) -> Aad<'a> {
        Aad {
            organization: self.organization.as_str(),
            installation: self.installation.0,
            backend: self.backend_id(),
            kind: kind.name,
            row,
            // What the host made up wasn't given for a server.
            origin: if kind.origin == TokenOrigin::Host { "" } else { &self.servers },
        }
    }

    /// What a compared token is kept as.
    pub(super) fn digest(&self, keyring: &Keyring, kind: &str, value: &Secret) -> Digest {
        digests::digest(keyring, self.backend_id(), self.installation.0, kind, value.expose().as_bytes())
    }

    /// Whether a row is this very token.
    fn holds(&self, keyring: &Keyring, row: &Model, kind: &TokenKind, value: &Secret) -> bool {
        match kind.usage {
            TokenUse::Compare => {
                let kept = row.digest.as_deref().unwrap_or_default();
                let candidates = self.candidates(keyring, kind.name, value.expose().as_bytes());
                candidates.iter().any(|candidate| candidate == kept)
            }
            TokenUse::Reveal => self.open(keyring, row, kind).is_ok_and(|kept| kept.matches(value.expose().as_bytes())),
        }
    }

    /// What a presented token may be kept as: one for each usable key.
    pub(super) fn candidates(&self, keyring: &Keyring, kind: &str, presented: &[u8]) -> Vec<[u8; 32]> {
        digests::candidates(keyring, self.backend_id(), self.installation.0, kind, presented)
    }
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Holder").field(&self.installation).finish()
    }
}

/// The servers that settings name, whatever the settings are called: the origins of all
/// http and https addresses in them. Changing one discards what was sealed for the others.
pub fn servers(settings: &Value) -> String {
    fn collect(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => {
                if let Ok(url) = Url::parse(text)
                    && matches!(url.scheme(), "http" | "https")
                {
                    into.insert(url.origin().ascii_serialization());
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(members) => members.values().for_each(|member| collect(member, into)),
            _ => {}
        }
    }
    let mut origins = BTreeSet::new();
    collect(settings, &mut origins);
    origins.into_iter().collect::<Vec<_>>().join(" ")
}

/// Store new tokens in the transaction of whatever brought them.
///
/// # Errors
/// A kind that isn't declared, an empty value, or the database refuses.
pub async fn store(
    transaction: &Change,
    app: &App,
    holder: &Holder,
    tokens: Vec<NewToken>,
    now: Timestamp,
) -> Result<(), TokenError> {
    for token in tokens {
        let (backend, kind) = (holder.backend_id().to_owned(), token.kind.to_owned());
        let Some(declared) = holder.backend.descriptor().token_kind(token.kind).copied() else {
            return Err(TokenError::Undeclared { backend, kind });
        };
        if token.value.is_empty() {
            return Err(TokenError::Empty { backend, kind });
        }
        let mut rows = usable(transaction, &holder.organization, holder.installation, now).await?;
        rows.retain(|row| row.kind == token.kind);
        let confirmed = match token.replace {
            Replace::AfterGrace => rows.iter().position(|row| holder.holds(&app.keyring, row, &declared, &token.value)),
            _ => None,
        };
        let confirmed = confirmed.map(|at| rows.remove(at));
        make_room(transaction, holder, &token, &rows, confirmed.as_ref(), now).await?;
        match confirmed {
            Some(row) => confirm(transaction, &row, &declared, &token, now).await?,
            None => insert(transaction, app, holder, &declared, token, now).await?,
        }
    }
    Ok(())
}

/// When a token that is stored now runs out.
fn expiry(kind: &TokenKind, token: &NewToken, now: Timestamp) -> Option<i64> {
    token.expires_at.or_else(|| kind.lifetime.map(|lifetime| now.plus(lifetime))).map(Timestamp::as_micros)
}

/// A stored token turns out to be in use: as if it were stored only now.
async fn confirm(
    transaction: &Change,
    row: &Model,
    kind: &TokenKind,
    token: &NewToken,
    now: Timestamp,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Subject, Expr::value(""))
        .col_expr(Column::CreatedAt, Expr::value(now.as_micros()))
        .col_expr(Column::ExpiresAt, Expr::value(expiry(kind, token, now)))
        .filter(Column::Organization.eq(row.organization.as_str()))
        .filter(Column::Id.eq(row.id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Revoke or shorten what the new token replaces: of its kind, `others` are usable, newest
/// first, besides the one that it confirms.
async fn make_room(
    transaction: &Change,
    holder: &Holder,
    token: &NewToken,
    others: &[Model],
    confirmed: Option<&Model>,
    now: Timestamp,
) -> Result<(), DbErr> {
    let mut revoked = revoke_query(&holder.organization, holder.installation, now).filter(Column::Kind.eq(token.kind));
    match token.replace {
        Replace::All => {}
        Replace::SameLabel => revoked = revoked.filter(Column::Label.eq(token.label.as_deref().unwrap_or(""))),
        Replace::AfterGrace => {
            if let Some(newest) = others.first() {
                let grace = now.plus(GRACE).as_micros();
                let until = newest.expires_at.map_or(grace, |until| Ord::min(until, grace));
                Entity::update_many()
                    .col_expr(Column::ExpiresAt, Expr::value(until))
                    .filter(Column::Organization.eq(holder.organization.as_str()))
                    .filter(Column::Id.eq(newest.id))
                    .exec(transaction)
                    .await?;
            }
            let kept = [others.first(), confirmed].into_iter().flatten().map(|row| row.id);
            revoked = revoked.filter(Column::Id.is_not_in(kept));
        }
        // Whatever is in use stays, however long the platform takes.
        Replace::OnceConfirmed => revoked = revoked.filter(Column::Subject.eq(AWAITS_CONFIRMATION)),
    }
    revoked.exec(transaction).await?;
    Ok(())
}

async fn insert(
    transaction: &Change,
    app: &App,
    holder: &Holder,
    kind: &TokenKind,
    token: NewToken,
    now: Timestamp,
) -> Result<(), TokenError> {
    let id = Uuid::now_v7();
    let (digest, sealed, key_id) = match kind.usage {
        TokenUse::Compare => {
            let digest = holder.digest(&app.keyring, kind.name, &token.value);
            // The same value once more (a person pastes it again) replaces the older row.
            revoke_query(&holder.organization, holder.installation, now)
                .filter(Column::Kind.eq(kind.name))
                .filter(Column::Digest.eq(digest.value.to_vec()))
                .exec(transaction)
                .await?;
            (Some(digest.value.to_vec()), None, digest.key_id)
        }
        TokenUse::Reveal => {
            let sealed = sealing::seal(&app.keyring, &holder.aad(&id.to_string(), kind), &token.value);
            (None, Some(sealed), app.keyring.current().id().to_owned())
        }
    };
    let expires_at = expiry(kind, &token, now);
    let subject = if token.replace == Replace::OnceConfirmed { AWAITS_CONFIRMATION } else { "" };
    Entity::insert(ActiveModel {
        organization: Set(holder.organization.as_str().to_owned()),
        id: Set(id),
        installation: Set(holder.installation.0),
        backend: Set(holder.backend_id().to_owned()),
        kind: Set(kind.name.to_owned()),
        label: Set(token.label.unwrap_or_default()),
        subject: Set(subject.to_owned()),
        digest: Set(digest),
        sealed: Set(sealed),
        key_id: Set(key_id),
        created_at: Set(now.as_micros()),
        expires_at: Set(expires_at),
        used_at: Set(None),
        revoked_at: Set(None),
    })
    .exec_without_returning(transaction)
    .await?;
    Ok(())
}

/// The usable tokens of an installation, newest first; verification codes are not among them.
///
/// # Errors
/// The database refuses.
pub async fn usable(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    installation: InstallationId,
    now: Timestamp,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Organization.eq(organization.as_str()))
        .filter(Column::Installation.eq(installation.0))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.is_null().or(Column::ExpiresAt.gt(now.as_micros())))
        .filter(Column::Kind.not_like(format!("{HOST_KINDS}%")))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .all(on)
        .await
}

/// Revoke all tokens of an installation, codes included.
///
/// # Errors
/// The database refuses.
pub async fn revoke_all(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    installation: InstallationId,
    now: Timestamp,
) -> Result<(), DbErr> {
    revoke_query(organization, installation, now).exec(on).await?;
    Ok(())
}

/// Revoke what was sealed for servers that the settings no longer name: everything that is
/// sealed, but for what the host made up itself. The answer tells whether there was any.
pub(super) async fn revoke_given_for_servers(
    transaction: &Change,
    holder: &Holder,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let revoked = given_query(holder, now).filter(Column::Sealed.is_not_null()).exec(transaction).await?;
    Ok(revoked.rows_affected > 0)
}

/// Revoke what the platform or a person gave: everything but what the host made up itself.
pub(super) async fn revoke_given(transaction: &Change, holder: &Holder, now: Timestamp) -> Result<(), DbErr> {
    given_query(holder, now).exec(transaction).await?;
    Ok(())
}

fn given_query(holder: &Holder, now: Timestamp) -> sea_orm::UpdateMany<Entity> {
    let kinds = holder.backend.descriptor().tokens.iter().filter(|kind| kind.origin != TokenOrigin::Host);
    revoke_query(&holder.organization, holder.installation, now).filter(Column::Kind.is_in(kinds.map(|kind| kind.name)))
}

/// Revokes what is not yet revoked of one installation, as filtered further.
pub(super) fn revoke_query(
    organization: &OrganizationId,
    installation: InstallationId,
    now: Timestamp,
) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now.as_micros()))
        .filter(Column::Organization.eq(organization.as_str()))
        .filter(Column::Installation.eq(installation.0))
        .filter(Column::RevokedAt.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_servers_are_those_of_the_addresses_in_the_settings_whatever_they_are_called() {
        let settings = json!({
            "site_url": "https://Chat.example.com:443/base/", "team": "sre",
            "others": [{ "hook": "http://10.0.0.1:8065/x" }], "note": "see mailto:a@b.c"
        });
        assert_eq!(servers(&settings), "http://10.0.0.1:8065 https://chat.example.com");
        assert_eq!(servers(&Value::Null), "");
    }
}
