//! Where it happened: conversations as the host keeps them. Their service may change with every
//! activity, and the newest one counts.

use chatport_sdk::prelude::*;

use super::{Proven, people::key};
use crate::{
    TeamsBackend,
    address::{Described, Kind, Reference, split},
    connector::Connector,
};

impl Proven {
    /// The reference of the conversation, without its thread; `None`: of a sort that isn't known.
    pub(super) fn reference(&self) -> Option<Reference> {
        let activity = &self.activity;
        let team = activity.channel_data.team.id.as_str();
        Some(Reference::new(&Described {
            service_url: &self.service,
            conversation: &activity.conversation.id,
            kind: activity.place()?,
            tenant: &self.details.tenant_id,
            bot: &activity.recipient.id,
            user: Some(&activity.from.id),
            team: Some(team).filter(|team| !team.is_empty()),
        }))
    }

    /// The conversation, by the names that the activity tells.
    pub(super) fn conversation(&self) -> Option<Conversation> {
        let (reference, data) = (self.reference()?, &self.activity.channel_data);
        let name = match reference.kind {
            Kind::Channel => &data.channel.name,
            Kind::Personal | Kind::GroupChat => &self.activity.conversation.name,
        };
        Some(Conversation {
            id: reference.conversation.clone(),
            address: reference.address(),
            kind: reference.kind.conversation(),
            name: name.clone(),
            display_name: name.clone(),
            team: data.team.name.clone(),
        })
    }

    /// The post that starts the thread in which it happened, if it isn't the activity's own.
    pub(super) fn root(&self) -> Option<&str> {
        split(&self.activity.conversation.id).1.filter(|root| *root != self.activity.id)
    }
}

impl TeamsBackend {
    /// The conversation, by the names that Teams knows: activities often tell none.
    pub(super) async fn named(&self, site: &Site, proven: &Proven, mut conversation: Conversation) -> Conversation {
        let team = &proven.activity.channel_data.team.id;
        if conversation.kind != ConversationKind::Channel || team.is_empty() {
            return conversation;
        }
        let names = async {
            let connector = Connector::borrowing(site, &proven.service, &self.borrowed).await?;
            let team_name = connector.team_name(team).await?;
            Ok::<_, Failure>((team_name, connector.channel_name(team, &conversation.id).await?))
        };
        // Without names it is connected all the same.
        if let Ok((team, channel)) = names.await {
            conversation.team = team;
            (conversation.name, conversation.display_name) = (channel.clone(), channel);
        }
        conversation
    }

    /// What tells the host of a service that it may not know yet.
    pub(super) fn moved(&self, site: &Site, proven: &Proven, person: Option<&Account>) -> Option<Happening> {
        let reference = proven.reference()?;
        let stored = self.heard.stored.get(&key(site, &[&reference.conversation]));
        if stored.as_deref() == Some(reference.service_url.as_str()) {
            return None;
        }
        let kind = match (reference.kind, person) {
            // A person's address stands in their link.
            (Kind::Personal, Some(person)) => {
                let account = Account { direct: Some(reference.address()), ..person.clone() };
                HappeningKind::AccountChanged { account }
            }
            (Kind::Personal, None) => return None,
            _ => HappeningKind::ConversationMoved { from: reference.conversation.clone(), to: proven.conversation()? },
        };
        Some(Happening::new(proven.id("moved"), kind))
    }

    /// The host has stored what [`Self::moved`] told, or that a conversation is lost: then it is
    /// to hear of it again when the bot is back.
    pub(super) fn note_stored(&self, site: &Site, happening: &Happening, outcome: &Outcome) {
        if !matches!(outcome, Outcome::Recorded) {
            return;
        }
        let address = match &happening.kind {
            HappeningKind::ConversationMoved { to, .. } => Some(&to.address),
            HappeningKind::AccountChanged { account } => account.direct.as_ref(),
            HappeningKind::ConversationLost { conversation } => {
                self.heard.stored.put(key(site, &[conversation]), String::new());
                None
            }
            _ => None,
        };
        if let Some(reference) = address.and_then(|address| Reference::of(address).ok()) {
            self.heard.stored.put(key(site, &[&reference.conversation]), reference.service_url);
        }
    }
}
