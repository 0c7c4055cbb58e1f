//! The connector's REST interface, as far as bots use it.

use std::fmt::Write as _;

use http::Method;
use serde_json::{Value, json};

use crate::{
    card, login,
    post::Post,
    refusal::{Asked, Reply, bad},
    world::{World, member},
};

/// What an activity that a bot sends may hold.
const MEMBERS: [&str; 9] =
    ["type", "text", "textFormat", "summary", "attachments", "importance", "entities", "channelData", "locale"];

/// Answer a request below a region.
pub(crate) fn answer(world: &mut World, asked: &Asked, path: &str) -> Reply {
    if let Err(reply) = login::check(world, asked) {
        return reply;
    }
    let Ok(segments) = segments(path) else {
        return bad("ids must be percent-encoded: everything but letters, digits and -._~");
    };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let result = match (&asked.method, &segments[..]) {
        (&Method::POST, ["v3", "conversations"]) => start(world, asked),
        (&Method::POST, ["v3", "conversations", id, "activities"]) => post(world, asked, id, None),
        (&Method::POST, ["v3", "conversations", id, "activities", below]) => post(world, asked, id, Some(below)),
        (&Method::PUT, ["v3", "conversations", id, "activities", post]) => update(world, asked, id, post),
        (&Method::DELETE, ["v3", "conversations", id, "activities", post]) => delete(world, id, post),
        (&Method::GET, ["v3", "conversations", id, "members", person]) => roster(world, id, person),
        (&Method::GET, ["v3", "teams", id]) => team(world, id),
        (&Method::GET, ["v3", "teams", id, "conversations"]) => channels(world, id),
        _ => Err(Reply::error(404, "NotFound", "no such interface")),
    };
    result.unwrap_or_else(|refusal| refusal)
}

/// The segments of a path, decoded; an error where one isn't encoded as it must be.
fn segments(path: &str) -> Result<Vec<String>, ()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| {
            let (mut out, mut bytes) = (Vec::new(), segment.bytes());
            while let Some(byte) = bytes.next() {
                match byte {
                    b'%' => {
                        let mut digits = String::new();
                        for digit in [bytes.next(), bytes.next()] {
                            let _ = write!(digits, "{}", char::from(digit.ok_or(())?));
                        }
                        out.push(u8::from_str_radix(&digits, 16).map_err(drop)?);
                    }
                    byte if plain(byte) => out.push(byte),
                    _ => return Err(()),
                }
            }
            String::from_utf8(out).map_err(drop)
        })
        .collect()
}

fn body(world: &World, asked: &Asked) -> Result<Value, Reply> {
    if asked.header("content-type") != "application/json" {
        return Err(bad("the content type must be application/json"));
    }
    let text = std::str::from_utf8(&asked.body).map_err(|_| bad("not UTF-8"))?;
    if text.encode_utf16().count() * 2 > world.options.largest {
        return Err(Reply::too_big());
    }
    serde_json::from_str(text).map_err(|_| bad("not JSON"))
}

/// Check an activity that the bot sends.
fn check(world: &World, activity: &Value) -> Result<(), Reply> {
    let members = activity.as_object().ok_or_else(|| bad("an activity is an object"))?;
    if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(bad(format!("an activity has no `{unknown}`")));
    }
    if activity["type"] != "message" {
        return Err(bad("a bot sends messages"));
    }
    let attachments = activity["attachments"].as_array().cloned().unwrap_or_default();
    let has_text = activity["text"].as_str().is_some_and(|text| !text.is_empty());
    if attachments.is_empty() && !has_text {
        return Err(Reply::error(400, "BadSyntax", "a message with nothing in it"));
    }
    for attachment in &attachments {
        if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" {
            return Err(bad("only adaptive cards are known here"));
        }
        card::check(world, &attachment["content"]).map_err(|why| Reply::error(400, "BadSyntax", &why))?;
    }
    Ok(())
}

/// A conversation's id without the thread, and the thread's root.
fn split(id: &str) -> (&str, Option<&str>) {
    id.split_once(";messageid=").map_or((id, None), |(id, root)| (id, Some(root)))
}

