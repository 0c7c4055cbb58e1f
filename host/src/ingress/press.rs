//! Presses: is it one of our buttons, on our post, and may this person press it? Then the
//! press is an event on disk (`recorder`), and only then the application is asked
//! what to show.

use std::time::Duration;

use chatport_sdk::{
    content::{Action, Allow, Content},
    delivery::{ActionToken, Outgoing, Part, Receipt, RenderRequest},
    happening::{Happening, HappeningKind, Outcome, PressAnswer},
    identity::{Account, Address},
    secret::Secret,
    time::Timestamp,
};
use serde_json::Value;
use uuid::Uuid;

use super::{fingerprint, told::ActionInvoked};
use crate::{
    app::App,
    delivery::{
        self,
        message::{PutMessage, ShownPart},
    },
    events::{self, ActionReply, EventKind, NewEvent},
    ids::{ChannelId, CopyId, InstallationId, OrganizationId},
    security::action_tokens::{self, Button},
    setup::{
        contain::contained_pure,
        links::{self, LinkedAccount},
        sites::Loaded,
    },
};

/// The longest that an application may take to answer a press.
const LONGEST: Duration = Duration::from_secs(2);
/// What is left of the platform's limit for our own work.
const RESERVE: Duration = Duration::from_millis(500);

/// What a person reads when the application didn't answer in time.
pub(super) const RECORDED: &str = "Recorded.";

/// A press on its way to the disk: as the backend understood it, its token verified.
#[derive(Clone, Debug)]
pub(super) struct Press {
    pub loaded: Loaded,
    /// The platform's id of it.
    pub id: String,
    pub fingerprint: [u8; 32],
    /// What the token stands for; `None`: it is not one of ours.
    pub button: Option<Button>,
    pub choice: Option<String>,
    pub account: Account,
    pub conversation: String,
    pub part: Receipt,
    /// When it came.
    pub at: Timestamp,
}

/// What is stored about a press.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The first happening of this id.
    pub first: Option<First>,
    /// The copy that the token names, with its message, if it is this installation's and still
    /// wanted.
    pub copy: Option<KnownCopy>,
    /// The presser's link.
    pub link: Option<KnownLink>,
    /// The connected channel in which it was pressed.
    pub channel: Option<Uuid>,
}

/// A happening that is there already.
#[derive(Debug)]
pub(super) struct First {
    pub fingerprint: Vec<u8>,
    pub outcome: Option<Value>,
}

/// A copy, and the newest revision of its message.
#[derive(Debug)]
pub(super) struct KnownCopy {
    pub id: Uuid,
    pub root: Option<Uuid>,
    pub address: Option<String>,
    pub parts: String,
    pub sending: Option<i64>,
    pub shown: Option<i64>,
    pub key: String,
    pub revision: i64,
    pub body: String,
}

/// A link, as far as a press is concerned.
#[derive(Debug)]
pub(super) struct KnownLink {
    pub user: String,
    pub username: String,
    pub display_name: String,
    pub direct: Option<Value>,
}

/// What becomes of a press.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is to be stored, then the application is to be asked.
    Ask(Box<Pressed>),
    /// There is nothing to ask.
    Answer(Outcome),
    /// It can't be judged at this moment: nothing of it may be kept.
    TryAgain,
}

/// A verdict, and what was learned of the presser.
#[derive(Debug)]
pub(super) struct Judged {
    pub verdict: Verdict,
    /// Whether the link doesn't have the presser's present names yet.
    pub is_renamed: bool,
}

impl From<Verdict> for Judged {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, is_renamed: false }
    }
}

/// A press of one of our buttons by somebody who may.
#[derive(Debug)]
pub(super) struct Pressed {
    pub event: NewEvent,
    pub copy: Uuid,
    /// The parts of the copy as they were and with the pressed one, where the press is the
    /// first to tell of it.
    pub learned: Option<(String, String)>,
    is_reply: bool,
    key: String,
    put: PutMessage,
    address: Address,
    number: usize,
}

impl Press {
    /// A happening as a press, if it is one.
    pub(super) fn of(app: &App, loaded: &Loaded, happening: &Happening) -> Option<Self> {
        let HappeningKind::Pressed { token, choice, account, conversation, part } = &happening.kind else {
            return None;
        };
        let (organization, installation) = (loaded.organization.as_str(), loaded.id.0);
        Some(Self {
            loaded: loaded.clone(),
            id: happening.id.clone(),
            fingerprint: fingerprint::of(installation, happening),
            button: action_tokens::verify(&app.keyring, organization, installation, token.expose()),
            choice: choice.clone(),
            account: account.clone(),
            conversation: conversation.clone(),
            part: part.clone(),
            at: app.clock.now(),
        })
    }
}

