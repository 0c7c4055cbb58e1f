//! From targets to copies: which conversation, which account, which thread. Resolved once,
//! when a copy is made; a target that can't be resolved becomes a dead copy with its reason,
//! so that nothing is dropped in silence.

use std::{collections::BTreeMap, sync::Arc};

use chatport_sdk::{
    delivery::Note,
    identity::{Account, Address},
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    message::{DefaultTarget, Prefer, Target, UserTarget},
    prepared::Prepared,
};
use crate::{
    app::App,
    ids::{ChannelId, CopyId, InstallationId, OrganizationId},
    setup::sites,
    store::{
        cache::KnownInstallation,
        entities::{account_links, channels, copies, messages},
        only,
    },
};

/// A copy to be made.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The target as it was asked for, as stored.
    pub target: String,
    /// Whether it is made only in case the others don't arrive.
    pub is_fallback: bool,
    /// Where it goes; or why it can't go anywhere.
    pub place: Result<PlannedPlace, (&'static str, String)>,
    /// What the platform will leave out or change.
    pub notes: Vec<Note>,
}

/// Where a copy goes.
#[derive(Clone, Debug)]
pub struct PlannedPlace {
    /// Through which installation.
    pub installation: InstallationId,
    /// The key of its stream. Tells several copies of one target apart.
    pub stream: String,
    /// The name of the rate to which it keeps.
    pub rate: String,
    /// Absent where a direct conversation is still to be opened.
    pub address: Option<Address>,
    /// The account, where it is for a person: as stored.
    pub account: Option<Account>,
    /// The copy to which it is a reply.
    pub root: Option<CopyId>,
    /// Whether first posts that wait here for long may become one summary.
    pub storm_guard: bool,
}

type Place = Result<PlannedPlace, (&'static str, String)>;

/// Resolve the targets of a message.
pub(super) async fn plan(app: &App, organization: &OrganizationId, put: &Prepared) -> Result<Vec<Planned>, DbErr> {
    let mut resolver = Resolver { app, organization, installations: BTreeMap::new() };
    let mut planned = Vec::with_capacity(put.targets.len());
    let fallback = put.fallback.iter().flat_map(|fallback| &fallback.targets);
    let targets = put.targets.iter().map(|target| (target, false)).chain(fallback.map(|target| (target, true)));
    for (target, is_fallback) in targets {
        let stored = json!(target);
        for place in resolver.places(target).await? {
            planned.push(Planned { target: stored.to_string(), is_fallback, place, notes: Vec::new() });
        }
    }
    let mut notes: BTreeMap<InstallationId, Vec<Note>> = BTreeMap::new();
    for copy in &mut planned {
        let Ok(place) = &copy.place else { continue };
        let rendered = notes.entry(place.installation).or_insert_with(|| resolver.notes(place, put));
        copy.notes.clone_from(rendered);
    }
    Ok(planned)
}

struct Resolver<'a> {
    app: &'a App,
    organization: &'a OrganizationId,
    /// The installations asked for so far; none where no message may go.
    installations: BTreeMap<Uuid, Option<Arc<KnownInstallation>>>,
}