fn start(world: &mut World, asked: &Asked) -> Result<Reply, Reply> {
    let body = body(world, asked)?;
    let tenant = world.options.tenant_id.clone();
    if body["bot"]["id"] != world.bot() {
        return Err(bad("the bot isn't named"));
    }
    if body["tenantId"] != tenant || body["channelData"]["tenant"]["id"] != tenant {
        return Err(bad("the tenant isn't named"));
    }
    if body["isGroup"] == true {
        let channel = body["channelData"]["channel"]["id"].as_str().ok_or_else(|| bad("no channel is named"))?;
        world.channel(channel).ok_or_else(Reply::no_conversation)?;
        world.may_write(channel)?;
        check(world, &body["activity"])?;
        world.throttle(channel)?;
        let id = put(world, channel, None, None, body["activity"].clone());
        let thread = format!("{channel};messageid={id}");
        return Ok(Reply::new(201, json!({ "id": thread, "activityId": id })));
    }
    let members = body["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [member] = members else { return Err(bad("a personal chat has one member")) };
    let person = member["id"].as_str().and_then(|id| world.person_by_id(id));
    let person = person.ok_or_else(|| bad("nobody has this id for this bot"))?;
    if !person.has_app {
        return Err(Reply::not_in_roster());
    }
    Ok(Reply::new(201, json!({ "id": person.chat })))
}

fn post(world: &mut World, asked: &Asked, id: &str, below: Option<&str>) -> Result<Reply, Reply> {
    let activity = body(world, asked)?;
    let (conversation, root) = split(id);
    world.may_write(conversation)?;
    check(world, &activity)?;
    if let Some(root) = root {
        let is_there = |post: &Post| post.conversation == conversation && post.id == root;
        // Threads that people began aren't kept here.
        let is_ours = world.posts.iter().any(is_there);
        if is_ours && world.posts.iter().any(|post| is_there(post) && post.is_deleted) {
            return Err(Reply::no_activity());
        }
    }
    world.throttle(id)?;
    let id = put(world, conversation, root, below, activity);
    Ok(Reply::new(201, json!({ "id": id })))
}

fn put(world: &mut World, conversation: &str, root: Option<&str>, below: Option<&str>, activity: Value) -> String {
    let id = world.next().to_string();
    world.posts.push(Post {
        id: id.clone(),
        conversation: conversation.to_owned(),
        root: root.map(str::to_owned),
        reply_to: below.map(str::to_owned),
        activity,
        edits: 0,
        is_deleted: false,
    });
    id
}

/// A post of the bot, in the thread that is named.
fn find<'w>(world: &'w mut World, id: &str, post: &str) -> Result<&'w mut Post, Reply> {
    let (conversation, root) = split(id);
    world.may_write(conversation)?;
    let is_channel = world.channel(conversation).is_some();
    let found = world.posts.iter_mut().find(|found| {
        let thread = found.root.as_deref().unwrap_or(&found.id);
        found.conversation == conversation && found.id == post && (!is_channel || root == Some(thread))
    });
    found.filter(|found| !found.is_deleted).ok_or_else(Reply::no_activity)
}

fn update(world: &mut World, asked: &Asked, id: &str, post: &str) -> Result<Reply, Reply> {
    let activity = body(world, asked)?;
    check(world, &activity)?;
    find(world, id, post)?;
    world.throttle(id)?;
    let found = find(world, id, post)?;
    found.activity = activity;
    found.edits += 1;
    Ok(Reply::new(200, json!({ "id": post })))
}

fn delete(world: &mut World, id: &str, post: &str) -> Result<Reply, Reply> {
    find(world, id, post)?.is_deleted = true;
    Ok(Reply::new(200, Value::Null))
}

fn roster(world: &mut World, id: &str, person: &str) -> Result<Reply, Reply> {
    let members = world.members(id).ok_or_else(Reply::no_conversation)?;
    let found = members.into_iter().find(|member| member.id == person);
    let refusal = || Reply::error(404, "MemberNotFoundInConversation", "Member not found in conversation.");
    Ok(Reply::new(200, member(world, found.ok_or_else(refusal)?)))
}

fn known_team<'w>(world: &'w World, id: &str) -> Result<&'w crate::world::Team, Reply> {
    let team = world.teams.values().find(|team| team.id == id).ok_or_else(Reply::no_conversation)?;
    if team.has_app { Ok(team) } else { Err(Reply::not_in_roster()) }
}

fn team(world: &mut World, id: &str) -> Result<Reply, Reply> {
    let team = known_team(world, id)?;
    Ok(Reply::new(200, json!({ "id": team.id, "name": team.name })))
}

fn channels(world: &mut World, id: &str) -> Result<Reply, Reply> {
    let team = known_team(world, id)?;
    let listed = team.channels.iter().map(|(name, channel)| {
        // Of a team's first channel no name is told.
        if *channel == team.id { json!({ "id": channel }) } else { json!({ "id": channel, "name": name }) }
    });
    Ok(Reply::new(200, json!({ "conversations": listed.collect::<Vec<_>>() })))
}
