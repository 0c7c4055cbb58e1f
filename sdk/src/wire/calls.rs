//! What is asked: the methods, the installation as it is told, and what is delivered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    Method, Revealed, Take,
    bounds::{self, Broken},
    for_people,
    happenings::Happening,
    ingress::{Heard, Received, Request, Response},
    install::{Presentation, Progress, Renewal},
    outcomes::Outcome,
    parts::{Declaring, Page, Resolved, Resolving, Searching, Synced},
};
use crate::{
    content::Content,
    delivery::{self, Part, Receipt, Rendering, Urgency},
    descriptor::{Descriptor, Limits},
    identity::{Account, Address, Identity},
    install::Health,
    site,
    time::Timestamp,
    token,
    verification::Purpose,
};

/// Most parts of a rendering.
const MAX_PARTS: usize = 50;
/// Longest payload of a part and longest handle of a receipt, in bytes as JSON.
const MAX_PAYLOAD: usize = 256 * 1024;
const MAX_HANDLE: usize = 16 * 1024;

/// The table of methods: each with its arguments and its result.
macro_rules! methods {
    ($($(#[doc = $doc:literal])* $name:ident $path:literal: $arguments:ty => $result:ty;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}

            impl Method for $name {
                const NAME: &'static str = $path;
                type Arguments = $arguments;
                type Result = $result;
            }
        )*

        /// Hand every method, with its description, to `visit`.
        pub(super) fn each_method(visit: &mut impl super::schema::Visit) {
            $(visit.method::<$name>(concat!($($doc),*));)*
        }
    };
}

methods! {
    /// What is constant about the backend. Without a site.
    Describe "descriptor": Nothing => super::Descriptor;
    /// Say what is wrong with settings that their schema can't judge. Quick, no network.
    Check "install/check": Nothing => ();
    /// Start setup.
    Begin "install/begin": Nothing => Progress;
    /// Take what a person filled in; at any stage.
    Submit "install/submit": Submitted => Progress;
    /// Ask for new secrets for the same bot.
    Reauthorize "install/reauthorize": Nothing => Progress;
    /// Find out how the installation is.
    Probe "install/probe": Nothing => Health;
    /// Take back on the platform what setup put there.
    Remove "install/remove": Nothing => ();
    /// Get a new token.
    Renew "install/renew": Renewing => Renewal;
    /// What to show to the person who is to enter a code. Quick, no network.
    Present "verification/present": Presenting => Presentation;
    /// Turn a document into the parts that will be posted. Quick, no network. Without a site.
    Render "delivery/render": Rendered => Rendering;
    /// Post one part, at least once: never repeat it yourself.
    Post "delivery/post": Posting => Receipt;
    /// Make a post show something else. Repeatable.
    Edit "delivery/edit": Editing => Edited;
    /// Take a post away. Repeatable; one that is gone already is success.
    Delete "delivery/delete": Deleting => ();
    /// Find out whether an earlier `delivery/post` of this part arrived.
    Find "delivery/find": Posting => Found;
    /// The address of the direct conversation with an account. Repeatable.
    Direct "delivery/direct": Directing => Address;
    /// Understand a platform's request. Verify before you parse.
    Receive "ingress/receive": Receiving => Received;
    /// Say to the platform what came of the happenings.
    Answering "ingress/answer": Answered => Response;
    /// What has happened behind the cursor; may wait for something to happen.
    Listen "listen/wait": Listening => Heard;
    /// Say to the platform what came of what was heard.
    AnswerHeard "listen/answer": Answered => ();
    /// One page of the people or channels that fit.
    Search "directory/search": Searching => Page;
    /// What has exactly this address or name.
    Resolve "directory/resolve": Resolving => Resolved;
    /// Say what is wrong with commands that can't be offered. Quick, no network.
    CheckCommands "commands/check": Declaring => ();
    /// Make the platform offer exactly these commands. Repeatable.
    SyncCommands "commands/sync": Declaring => Synced;
}

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Nothing {}

/// What a person filled in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Submitted {
    /// The values by the fields' names.
    pub fields: std::collections::BTreeMap<String, Revealed>,
}

