//! Account links: a user of the application ↔ an account on a platform, unique both ways
//! within an installation. Links that are gone stay readable as tombstones.

use chatport_sdk::{
    identity::{Account, Address},
    schemars::JsonSchema,
    time::Timestamp,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, Select,
    TryInsertResult, UpdateMany,
    sea_query::{Expr, ExprTrait, OnConflict, SimpleExpr},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    SetupFailure,
    audit::{self, Actor},
    page::{Cursor, Page, Paged, in_order},
    sites::Loaded,
};
use crate::{
    app::App,
    events::{self, EventKind, NewEvent},
    ids::{InstallationId, LinkId, OrganizationId},
    store::{
        Change,
        entities::account_links::{Column, Entity, Model},
    },
};

/// A link, as applications read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountLink {
    /// Its id.
    pub id: LinkId,
    /// The installation.
    pub installation: InstallationId,
    /// The application's id of the user.
    pub user: String,
    /// The account.
    pub account: LinkedAccount,
    /// Since when.
    pub linked_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it ended; present on tombstones alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlinked_at: Option<Timestamp>,
}

/// The `data` of `account.linked`, `account.changed` and `account.unlinked`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkEvent {
    /// The link as it is now.
    pub link: AccountLink,
}

/// An account on a platform, as applications read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkedAccount {
    /// The platform's immutable id.
    pub id: String,
    /// The name by which people mention it; may be empty.
    pub username: String,
    /// The name that people read; may be empty.
    pub display_name: String,
}

impl From<&Account> for LinkedAccount {
    fn from(account: &Account) -> Self {
        Self { id: account.id.clone(), username: account.username.clone(), display_name: account.display_name.clone() }
    }
}

impl From<Model> for AccountLink {
    fn from(row: Model) -> Self {
        Self {
            id: LinkId(row.id),
            installation: InstallationId(row.installation),
            user: row.user_id,
            account: LinkedAccount { id: row.account, username: row.username, display_name: row.display_name },
            linked_at: Timestamp::from_micros(row.linked_at),
            updated_at: Timestamp::from_micros(row.updated_at),
            unlinked_at: row.unlinked_at.map(Timestamp::from_micros),
        }
    }
}

/// Which links are wanted.
#[derive(Clone, Debug, Default)]
pub struct LinkFilter {
    /// Of this installation.
    pub installation: Option<InstallationId>,
    /// Of this user.
    pub user: Option<String>,
    /// Changed after this time; tombstones are then among them.
    pub updated_after: Option<Timestamp>,
}

/// List links in the order of their last change.
///
/// # Errors
/// The database refuses.
pub async fn list(
    app: &App,
    organization: &OrganizationId,
    filter: &LinkFilter,
    page: Page,
) -> Result<Paged<AccountLink>, SetupFailure> {
    let mut query = Entity::find().filter(Column::Organization.eq(organization.as_str()));
    if let Some(installation) = filter.installation {
        query = query.filter(Column::Installation.eq(installation.0));
    }
    if let Some(user) = &filter.user {
        query = query.filter(Column::UserId.eq(user.as_str()));
    }
    query = match filter.updated_after {
        Some(after) => query.filter(Column::UpdatedAt.gt(after.as_micros())),
        None => query.filter(Column::UnlinkedAt.is_null()),
    };
    let rows = in_order(query, page, Column::UpdatedAt, Column::Id).all(app.database.read()).await?;
    let at = |row: &Model| Cursor { updated_at: Timestamp::from_micros(row.updated_at), id: row.id };
    Ok(Paged::of(page, rows, at, AccountLink::from))
}

/// The live link of an account.
///
/// # Errors
/// The database refuses.
pub async fn of_account(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    installation: InstallationId,
    account: &str,
) -> Result<Option<Model>, DbErr> {
    live(organization, installation).filter(Column::Account.eq(account)).one(on).await
}

