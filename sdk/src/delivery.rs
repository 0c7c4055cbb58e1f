//! Posting a message and keeping it up to date.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::{
    async_trait,
    content::Content,
    descriptor::Limits,
    failure::Failure,
    identity::{Account, Address},
    payload::Payload,
    secret::Secret,
    site::Site,
    time::Timestamp,
};

/// How a backend shows messages.
///
/// ```
/// use chatport_sdk::{delivery::Delivery, prelude::*};
/// use serde_json::json;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Delivery for Noticeboard {
///     fn render(&self, request: &RenderRequest<'_>) -> Rendering {
///         let text: String = request.content.title.chars().take(request.limits.text).collect();
///         Rendering { parts: vec![Part { payload: json!({ "text": text }).into(), actions: vec![] }], notes: vec![] }
///     }
///
///     fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
///         let board = address.0["board"].as_str();
///         let board = board.ok_or_else(|| Failure::new(Cause::ChannelNotFound, "the address names no board"))?;
///         Ok(StreamKey { key: board.into(), rate: "default" })
///     }
///
///     async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
///         let board = self.stream(&outgoing.address)?.key;
///         let url = format!("https://board.example.com/api/boards/{board}/notices");
///         let url = Url::parse(&url).map_err(|error| Failure::new(Cause::ContentRejected, error.to_string()))?;
///         let answer = site.http().post(url).json(&outgoing.part.payload).send().await?;
///         match answer.status.as_u16() {
///             201 => Ok(Receipt::new(answer.json::<String>()?)),
///             404 => Err(Failure::new(Cause::ChannelNotFound, "there is no such board")),
///             429 => Err(Failure::new(Cause::RateLimited, "too fast").retry_after(answer.retry_after(site.now()))),
///             status => Err(Failure::new(Cause::NoAnswer, format!("the board answered {status}"))),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Delivery: Send + Sync {
    /// Turn a document into the parts that will be posted. Pure and quick (well under
    /// 50 ms): no network, no clock. Called when a message is accepted (its notes go into
    /// the answer, and its parts may be sent at the first attempt), before each further send, and
    /// for previews. Equal parts aren't sent again.
    ///
    /// A part's payload must not hold action tokens: `post` and `edit` put them in.
    fn render(&self, request: &RenderRequest<'_>) -> Rendering;

    /// What must be paced and ordered together: one conversation. Pure.
    ///
    /// # Errors
    /// An address that this backend can't read.
    fn stream(&self, address: &Address) -> Result<StreamKey, Failure>;

    /// Post one part. Called at least once for each part; may be repeated after a crash or
    /// when no answer came, so pass `outgoing.copy` to a platform that knows idempotency
    /// keys. May use the network; must not sleep or retry.
    ///
    /// # Errors
    /// What happened; the host decides. Whether bytes left the machine is known to the
    /// client of [`Site::http`].
    async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure>;

    /// Changing what was posted.
    fn edit(&self) -> Option<&dyn Edit> {
        None
    }

    /// Taking back what was posted.
    fn delete(&self) -> Option<&dyn Delete> {
        None
    }

    /// Finding out whether a post arrived after all.
    fn find(&self) -> Option<&dyn Find> {
        None
    }

    /// Writing to a person.
    fn direct(&self) -> Option<&dyn Direct> {
        None
    }
}

/// Changing what was posted.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Edit for Noticeboard {
///     async fn edit(&self, site: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
///         let url = format!("https://board.example.com/api/notices/{}", receipt.id);
///         let url = Url::parse(&url).map_err(|error| Failure::new(Cause::ContentRejected, error.to_string()))?;
///         let put = site.http().request("PUT".parse().expect("a method"), url);
///         let answer = put.json(&outgoing.part.payload).repeatable().send().await?;
///         match answer.status.as_u16() {
///             200 => Ok(Edited::Done(receipt.clone())),
///             404 => Ok(Edited::Gone),
///             403 => Ok(Edited::TooOld),
///             status => Err(Failure::new(Cause::Unavailable, format!("the board answered {status}"))),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Edit: Send + Sync {
    /// Make the post of `receipt` show `outgoing`. Repeatable: the same edit twice is the
    /// same post, and "nothing to change" is success.
    ///
    /// # Errors
    /// As for [`Delivery::post`].
    async fn edit(&self, site: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure>;
}

