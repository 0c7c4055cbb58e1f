//! What people type to the application: free text, which is told to it like any event, and
//! declared commands, of which it is asked while the person waits, like a press.

use chatport_sdk::{
    happening::{Outcome, PressAnswer},
    identity::{Account, Conversation},
    time::Timestamp,
};

use super::{
    press,
    told::{CommandInvoked, CommandPlace},
};
use crate::{
    app::App,
    events::{self, EventKind, NewEvent},
    ids::ChannelId,
    setup::{
        SetupFailure, channels, commands,
        links::{self, LinkedAccount},
        redeem,
        sites::Loaded,
    },
    store::Change,
};

/// Something that was typed.
#[derive(Clone, Copy)]
pub(super) struct Typed<'a> {
    /// The declared command; `None`: free text.
    pub name: Option<&'a str>,
    pub text: &'a str,
    pub account: &'a Account,
    pub conversation: &'a Conversation,
}

/// What becomes of the use of a declared command.
pub(super) enum Used {
    /// There is nothing to ask.
    Answer(Outcome),
    /// The event is written; the application is to be asked once it is on disk.
    Ask(Box<NewEvent>),
}

/// Tell the application of free text.
pub(super) async fn typed(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    typed: Typed<'_>,
    now: Timestamp,
) -> Result<(), SetupFailure> {
    let user = links::refresh(transaction, loaded, typed.account, now).await?.map(|link| link.user_id);
    let told = told(transaction, app, loaded, typed, user, now).await?;
    let event = NewEvent::new(EventKind::CommandInvoked, &told, now);
    Ok(events::append(transaction, &loaded.organization, event).await?)
}

/// Judge the use of a declared command: is it declared, and may this person use it?
pub(super) async fn used(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    typed: Typed<'_>,
    now: Timestamp,
) -> Result<Used, SetupFailure> {
    let name = typed.name.unwrap_or_default();
    let Some(allow) = commands::allowed(&**transaction, &loaded.organization, loaded.id, name).await? else {
        return Ok(Used::Answer(Outcome::NotOurs));
    };
    let user = links::refresh(transaction, loaded, typed.account, now).await?.map(|link| link.user_id);
    if let Some(outcome) = press::refusal(&allow, user.as_deref(), "This is for somebody else to use.") {
        return Ok(Used::Answer(outcome));
    }
    let told = told(transaction, app, loaded, typed, user, now).await?;
    let mut event = NewEvent::new(EventKind::CommandInvoked, &told, now);
    event.hold = press::limit(loaded);
    events::append(transaction, &loaded.organization, event.clone()).await?;
    Ok(Used::Ask(Box::new(event)))
}

async fn told(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    typed: Typed<'_>,
    user: Option<String>,
    now: Timestamp,
) -> Result<CommandInvoked, SetupFailure> {
    let (organization, installation, conversation) = (&loaded.organization, loaded.id, typed.conversation);
    let text = redeem::without_codes(transaction, app, loaded, typed.text, now).await?;
    let channel = channels::of_conversation(&**transaction, organization, installation, &conversation.id).await?;
    Ok(CommandInvoked {
        installation,
        backend: loaded.backend_id().to_owned(),
        command: typed.name.map(str::to_owned),
        text,
        channel: channel.map(|channel| ChannelId(channel.id)),
        conversation: CommandPlace {
            kind: conversation.kind,
            name: conversation.name.clone(),
            team: conversation.team.clone(),
        },
        user,
        account: LinkedAccount::from(typed.account),
    })
}

/// Ask the application what to say to the person. With it the subscription that has taken the
/// event.
pub(super) async fn ask_application(app: &App, loaded: &Loaded, event: &NewEvent) -> (Outcome, Option<String>) {
    match events::invoke(app, &loaded.organization, event, press::limit(loaded)).await {
        Some((subscription, reply)) => {
            let mut answer = PressAnswer::notice(reply.notice);
            answer.refused = reply.refused;
            (Outcome::Pressed(answer), Some(subscription))
        }
        None => (Outcome::Pressed(PressAnswer::notice(Some(press::RECORDED.into()))), None),
    }
}