/// Where to go on listening.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Listening {
    /// The cursor of the answer before; null: nothing was heard yet.
    pub cursor: Option<String>,
}

/// Which token is to be renewed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Renewing {
    /// Its kind.
    pub kind: String,
}

/// A code to be shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Presenting {
    /// What it links.
    pub purpose: Purpose,
    /// The code.
    pub code: Revealed,
}

/// A document to be rendered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Rendered {
    /// The document.
    pub content: Content,
    /// The limits to stay within.
    pub limits: Limits,
    /// A person who is to be called by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mention: Option<Account>,
}

/// A part on its way.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Posting {
    /// The part.
    pub outgoing: Outgoing,
}

/// A post that is to show something else.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Editing {
    /// What it is to show.
    pub outgoing: Outgoing,
    /// The post.
    pub receipt: Receipt,
}

/// A post that is to go.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Deleting {
    /// Where it is.
    pub address: Address,
    /// The post.
    pub receipt: Receipt,
}

/// Whom to write to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Directing {
    /// The account.
    pub account: Account,
}

/// What the platform sent.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Receiving {
    /// The request.
    pub request: Request,
}

/// What came of what happened.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answered {
    /// What `ingress/receive` gave back.
    pub happenings: Vec<Happening>,
    /// What came of each.
    pub outcomes: Vec<Outcome>,
}

/// One installation, as its backend sees it during one call.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Site {
    /// The random name of the installation that stands in its ingress path.
    pub slot: String,
    /// The settings.
    pub settings: Value,
    /// Who the installation turned out to be; null until setup is complete.
    pub identity: Option<Identity>,
    /// Where setup stands.
    pub stage: String,
    /// What the backend noted during setup.
    pub notes: Value,
    /// Until when a happening may complete the installation; null if it may not.
    pub window: Option<Timestamp>,
    /// Where the platform reaches this installation, without a slash at the end; null without
    /// a public address.
    pub ingress_url: Option<Url>,
    /// The operator's name for the app.
    pub app_name: String,
    /// Whether this stands for an installation that doesn't exist: its tokens are random.
    /// Answer as if it existed, and use no network.
    pub decoy: bool,
    /// The usable tokens, newest first within a kind. None for methods that use no network.
    pub tokens: Vec<Token>,
}

/// A usable token.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Token {
    /// Its kind.
    pub kind: String,
    /// The value.
    pub value: Revealed,
    /// Tells several of one kind apart.
    pub label: Option<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it runs out.
    pub expires_at: Option<Timestamp>,
}

impl Site {
    /// What a call tells of `site`, with the tokens of these kinds.
    pub fn of(site: &site::Site, kinds: &[token::TokenKind]) -> Self {
        let of_kind = |kind: &token::TokenKind| {
            let name = kind.name;
            site.tokens(name).into_iter().map(move |token| Token {
                kind: name.to_owned(),
                value: Revealed(token.value),
                label: token.label,
                created_at: token.created_at,
                expires_at: token.expires_at,
            })
        };
        Self {
            slot: site.slot().to_owned(),
            settings: site.settings().unwrap_or_default(),
            identity: site.identity().cloned(),
            stage: site.stage().to_owned(),
            notes: site.notes().clone(),
            window: site.window(),
            ingress_url: site.ingress_url().cloned(),
            app_name: site.app_name().to_owned(),
            decoy: site.is_decoy(),
            tokens: kinds.iter().flat_map(of_kind).collect(),
        }
    }
}

/// One part on its way to the platform.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Outgoing {
    /// The copy's id, the same for every attempt: with `number` an idempotency key.
    pub copy: String,
    /// The revision of the message.
    pub revision: i64,
    /// Where to.
    pub address: Address,
    /// The rendered part.
    pub part: Part,
    /// Which part, from 0.
    pub number: u16,
    /// The post to which this is a reply.
    pub reply_to: Option<Receipt>,
    /// How pressing it is.
    pub urgency: Urgency,
    /// When this part was first tried, if it was.
    pub first_tried: Option<Timestamp>,
    /// The tokens of the part's actions.
    pub tokens: Vec<ActionToken>,
    /// The token by which a client may ask what this post shows now; null where that can't be
    /// asked.
    pub refresh: Option<Revealed>,
}

