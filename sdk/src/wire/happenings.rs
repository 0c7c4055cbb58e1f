//! What the backend understood.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Revealed, Take,
    bounds::{self, Broken},
    install::{NewToken, take_tokens},
};
use crate::{
    delivery::Receipt,
    descriptor::Descriptor,
    happening,
    identity::{Account, Address, Conversation, Identity},
    time::Timestamp,
};

/// Longest text that somebody typed, in characters.
const MAX_TYPED: usize = 20_000;

/// Something that happened on the platform.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Happening {
    /// The platform's own id of it, unique within the installation.
    pub id: String,
    /// When, by the platform's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What.
    pub what: HappeningKind,
}

/// What happened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum HappeningKind {
    /// Somebody entered a verification code.
    CodeEntered {
        /// The code as typed.
        code: Revealed,
        /// Who, proven by the platform.
        account: Account,
        /// Where.
        place: Place,
    },
    /// Somebody asked to be unlinked.
    UnlinkAsked {
        /// Who, proven by the platform.
        account: Account,
    },
    /// Somebody pressed a button or chose from a menu.
    Pressed {
        /// The token that the button carried.
        token: Revealed,
        /// What was chosen, where the platform tells it apart from the token.
        #[serde(default)]
        choice: Option<String>,
        /// Who, proven by the platform.
        account: Account,
        /// The key of the conversation.
        conversation: String,
        /// The post that carries the button.
        part: Receipt,
    },
    /// A client asks what a post shows now, before it shows the post to somebody.
    RefreshAsked {
        /// The token that the post carried.
        token: Revealed,
        /// The key of the conversation.
        conversation: String,
        /// The post.
        part: Receipt,
    },
    /// Somebody typed a command that isn't one of ours.
    Commanded {
        /// The text after the command's name.
        text: String,
        /// Who.
        account: Account,
        /// Where.
        conversation: Conversation,
    },
    /// Somebody used a command that the application declared.
    CommandUsed {
        /// The command's name, without a sign.
        name: String,
        /// The text after the name.
        text: String,
        /// Who, proven by the platform.
        account: Account,
        /// Where.
        conversation: Conversation,
    },
    /// Setup was completed on the platform's side.
    Installed {
        /// What the installation turned out to be.
        identity: Identity,
        /// Tokens to store.
        #[serde(default)]
        tokens: Vec<NewToken>,
        /// Who did it, if the platform proved it.
        #[serde(default)]
        by: Option<Account>,
    },
    /// The installation was removed on the platform's side.
    Uninstalled {
        /// Who did it, if the platform proved it.
        #[serde(default)]
        by: Option<Account>,
    },
    /// Tokens that a renewal asked for.
    TokensArrived {
        /// Tokens to store.
        tokens: Vec<NewToken>,
    },
    /// The bot was taken out of a conversation, or the conversation is gone.
    ConversationLost {
        /// Its key.
        conversation: String,
    },
    /// A conversation has moved.
    ConversationMoved {
        /// Its old key.
        from: String,
        /// What it is now.
        to: Conversation,
    },
    /// A linked account has another name, or its direct address is known now.
    AccountChanged {
        /// What it is now.
        account: Account,
    },
    /// Somebody said something to the bot in a thread that may or may not have begun with one of
    /// our posts. The outcome is `not_ours` if it hasn't.
    SaidInThread {
        /// The post that began the thread.
        root: Receipt,
        /// The text as typed.
        text: String,
        /// Who.
        account: Account,
        /// Where.
        conversation: Conversation,
    },
    /// Somebody wrote a reply to a message.
    Replied {
        /// The post that was replied to.
        part: Receipt,
        /// The key of the conversation.
        conversation: String,
        /// Who.
        account: Account,
        /// The text as typed.
        text: String,
    },
}