/// Make the tokens of a part's actions: one for each, and one for each choice.
pub fn tokens_for(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    copy: CopyId,
    revision: i64,
    content: &Content,
    part: &Part,
) -> Vec<ActionToken> {
    let mut tokens = Vec::new();
    let make = |action, choice| {
        let button = Button { copy: copy.0, revision, action, choice };
        action_tokens::make(&app.keyring, organization.as_str(), installation.0, &button)
    };
    for id in &part.actions {
        let Some((place, action)) = (0..).zip(&content.actions).find(|(_, action)| action.id == *id) else { continue };
        tokens.push(ActionToken { action: id.clone(), choice: None, token: make(place, None) });
        tokens.extend((0..).zip(&action.choices).map(|(number, choice)| ActionToken {
            action: id.clone(),
            choice: Some(choice.value.clone()),
            token: make(place, Some(number)),
        }));
    }
    tokens
}

/// The token by which a client asks what a part of a copy shows.
pub fn refresh_token(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    copy: CopyId,
    number: u16,
) -> Secret {
    let place = action_tokens::Place { copy: copy.0, number };
    action_tokens::make_refresh(&app.keyring, organization.as_str(), installation.0, &place)
}

/// Judge a press by what is stored: is it one of our buttons, on our post, and may this person
/// press it? Touches nothing.
pub(super) fn judge(press: &Press, known: Known) -> Judged {
    let Some(button) = press.button else {
        return not_ours("the token is not one of ours");
    };
    let Some(copy) = known.copy else {
        return not_ours("its copy is gone");
    };
    let Some(address) = shown_address(&press.loaded, copy.address.as_deref(), &press.conversation) else {
        return not_ours("it was pressed in another conversation");
    };
    let Ok(put) = serde_json::from_str::<PutMessage>(&copy.body) else {
        tracing::error!(message = copy.key, "a stored message can't be read");
        return Verdict::TryAgain.into();
    };
    let parts: Vec<ShownPart> = serde_json::from_str(&copy.parts).unwrap_or_default();
    let place = parts.iter().position(|shown| shown.receipt.id == press.part.id);
    match (place, copy.sending, copy.shown) {
        (Some(_), ..) | (None, Some(_), None) => {}
        // A later post may be on its way; until it is recorded nobody can tell it from a stranger's.
        (None, Some(_), Some(_)) => return Verdict::TryAgain.into(),
        (None, None, _) => return not_ours("its post isn't one of ours"),
    }
    let shown = place.and_then(|number| parts.get(number)).filter(|shown| shown.revision == button.revision);
    let actions = match shown {
        Some(shown) => &shown.actions,
        // On its way, or shown at once after a press: the message says what it is.
        None if button.revision == copy.revision => &put.content.actions,
        None if copy.sending == Some(button.revision) => return Verdict::TryAgain.into(),
        None => return not_ours("its revision isn't shown any more"),
    };
    let Some(action) = actions.get(usize::from(button.action)).cloned() else {
        return not_ours("it has no such action");
    };
    let Ok(choice) = chosen(&action, button.choice, press.choice.as_deref()) else {
        return not_ours("it has no such choice");
    };
    let is_news =
        |link: &KnownLink| links::is_news(&press.account, &link.username, &link.display_name, link.direct.as_ref());
    let is_renamed = known.link.as_ref().is_some_and(is_news);
    let user = known.link.map(|link| link.user);
    // Who may press is judged by the newest revision: rules that were tightened hold at once,
    // though the post may still be that of an older one.
    let newest = put.content.action(&action.id).map(|newest| &newest.allow);
    let allow = newest.unwrap_or(&action.allow);
    if let Some(outcome) = refusal(allow, user.as_deref(), "This is for somebody else to press.") {
        return Judged { verdict: Verdict::Answer(outcome), is_renamed };
    }
    let loaded = &press.loaded;
    let told = ActionInvoked {
        installation: loaded.id,
        backend: loaded.backend_id().to_owned(),
        message: copy.key.clone(),
        revision: button.revision,
        copy: CopyId(copy.id),
        channel: known.channel.map(ChannelId),
        action: action.id,
        choice,
        user,
        account: LinkedAccount::from(&press.account),
    };
    let mut event = NewEvent::new(EventKind::ActionInvoked, &told, press.at);
    event.hold = limit(loaded);
    let number = place.unwrap_or(parts.len());
    let learned = match place {
        Some(_) => None,
        None => Some((copy.parts, with_part(parts, press, button.revision, &put))),
    };
    let (is_reply, key) = (copy.root.is_some(), copy.key);
    let pressed = Pressed { event, copy: copy.id, learned, is_reply, key, put, address, number };
    Judged { verdict: Verdict::Ask(Box::new(pressed)), is_renamed }
}