/// The opaque text that a button carries.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ActionToken {
    /// The action's id.
    pub action: String,
    /// The choice's value, for the token of one choice.
    pub choice: Option<String>,
    /// What the button carries and a press brings back.
    pub token: Revealed,
}

impl From<&delivery::Outgoing> for Outgoing {
    fn from(outgoing: &delivery::Outgoing) -> Self {
        let token = |token: &delivery::ActionToken| ActionToken {
            action: token.action.clone(),
            choice: token.choice.clone(),
            token: Revealed(token.token.clone()),
        };
        Self {
            copy: outgoing.copy.clone(),
            revision: outgoing.revision,
            address: outgoing.address.clone(),
            part: outgoing.part.clone(),
            number: outgoing.number,
            reply_to: outgoing.reply_to.clone(),
            urgency: outgoing.urgency,
            first_tried: outgoing.first_tried,
            tokens: outgoing.tokens.iter().map(token).collect(),
            refresh: outgoing.refresh.clone().map(Revealed),
        }
    }
}

/// How an edit went.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Edited {
    /// It shows the new content.
    Done(Receipt),
    /// The post isn't there any more; the host posts anew.
    Gone,
    /// The platform no longer allows it; the host replies instead.
    TooOld,
}

/// What was found.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It is there.
    Posted(Receipt),
    /// It certainly isn't there.
    Absent,
    /// Posting again with the same `copy` can't make a second one right now.
    SafeToRepeat,
    /// The platform can't tell.
    Unknowable,
}

impl Take for super::Descriptor {
    type Taken = Self;

    fn take(self, _: &Descriptor) -> Result<Self, Broken> {
        Ok(self)
    }
}

impl Take for Rendering {
    type Taken = Self;

    fn take(self, _: &Descriptor) -> Result<Self, Broken> {
        if self.parts.is_empty() {
            return Err(Broken::new("parts: there must be one"));
        }
        bounds::count("parts", &self.parts, MAX_PARTS)?;
        bounds::count("notes", &self.notes, MAX_PARTS)?;
        for part in &self.parts {
            bounds::bytes("payload", part.payload.text(), MAX_PAYLOAD)?;
            bounds::count("actions", &part.actions, crate::content::MAX_ACTIONS)?;
        }
        self.notes.iter().try_for_each(|note| bounds::text("note", &note.detail, 500))?;
        Ok(self)
    }
}

impl Take for Receipt {
    type Taken = Self;

    fn take(self, _: &Descriptor) -> Result<Self, Broken> {
        bounds::name("id", &self.id, 256)?;
        bounds::json("handle", &self.handle, MAX_HANDLE)?;
        self.permalink.iter().try_for_each(|url| for_people("permalink", url))?;
        Ok(self)
    }
}

impl Take for Address {
    type Taken = Self;

    fn take(self, backend: &Descriptor) -> Result<Self, Broken> {
        super::stream_of(&self, backend).map_err(|failure| Broken::new(failure.detail))?;
        Ok(self)
    }
}

impl Take for Edited {
    type Taken = delivery::Edited;

    fn take(self, backend: &Descriptor) -> Result<delivery::Edited, Broken> {
        Ok(match self {
            Self::Done(receipt) => delivery::Edited::Done(receipt.take(backend)?),
            Self::Gone => delivery::Edited::Gone,
            Self::TooOld => delivery::Edited::TooOld,
        })
    }
}

impl Take for Found {
    type Taken = delivery::Found;

    fn take(self, backend: &Descriptor) -> Result<delivery::Found, Broken> {
        Ok(match self {
            Self::Posted(receipt) => delivery::Found::Posted(receipt.take(backend)?),
            Self::Absent => delivery::Found::Absent,
            Self::SafeToRepeat => delivery::Found::SafeToRepeat,
            Self::Unknowable => delivery::Found::Unknowable,
        })
    }
}
