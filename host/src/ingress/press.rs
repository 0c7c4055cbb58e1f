//! Presses: is it one of our buttons, on our post, and may this person press it? Then the
//! press is an event on disk, and only then the application is asked what to show.

use std::time::Duration;

use chatport_sdk::{
    content::{Action, Allow, Content},
    delivery::{ActionToken, Outgoing, Part, Receipt, RenderRequest},
    happening::{Outcome, PressAnswer},
    identity::{Account, Address},
    secret::Secret,
    time::Timestamp,
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::json;

use super::told::{ActionInvoked, ReplyPosted};
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
        audit::{self, Actor},
        channels,
        contain::contained_pure,
        links::{self, LinkedAccount},
        sites::Loaded,
    },
    store::{
        Change,
        entities::{copies, messages},
    },
};

/// The longest that an application may take to answer a press.
const LONGEST: Duration = Duration::from_secs(2);
/// What is left of the platform's limit for our own work.
const RESERVE: Duration = Duration::from_millis(500);
/// A reply to an older message isn't looked for.
const REPLIES_REACH: Duration = Duration::from_secs(30 * 24 * 3600);

/// A press as the backend understood it.
pub(super) struct Press<'a> {
    pub token: &'a Secret,
    pub choice: Option<&'a str>,
    pub account: &'a Account,
    pub conversation: &'a str,
    pub part: &'a Receipt,
}

/// What becomes of a press.
pub(super) enum Verdict {
    /// It is stored; the application is to be asked.
    Ask(Box<Pressed>),
    /// There is nothing to ask.
    Answer(Outcome),
    /// It can't be judged at this moment.
    TryAgain,
}