impl Resolver<'_> {
    /// An installation, if messages may go to it.
    async fn installation(&mut self, id: Uuid) -> Result<Option<Arc<KnownInstallation>>, DbErr> {
        if let Some(asked) = self.installations.get(&id) {
            return Ok(asked.clone());
        }
        let known = sites::known(self.app, self.organization, InstallationId(id)).await?;
        let set_up = known.filter(|known| matches!(known.row.state.as_str(), "active" | "suspended"));
        self.installations.insert(id, set_up.clone());
        Ok(set_up)
    }

    async fn places(&mut self, target: &Target) -> Result<Vec<Place>, DbErr> {
        match target {
            Target::Channel(target) => Ok(vec![match self.known_channel(target.channel).await? {
                Some(row) => self.channel(&row).await?,
                None => Err(("channel_not_found", format!("no channel {} in this organization", target.channel))),
            }]),
            Target::Default(target) => self.defaults(target).await,
            Target::User(target) => Ok(vec![self.user(target).await?]),
        }
    }

    async fn known_channel(&self, channel: ChannelId) -> Result<Option<Arc<channels::Model>>, DbErr> {
        let (cache, organization) = (self.app.database.cache(), self.organization.as_str());
        let id = (organization.to_owned(), channel.0);
        let read = async || {
            let query = channels::Entity::find_by_id((organization.to_owned(), channel.0));
            only(query, self.app.database.read()).await
        };
        cache.find(&cache.known.channels, organization, id, read).await
    }

    async fn defaults(&mut self, target: &DefaultTarget) -> Result<Vec<Place>, DbErr> {
        let (cache, organization) = (self.app.database.cache(), self.organization.as_str());
        let read = async || {
            let query = channels::Entity::find()
                .filter(channels::Column::Organization.eq(organization))
                .filter(channels::Column::IsDefault.eq(true))
                .filter(channels::Column::RemovedAt.is_null())
                .order_by_asc(channels::Column::LinkedAt);
            some_of(query.all(self.app.database.read()).await)
        };
        let rows = cache.find(&cache.known.default_channels, organization, organization.to_owned(), read).await?;
        let wanted = |row: &&channels::Model| target.installation.is_none_or(|id| id.0 == row.installation);
        let mut places = Vec::new();
        for row in rows.iter().flat_map(|rows| rows.iter()).filter(wanted) {
            places.push(self.channel(row).await?);
        }
        if places.is_empty() {
            let detail = "no default channel: connect a channel and make it the default";
            return Ok(vec![Err(("default_channel_missing", detail.into()))]);
        }
        Ok(places)
    }

    async fn channel(&mut self, row: &channels::Model) -> Result<Place, DbErr> {
        if row.removed_at.is_some() {
            return Ok(Err(("channel_not_found", format!("the channel {} is no longer connected", row.name))));
        }
        let place = self.place(row.installation, Some(Address(row.address.clone())), None, true).await?;
        Ok(place.map(|place| PlannedPlace { storm_guard: row.storm_guard, ..place }))
    }

    async fn user(&mut self, target: &UserTarget) -> Result<Place, DbErr> {
        let (cache, organization) = (self.app.database.cache(), self.organization.as_str());
        let read = async || {
            let query = account_links::Entity::find()
                .filter(account_links::Column::Organization.eq(organization))
                .filter(account_links::Column::UserId.eq(target.user.as_str()))
                .filter(account_links::Column::UnlinkedAt.is_null())
                .order_by_desc(account_links::Column::LinkedAt);
            some_of(query.all(self.app.database.read()).await)
        };
        let key = (organization.to_owned(), target.user.clone());
        let links = cache.find(&cache.known.links, organization, key, read).await?;
        let wanted = |link: &&account_links::Model| target.via.is_none_or(|via| via.0 == link.installation);
        let mut usable = None;
        for link in links.iter().flat_map(|links| links.iter()).filter(wanted) {
            if self.installation(link.installation).await?.is_some() {
                usable = Some(link);
                break;
            }
        }
        let Some(link) = usable else {
            return Ok(Err(("account_not_linked", format!("the user {} has no linked account", target.user))));
        };
        let account = Account {
            id: link.account.clone(),
            username: link.username.clone(),
            display_name: link.display_name.clone(),
            direct: link.direct.clone().map(Address),
        };
        if target.prefer == Prefer::Mention
            && let Some(root) = self.root(target, link.installation).await?
        {
            let address = root.address.as_deref().and_then(|text| serde_json::from_str(text).ok()).map(Address);
            let place = self.place(link.installation, address, Some(account), true).await?;
            return Ok(place.map(|place| PlannedPlace { root: Some(CopyId(root.id)), ..place }));
        }
        // No thread to be named in: a direct message reaches the person all the same.
        self.place(link.installation, account.direct.clone(), Some(account), false).await
    }

    /// The copy in whose thread a user is to be named.
    async fn root(&self, target: &UserTarget, installation: Uuid) -> Result<Option<copies::Model>, DbErr> {
        let Some(reply_to) = &target.reply_to else { return Ok(None) };
        let read = self.app.database.read();
        let message = messages::Entity::find()
            .filter(messages::Column::Organization.eq(self.organization.as_str()))
            .filter(messages::Column::Key.eq(reply_to.message.as_str()))
            .one(read)
            .await?;
        let Some(message) = message else { return Ok(None) };
        let rows = copies::Entity::find()
            .filter(copies::Column::Organization.eq(self.organization.as_str()))
            .filter(copies::Column::Message.eq(message.id))
            .filter(copies::Column::Installation.eq(installation))
            .filter(copies::Column::Root.is_null())
            .filter(copies::Column::Account.is_null())
            .order_by_asc(copies::Column::CreatedAt)
            .all(read)
            .await?;
        let Some(channel) = reply_to.channel else { return Ok(rows.into_iter().next()) };
        let address = self.known_channel(channel).await?.map(|channel| channel.address.clone());
        let in_channel = |row: &copies::Model| {
            let stored: Option<Value> = row.address.as_deref().and_then(|text| serde_json::from_str(text).ok());
            stored.is_some() && stored == address
        };
        Ok(rows.into_iter().find(in_channel))
    }

    async fn place(
        &mut self,
        installation: Uuid,
        address: Option<Address>,
        account: Option<Account>,
        in_thread: bool,
    ) -> Result<Place, DbErr> {
        Ok(match self.installation(installation).await? {
            Some(known) => self.place_at(&known, address, account, in_thread),
            None => Err(("installation_missing", "the installation is not set up".into())),
        })
    }

    fn place_at(
        &self,
        known: &KnownInstallation,
        address: Option<Address>,
        account: Option<Account>,
        in_thread: bool,
    ) -> Place {
        let id = known.row.backend.as_str();
        let Some(backend) = self.app.registry.get(id) else {
            return Err(("installation_missing", format!("the backend {id} is not part of this program")));
        };
        let Some(delivery) = backend.delivery() else {
            return Err(("installation_missing", format!("{} can't deliver messages yet", backend.descriptor().name)));
        };
        let default_rate = backend.descriptor().rates.first().map_or("", |rate| rate.name);
        // Copies for a person are ordered by person, whether or not the conversation is open yet.
        let (stream, rate) = match (&account, &address) {
            (Some(account), _) if !in_thread => (format!("account:{}", account.id), default_rate),
            (_, Some(address)) => match delivery.stream(address) {
                Ok(key) => (key.key, key.rate),
                Err(failure) => return Err((failure.cause.code(), failure.detail)),
            },
            (_, None) => return Err(("channel_not_found", "there is no address".into())),
        };
        Ok(PlannedPlace {
            installation: InstallationId(known.row.id),
            stream,
            rate: rate.to_owned(),
            address,
            account,
            root: None,
            storm_guard: false,
        })
    }

    fn notes(&self, place: &PlannedPlace, put: &Prepared) -> Vec<Note> {
        let known = self.installations.get(&place.installation.0).and_then(Option::as_deref);
        let backend = known.and_then(|known| self.app.registry.get(&known.row.backend));
        let rendering = backend.and_then(|backend| put.rendering(backend));
        rendering.map(|rendering| rendering.notes.clone()).unwrap_or_default()
    }
}

/// Only what is there is kept in memory.
fn some_of<T>(rows: Result<Vec<T>, DbErr>) -> Result<Option<Vec<T>>, DbErr> {
    rows.map(|rows| Some(rows).filter(|rows| !rows.is_empty()))
}
