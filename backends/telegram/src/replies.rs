//! What the bot says to what happened: a call of a method, made here or in the answer to a
//! webhook's request. Texts go out without markup, so nothing in them can break it.

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

use crate::{address, address::Spot, details::Details, runs::cut};

/// Longest notice after a press. <https://core.telegram.org/bots/api#answercallbackquery>
const MAX_NOTICE: usize = 200;
/// Longest text that is said.
const MAX_SAID: usize = 4_000;

/// A call of a method.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) method: &'static str,
    pub(crate) body: Value,
}

impl Reply {
    /// As it stands in the answer to a webhook's request.
    pub(crate) fn in_response(self) -> Value {
        let mut body = self.body;
        body["method"] = self.method.into();
        body
    }

    fn to(spot: Spot, text: &str) -> Self {
        let mut body = json!({ "chat_id": spot.chat, "text": cut(text, MAX_SAID) });
        if let Some(thread) = spot.thread {
            body["message_thread_id"] = thread.into();
        }
        Self { method: "sendMessage", body }
    }
}

/// What to say of an outcome, and where; often nothing.
pub(crate) fn reply(site: &Site, happening: &Happening, outcome: &Outcome) -> Option<Reply> {
    match (&happening.kind, outcome) {
        (_, Outcome::Duplicate { same_content: true, first: Some(first) }) => reply(site, happening, first),
        // The first one is being answered.
        (_, Outcome::Duplicate { .. } | Outcome::Unavailable) => None,
        (HappeningKind::Pressed { part, .. }, _) => notice(site, part, outcome),
        // What is said in a group counts towards its limit: who guesses on and on there isn't helped to use that up.
        (
            HappeningKind::CodeEntered { place: Place::Posted { .. }, .. },
            Outcome::CodeRefused(CodeRefusal::TooManyAttempts),
        ) => None,
        (HappeningKind::CodeEntered { account, place, .. }, _) => {
            let spot = match place {
                Place::Posted { conversation } => Spot::of(&conversation.address).ok()?,
                _ => private(account)?,
            };
            Some(Reply::to(spot, &of_code(site, outcome)?))
        }
        (HappeningKind::UnlinkAsked { account }, Outcome::Unlinked { was_linked }) => {
            let negation = if *was_linked { "aren't linked to {} any more." } else { "weren't linked to {}." };
            let text = format!("You {}", negation.replace("{}", site.app_name()));
            Some(Reply::to(private(account)?, &text))
        }
        (HappeningKind::Commanded { conversation, .. }, Outcome::Recorded) => {
            Some(Reply::to(Spot::of(&conversation.address).ok()?, &help(site)))
        }
        (HappeningKind::CommandUsed { account, conversation, .. }, _) => {
            of_command(site, account, Spot::of(&conversation.address).ok()?, outcome)
        }
        _ => None,
    }
}

/// The chat with a person. It is there once the person has begun it.
fn private(account: &Account) -> Option<Spot> {
    let chat = account.id.parse().ok()?;
    let spot = Spot::new(chat, None);
    (address::is_id(chat) && spot.is_private()).then_some(spot)
}

/// The answer to a press: without one, the button shows for a while that it waits.
fn notice(site: &Site, part: &Receipt, outcome: &Outcome) -> Option<Reply> {
    let mut body = json!({ "callback_query_id": address::press_of(part)? });
    let (text, must_be_seen) = match outcome {
        Outcome::Pressed(answer) => {
            let text = answer.notice.clone().or(answer.refused.then(|| "You can't do that.".to_owned()));
            (text, answer.refused)
        }
        Outcome::NotLinked => (Some(how_to_link(site)), true),
        Outcome::NotOurs => (Some("This button isn't active any more.".to_owned()), true),
        _ => (None, false),
    };
    if let Some(text) = text {
        body["text"] = cut(&text, MAX_NOTICE).into();
        body["show_alert"] = must_be_seen.into();
    }
    Some(Reply { method: "answerCallbackQuery", body })
}

/// How to link oneself, in less than a notice takes.
fn how_to_link(site: &Site) -> String {
    let app = site.app_name();
    format!("You aren't linked to {app}. Ask {app} for a code, and send it to me in a private chat.")
}

fn help(site: &Site) -> String {
    let app = site.app_name();
    let bot = Details::of(site).map(|bot| bot.username).unwrap_or_default();
    format!(
        "I bring messages of {app}.\n\nTo link yourself, ask {app} for a code and send it to me here. To connect a group or \
         channel, add @{bot} to it and post the code for it there: /start@{bot} CODE\n\n/unlink ends your link."
    )
}

fn of_code(site: &Site, outcome: &Outcome) -> Option<String> {
    let app = site.app_name();
    Some(match outcome {
        Outcome::Linked { purpose: Purpose::User, name } => format!("You are linked to user {name} of {app}."),
        Outcome::Linked { purpose: Purpose::Channel, .. } => format!("This chat is linked to {app}."),
        Outcome::CodeRefused(refusal) => of_refusal(app, *refusal),
        _ => return None,
    })
}

fn of_refusal(app: &str, refusal: CodeRefusal) -> String {
    match refusal {
        CodeRefusal::TooManyAttempts => "Too many attempts. Wait ten minutes, then try a new code.".into(),
        CodeRefusal::SeenByOthers => {
            format!(
                "Others could read that code, so it is void. Ask {app} for a new one, and send it to me in a private chat."
            )
        }
        CodeRefusal::NeedsChannel => {
            "This code is for a group or channel. Add me there, then post the code there.".into()
        }
        CodeRefusal::AlreadyLinked => {
            format!("You, or this user of {app}, are linked already. Send /unlink first, or unlink in {app}.")
        }
        _ => format!("This code isn't valid, or not any more. Ask {app} for a new one."),
    }
}

/// What a command has to say is for the one who used it: in a group it goes to the private chat.
fn of_command(site: &Site, account: &Account, spot: Spot, outcome: &Outcome) -> Option<Reply> {
    match outcome {
        Outcome::Pressed(answer) => {
            let plain = if answer.refused { "You can't do that." } else { "Recorded." };
            let spot = if spot.is_private() { spot } else { private(account)? };
            match answer.notice.as_deref() {
                None if !answer.refused && !spot.is_private() => None,
                notice => Some(Reply::to(spot, notice.unwrap_or(plain))),
            }
        }
        Outcome::NotLinked => Some(Reply::to(spot, &how_to_link(site))),
        // In a group it may be another bot's.
        Outcome::NotOurs if spot.is_private() => Some(Reply::to(spot, "I don't know that command. Send /help.")),
        _ => None,
    }
}