fn live(organization: &OrganizationId, installation: InstallationId) -> Select<Entity> {
    Entity::find()
        .filter(Column::Organization.eq(organization.as_str()))
        .filter(Column::Installation.eq(installation.0))
        .filter(Column::UnlinkedAt.is_null())
}

/// What stands in the way of linking a user and an account.
#[derive(Debug)]
pub(super) enum Standing {
    /// Nothing.
    Free,
    /// They are linked to each other already.
    Same,
    /// One of them is linked to somebody else.
    Taken,
}

/// How a user and an account stand to each other.
pub(super) async fn standing(
    transaction: &Change,
    loaded: &Loaded,
    user: &str,
    account: &str,
) -> Result<Standing, DbErr> {
    let either = Column::UserId.eq(user).or(Column::Account.eq(account));
    let rows = live(&loaded.organization, loaded.id).filter(either).all(transaction).await?;
    Ok(match rows.as_slice() {
        [] => Standing::Free,
        [only] if only.user_id == user && only.account == account => Standing::Same,
        _ => Standing::Taken,
    })
}

/// Link a user and an account that stand free; `None` if another link was quicker.
pub(crate) async fn insert(
    transaction: &Change,
    loaded: &Loaded,
    user: &str,
    account: &Account,
    now: Timestamp,
) -> Result<Option<AccountLink>, DbErr> {
    let row = Model {
        organization: loaded.organization.as_str().to_owned(),
        id: LinkId::new().0,
        installation: loaded.id.0,
        user_id: user.to_owned(),
        account: account.id.clone(),
        username: account.username.clone(),
        display_name: account.display_name.clone(),
        direct: account.direct.clone().map(|address| address.0),
        linked_at: now.as_micros(),
        updated_at: now.as_micros(),
        unlinked_at: None,
    };
    let inserted = Entity::insert(row.clone().into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(transaction)
        .await?;
    if !matches!(inserted, TryInsertResult::Inserted(1)) {
        return Ok(None);
    }
    let link = AccountLink::from(row);
    append(transaction, &loaded.organization, EventKind::AccountLinked, &link, now).await?;
    Ok(Some(link))
}

/// The live link of an account, after its names and direct address have been brought up to
/// date with what a happening tells of it.
///
/// # Errors
/// The database refuses.
pub async fn refresh(
    transaction: &Change,
    loaded: &Loaded,
    account: &Account,
    now: Timestamp,
) -> Result<Option<Model>, DbErr> {
    let Some(row) = of_account(transaction, &loaded.organization, loaded.id, &account.id).await? else {
        return Ok(None);
    };
    if !is_news(account, &row.username, &row.display_name, row.direct.as_ref()) {
        return Ok(Some(row));
    }
    let kept = |new: &str, old: &str| if new.is_empty() { old.to_owned() } else { new.to_owned() };
    let fresh = Model {
        username: kept(&account.username, &row.username),
        display_name: kept(&account.display_name, &row.display_name),
        direct: account.direct.clone().map(|Address(address)| address).or_else(|| row.direct.clone()),
        ..row.clone()
    };
    let renamed = (&fresh.username, &fresh.display_name) != (&row.username, &row.display_name);
    let fresh = Model { updated_at: now.as_micros(), ..fresh };
    transaction.touch();
    Entity::update(fresh.clone().into_active_model().reset_all()).exec(transaction).await?;
    if renamed {
        let link = AccountLink::from(fresh.clone());
        append(transaction, &loaded.organization, EventKind::AccountChanged, &link, now).await?;
    }
    Ok(Some(fresh))
}

/// Whether a happening tells of other names or another direct address than are known. It may
/// know only one of the names: an empty one says nothing.
pub(crate) fn is_news(account: &Account, username: &str, display_name: &str, direct: Option<&Value>) -> bool {
    let differs = |new: &str, old: &str| !new.is_empty() && new != old;
    let has_moved = account.direct.as_ref().is_some_and(|Address(address)| Some(address) != direct);
    differs(&account.username, username) || differs(&account.display_name, display_name) || has_moved
}

/// Unlink an account because its owner asks on the platform. The answer tells whether it
/// was linked.
///
/// # Errors
/// The database refuses.
pub async fn unlink_account(
    transaction: &Change,
    loaded: &Loaded,
    account: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let Some(row) = of_account(transaction, &loaded.organization, loaded.id, account).await? else {
        return Ok(false);
    };
    let actor = Actor::account(loaded.backend_id(), account);
    end(transaction, &loaded.organization, row, &actor, now).await
}

/// Unlink a user, in one installation or in all. The answer is how many links ended.
///
/// # Errors
/// The database refuses.
pub async fn unlink_user(
    app: &App,
    organization: &OrganizationId,
    installation: Option<InstallationId>,
    user: &str,
    actor: &Actor,
) -> Result<usize, SetupFailure> {
    let of_user = Column::UserId.eq(user);
    let narrowed = installation.map(|installation| Column::Installation.eq(installation.0));
    unlink(app, organization, narrowed.into_iter().fold(of_user, |all, one| all.and(one)), actor).await
}

/// Unlink by the link's id. The answer tells whether there was such a link.
///
/// # Errors
/// The database refuses.
pub async fn unlink_one(
    app: &App,
    organization: &OrganizationId,
    link: LinkId,
    actor: &Actor,
) -> Result<bool, SetupFailure> {
    Ok(unlink(app, organization, Column::Id.eq(link.0), actor).await? > 0)
}

async fn unlink(
    app: &App,
    organization: &OrganizationId,
    which: SimpleExpr,
    actor: &Actor,
) -> Result<usize, SetupFailure> {
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    let rows = Entity::find()
        .filter(Column::Organization.eq(organization.as_str()))
        .filter(Column::UnlinkedAt.is_null())
        .filter(which)
        .all(&transaction)
        .await?;
    let mut ended = 0;
    for row in rows {
        ended += usize::from(end(&transaction, organization, row, actor, now).await?);
    }
    transaction.commit().await?;
    app.delivery.wake();
    Ok(ended)
}

/// Turn a live link into a tombstone. The answer tells whether it was still live.
async fn end(
    transaction: &Change,
    organization: &OrganizationId,
    mut row: Model,
    actor: &Actor,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let updated = end_query(organization, now).filter(Column::Id.eq(row.id)).exec(transaction).await?;
    if updated.rows_affected == 0 {
        return Ok(false);
    }
    (row.unlinked_at, row.updated_at) = (Some(now.as_micros()), now.as_micros());
    let link = AccountLink::from(row);
    audit::write(transaction, organization, actor, "account.unlink", &link.id.to_string(), "done", now).await?;
    append(transaction, organization, EventKind::AccountUnlinked, &link, now).await?;
    Ok(true)
}

fn end_query(organization: &OrganizationId, now: Timestamp) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::UnlinkedAt, Expr::value(now.as_micros()))
        .col_expr(Column::UpdatedAt, Expr::value(now.as_micros()))
        .filter(Column::Organization.eq(organization.as_str()))
        .filter(Column::UnlinkedAt.is_null())
}

async fn append(
    transaction: &Change,
    organization: &OrganizationId,
    kind: EventKind,
    link: &AccountLink,
    now: Timestamp,
) -> Result<(), DbErr> {
    let told = json!(LinkEvent { link: link.clone() });
    events::append(transaction, organization, NewEvent::new(kind, &told, now)).await
}

/// End all links of an installation that is being removed; its removal is the event.
pub(super) async fn end_all(
    transaction: &Change,
    organization: &OrganizationId,
    installation: InstallationId,
    now: Timestamp,
) -> Result<(), DbErr> {
    end_query(organization, now).filter(Column::Installation.eq(installation.0)).exec(transaction).await?;
    Ok(())
}