/// A press that has been stored.
pub(super) struct Pressed {
    event: NewEvent,
    copy: copies::Model,
    key: String,
    put: PutMessage,
    address: Address,
    number: usize,
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

/// Verify a press and store it.
pub(super) async fn record(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    press: &Press<'_>,
    now: Timestamp,
) -> Result<Verdict, DbErr> {
    let (organization, installation) = (&loaded.organization, loaded.id);
    let token = press.token.expose();
    let Some(button) = action_tokens::verify(&app.keyring, organization.as_str(), installation.0, token) else {
        return not_ours("the token is not one of ours");
    };
    let Some((copy, message)) = find(transaction, loaded, button.copy).await? else {
        return not_ours("its copy is gone");
    };
    let Some(address) = shown_address(loaded, &copy, press.conversation) else {
        return not_ours("it was pressed in another conversation");
    };
    let Ok(put) = serde_json::from_str::<PutMessage>(&message.body) else {
        return Err(DbErr::Custom("a stored message can't be read".into()));
    };
    let parts: Vec<ShownPart> = serde_json::from_str(&copy.parts).unwrap_or_default();
    let known = parts.iter().position(|shown| shown.receipt.id == press.part.id);
    match (known, copy.sending, copy.shown) {
        (Some(_), ..) | (None, Some(_), None) => {}
        // A later post may be on its way; until it is recorded nobody can tell it from a stranger's.
        (None, Some(_), Some(_)) => return Ok(Verdict::TryAgain),
        (None, None, _) => return not_ours("its post isn't one of ours"),
    }
    let shown = known.and_then(|number| parts.get(number)).filter(|shown| shown.revision == button.revision);
    let actions = match shown {
        Some(shown) => &shown.actions,
        // On its way, or shown at once after a press: the message says what it is.
        None if button.revision == message.revision => &put.content.actions,
        None if copy.sending == Some(button.revision) => return Ok(Verdict::TryAgain),
        None => return not_ours("its revision isn't shown any more"),
    };
    let Some(action) = actions.get(usize::from(button.action)).cloned() else {
        return not_ours("it has no such action");
    };
    let Ok(choice) = chosen(&action, button.choice, press.choice) else {
        return not_ours("it has no such choice");
    };
    let link = links::refresh(transaction, loaded, press.account, now).await?;
    let user = link.map(|link| link.user_id);
    // Who may press is judged by the newest revision: rules that were tightened hold at once,
    // though the post may still be that of an older one.
    let newest = put.content.action(&action.id).map(|newest| newest.allow.clone());
    match (newest.as_ref().unwrap_or(&action.allow), &user) {
        (Allow::Anyone, _) | (Allow::Linked, Some(_)) => {}
        (Allow::Users(users), Some(user)) if users.contains(user) => {}
        (_, None) => return Ok(Verdict::Answer(Outcome::NotLinked)),
        (_, Some(_)) => {
            let mut answer = PressAnswer::notice(Some("This is for somebody else to press.".into()));
            answer.refused = true;
            return Ok(Verdict::Answer(Outcome::Pressed(answer)));
        }
    }
    let number = match known {
        Some(number) => number,
        None => keep_part(transaction, &copy, parts, press.part, button.revision, &put).await?,
    };
    let channel = channels::of_conversation(transaction, organization, installation, press.conversation).await?;
    let told = ActionInvoked {
        installation,
        backend: loaded.backend_id().to_owned(),
        message: message.key.clone(),
        revision: button.revision,
        copy: CopyId(copy.id),
        channel: channel.map(|channel| ChannelId(channel.id)),
        action: action.id,
        choice,
        user,
        account: LinkedAccount::from(press.account),
    };
    let mut event = NewEvent::new(EventKind::ActionInvoked, &told, now);
    event.hold = limit(loaded);
    events::append(transaction, organization, event.clone()).await?;
    let actor = Actor::account(loaded.backend_id(), &press.account.id);
    audit::write(transaction, organization, &actor, "action.press", &copy.id.to_string(), "done", now).await?;
    Ok(Verdict::Ask(Box::new(Pressed { event, copy, key: message.key, put, address, number })))
}

fn not_ours(why: &'static str) -> Result<Verdict, DbErr> {
    tracing::warn!(why, "a press was refused");
    Ok(Verdict::Answer(Outcome::NotOurs))
}

/// The copy that a token names, if it is this installation's and still wanted.
async fn find(
    transaction: &Change,
    loaded: &Loaded,
    copy: uuid::Uuid,
) -> Result<Option<(copies::Model, messages::Model)>, DbErr> {
    let organization = loaded.organization.as_str();
    let copy = copies::Entity::find_by_id((organization.to_owned(), copy)).one(transaction).await?;
    let Some(copy) = copy.filter(|copy| copy.installation == Some(loaded.id.0) && !copy.removal) else {
        return Ok(None);
    };
    let Some(message) = copy.message else { return Ok(None) };
    let message = messages::Entity::find_by_id((organization.to_owned(), message)).one(transaction).await?;
    Ok(message.filter(|message| !message.deleted).map(|message| (copy, message)))
}

/// The copy's address, if it is in this conversation.
fn shown_address(loaded: &Loaded, copy: &copies::Model, conversation: &str) -> Option<Address> {
    let address: Address = serde_json::from_str(copy.address.as_deref()?).ok()?;
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

/// A press told of a part before the engine recorded it: keep what is known of it.
async fn keep_part(
    transaction: &Change,
    copy: &copies::Model,
    mut parts: Vec<ShownPart>,
    receipt: &Receipt,
    revision: i64,
    put: &PutMessage,
) -> Result<usize, DbErr> {
    let number = parts.len();
    let actions = put.content.actions.clone();
    // An empty digest equals no rendering: the engine brings the post up to date.
    parts.push(ShownPart { receipt: receipt.clone(), digest: String::new(), revision, actions });
    let text = serde_json::to_string(&parts).map_err(|error| DbErr::Custom(error.to_string()))?;
    copies::Entity::update_many()
        .col_expr(copies::Column::Parts, Expr::value(text))
        .filter(copies::Column::Organization.eq(copy.organization.as_str()))
        .filter(copies::Column::Id.eq(copy.id))
        // What the engine recorded meanwhile is better.
        .filter(copies::Column::Parts.eq(copy.parts.as_str()))
        .exec(transaction)
        .await?;
    Ok(number)
}

fn limit(loaded: &Loaded) -> Duration {
    loaded.backend.descriptor().press_limit.saturating_sub(RESERVE).min(LONGEST)
}

/// Send the stored press to the application and turn its answer into what is shown.
pub(super) async fn ask_application(app: &App, loaded: &Loaded, pressed: Pressed) -> Outcome {
    let reply = events::invoke(app, &loaded.organization, &pressed.event, limit(loaded)).await;
    let Some(reply) = reply else {
        let notice = "Recorded.";
        return Outcome::Pressed(PressAnswer::notice(Some(notice.into())));
    };
    let mut answer = PressAnswer::notice(reply.notice.clone());
    answer.refused = reply.refused;
    answer.shown = take_content(app, loaded, pressed, reply).await.map(Box::new);
    Outcome::Pressed(answer)
}

/// Accept the content of a reply like any new revision, and render it for the pressed part.
async fn take_content(app: &App, loaded: &Loaded, pressed: Pressed, reply: ActionReply) -> Option<Outgoing> {
    let content = reply.content?;
    let revision = reply.revision.unwrap_or(pressed.put.revision.saturating_add(1));
    let put = PutMessage { revision, content: content.clone(), ..pressed.put.clone() };
    let accepted = match delivery::accept(app, &loaded.organization, &pressed.key, put).await {
        Ok(accepted) => accepted,
        Err(error) => {
            tracing::warn!(%error, "the content that answered a press was not accepted");
            return None;
        }
    };
    // Something newer came meanwhile: the engine shows that. A mention in a thread is also
    // left to the engine, which knows whom to name.
    if accepted.revision != revision || pressed.copy.root.is_some() {
        return None;
    }
    let limits = &loaded.backend.descriptor().limits;
    let request = RenderRequest::new(&content, limits);
    let rendering = contained_pure(|| loaded.backend.delivery().map(|delivery| delivery.render(&request))).ok()??;
    let part = rendering.parts.into_iter().nth(pressed.number)?;
    let copy = CopyId(pressed.copy.id);
    let mut shown = Outgoing::new(copy.to_string(), revision, pressed.address, part);
    shown.number = u16::try_from(pressed.number).ok()?;
    shown.urgency = pressed.put.urgency;
    shown.tokens = tokens_for(app, &loaded.organization, loaded.id, copy, revision, &content, &shown.part);
    Some(shown)
}

/// Somebody replied to a post: if it is one of ours, tell the application.
pub(super) async fn replied(
    transaction: &Change,
    loaded: &Loaded,
    part: &str,
    conversation: &str,
    account: &Account,
    text: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    let Some((copy, message)) = find_part(transaction, loaded, part, conversation, now).await? else { return Ok(()) };
    let (organization, installation) = (&loaded.organization, loaded.id);
    let link = links::refresh(transaction, loaded, account, now).await?;
    let channel = channels::of_conversation(transaction, organization, installation, conversation).await?;
    let told = ReplyPosted {
        installation,
        backend: loaded.backend_id().to_owned(),
        message: message.key,
        copy: CopyId(copy.id),
        channel: channel.map(|channel| ChannelId(channel.id)),
        text: text.to_owned(),
        user: link.map(|link| link.user_id),
        account: LinkedAccount::from(account),
    };
    events::append(transaction, organization, NewEvent::new(EventKind::ReplyPosted, &told, now)).await
}

/// The copy that a post belongs to.
async fn find_part(
    transaction: &Change,
    loaded: &Loaded,
    part: &str,
    conversation: &str,
    now: Timestamp,
) -> Result<Option<(copies::Model, messages::Model)>, DbErr> {
    // Parts are kept as JSON: look for the id as it stands there, then read what was found.
    let quoted = json!(part).to_string();
    let candidates = copies::Entity::find()
        .filter(copies::Column::Organization.eq(loaded.organization.as_str()))
        .filter(copies::Column::Installation.eq(loaded.id.0))
        .filter(copies::Column::Message.is_not_null())
        .filter(copies::Column::CreatedAt.gt(now.minus(REPLIES_REACH).as_micros()))
        .filter(copies::Column::Parts.contains(format!("\"id\":{quoted}")))
        .order_by_desc(copies::Column::CreatedAt)
        .limit(8)
        .all(transaction)
        .await?;
    let is_shown = |copy: &copies::Model| {
        let parts: Vec<ShownPart> = serde_json::from_str(&copy.parts).unwrap_or_default();
        parts.iter().any(|shown| shown.receipt.id == part) && shown_address(loaded, copy, conversation).is_some()
    };
    match candidates.into_iter().find(is_shown) {
        Some(copy) => find(transaction, loaded, copy.id).await,
        None => Ok(None),
    }
}
