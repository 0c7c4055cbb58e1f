//! Channels: platform conversations that are connected to an organization. At most one of
//! an installation is the default. A lost channel stays connected, and says that it is lost.

use chatport_sdk::{
    identity::{Conversation, ConversationKind},
    schemars::JsonSchema,
    time::Timestamp,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    Select,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    SetupFailure,
    audit::{self, Actor},
    contain::contained_pure,
    page::{Cursor, Page, Paged, in_order},
    sites::{self, Loaded},
    state::InstallationState,
};
use crate::{
    app::App,
    delivery::{self, CancelWhat},
    events::{self, EventKind, NewEvent},
    ids::{ChannelId, InstallationId, OrganizationId},
    store::{
        Change,
        entities::channels::{Column, Entity, Model},
    },
};

/// A channel, as applications read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// The installation.
    pub installation: InstallationId,
    /// The short name, e.g. `incidents`; may be empty.
    pub name: String,
    /// The name that people read.
    pub display_name: String,
    /// The team or workspace that it belongs to; may be empty.
    pub team: String,
    /// How it is.
    pub status: ChannelStatus,
    /// Whether messages for the default go here.
    pub is_default: bool,
    /// Whether first posts that had to wait for long become one summary.
    #[serde(default)]
    pub storm_guard: bool,
    /// Since when it is connected.
    pub linked_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was removed; present on tombstones alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
}

/// The `data` of `channel.linked`, `channel.changed` and `channel.removed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelEvent {
    /// The channel as it is now.
    pub channel: Channel,
}

/// How a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelStatus {
    /// Messages arrive.
    Active,
    /// The bot was taken out, or the conversation is gone.
    Lost,
    /// It isn't connected any more.
    Removed,
}

impl ChannelStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Lost => "lost",
            Self::Removed => "removed",
        }
    }

    fn stored(text: &str) -> Self {
        [Self::Active, Self::Removed].into_iter().find(|status| status.as_str() == text).unwrap_or(Self::Lost)
    }
}

impl From<&Model> for Channel {
    fn from(row: &Model) -> Self {
        Self {
            id: ChannelId(row.id),
            installation: InstallationId(row.installation),
            name: row.name.clone(),
            display_name: row.display_name.clone(),
            team: row.team.clone(),
            status: ChannelStatus::stored(&row.status),
            is_default: row.is_default,
            storm_guard: row.storm_guard,
            linked_at: Timestamp::from_micros(row.linked_at),
            updated_at: Timestamp::from_micros(row.updated_at),
            removed_at: row.removed_at.map(Timestamp::from_micros),
        }
    }
}

/// Which channels are wanted.
#[derive(Clone, Debug, Default)]
pub struct ChannelFilter {
    /// Of this installation.
    pub installation: Option<InstallationId>,
    /// Changed after this time; tombstones are then among them.
    pub updated_after: Option<Timestamp>,
}

/// List channels in the order of their last change.
///
/// # Errors
/// The database refuses.
pub async fn list(
    app: &App,
    organization: &OrganizationId,
    filter: &ChannelFilter,
    page: Page,
) -> Result<Paged<Channel>, SetupFailure> {
    let mut query = Entity::find().filter(Column::Organization.eq(organization.as_str()));
    if let Some(installation) = filter.installation {
        query = query.filter(Column::Installation.eq(installation.0));
    }
    query = match filter.updated_after {
        Some(after) => query.filter(Column::UpdatedAt.gt(after.as_micros())),
        None => query.filter(Column::RemovedAt.is_null()),
    };
    let rows = in_order(query, page, Column::UpdatedAt, Column::Id).all(app.database.read()).await?;
    let at = |row: &Model| Cursor { updated_at: Timestamp::from_micros(row.updated_at), id: row.id };
    Ok(Paged::of(page, rows, at, |row| Channel::from(&row)))
}

/// One connected channel.
///
/// # Errors
/// It isn't there.
pub async fn get(app: &App, organization: &OrganizationId, channel: ChannelId) -> Result<Channel, SetupFailure> {
    let row = live(organization).filter(Column::Id.eq(channel.0)).one(app.database.read()).await?;
    row.as_ref().map(Channel::from).ok_or(SetupFailure::NotFound)
}

/// The connected channel of a conversation.
///
/// # Errors
/// The database refuses.
pub async fn of_conversation(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    installation: InstallationId,
    conversation: &str,
) -> Result<Option<Model>, DbErr> {
    live(organization)
        .filter(Column::Installation.eq(installation.0))
        .filter(Column::Conversation.eq(conversation))
        .one(on)
        .await
}

fn live(organization: &OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.as_str())).filter(Column::RemovedAt.is_null())
}