/// Where a code was entered; decides what it may link.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Place {
    /// Where only the person and the bot can read it.
    Direct {
        /// Where a direct message to the person goes, if that is known.
        #[serde(default)]
        address: Option<Address>,
    },
    /// As a command in a conversation: its text isn't shown to others.
    Command {
        /// The conversation in which it was typed, if the platform proved it.
        #[serde(default)]
        conversation: Option<Conversation>,
    },
    /// As a post that others can read.
    Posted {
        /// The conversation in which it was posted.
        conversation: Conversation,
    },
}

impl Take for Account {
    type Taken = Self;

    fn take(self, backend: &Descriptor) -> Result<Self, Broken> {
        bounds::name("account.id", &self.id, 256)?;
        bounds::text("account.username", &self.username, 256)?;
        bounds::text("account.display_name", &self.display_name, 256)?;
        let direct = self.direct.map(|address| address.take(backend)).transpose()?;
        Ok(Self { direct, ..self })
    }
}

impl Take for Conversation {
    type Taken = Self;

    fn take(self, backend: &Descriptor) -> Result<Self, Broken> {
        let address = self.address.take(backend)?;
        if address.0.get("key").and_then(serde_json::Value::as_str) != Some(self.id.as_str()) {
            return Err(Broken::new("a conversation's id must be the key in its address"));
        }
        for (what, text) in [("name", &self.name), ("display_name", &self.display_name), ("team", &self.team)] {
            bounds::text(what, text, 256)?;
        }
        Ok(Self { address, ..self })
    }
}

impl Take for Happening {
    type Taken = happening::Happening;

    fn take(self, backend: &Descriptor) -> Result<happening::Happening, Broken> {
        bounds::name("id", &self.id, 256)?;
        let mut happening = happening::Happening::new(self.id, self.what.take(backend)?);
        happening.at = self.at;
        Ok(happening)
    }
}

impl Take for HappeningKind {
    type Taken = happening::HappeningKind;

    fn take(self, backend: &Descriptor) -> Result<happening::HappeningKind, Broken> {
        use happening::HappeningKind as Kind;
        let by = |by: Option<Account>| by.map(|account| account.take(backend)).transpose();
        let key = |key: String| bounds::name("conversation", &key, 256).map(|()| key);
        let typed = |text: String| bounds::text("text", &text, MAX_TYPED).map(|()| text);
        Ok(match self {
            Self::CodeEntered { code, account, place } => Kind::CodeEntered {
                code: short_secret(code)?,
                account: account.take(backend)?,
                place: place.take(backend)?,
            },
            Self::UnlinkAsked { account } => Kind::UnlinkAsked { account: account.take(backend)? },
            Self::Pressed { token, choice, account, conversation, part } => {
                bounds::text("choice", choice.as_deref().unwrap_or_default(), crate::content::MAX_LABEL)?;
                let (account, conversation) = (account.take(backend)?, key(conversation)?);
                Kind::Pressed { token: short_secret(token)?, choice, account, conversation, part: part.take(backend)? }
            }
            Self::RefreshAsked { token, conversation, part } => Kind::RefreshAsked {
                token: short_secret(token)?,
                conversation: key(conversation)?,
                part: part.take(backend)?,
            },
            Self::Commanded { text, account, conversation } => Kind::Commanded {
                text: typed(text)?,
                account: account.take(backend)?,
                conversation: conversation.take(backend)?,
            },
            Self::CommandUsed { name, text, account, conversation } => Kind::CommandUsed {
                name: bounds::name("name", &name, crate::commands::MAX_NAME).map(|()| name)?,
                text: typed(text)?,
                account: account.take(backend)?,
                conversation: conversation.take(backend)?,
            },
            Self::Installed { identity, tokens, by: who } => Kind::Installed {
                identity: identity.take(backend)?,
                tokens: take_tokens(tokens, backend)?,
                by: by(who)?,
            },
            Self::Uninstalled { by: who } => Kind::Uninstalled { by: by(who)? },
            Self::TokensArrived { tokens } => Kind::TokensArrived { tokens: take_tokens(tokens, backend)? },
            Self::ConversationLost { conversation } => Kind::ConversationLost { conversation: key(conversation)? },
            Self::ConversationMoved { from, to } => Kind::ConversationMoved { from: key(from)?, to: to.take(backend)? },
            Self::AccountChanged { account } => Kind::AccountChanged { account: account.take(backend)? },
            Self::SaidInThread { root, text, account, conversation } => Kind::SaidInThread {
                root: root.take(backend)?,
                text: typed(text)?,
                account: account.take(backend)?,
                conversation: conversation.take(backend)?,
            },
            Self::Replied { part, conversation, account, text } => Kind::Replied {
                part: part.take(backend)?,
                conversation: key(conversation)?,
                account: account.take(backend)?,
                text: typed(text)?,
            },
        })
    }
}

