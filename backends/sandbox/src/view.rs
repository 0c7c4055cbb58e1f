//! What readers of a world see, as JSON. Action tokens are never in it: buttons go by the
//! ids of their actions.

use chatport_sdk::{ingress::Response, time::Timestamp};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::{
    card::Card,
    faults::Fault,
    ingress::{Problem, pretty},
    world::{BOT, Notice, Person, Place, Post, Version, World, direct_place},
};

/// A post with its thread.
#[derive(Serialize)]
pub(crate) struct PostView<'a> {
    id: String,
    by: &'a str,
    at: Timestamp,
    #[serde(flatten)]
    card: &'a Card,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<&'a Version>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replies: Vec<PostView<'a>>,
}

impl<'a> PostView<'a> {
    /// The post alone.
    pub(crate) fn of(post: &'a Post) -> Self {
        let delivered = post.delivered.as_ref();
        Self {
            id: post.id(),
            by: &post.by,
            at: post.at,
            card: &post.card,
            edited_at: post.edited_at,
            deleted_at: post.deleted_at,
            copy: delivered.map(|delivered| delivered.copy.as_str()),
            part: delivered.map(|delivered| delivered.part),
            revision: delivered.map(|delivered| delivered.revision),
            history: post.earlier.iter().collect(),
            replies: Vec::new(),
        }
    }
}

#[derive(Serialize)]
struct ConversationView<'a> {
    conversation: &'a str,
    posts: Vec<PostView<'a>>,
    /// What the reader alone sees; absent if nobody in particular reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    notices: Option<Vec<NoticeView<'a>>>,
}

#[derive(Serialize)]
struct NoticeView<'a> {
    at: Timestamp,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
}

/// What there is to call.
pub(crate) fn ways(ways: &[(&str, &str, &str)]) -> Response {
    let ways: Vec<_> = ways.iter().map(|(method, path, what)| json!({ format!("{method} {path}"): what })).collect();
    pretty(StatusCode::OK, &json!({ "sandbox": ways }))
}

/// The people, the conversations and the bot.
pub(crate) fn world(world: &World) -> Response {
    let person =
        |person: &'_ Person| json!({ "id": person.id, "name": person.name, "direct": direct_place(&person.id) });
    let place = |place: &'_ Place| {
        json!({
            "id": place.id,
            "name": place.name,
            "kind": if place.direct { "direct" } else { "channel" },
            "archived": place.archived,
            "members": place.members,
            "posts": world.posts_in(&place.id).count(),
        })
    };
    let people: Vec<_> = world.people.iter().map(person).collect();
    let conversations: Vec<_> = world.places.iter().map(place).collect();
    let view = json!({ "world": world.name, "bot": BOT, "people": people, "conversations": conversations });
    pretty(StatusCode::OK, &view)
}

/// The posts of a conversation as threads, oldest first. A reader must be in it.
pub(crate) fn conversation(world: &World, id: &str, reader: Option<&str>) -> Result<Response, Problem> {
    let place = world.place(id)?;
    if let Some(reader) = reader {
        world.place_of(id, &world.person(reader)?.id)?;
    }
    let mut posts: Vec<PostView<'_>> = Vec::new();
    let mut starts: Vec<u64> = Vec::new();
    for post in world.posts_in(&place.id) {
        // Where the start of a thread is forgotten, its replies stand alone.
        match post.root.and_then(|root| starts.binary_search(&root).ok()) {
            Some(index) => posts[index].replies.push(PostView::of(post)),
            None => {
                starts.push(post.number);
                posts.push(PostView::of(post));
            }
        }
    }
    let notices = reader.map(|reader| notices(world, id, reader));
    Ok(pretty(StatusCode::OK, &ConversationView { conversation: &place.id, posts, notices }))
}

fn notices<'a>(world: &'a World, place: &str, reader: &str) -> Vec<NoticeView<'a>> {
    let for_reader = |notice: &&Notice| notice.to == reader && notice.place == place;
    let view = |notice: &'a Notice| NoticeView { at: notice.at, text: &notice.text, about: notice.about.as_deref() };
    world.notices.iter().filter(for_reader).map(view).collect()
}

/// What is to go wrong.
pub(crate) fn faults(faults: &[Fault]) -> Response {
    pretty(StatusCode::OK, &json!({ "faults": faults }))
}
