//! The message document: what an application wants to say, in no platform's terms.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// Most actions in a message.
pub const MAX_ACTIONS: usize = 20;
/// Most choices of an action.
pub const MAX_CHOICES: usize = 50;
/// Most facts in a message.
pub const MAX_FACTS: usize = 50;
/// Longest title, in characters.
pub const MAX_TITLE: usize = 1_000;
/// Longest text, in characters. Each platform trims to its own limit.
pub const MAX_TEXT: usize = 50_000;
/// Longest id of an action, value of a choice or name of a fact, in characters.
pub const MAX_LABEL: usize = 256;

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// How the matter stands; gives colour and sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// One line; plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// CommonMark; converted and trimmed for each platform.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Named values, shown as a table or list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// A picture, by its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Where to read on. It survives every trimming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// What a reader can press.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// How the matter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Needs somebody now.
    Firing,
    /// Somebody has taken it.
    Acknowledged,
    /// Quiet for a while.
    Silenced,
    /// Over.
    Resolved,
    /// For information.
    Info,
}

impl State {
    /// The colour as `#rrggbb`.
    pub fn colour(self) -> &'static str {
        match self {
            Self::Firing => "#a30200",
            Self::Acknowledged => "#daa038",
            Self::Silenced => "#9b9b9b",
            Self::Resolved => "#2eb886",
            Self::Info => "#2f6fd0",
        }
    }

    /// A sign for platforms without colours.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Firing => "🔴",
            Self::Acknowledged => "🟡",
            Self::Silenced => "⚪",
            Self::Resolved => "🟢",
            Self::Info => "🔵",
        }
    }
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// CommonMark, one line.
    pub value: String,
    /// Whether two of these fit side by side.
    #[serde(default)]
    pub short: bool,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// An http or https address that the platform can reach.
    pub url: Url,
    /// What it shows, for those who can't see it.
    #[serde(default)]
    pub alt: String,
}

/// Where to read on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// An http or https address.
    pub url: Url,
    /// The words that are clickable; the title where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// Something that a reader can press.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The application's name for it; comes back in `action.invoked`.
    pub id: String,
    /// The words on the button.
    pub label: String,
    /// How it looks.
    #[serde(default)]
    pub style: Style,
    /// With choices it is a menu, without a button.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Who may press.
    #[serde(default)]
    pub allow: Allow,
}

/// How an action looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Style {
    /// Plain.
    #[default]
    Default,
    /// What most readers will want.
    Primary,
    /// Ends well.
    Success,
    /// Hard to take back.
    Danger,
}

/// One entry of a menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What comes back.
    pub value: String,
    /// What is read.
    pub label: String,
}

/// Who may press an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Allow {
    /// Whoever is linked to a user of the application.
    #[default]
    Linked,
    /// Everybody who can see it; the event then may have no user.
    Anyone,
    /// These users of the application.
    Users(Vec<String>),
}

/// Why a document isn't acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct ContentError {
    /// JSON pointer into the document.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Content {
    /// Check the limits that hold for every platform.
    ///
    /// # Errors
    /// The first violation, with a JSON pointer to it.
    pub fn check(&self) -> Result<(), ContentError> {
        let refuse = |pointer: String, detail: String| Err(ContentError { pointer, detail });
        if self.title.is_empty() && self.text.is_empty() {
            return refuse("/title".into(), "a message needs a title or a text".into());
        }
        let lengths = [("/title", &self.title, MAX_TITLE), ("/text", &self.text, MAX_TEXT)];
        for (pointer, value, limit) in lengths {
            if value.chars().count() > limit {
                return refuse(pointer.into(), format!("longer than {limit} characters"));
            }
        }
        if self.facts.len() > MAX_FACTS {
            return refuse("/facts".into(), format!("more than {MAX_FACTS} facts"));
        }
        for (index, fact) in self.facts.iter().enumerate() {
            if fact.name.is_empty() || fact.name.chars().count() > MAX_LABEL {
                return refuse(format!("/facts/{index}/name"), format!("must have 1 to {MAX_LABEL} characters"));
            }
        }
        let links =
            [("/link/url", self.link.as_ref().map(|l| &l.url)), ("/image/url", self.image.as_ref().map(|i| &i.url))];
        for (pointer, url) in links {
            if url.is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
                return refuse(pointer.into(), "must be an http or https address".into());
            }
        }
        self.check_actions()
    }

    fn check_actions(&self) -> Result<(), ContentError> {
        let refuse = |pointer: String, detail: String| Err(ContentError { pointer, detail });
        if self.actions.len() > MAX_ACTIONS {
            return refuse("/actions".into(), format!("more than {MAX_ACTIONS} actions"));
        }
        for (index, action) in self.actions.iter().enumerate() {
            let at = format!("/actions/{index}");
            for (name, value) in [("id", &action.id), ("label", &action.label)] {
                if value.trim().is_empty() || value.chars().count() > MAX_LABEL {
                    return refuse(format!("{at}/{name}"), format!("must have 1 to {MAX_LABEL} characters"));
                }
            }
            if self.actions[..index].iter().any(|other| other.id == action.id) {
                return refuse(format!("{at}/id"), format!("`{}` is used twice", action.id));
            }
            if action.choices.len() > MAX_CHOICES {
                return refuse(format!("{at}/choices"), format!("more than {MAX_CHOICES} choices"));
            }
            for (number, choice) in action.choices.iter().enumerate() {
                let at = format!("{at}/choices/{number}");
                if choice.value.is_empty() || choice.value.chars().count() > MAX_LABEL || choice.label.trim().is_empty()
                {
                    return refuse(at, format!("value and label must have 1 to {MAX_LABEL} characters"));
                }
                if action.choices[..number].iter().any(|other| other.value == choice.value) {
                    return refuse(at, format!("the value `{}` is used twice", choice.value));
                }
            }
        }
        Ok(())
    }

    /// The action with this id.
    pub fn action(&self, id: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.id == id)
    }
}
