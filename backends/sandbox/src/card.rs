//! What a post in a world shows. It is the payload of a rendered part, what readers of the
//! world get to see, and what is kept in the world's file; it never holds action tokens.

use chatport_sdk::content::{Choice, Fact, Image, Link, State, Style};
use serde::{Deserialize, Serialize};

/// What a post shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Card {
    /// The person who is called by name, with the sign `@`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) mention: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<State>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) facts: Vec<Fact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<Image>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) buttons: Vec<Button>,
}

impl Card {
    /// A card with nothing but a text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// A button, or a menu if it has choices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Button {
    /// The action's id: what readers press by.
    pub(crate) id: String,
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) style: Style,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) choices: Vec<Choice>,
}
