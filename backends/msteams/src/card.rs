//! A part as it is kept between rendering and sending: an Adaptive Card with slots for its
//! buttons. Sending puts into the slots what only the host knows, the token of each action.
//! <https://adaptivecards.io/explorer/>, version 1.5, of which Teams shows what
//! <https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference> lists.

use chatport_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The media type of a card.
pub(crate) const ADAPTIVE: &str = "application/vnd.microsoft.card.adaptive";
/// What a press says that it is.
pub(crate) const PRESS: &str = "press";
/// What a client's question says that it is.
pub(crate) const REFRESH: &str = "refresh";
/// Where a button's token stands in what a press brings back.
pub(crate) const TOKEN: &str = "t";
/// Where the name of a menu's input stands.
pub(crate) const MENU: &str = "m";

/// What a post shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Card {
    /// The version of this form.
    v: u32,
    /// What notifications show.
    pub(crate) summary: String,
    /// The card's elements.
    pub(crate) body: Vec<Value>,
    /// The slots for buttons and menus.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) buttons: Vec<Button>,
    /// Where to read on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<CardLink>,
    /// Whom the card calls by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mention: Option<Mention>,
}

/// A button that opens an address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CardLink {
    pub(crate) title: String,
    pub(crate) url: String,
}

/// Somebody who is called by name, and the text that stands for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mention {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A slot for a button, or for a menu if it has options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Button {
    /// The application's id of the action. It doesn't leave this machine.
    pub(crate) action: String,
    pub(crate) title: String,
    pub(crate) style: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<MenuOption>,
}

/// An entry of a menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MenuOption {
    pub(crate) title: String,
    pub(crate) value: String,
}

const VERSION: u32 = 1;

impl Card {
    pub(crate) fn new(summary: String, body: Vec<Value>) -> Self {
        Self { v: VERSION, summary, body, ..Self::default() }
    }

    /// The card of a part.
    ///
    /// # Errors
    /// A part that isn't ours.
    pub(crate) fn of(part: &Part) -> Result<Self, Failure> {
        let card = part.payload.read().ok().filter(|card: &Self| card.v == VERSION);
        card.ok_or_else(|| Failure::new(Cause::ContentRejected, "the part isn't one of a card for Teams"))
    }

    /// The card as a client takes it. Without its token a button would be dead: then it is left
    /// out. `notice` is shown at its end.
    pub(crate) fn live(&self, outgoing: &Outgoing, notice: Option<&str>) -> Value {
        let (mut body, mut actions) = (self.body.clone(), Vec::new());
        for (number, button) in self.buttons.iter().enumerate() {
            let Some(token) = outgoing.token(&button.action) else { continue };
            let menu = (!button.options.is_empty()).then(|| format!("c{number}"));
            if let Some(menu) = &menu {
                body.push(button.input(menu));
            }
            actions.push(button.live(token, menu.as_deref()));
        }
        if let Some(link) = &self.link {
            actions.push(json!({ "type": "Action.OpenUrl", "title": link.title, "url": link.url }));
        }
        if let Some(notice) = notice {
            let run = json!({ "type": "TextRun", "text": notice, "isSubtle": true });
            body.push(json!({ "type": "RichTextBlock", "separator": true, "inlines": [run] }));
        }
        let mut teams = json!({ "width": "full" });
        if let Some(mention) = &self.mention {
            let mentioned = json!({ "id": mention.id, "name": mention.name });
            teams["entities"] = json!([{ "type": "mention", "text": mention.text(), "mentioned": mentioned }]);
        }
        let mut card = json!({ "type": "AdaptiveCard", "version": "1.5", "body": body, "msteams": teams });
        if !actions.is_empty() {
            card["actions"] = actions.into();
        }
        if let Some(token) = &outgoing.refresh {
            // Without a list of people the client asks by itself where there are at most 60, and
            // offers to ask where there are more.
            let action = json!({ "type": "Action.Execute", "title": "Refresh", "verb": REFRESH,
                "data": { TOKEN: token.expose() } });
            card["refresh"] = json!({ "action": action });
        }
        card
    }

    /// The card as a message.
    pub(crate) fn message(&self, outgoing: &Outgoing) -> Value {
        let attachment = json!({ "contentType": ADAPTIVE, "content": self.live(outgoing, None) });
        let mut message = json!({ "type": "message", "summary": self.summary, "attachments": [attachment] });
        if outgoing.urgency == Urgency::Urgent {
            message["importance"] = "high".into();
        }
        message
    }
}

impl Mention {
    /// What stands in the card's text.
    pub(crate) fn text(&self) -> String {
        format!("<at>{}</at>", self.name)
    }
}

impl Button {
    /// The button: universal, and with a fallback for clients that don't know that.
    fn live(&self, token: &Secret, menu: Option<&str>) -> Value {
        let mut data = json!({ TOKEN: token.expose() });
        if let Some(menu) = menu {
            data[MENU] = menu.into();
        }
        let fallback = json!({ "type": "Action.Submit", "title": self.title, "data": data });
        let mut action = json!({
            "type": "Action.Execute", "title": self.title, "verb": PRESS, "data": data, "fallback": fallback,
        });
        if !self.style.is_empty() {
            action["style"] = self.style.as_str().into();
        }
        action
    }

    /// What is chosen from.
    fn input(&self, menu: &str) -> Value {
        let choice = |option: &MenuOption| json!({ "title": option.title, "value": option.value });
        let choices: Vec<Value> = self.options.iter().map(choice).collect();
        json!({ "type": "Input.ChoiceSet", "id": menu, "style": "compact", "placeholder": self.title, "choices": choices })
    }
}
