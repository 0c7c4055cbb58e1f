//! A part as it is kept between rendering and sending: one message with one attachment and
//! the slots of its buttons. Sending puts into the slots what only the host knows, the
//! address to call and the token of each action.

use chatport_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What a post shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Card {
    /// The text above the attachment: a mention, or nothing. All else is in the attachment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) message: String,
    /// The document.
    pub(crate) attachment: Attachment,
    /// The slots for buttons and menus.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) buttons: Vec<Button>,
}

/// A message attachment, in Mattermost's words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment {
    pub(crate) fallback: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) color: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) title_link: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<AttachmentField>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) image_url: String,
}

/// A named value of an attachment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AttachmentField {
    pub(crate) title: String,
    pub(crate) value: String,
    pub(crate) short: bool,
}

/// A slot for a button, or for a menu if it has options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Button {
    /// The application's id of the action. It doesn't leave this machine.
    pub(crate) action: String,
    pub(crate) name: String,
    pub(crate) style: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<MenuOption>,
}

/// An entry of a menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MenuOption {
    pub(crate) text: String,
    pub(crate) value: String,
}

/// The name under which a post carries the host's id of it: `find` looks for it.
pub(crate) const COPY: &str = "chatport_copy";

/// The host's id of a part, the same for every attempt.
pub(crate) fn copy_id(outgoing: &Outgoing) -> String {
    format!("{}-{}", outgoing.copy, outgoing.number)
}

impl Card {
    /// The card of a part.
    ///
    /// # Errors
    /// A part that isn't ours.
    pub(crate) fn of(part: &Part) -> Result<Self, Failure> {
        Self::deserialize(&part.payload)
            .map_err(|_| Failure::new(Cause::ContentRejected, "the part isn't one of a Mattermost post"))
    }

    /// The post's properties. Without a public address, or without its token, a button would
    /// be dead: then it is left out.
    pub(crate) fn props(&self, outgoing: &Outgoing, ingress_url: Option<&Url>) -> Value {
        let mut attachment = json!(self.attachment);
        let actions: Vec<Value> = match ingress_url {
            None => Vec::new(),
            Some(ingress) => {
                let live = |(index, button): (usize, &Button)| {
                    let token = outgoing.token(&button.action)?;
                    Some(button.live(index, &format!("{ingress}/actions"), token))
                };
                self.buttons.iter().enumerate().filter_map(live).collect()
            }
        };
        if !actions.is_empty() {
            attachment["actions"] = actions.into();
        }
        json!({ "attachments": [attachment], COPY: copy_id(outgoing) })
    }
}

impl Button {
    /// The button as the server takes it. Its id may hold letters and digits alone.
    fn live(&self, index: usize, url: &str, token: &Secret) -> Value {
        let mut action = Map::new();
        let kind = if self.options.is_empty() { "button" } else { "select" };
        action.insert("id".into(), format!("a{index}").into());
        action.insert("type".into(), kind.into());
        action.insert("name".into(), self.name.as_str().into());
        if self.options.is_empty() {
            action.insert("style".into(), self.style.as_str().into());
        } else {
            action.insert("options".into(), json!(self.options));
        }
        action.insert("integration".into(), json!({ "url": url, "context": { "t": token.expose() } }));
        action.into()
    }
}