/// How an edit went.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Edited {
    /// It shows the new content.
    Done(Receipt),
    /// The post isn't there any more; the host posts anew.
    Gone,
    /// The platform no longer allows it; the host replies in the thread instead.
    TooOld,
}

/// Taking back what was posted.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Delete for Noticeboard {
///     async fn delete(&self, site: &Site, _: &Address, receipt: &Receipt) -> Result<(), Failure> {
///         let url = format!("https://board.example.com/api/notices/{}", receipt.id);
///         let url = Url::parse(&url).map_err(|error| Failure::new(Cause::ContentRejected, error.to_string()))?;
///         let answer = site.http().request("DELETE".parse().expect("a method"), url).repeatable().send().await?;
///         match answer.status.as_u16() {
///             // Gone already is as good.
///             200 | 204 | 404 => Ok(()),
///             status => Err(Failure::new(Cause::Unavailable, format!("the board answered {status}"))),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Delete: Send + Sync {
    /// Remove the post. A post that is already gone is success.
    ///
    /// # Errors
    /// As for [`Delivery::post`].
    async fn delete(&self, site: &Site, address: &Address, receipt: &Receipt) -> Result<(), Failure>;
}

/// Finding out whether a post arrived.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Find for Noticeboard {
///     async fn find(&self, site: &Site, outgoing: &Outgoing) -> Result<Found, Failure> {
///         // `post` gave the board this key along.
///         let url = format!("https://board.example.com/api/notices?key={}-{}", outgoing.copy, outgoing.number);
///         let url = Url::parse(&url).map_err(|error| Failure::new(Cause::ContentRejected, error.to_string()))?;
///         let answer = site.http().get(url).send().await?;
///         let ids: Vec<String> = answer.json()?;
///         Ok(ids.first().map_or(Found::Absent, |id| Found::Posted(Receipt::new(id.as_str()))))
///     }
/// }
/// ```
#[async_trait]
pub trait Find: Send + Sync {
    /// Look for the post that an earlier attempt of `outgoing` may have made. Called after
    /// an attempt whose outcome isn't known, before it is repeated.
    ///
    /// # Errors
    /// A failure to look; the host asks again.
    async fn find(&self, site: &Site, outgoing: &Outgoing) -> Result<Found, Failure>;
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Found {
    /// It is there.
    Posted(Receipt),
    /// It certainly isn't there: post again.
    Absent,
    /// Posting again with the same `copy` can't make a second one right now.
    SafeToRepeat,
    /// The platform can't tell: the message's policy decides.
    Unknowable,
}

/// Writing to a person.
///
/// ```
/// use chatport_sdk::prelude::*;
/// use serde_json::json;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Direct for Noticeboard {
///     async fn direct(&self, _: &Site, account: &Account) -> Result<Address, Failure> {
///         // Everybody has a board of their own, which needn't be opened.
///         Ok(Address(json!({ "v": 1, "board": format!("~{}", account.id) })))
///     }
/// }
/// ```
#[async_trait]
pub trait Direct: Send + Sync {
    /// The address of the direct conversation with this account; opened where needed.
    /// Repeatable.
    ///
    /// # Errors
    /// As for [`Delivery::post`].
    async fn direct(&self, site: &Site, account: &Account) -> Result<Address, Failure>;
}

/// What is to be rendered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RenderRequest<'a> {
    /// The document.
    pub content: &'a Content,
    /// The limits to stay within.
    pub limits: &'a Limits,
    /// A person who is to be called by name.
    pub mention: Option<&'a Account>,
}

