//! A part as it is kept between rendering and sending: one message with one attachment and
//! the slots of its buttons. Sending puts into the slots what only the host knows, the
//! address to call and the token of each action.

use std::borrow::Cow;

use chatport_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// What a post shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Card<'a> {
    /// The text above the attachment: a mention, or nothing. All else is in the attachment.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(crate) message: Cow<'a, str>,
    /// The document.
    #[serde(borrow)]
    pub(crate) attachment: Attachment<'a>,
    /// The slots for buttons and menus.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) buttons: Vec<Button<'a>>,
}

/// A message attachment, in Mattermost's words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attachment<'a> {
    #[serde(borrow)]
    pub(crate) fallback: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub(crate) color: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub(crate) title: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub(crate) title_link: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub(crate) text: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<AttachmentField<'a>>,
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub(crate) image_url: Cow<'a, str>,
}

/// A named value of an attachment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AttachmentField<'a> {
    #[serde(borrow)]
    pub(crate) title: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) value: Cow<'a, str>,
    pub(crate) short: bool,
}

/// A slot for a button, or for a menu if it has options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Button<'a> {
    /// The application's id of the action. It doesn't leave this machine.
    #[serde(borrow)]
    pub(crate) action: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) style: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<MenuOption<'a>>,
}

/// An entry of a menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MenuOption<'a> {
    #[serde(borrow)]
    pub(crate) text: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) value: Cow<'a, str>,
}

/// The name under which a post carries the host's id of it: `find` looks for it.
pub(crate) const COPY: &str = "chatport_copy";

/// The host's id of a part, the same for every attempt.
pub(crate) fn copy_id(outgoing: &Outgoing) -> String {
    format!("{}-{}", outgoing.copy, outgoing.number)
}

impl<'a> Card<'a> {
    /// The card of a part.
    ///
    /// # Errors
    /// A part that isn't ours.
    pub(crate) fn of(part: &'a Part) -> Result<Self, Failure> {
        part.payload.read().map_err(|_| Failure::new(Cause::ContentRejected, "the part isn't one of a Mattermost post"))
    }

    /// The post's properties. Without a public address, or without its token, a button would
    /// be dead: then it is left out.
    pub(crate) fn props(&'a self, outgoing: &'a Outgoing, ingress_url: Option<&Url>) -> Props<'a> {
        let url = ingress_url.map(|ingress| format!("{ingress}/actions"));
        let live = |(index, button): (usize, &'a Button<'a>)| {
            Some(button.live(index, url.as_deref()?, outgoing.token(&button.action)?))
        };
        let actions = self.buttons.iter().enumerate().filter_map(live).collect();
        Props { attachments: [Live { attachment: &self.attachment, actions }], chatport_copy: copy_id(outgoing) }
    }
}

/// The properties of a post, as the server takes them; the second one is [`COPY`].
#[derive(Serialize)]
pub(crate) struct Props<'a> {
    attachments: [Live<'a>; 1],
    chatport_copy: String,
}

/// An attachment whose slots are filled.
#[derive(Serialize)]
struct Live<'a> {
    #[serde(flatten)]
    attachment: &'a Attachment<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<LiveButton<'a>>,
}

/// A button as the server takes it: with a style, or with options.
#[derive(Serialize)]
struct LiveButton<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    options: &'a [MenuOption<'a>],
    integration: Integration<'a>,
}

#[derive(Serialize)]
struct Integration<'a> {
    url: String,
    context: Context<'a>,
}

#[derive(Serialize)]
struct Context<'a> {
    t: &'a str,
}

impl<'a> Button<'a> {
    /// The button with what it calls. Its id may hold letters and digits alone.
    fn live(&'a self, index: usize, url: &str, token: &'a Secret) -> LiveButton<'a> {
        LiveButton {
            id: format!("a{index}"),
            kind: if self.options.is_empty() { "button" } else { "select" },
            name: &self.name,
            style: self.options.is_empty().then_some(&*self.style),
            options: &self.options,
            integration: Integration { url: url.to_owned(), context: Context { t: token.expose() } },
        }
    }
}
