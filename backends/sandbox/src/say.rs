//! What a person gets to see after the host has said what came of their message or press: a
//! line from the bot in the conversation, or a notice for the person alone.

use chatport_sdk::prelude::*;
use http::StatusCode;
use serde::Serialize;

use crate::{
    SandboxBackend,
    card::Card,
    delivery,
    ingress::{Problem, pretty},
    view::PostView,
    world::{BOT, Delivered, Draft, Notice, Post, World, direct_place},
};

/// What a person sees.
#[derive(Serialize)]
pub(crate) struct Told<'a> {
    /// A short word for programs.
    pub(crate) outcome: &'static str,
    /// The event's id; the same id sent again is the same event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) duplicate: bool,
    /// For the person alone.
    pub(crate) notice: Option<String>,
    /// The message that was written, or the post whose button was pressed.
    pub(crate) post: Option<PostView<'a>>,
    /// What the bot said to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply: Option<PostView<'a>>,
}

impl Told<'_> {
    pub(crate) fn new(outcome: &'static str) -> Self {
        Self { outcome, id: None, duplicate: false, notice: None, post: None, reply: None }
    }

    pub(crate) fn into_response(self, status: StatusCode) -> Response {
        pretty(status, &self)
    }
}

/// Something that the bot says.
pub(crate) fn draft(place: &str, reply_to: Option<u64>, text: String, at: Timestamp) -> Draft {
    let (by, place, card) = (BOT.into(), place.into(), Card::text(text));
    Draft { by, place, reply_to, card, delivered: None, happening: None, at }
}

/// What the bot can do.
pub(crate) fn help(app: &str) -> String {
    format!("`link CODE` links you to your user in {app}; `unlink` ends that. In a channel, `link CODE` connects it.")
}

/// Whom a happening is about, and where.
struct Subject {
    who: String,
    place: String,
    /// The post whose button was pressed.
    pressed: Option<String>,
    /// Whether only the person may see the answer, even where the bot could say it.
    private: bool,
}

fn subject(kind: &HappeningKind) -> Option<Subject> {
    let (account, place, pressed, private) = match kind {
        HappeningKind::CodeEntered { account, place: Place::Posted { conversation }, .. } => {
            (account, conversation.id.clone(), None, false)
        }
        HappeningKind::CodeEntered { account, .. } | HappeningKind::UnlinkAsked { account } => {
            (account, direct_place(&account.id), None, false)
        }
        HappeningKind::Commanded { account, conversation, .. }
        | HappeningKind::CommandUsed { account, conversation, .. } => (account, conversation.id.clone(), None, false),
        HappeningKind::Pressed { account, conversation, part, .. } => {
            (account, conversation.clone(), Some(part.id.clone()), true)
        }
        HappeningKind::Replied { account, conversation, .. } => (account, conversation.clone(), None, true),
        _ => return None,
    };
    Some(Subject { who: account.id.clone(), place, pressed, private })
}

/// A short word, and what is said, if anything.
fn words(outcome: &Outcome, kind: &HappeningKind, app: &str) -> (&'static str, Option<String>) {
    let is_command = matches!(kind, HappeningKind::CommandUsed { .. });
    let (outcome, text) = match outcome {
        Outcome::Linked { purpose: Purpose::User, name } => ("linked", format!("Linked to user {name} of {app}")),
        Outcome::Linked { purpose: Purpose::Channel, name } => {
            ("linked", format!("This channel is connected as {name}"))
        }
        Outcome::CodeRefused(refusal) => ("code_refused", refused(*refusal, app)),
        Outcome::Unlinked { was_linked: true } => ("unlinked", "You aren't linked any more.".into()),
        Outcome::Unlinked { was_linked: false } => ("unlinked", "You weren't linked.".into()),
        Outcome::Pressed(answer) => {
            let said = answer.notice.clone();
            return match answer.refused {
                true => ("refused", said.or_else(|| Some(format!("{app} doesn't allow that.")))),
                false if is_command => ("answered", said),
                false => ("pressed", said),
            };
        }
        Outcome::NotLinked => (
            "not_linked",
            format!("You aren't linked to a user of {app}. Get a code there and send it to me directly: `link CODE`."),
        ),
        Outcome::NotOurs if is_command => ("not_ours", "This command isn't in use any more.".into()),
        Outcome::NotOurs => ("not_ours", "This button doesn't do anything any more.".into()),
        Outcome::Unavailable => ("unavailable", "That could not be recorded. Try again.".into()),
        _ => {
            return (
                "recorded",
                matches!(kind, HappeningKind::Commanded { .. }).then(|| format!("Passed on to {app}.")),
            );
        }
    };
    (outcome, Some(text))
}