impl<'a> RenderRequest<'a> {
    /// Render `content` within `limits`.
    pub fn new(content: &'a Content, limits: &'a Limits) -> Self {
        Self { content, limits, mention: None }
    }

    /// Call this person by name.
    pub fn mention(mut self, account: Option<&'a Account>) -> Self {
        self.mention = account;
        self
    }
}

/// A document as one platform will show it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rendering {
    /// What is posted, in order; at least one.
    pub parts: Vec<Part>,
    /// What had to be left out or changed.
    #[serde(default)]
    pub notes: Vec<Note>,
}

/// One post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// The backend's own form of it.
    #[schemars(with = "Value")]
    pub payload: Payload,
    /// The ids of the actions in this part: the host makes a token for each.
    #[serde(default)]
    pub actions: Vec<String>,
}

/// Something that a rendering had to leave out or change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// What sort of change.
    pub code: NoteCode,
    /// In words.
    pub detail: String,
}

/// What sort of change a rendering made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoteCode {
    /// Text was cut.
    Trimmed,
    /// Formatting was simplified.
    Simplified,
    /// Actions or choices were left out.
    ActionsDropped,
    /// The picture was left out.
    ImageDropped,
    /// Something that would have called many people was made harmless.
    MentionNeutralised,
}

impl Note {
    /// A note.
    pub fn new(code: NoteCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// The conversation that paces and orders what goes to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamKey {
    /// Unique within an installation.
    pub key: String,
    /// The name of the rate in the descriptor that it counts against.
    pub rate: &'static str,
}

/// How pressing a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Can wait; silent where the platform knows silence.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Somebody is being paged.
    Urgent,
}

/// One part on its way to a platform.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outgoing {
    /// The copy's id: the same for every attempt, so it serves as an idempotency key
    /// together with `number`. At most 36 characters of `[0-9a-f-]`.
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
    /// The token by which a client may ask what this post shows now
    /// ([`HappeningKind::RefreshAsked`](crate::happening::HappeningKind::RefreshAsked)), of the same
    /// form as an action's. Absent where that can't be asked: in threads.
    pub refresh: Option<Secret>,
}

impl Outgoing {
    /// A part for an address; the rest is set on the fields.
    pub fn new(copy: impl Into<String>, revision: i64, address: Address, part: Part) -> Self {
        Self {
            copy: copy.into(),
            revision,
            address,
            part,
            number: 0,
            reply_to: None,
            urgency: Urgency::Normal,
            first_tried: None,
            tokens: Vec::new(),
            refresh: None,
        }
    }

    /// The token of a button, or of a menu as a whole.
    pub fn token(&self, action: &str) -> Option<&Secret> {
        self.find_token(action, None)
    }

    /// The token of one choice, for platforms that show choices as buttons.
    pub fn choice_token(&self, action: &str, choice: &str) -> Option<&Secret> {
        self.find_token(action, Some(choice))
    }

    fn find_token(&self, action: &str, choice: Option<&str>) -> Option<&Secret> {
        let wanted = |token: &&ActionToken| token.action == action && token.choice.as_deref() == choice;
        self.tokens.iter().find(wanted).map(|token| &token.token)
    }
}

/// The opaque text that a button carries: under 64 bytes of `[A-Za-z0-9_-]`.
#[derive(Clone, Debug)]
pub struct ActionToken {
    /// The action's id.
    pub action: String,
    /// The choice's value, for the token of one choice.
    pub choice: Option<String>,
    /// What the button carries and a press brings back.
    pub token: Secret,
}

/// What a platform gave back for one part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// The platform's id of the post.
    pub id: String,
    /// Where people can look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalink: Option<Url>,
    /// What the backend needs to edit, delete or reply to it; not for applications.
    #[serde(default)]
    pub handle: Value,
}

impl Receipt {
    /// A receipt of which only the id is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), permalink: None, handle: Value::Null }
    }
}
