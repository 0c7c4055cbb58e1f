//! What Teams sends, as far as it is looked at. Nothing of it is believed before its token is
//! proven. A member of another shape than expected counts as absent.
//! <https://github.com/microsoft/Agents/blob/main/specs/activity/protocol-activity.md>

use chatport_sdk::prelude::*;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    address::{Kind, is_id, split},
    typed::{self, Said},
};

/// Longest token of a button, and longest value of a menu's entry.
const MAX_TOKEN: usize = 128;
const MAX_CHOICE: usize = 4_096;

/// An activity.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Activity {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient")]
    timestamp: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) channel_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) service_url: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) from: Party,
    #[serde(deserialize_with = "lenient")]
    pub(crate) recipient: Party,
    #[serde(deserialize_with = "lenient")]
    pub(crate) conversation: Talk,
    #[serde(deserialize_with = "lenient")]
    text: String,
    #[serde(deserialize_with = "lenient")]
    entities: Vec<Value>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) channel_data: ChannelData,
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) action: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) value: Value,
    #[serde(deserialize_with = "lenient")]
    pub(crate) reply_to_id: String,
    #[serde(deserialize_with = "lenient")]
    members_removed: Vec<Party>,
}

/// Somebody: a person or a bot.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Party {
    #[serde(deserialize_with = "lenient")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) aad_object_id: String,
}

/// Where it happened.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Talk {
    #[serde(deserialize_with = "lenient")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient")]
    conversation_type: String,
    #[serde(deserialize_with = "lenient")]
    tenant_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
}

/// What Teams alone has.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ChannelData {
    #[serde(deserialize_with = "lenient")]
    tenant: Named,
    #[serde(deserialize_with = "lenient")]
    pub(crate) team: Named,
    #[serde(deserialize_with = "lenient")]
    pub(crate) channel: Named,
    #[serde(deserialize_with = "lenient")]
    pub(crate) event_type: String,
}

/// Something with an id and a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    #[serde(deserialize_with = "lenient")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
}

fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).unwrap_or_default())
}

/// A press: the button's token, and what was chosen from a menu.
#[derive(Debug)]
pub(crate) struct Pressed {
    pub(crate) token: Secret,
    pub(crate) choice: Option<String>,
    /// A menu's button without an entry chosen.
    pub(crate) lacks_choice: bool,
}

impl Activity {
    /// When it happened, by Teams' clock.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        Timestamp::parse(&self.timestamp)
    }

    /// Whether the ids that are relied upon look like ids.
    pub(crate) fn has_ids(&self) -> bool {
        let ids = [&self.id, &self.conversation.id, &self.from.id, &self.recipient.id];
        let has = |id: &&String| is_id(id);
        // An id stands in the happening's id behind a slash.
        ids.iter().all(has) && !self.id.contains('/') && is_id(split(&self.conversation.id).0)
    }

    /// The tenant, if all that names one names the same.
    pub(crate) fn tenant(&self) -> Option<&str> {
        let named = [&self.conversation.tenant_id, &self.channel_data.tenant.id];
        let mut named = named.into_iter().filter(|tenant| !tenant.is_empty());
        let tenant = named.next()?;
        named.all(|other| other == tenant).then_some(tenant)
    }

    /// What sort of conversation it is.
    pub(crate) fn place(&self) -> Option<Kind> {
        Kind::of(&self.conversation.conversation_type)
    }

    /// Whether a bot wrote it, perhaps this one.
    pub(crate) fn is_by_bot(&self) -> bool {
        self.from.id.starts_with("28:") || self.from.id == self.recipient.id
    }

    /// Whether the bot itself was taken out.
    pub(crate) fn removes_bot(&self) -> bool {
        self.members_removed.iter().any(|member| member.id == self.recipient.id)
    }

    /// What was written, without mentions of the bot.
    pub(crate) fn said(&self) -> Said {
        let (mut text, mut is_mentioned) = (self.text.clone(), false);
        for mention in &self.entities {
            let is_bot = mention["type"] == "mention" && mention["mentioned"]["id"] == self.recipient.id.as_str();
            is_mentioned |= is_bot;
            if let Some(shown) = mention["text"].as_str().filter(|shown| is_bot && !shown.is_empty()) {
                text = text.replace(shown, " ");
            }
        }
        let text = text.replace("&nbsp;", " ");
        // A name with odd letters may stand in the text in another form than in its entity.
        let tag = text.trim_start().strip_prefix("<at").and_then(|rest| rest.split_once("</at>"));
        typed::read(tag.filter(|_| is_mentioned).map_or(text.as_str(), |(_, rest)| rest))
    }

    /// The press in a value that a button's client sent: of a universal action the action's
    /// `data`, of a plain one the value itself.
    pub(crate) fn pressed(data: &Value) -> Option<Pressed> {
        let token = data[crate::card::TOKEN].as_str().filter(|token| (1..=MAX_TOKEN).contains(&token.len()))?;
        let menu = data[crate::card::MENU].as_str();
        let choice = menu.and_then(|menu| data[menu].as_str());
        let choice = choice.filter(|choice| (1..=MAX_CHOICE).contains(&choice.len())).map(str::to_owned);
        Some(Pressed { token: Secret::new(token), lacks_choice: menu.is_some() && choice.is_none(), choice })
    }
}