fn short_secret(secret: Revealed) -> Result<crate::secret::Secret, Broken> {
    bounds::text("a code or token", secret.0.expose(), 256)?;
    Ok(secret.0)
}

impl Take for Place {
    type Taken = happening::Place;

    fn take(self, backend: &Descriptor) -> Result<happening::Place, Broken> {
        let known = |found: Option<Conversation>| found.map(|conversation| conversation.take(backend)).transpose();
        Ok(match self {
            Self::Direct { address } => {
                happening::Place::Direct { address: address.map(|address| address.take(backend)).transpose()? }
            }
            Self::Command { conversation } => happening::Place::Command { conversation: known(conversation)? },
            Self::Posted { conversation } => happening::Place::Posted { conversation: conversation.take(backend)? },
        })
    }
}

impl From<&happening::Happening> for Happening {
    fn from(happening: &happening::Happening) -> Self {
        Self { id: happening.id.clone(), at: happening.at, what: (&happening.kind).into() }
    }
}

impl From<&happening::HappeningKind> for HappeningKind {
    fn from(kind: &happening::HappeningKind) -> Self {
        use happening::HappeningKind as Kind;
        let tokens = |tokens: &[crate::token::NewToken]| tokens.iter().map(NewToken::from).collect();
        match kind.clone() {
            Kind::CodeEntered { code, account, place } => {
                Self::CodeEntered { code: Revealed(code), account, place: place.into() }
            }
            Kind::UnlinkAsked { account } => Self::UnlinkAsked { account },
            Kind::Pressed { token, choice, account, conversation, part } => {
                Self::Pressed { token: Revealed(token), choice, account, conversation, part }
            }
            Kind::RefreshAsked { token, conversation, part } => {
                Self::RefreshAsked { token: Revealed(token), conversation, part }
            }
            Kind::Commanded { text, account, conversation } => Self::Commanded { text, account, conversation },
            Kind::CommandUsed { name, text, account, conversation } => {
                Self::CommandUsed { name, text, account, conversation }
            }
            Kind::Installed { identity, tokens: new, by } => Self::Installed { identity, tokens: tokens(&new), by },
            Kind::Uninstalled { by } => Self::Uninstalled { by },
            Kind::TokensArrived { tokens: new } => Self::TokensArrived { tokens: tokens(&new) },
            Kind::ConversationLost { conversation } => Self::ConversationLost { conversation },
            Kind::ConversationMoved { from, to } => Self::ConversationMoved { from, to },
            Kind::AccountChanged { account } => Self::AccountChanged { account },
            Kind::SaidInThread { root, text, account, conversation } => {
                Self::SaidInThread { root, text, account, conversation }
            }
            Kind::Replied { part, conversation, account, text } => Self::Replied { part, conversation, account, text },
        }
    }
}

impl From<happening::Place> for Place {
    fn from(place: happening::Place) -> Self {
        match place {
            happening::Place::Direct { address } => Self::Direct { address },
            happening::Place::Command { conversation } => Self::Command { conversation },
            happening::Place::Posted { conversation } => Self::Posted { conversation },
        }
    }
}
