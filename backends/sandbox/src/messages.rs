//! What a person writes, and what the bot makes of it. The bot hears what is written in the
//! conversations that it is in; in a channel it minds its own business unless it is given a
//! code or somebody replies to what it delivered.

use chatport_sdk::prelude::*;
use http::StatusCode;
use serde::Deserialize;

use crate::{
    SandboxBackend,
    card::Card,
    commands,
    delivery::receipt,
    ingress::{Problem, check_id, read},
    say::{self, Told},
    view::PostView,
    world::{BOT, Draft, Place as Room, Post, Refusal, World, post_id},
};

/// Longest message, in characters.
const MAX_TEXT: usize = 4_000;
/// How many letters and digits a code has.
const CODE_LENGTH: usize = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(rename = "as")]
    by: String,
    text: String,
    reply_to: Option<String>,
    id: Option<String>,
}

/// What the bot makes of a message.
enum Meaning {
    Happening(Box<HappeningKind>),
    HelpAsked,
    NotForBot,
}

fn happening(kind: HappeningKind) -> Meaning {
    Meaning::Happening(Box::new(kind))
}

impl SandboxBackend {
    /// A person writes in a conversation.
    pub(crate) fn hear_message(&self, site: &Site, place: &str, request: &Request) -> Result<Received, Problem> {
        let message: Message = read(request)?;
        check_id(message.id.as_deref())?;
        if message.text.trim().is_empty() || message.text.chars().count() > MAX_TEXT {
            let hint = format!("write 1 to {MAX_TEXT} characters");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "this `text` can't be sent", hint));
        }
        self.worlds.change(site, |world| {
            let account = world.person(&message.by)?.account();
            let room = world.place_of(place, &message.by)?.clone();
            let target = message.reply_to.as_deref().map(|id| reply_target(world, &room, id)).transpose()?;
            let reply_to = target.as_ref().map(|target| target.number);
            let mut draft = Draft {
                by: message.by.clone(),
                place: room.id.clone(),
                reply_to,
                card: Card::text(&message.text),
                delivered: None,
                happening: None,
                at: site.now(),
            };
            match meaning(world, &room, &account, target, &message.text) {
                Meaning::Happening(kind) => {
                    let id = message.id.clone().unwrap_or_else(|| world.next_happening());
                    let written = match world.post_of_happening(&id) {
                        // The same event once more: nothing new is written.
                        Some(post) => post.at,
                        None => {
                            draft.happening = Some(id.clone());
                            world.write(draft)?.at
                        }
                    };
                    let mut happening = Happening::new(id, *kind);
                    happening.at = Some(written);
                    Ok(Received::Happenings(vec![happening]))
                }
                Meaning::HelpAsked => {
                    let post = world.write(draft)?;
                    let help = say::help(site.app_name()) + &commands::help(world);
                    let reply = world.write(say::draft(&room.id, None, help, site.now()))?;
                    let told = Told {
                        post: Some(PostView::of(&post)),
                        reply: Some(PostView::of(&reply)),
                        ..Told::new("help")
                    };
                    Ok(Received::Answer(told.into_response(StatusCode::OK)))
                }
                Meaning::NotForBot => {
                    let post = world.write(draft)?;
                    let told = Told { post: Some(PostView::of(&post)), ..Told::new("not_for_bot") };
                    Ok(Received::Answer(told.into_response(StatusCode::OK)))
                }
            }
        })
    }
}

fn reply_target(world: &World, room: &Room, id: &str) -> Result<Post, Refusal> {
    let post = world.post(id)?;
    if post.place == room.id { Ok(post.clone()) } else { Err(Refusal::NoPost(id.into())) }
}

fn meaning(world: &World, room: &Room, account: &Account, target: Option<Post>, text: &str) -> Meaning {
    if !room.has(BOT) {
        return Meaning::NotForBot;
    }
    let text = text.trim();
    if let Some((name, rest)) = commands::used(world, text) {
        return happening(HappeningKind::CommandUsed {
            name: name.into(),
            text: rest.into(),
            account: account.clone(),
            conversation: world.conversation(room),
        });
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (word, rest) = (word.to_ascii_lowercase(), rest.trim());
    let account = account.clone();
    match (word.as_str(), rest) {
        ("link", code) if looks_like_code(code) || (room.direct && !code.is_empty()) => {
            let place = if room.direct {
                Place::Direct { address: account.direct.clone() }
            } else {
                Place::Posted { conversation: world.conversation(room) }
            };
            happening(HappeningKind::CodeEntered { code: Secret::new(code), account, place })
        }
        ("link" | "help", "") if room.direct => Meaning::HelpAsked,
        ("unlink", "") if room.direct => happening(HappeningKind::UnlinkAsked { account }),
        _ => other(world, room, account, target, text),
    }
}

/// A reply to something that was delivered, or to a thread under it; a message to the bot; or
/// people's own talk.
fn other(world: &World, room: &Room, account: Account, target: Option<Post>, text: &str) -> Meaning {
    let start = target.as_ref().and_then(|target| target.root).and_then(|root| world.post(&post_id(root)).ok());
    let delivered = [target.as_ref(), start].into_iter().flatten().find(|post| post.delivered.is_some());
    match delivered {
        Some(post) => happening(HappeningKind::Replied {
            part: receipt(post),
            conversation: room.id.clone(),
            account,
            text: text.into(),
        }),
        None if room.direct => {
            happening(HappeningKind::Commanded { text: text.into(), account, conversation: world.conversation(room) })
        }
        None => Meaning::NotForBot,
    }
}

/// In a channel, "link to the dashboard" is talk, not a code.
fn looks_like_code(text: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric();
    text.chars().all(|character| plain(character) || matches!(character, '-' | ' '))
        && text.chars().filter(|&character| plain(character)).count() == CODE_LENGTH
}
