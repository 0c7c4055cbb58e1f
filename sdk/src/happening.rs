//! What a backend understood from the platform, as data, and what came of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    delivery::{Outgoing, Receipt},
    identity::{Account, Address, Conversation, Identity},
    secret::Secret,
    time::Timestamp,
    token::NewToken,
    verification::Purpose,
};

/// Something that happened on the platform.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Happening {
    /// The platform's own id of it, unique within the installation: the same id twice is
    /// the same happening, and a different content under it is refused.
    pub id: String,
    /// When, by the platform's clock.
    pub at: Option<Timestamp>,
    /// What.
    pub kind: HappeningKind,
}

impl Happening {
    /// A happening.
    pub fn new(id: impl Into<String>, kind: HappeningKind) -> Self {
        Self { id: id.into(), at: None, kind }
    }
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HappeningKind {
    /// Somebody entered a verification code.
    CodeEntered {
        /// The code as typed.
        code: Secret,
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
        token: Secret,
        /// What was chosen, where the platform tells it apart from the token.
        choice: Option<String>,
        /// Who, proven by the platform.
        account: Account,
        /// The key of the conversation (as in [`Conversation::id`]).
        conversation: String,
        /// The post that carries the button.
        part: Receipt,
    },
    /// A client is about to show a post to somebody and asks what it shows now. That is
    /// answered from what is stored: nothing is recorded, and the application isn't told. Every
    /// reader gets the same, so nobody needs to be proven; that it comes from the platform does.
    /// What comes of it is [`Outcome::Refreshed`] or [`Outcome::NotOurs`].
    RefreshAsked {
        /// The token that the post carried ([`Outgoing::refresh`]).
        token: Secret,
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
    /// Somebody used a command that the application declared
    /// ([`Commands`](crate::commands::Commands)). What comes of it is
    /// [`Outcome::Pressed`], [`Outcome::NotLinked`], or [`Outcome::NotOurs`] for a command that
    /// isn't declared any more.
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
        tokens: Vec<NewToken>,
        /// Who did it, if the platform proved it.
        by: Option<Account>,
    },
    /// The installation was removed on the platform's side.
    Uninstalled {
        /// Who did it, if the platform proved it.
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
    /// Somebody said something to the bot in a thread, and the backend can't tell whether one of
    /// our posts began it: then it is as [`Self::Replied`], and [`Outcome::Recorded`]; else as
    /// [`Self::Commanded`], and [`Outcome::NotOurs`]. The application hears of it either way.
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
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Place {
    /// Where only the person and the bot can read it.
    Direct {
        /// Where a direct message to the person goes, if that is known.
        address: Option<Address>,
    },
    /// As a command in a conversation: its text isn't shown to others.
    Command {
        /// The conversation in which it was typed, if the platform proved it.
        conversation: Option<Conversation>,
    },
    /// As a post that others can read.
    Posted {
        /// The conversation in which it was posted.
        conversation: Conversation,
    },
}

/// What came of a happening.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is on disk; there is nothing else to say.
    Recorded,
    /// A code was redeemed.
    Linked {
        /// What was linked.
        purpose: Purpose,
        /// The application's id of the user, or the channel's name on the platform.
        name: String,
    },
    /// A code was not redeemed.
    CodeRefused(CodeRefusal),
    /// The account isn't linked any more.
    Unlinked {
        /// Whether it had been.
        was_linked: bool,
    },
    /// A press or the use of a declared command was recorded; here is what to show.
    Pressed(PressAnswer),
    /// The person isn't linked to a user and the action or command isn't open to anyone.
    NotLinked,
    /// What a post shows now: the newest revision, which may not have been sent yet.
    Refreshed(Box<Outgoing>),
    /// The button, post or command isn't (or is no longer) one of ours.
    NotOurs,
    /// The installation is active.
    Installed,
    /// It could not be installed: the window isn't open.
    InstallRefused,
    /// It could not be installed: another bot is installed here, and links and channels belong
    /// to that one.
    InstalledByAnother {
        /// The display name of the bot that is installed.
        present: String,
    },
    /// It had been received before.
    Duplicate {
        /// Whether the content was the same too. If not, it is refused.
        same_content: bool,
        /// What came of it the first time; absent while that is still under way.
        first: Option<Box<Outcome>>,
    },
    /// It could not be stored: say "not recorded, try again".
    Unavailable,
}

/// Why a code was not redeemed. Unknown, expired, used and foreign codes look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CodeRefusal {
    /// Unknown, expired or used.
    NotValid,
    /// Too many attempts; wait.
    TooManyAttempts,
    /// A user's code where others can read it: it has been revoked.
    SeenByOthers,
    /// A channel's code where there is no channel.
    NeedsChannel,
    /// The account or user is linked already: unlink first.
    AlreadyLinked,
}

/// What to show to somebody who pressed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PressAnswer {
    /// For the presser alone.
    pub notice: Option<String>,
    /// Whether the application refused the press.
    pub refused: bool,
    /// What the post shows from now on, if the application answered in time.
    pub shown: Option<Box<Outgoing>>,
}

impl PressAnswer {
    /// An answer for the presser alone.
    pub fn notice(notice: Option<String>) -> Self {
        Self { notice, ..Self::default() }
    }
}