/// What somebody gets who may not do this; `None`: they may.
pub(super) fn refusal(allow: &Allow, user: Option<&str>, notice: &str) -> Option<Outcome> {
    match (allow, user) {
        (Allow::Anyone, _) | (Allow::Linked, Some(_)) => None,
        (Allow::Users(users), Some(user)) if users.iter().any(|allowed| allowed == user) => None,
        (_, None) => Some(Outcome::NotLinked),
        (_, Some(_)) => {
            let mut answer = PressAnswer::notice(Some(notice.into()));
            answer.refused = true;
            Some(Outcome::Pressed(answer))
        }
    }
}

fn not_ours(why: &'static str) -> Judged {
    tracing::warn!(why, "a press was refused");
    Verdict::Answer(Outcome::NotOurs).into()
}

/// A press told of a part before the engine recorded it: what is known of it.
fn with_part(mut parts: Vec<ShownPart>, press: &Press, revision: i64, put: &PutMessage) -> String {
    let actions = put.content.actions.clone();
    // An empty digest equals no rendering: the engine brings the post up to date.
    parts.push(ShownPart { receipt: press.part.clone(), digest: String::new(), revision, actions });
    // Serializing plain data into memory can't fail.
    serde_json::to_string(&parts).expect("parts are plain data")
}

/// The copy's address, if it is in this conversation.
pub(super) fn shown_address(loaded: &Loaded, address: Option<&str>, conversation: &str) -> Option<Address> {
    let address: Address = serde_json::from_str(address?).ok()?;
    let stream = contained_pure(|| loaded.backend.delivery().map(|delivery| delivery.stream(&address)));
    let key = stream.ok()??.ok()?.key;
    (key == conversation).then_some(address)
}

/// What was chosen: by the token's own place, or as the platform tells it.
fn chosen(action: &Action, place: Option<u8>, told: Option<&str>) -> Result<Option<String>, ()> {
    if action.choices.is_empty() {
        return if place.is_none() { Ok(None) } else { Err(()) };
    }
    let choice = match place {
        Some(place) => action.choices.get(usize::from(place)),
        None => action.choices.iter().find(|choice| Some(choice.value.as_str()) == told),
    };
    choice.map(|choice| Some(choice.value.clone())).ok_or(())
}

/// How long the application may take to answer.
pub(super) fn limit(loaded: &Loaded) -> Duration {
    loaded.backend.descriptor().press_limit.saturating_sub(RESERVE).min(LONGEST)
}

/// Send the stored press to the application and turn its answer into what is shown. With it
/// the subscription that has taken the event.
pub(super) async fn ask_application(app: &App, loaded: &Loaded, pressed: Pressed) -> (Outcome, Option<String>) {
    let reply = events::invoke(app, &loaded.organization, &pressed.event, limit(loaded)).await;
    let Some((subscription, reply)) = reply else {
        return (Outcome::Pressed(PressAnswer::notice(Some(RECORDED.into()))), None);
    };
    let mut answer = PressAnswer::notice(reply.notice.clone());
    answer.refused = reply.refused;
    answer.shown = take_content(app, loaded, pressed, reply).await.map(Box::new);
    (Outcome::Pressed(answer), Some(subscription))
}

/// Accept the content of a reply like any new revision, and render it for the pressed part.
async fn take_content(app: &App, loaded: &Loaded, pressed: Pressed, reply: ActionReply) -> Option<Outgoing> {
    let content = reply.content?;
    let revision = reply.revision.unwrap_or(pressed.put.revision.saturating_add(1));
    let put = PutMessage { revision, content, ..pressed.put };
    let accepted = match delivery::accept(app, &loaded.organization, &pressed.key, put.clone()).await {
        Ok(accepted) => accepted,
        Err(error) => {
            tracing::warn!(%error, "the content that answered a press was not accepted");
            return None;
        }
    };
    // Something newer came meanwhile: the engine shows that. A mention in a thread is also
    // left to the engine, which knows whom to name.
    if accepted.revision != revision || pressed.is_reply {
        return None;
    }
    as_shown(app, loaded, &put, CopyId(pressed.copy), pressed.address, u16::try_from(pressed.number).ok()?)
}

/// A post as it shows a message, with new tokens. Not one in a thread: only the engine knows whom
/// it calls by name.
pub(super) fn as_shown(
    app: &App,
    loaded: &Loaded,
    put: &PutMessage,
    copy: CopyId,
    address: Address,
    number: u16,
) -> Option<Outgoing> {
    let (organization, limits) = (&loaded.organization, &loaded.backend.descriptor().limits);
    let request = RenderRequest::new(&put.content, limits);
    let rendering = contained_pure(|| loaded.backend.delivery().map(|delivery| delivery.render(&request))).ok()??;
    let part = rendering.parts.into_iter().nth(usize::from(number))?;
    let mut shown = Outgoing::new(copy.to_string(), put.revision, address, part);
    (shown.number, shown.urgency) = (number, put.urgency);
    shown.tokens = tokens_for(app, organization, loaded.id, copy, put.revision, &put.content, &shown.part);
    shown.refresh = Some(refresh_token(app, organization, loaded.id, copy, number));
    Some(shown)
}