fn refused(refusal: CodeRefusal, app: &str) -> String {
    match refusal {
        CodeRefusal::TooManyAttempts => "Too many attempts. Wait a while, then try again.".into(),
        CodeRefusal::SeenByOthers => {
            format!("Others can read this, so the code is void. Get another one in {app} and send it to me directly.")
        }
        CodeRefusal::NeedsChannel => "This code is for a channel: post it in the channel.".into(),
        CodeRefusal::AlreadyLinked => "You are linked already. Send `unlink` first.".into(),
        _ => format!("This code isn't valid (any more). Get another one in {app}."),
    }
}

impl SandboxBackend {
    /// Tell the person what came of it.
    pub(crate) fn tell(&self, site: &Site, happening: &Happening, outcome: &Outcome) -> Result<Response, Problem> {
        let (outcome, duplicate) = match outcome {
            Outcome::Duplicate { same_content: false, .. } => {
                let error = format!("the id `{}` was used for something else", happening.id);
                return Err(Problem::new(StatusCode::CONFLICT, error, "leave `id` out, or send the same event again"));
            }
            Outcome::Duplicate { first, .. } => (first.as_deref().unwrap_or(&Outcome::Recorded), true),
            outcome => (outcome, false),
        };
        let (word, text) = words(outcome, &happening.kind, site.app_name());
        let told = Told { id: Some(&happening.id), duplicate, ..Told::new(word) };
        let Some(subject) = subject(&happening.kind) else {
            return Ok(told.into_response(StatusCode::OK));
        };
        let status = match outcome {
            Outcome::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        };
        self.worlds.change(site, |world| {
            if let (Outcome::Pressed(PressAnswer { shown: Some(shown), .. }), false) = (outcome, duplicate) {
                show(world, &subject, shown, site.now());
            }
            let about = match &subject.pressed {
                Some(id) => world.post(id).ok(),
                None => world.post_of_happening(&happening.id),
            };
            let about = about.cloned();
            let direct = world.place(&subject.place).is_ok_and(|place| place.direct);
            let openly = !subject.private && (direct || matches!(outcome, Outcome::Linked { .. }));
            let thread = about.as_ref().filter(|_| !direct).map(|post| post.number);
            let (notice, reply) = match text {
                // The event came again: its sender is told again, the world is left alone.
                text if duplicate => (text, None),
                Some(text) if openly => {
                    // A conversation in which the bot can't speak any more just stays silent.
                    (None, world.write(draft(&subject.place, thread, text, site.now())).ok())
                }
                Some(text) => {
                    let about = about.as_ref().map(Post::id);
                    let (to, place) = (subject.who.clone(), subject.place.clone());
                    world.notify(Notice { to, place, about, text: text.clone(), at: site.now() });
                    (Some(text), None)
                }
                None => (None, None),
            };
            let post = about.as_ref().map(PostView::of);
            let reply = reply.as_ref().map(PostView::of);
            Ok(Told { notice, post, reply, ..told }.into_response(status))
        })
    }
}

/// Show what the application answered at once, unless something newer is shown already.
fn show(world: &mut World, subject: &Subject, shown: &Outgoing, at: Timestamp) {
    let Some(post) = subject.pressed.as_deref().and_then(|id| world.post(id).ok()) else { return };
    let Ok((card, delivered)) = delivery::shown(shown) else { return };
    let fits = |now: &Delivered| {
        now.copy == delivered.copy && now.part == delivered.part && now.revision <= delivered.revision
    };
    if post.delivered.as_ref().is_some_and(fits) {
        let id = post.id();
        // The post was there a moment ago, and the world is ours meanwhile.
        let _ = world.edit(&id, card, delivered, at);
    }
}