/// Connect a conversation whose address the application knows already, e.g. from another
/// host that it moves away from.
///
/// # Errors
/// The address doesn't fit the conversation, or the installation isn't active.
pub async fn add(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    conversation: &Conversation,
    actor: &Actor,
) -> Result<Channel, SetupFailure> {
    let loaded = sites::load_now(app, organization, installation).await?;
    if loaded.state() != InstallationState::Active {
        return Err(SetupFailure::NotActive { installation, state: loaded.state() });
    }
    if conversation.kind == ConversationKind::Direct {
        return Err(SetupFailure::field("kind", "a direct conversation belongs to a person and can't be a channel"));
    }
    let read = contained_pure(|| loaded.backend.delivery().map(|delivery| delivery.stream(&conversation.address)));
    match read.map_err(|error| SetupFailure::call(loaded.backend_id(), error))? {
        Some(Ok(stream)) if stream.key == conversation.id => {}
        Some(Err(failure)) => return Err(SetupFailure::field("address", failure.detail)),
        _ => return Err(SetupFailure::field("address", "isn't an address of this conversation")),
    }
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    let channel = connect(&transaction, &loaded, conversation, actor, now).await?;
    transaction.commit().await?;
    app.delivery.wake();
    Ok(channel)
}

/// Connect a conversation, or bring one that is connected already up to date. The first
/// channel of an installation becomes the default.
pub(super) async fn connect(
    transaction: &Change,
    loaded: &Loaded,
    conversation: &Conversation,
    actor: &Actor,
    now: Timestamp,
) -> Result<Channel, DbErr> {
    let (organization, installation) = (&loaded.organization, loaded.id);
    if let Some(row) = of_conversation(transaction, organization, installation, &conversation.id).await? {
        return refresh(transaction, organization, row, conversation, now).await;
    }
    let others = live(organization).filter(Column::Installation.eq(installation.0)).count(transaction).await?;
    let row = Model {
        organization: organization.as_str().to_owned(),
        id: ChannelId::new().0,
        installation: installation.0,
        conversation: conversation.id.clone(),
        address: conversation.address.0.clone(),
        name: conversation.name.clone(),
        display_name: conversation.display_name.clone(),
        team: conversation.team.clone(),
        status: ChannelStatus::Active.as_str().to_owned(),
        is_default: others == 0,
        storm_guard: false,
        linked_at: now.as_micros(),
        updated_at: now.as_micros(),
        removed_at: None,
    };
    let channel = Channel::from(&row);
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(transaction).await?;
    audit::write(transaction, organization, actor, "channel.link", &channel.id.to_string(), "done", now).await?;
    append(transaction, organization, EventKind::ChannelLinked, &channel, now).await?;
    Ok(channel)
}

async fn refresh(
    transaction: &Change,
    organization: &OrganizationId,
    row: Model,
    conversation: &Conversation,
    now: Timestamp,
) -> Result<Channel, DbErr> {
    // Not every happening knows every name: an empty one says nothing.
    let kept = |new: &str, old: &str| if new.is_empty() { old.to_owned() } else { new.to_owned() };
    let fresh = Model {
        conversation: conversation.id.clone(),
        address: conversation.address.0.clone(),
        name: kept(&conversation.name, &row.name),
        display_name: kept(&conversation.display_name, &row.display_name),
        team: kept(&conversation.team, &row.team),
        status: ChannelStatus::Active.as_str().to_owned(),
        ..row.clone()
    };
    if fresh == row {
        return Ok(Channel::from(&row));
    }
    save(transaction, organization, fresh, EventKind::ChannelChanged, now).await
}

/// Write a changed row and tell of it.
async fn save(
    transaction: &Change,
    organization: &OrganizationId,
    mut row: Model,
    kind: EventKind,
    now: Timestamp,
) -> Result<Channel, DbErr> {
    row.updated_at = now.as_micros();
    let channel = Channel::from(&row);
    Entity::update(row.into_active_model().reset_all()).exec(transaction).await?;
    append(transaction, organization, kind, &channel, now).await?;
    Ok(channel)
}

async fn append(
    transaction: &Change,
    organization: &OrganizationId,
    kind: EventKind,
    channel: &Channel,
    now: Timestamp,
) -> Result<(), DbErr> {
    let told = json!(ChannelEvent { channel: channel.clone() });
    events::append(transaction, organization, NewEvent::new(kind, &told, now)).await
}

/// Make a channel the default of its installation.
///
/// # Errors
/// It isn't there.
pub async fn make_default(
    app: &App,
    organization: &OrganizationId,
    channel: ChannelId,
    actor: &Actor,
) -> Result<Channel, SetupFailure> {
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    let row = live(organization).filter(Column::Id.eq(channel.0)).one(&transaction).await?;
    let row = row.ok_or(SetupFailure::NotFound)?;
    if row.is_default {
        return Ok(Channel::from(&row));
    }
    let former = live(organization)
        .filter(Column::Installation.eq(row.installation))
        .filter(Column::IsDefault.eq(true))
        .one(&transaction)
        .await?;
    if let Some(former) = former {
        let former = Model { is_default: false, ..former };
        save(&transaction, organization, former, EventKind::ChannelChanged, now).await?;
    }
    let row = Model { is_default: true, ..row };
    let channel = save(&transaction, organization, row, EventKind::ChannelChanged, now).await?;
    audit::write(&transaction, organization, actor, "channel.default", &channel.id.to_string(), "done", now).await?;
    transaction.commit().await?;
    app.delivery.wake();
    Ok(channel)
}

/// Switch a channel's storm guard on or off.
///
/// # Errors
/// It isn't there.
pub async fn guard(
    app: &App,
    organization: &OrganizationId,
    channel: ChannelId,
    on: bool,
    actor: &Actor,
) -> Result<(), SetupFailure> {
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    let row = live(organization).filter(Column::Id.eq(channel.0)).one(&transaction).await?;
    let row = row.ok_or(SetupFailure::NotFound)?;
    if row.storm_guard == on {
        return Ok(());
    }
    let row = Model { storm_guard: on, ..row };
    save(&transaction, organization, row, EventKind::ChannelChanged, now).await?;
    let action = if on { "channel.guard" } else { "channel.unguard" };
    audit::write(&transaction, organization, actor, action, &channel.to_string(), "done", now).await?;
    transaction.commit().await?;
    Ok(())
}

/// Disconnect a channel; what is still to be sent there is cancelled. The answer tells
/// whether it was connected.
///
/// # Errors
/// The database refuses.
pub async fn remove(
    app: &App,
    organization: &OrganizationId,
    channel: ChannelId,
    actor: &Actor,
) -> Result<bool, SetupFailure> {
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    let Some(row) = live(organization).filter(Column::Id.eq(channel.0)).one(&transaction).await? else {
        return Ok(false);
    };
    let what = CancelWhat::Conversation(InstallationId(row.installation), row.conversation.clone());
    delivery::lock_streams(&transaction, organization, &what).await?;
    save(&transaction, organization, removed(row, now), EventKind::ChannelRemoved, now).await?;
    audit::write(&transaction, organization, actor, "channel.remove", &channel.to_string(), "done", now).await?;
    delivery::cancel(app, &transaction, organization, &what, now).await?;
    transaction.commit().await?;
    app.delivery.wake();
    Ok(true)
}

fn removed(row: Model, now: Timestamp) -> Model {
    let status = ChannelStatus::Removed.as_str().to_owned();
    Model { status, is_default: false, removed_at: Some(now.as_micros()), ..row }
}

/// The bot was taken out of a conversation, or it is gone.
///
/// # Errors
/// The database refuses.
pub async fn lost(transaction: &Change, loaded: &Loaded, conversation: &str, now: Timestamp) -> Result<(), DbErr> {
    let row = of_conversation(transaction, &loaded.organization, loaded.id, conversation).await?;
    if let Some(row) = row.filter(|row| row.status == ChannelStatus::Active.as_str()) {
        let row = Model { status: ChannelStatus::Lost.as_str().to_owned(), ..row };
        save(transaction, &loaded.organization, row, EventKind::ChannelChanged, now).await?;
    }
    Ok(())
}

/// A conversation has moved. Where its new place is connected too, the two become one.
///
/// # Errors
/// The database refuses.
pub async fn moved(
    transaction: &Change,
    loaded: &Loaded,
    from: &str,
    to: &Conversation,
    now: Timestamp,
) -> Result<(), DbErr> {
    let organization = &loaded.organization;
    let Some(row) = of_conversation(transaction, organization, loaded.id, from).await? else { return Ok(()) };
    if from != to.id
        && let Some(other) = of_conversation(transaction, organization, loaded.id, &to.id).await?
    {
        save(transaction, organization, removed(other, now), EventKind::ChannelRemoved, now).await?;
    }
    refresh(transaction, organization, row, to, now).await?;
    Ok(())
}

/// Remove all channels of an installation that is being removed; its removal is the event.
pub(super) async fn remove_all(
    transaction: &Change,
    organization: &OrganizationId,
    installation: InstallationId,
    now: Timestamp,
) -> Result<(), DbErr> {
    let rows = live(organization).filter(Column::Installation.eq(installation.0)).all(transaction).await?;
    for row in rows {
        let row = Model { updated_at: now.as_micros(), ..removed(row, now) };
        Entity::update(row.into_active_model().reset_all()).exec(transaction).await?;
    }
    Ok(())
}
