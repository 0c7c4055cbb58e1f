//! Routes about posts.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, require_id};
use crate::gojson;
use crate::model::Post;
use crate::reply::{Answer, ApiError, Reply};
use crate::state::Shared;
use crate::views;
use crate::world::posts::Seen;
use crate::world::{Session, World};

/// Posts on a page if the caller does not say.
const PER_PAGE: usize = 60;
/// Most posts on a page.
const MAX_PER_PAGE: usize = 200;

/// A post as callers send it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PostInput {
    id: String,
    channel_id: String,
    root_id: String,
    message: String,
    #[serde(rename = "type")]
    kind: String,
    props: Option<Map<String, Value>>,
    pending_post_id: String,
    is_pinned: bool,
    has_reactions: bool,
}

fn found(post: &Post) -> Reply {
    Reply::json(200, &views::rest_post(post))
}

fn missing() -> ApiError {
    ApiError::named("delete_post_unknown_or_deleted")
}

/// `POST posts`.
pub(crate) async fn create(shared: &Shared, call: &Call) -> Answer {
    let caller = call.caller()?;
    let input: PostInput = call.json(shared, "post")?;
    let pending_id = input.pending_post_id.clone();
    {
        let mut world = shared.world();
        may_create(&world, shared, caller, &input)?;
        match world.note_pending(&pending_id, &caller.user_id, shared.now())? {
            Seen::New => {}
            Seen::Existing(post) => return Ok(Reply::json(201, &views::post(&post, views::Level::All))),
        }
    }
    // Meanwhile a twin with the same pending post id is refused.
    call.take_time().await;
    let mut world = shared.world();
    match store(&mut world, shared, caller, input) {
        Ok(post) => {
            world.set_pending(&pending_id, post.id.clone(), shared.now());
            let mut shown = views::rest_post(&post);
            shown.pending_post_id = pending_id;
            Ok(Reply::json(201, &shown))
        }
        Err(error) => {
            // A failed attempt may be repeated under the same id.
            world.pending.remove(&pending_id);
            Err(error)
        }
    }
}

/// The checks before anything is remembered, in the server's order.
fn may_create(world: &World, shared: &Shared, caller: &Session, input: &PostInput) -> Result<(), ApiError> {
    let user_id = &caller.user_id;
    if !world.may_use_channel(&input.channel_id, user_id) {
        return Err(ApiError::permission());
    }
    let Some(channel) = world.channels.get(&input.channel_id) else {
        return Err(ApiError::named("create_post_unknown_channel_system_admin_token"));
    };
    if input.kind.starts_with("system_") {
        return Err(ApiError::new(400, "api.context.invalid_param.app_error", "Nobody can make posts of this type."));
    }
    if channel.delete_at != 0 {
        return Err(ApiError::named("create_post_archived_channel"));
    }
    if world.is_restricted_dm(&channel.id, user_id, &shared.options) {
        return Err(ApiError::named("create_post_restricted_dm_v11"));
    }
    Ok(())
}

fn store(world: &mut World, shared: &Shared, caller: &Session, input: PostInput) -> Result<Post, ApiError> {
    if !input.id.is_empty() {
        return Err(ApiError::new(400, "app.post.save.existing.app_error", "A new post has no id yet."));
    }
    let mut props = gojson::map_passed_through(&input.props.unwrap_or_default());
    let is_bot = world.users.get(&caller.user_id).is_some_and(|u| u.is_bot);
    if is_bot {
        props.insert("from_bot".into(), "true".into());
    }
    if caller.is_oauth {
        props.insert("from_oauth_app".into(), "true".into());
    }
    let post = Post {
        user_id: caller.user_id.clone(),
        channel_id: input.channel_id,
        root_id: input.root_id,
        message: input.message,
        kind: input.kind,
        props,
        pending_post_id: input.pending_post_id,
        is_pinned: input.is_pinned,
        ..Post::default()
    };
    world.store_post(post, &shared.options, shared.now())
}

#[derive(Deserialize)]
struct EphemeralInput {
    #[serde(default)]
    user_id: String,
    post: Option<PostInput>,
}

/// `POST posts/ephemeral`: for system administrators.
pub(crate) fn create_ephemeral(shared: &Shared, call: &Call) -> Answer {
    let caller = call.caller()?;
    let input: EphemeralInput = call.json(shared, "body")?;
    let post = input.post.ok_or_else(|| ApiError::body_param("post"))?;
    if input.user_id.is_empty() {
        return Err(ApiError::body_param("user_id"));
    }
    let mut world = shared.world();
    if !world.is_sysadmin(&caller.user_id) {
        return Err(ApiError::permission());
    }
    let shown = world.show_ephemeral(
        &input.user_id,
        &post.channel_id,
        &post.root_id,
        &post.message,
        post.props.unwrap_or_default(),
        shared.now(),
    );
    let stored = Post {
        id: shown.id,
        create_at: shown.at,
        update_at: shown.at,
        user_id: caller.user_id.clone(),
        channel_id: shown.channel_id,
        message: shown.message,
        props: shown.props,
        kind: "system_ephemeral".into(),
        ..Post::default()
    };
    Ok(Reply::json(201, &views::rest_post(&stored)))
}

/// The post, if the caller may read it.
fn readable<'a>(world: &'a World, caller: &Session, id: &str) -> Result<&'a Post, ApiError> {
    let post = world.posts.get(id).filter(|post| !post.is_deleted());
    let post = post.ok_or_else(missing)?;
    if !world.may_read_channel(&post.channel_id, &caller.user_id) {
        return Err(ApiError::permission());
    }
    Ok(post)
}

/// `GET posts/{id}`.
pub(crate) fn get(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "post_id")?;
    readable(&shared.world(), caller, id).map(found)
}

/// A list of posts in the server's shape.
fn post_list<'a>(order: &[&'a Post], more: impl Iterator<Item = &'a Post>) -> Reply {
    let ids: Vec<&str> = order.iter().map(|post| post.id.as_str()).collect();
    let mut posts = Map::new();
    for post in order.iter().copied().chain(more) {
        let shown = serde_json::to_value(views::rest_post(post)).expect("posts are plain data");
        posts.insert(post.id.clone(), shown);
    }
    Reply::json(200, &json!({"order": ids, "posts": posts, "next_post_id": "", "prev_post_id": "", "has_next": false}))
}

/// `GET posts/{id}/thread`.
pub(crate) fn thread(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "post_id")?;
    let world = shared.world();
    let post = readable(&world, caller, id)?;
    let root = if post.root_id.is_empty() { &post.id } else { &post.root_id };
    let order: Vec<&Post> = world
        .channel_posts(&post.channel_id)
        .filter(|p| !p.is_deleted() && (p.id == *root || p.root_id == *root))
        .collect();
    Ok(post_list(&order, std::iter::empty()))
}

/// `GET channels/{id}/posts`: a page, or everything touched since a time, deleted posts included.
pub(crate) fn list(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "channel_id")?;
    let world = shared.world();
    if !world.channels.contains_key(id) {
        return Err(ApiError::named("channel_not_found"));
    }
    if !world.may_read_channel(id, &caller.user_id) {
        return Err(ApiError::permission());
    }
    let number = |name: &str| call.query(name).parse::<usize>().ok();
    let since = call.query("since");
    let order: Vec<&Post> = if since.is_empty() {
        let per_page = match number("per_page") {
            None | Some(0) => PER_PAGE,
            Some(wanted) => wanted.min(MAX_PER_PAGE),
        };
        let newest_first = world.channel_posts(id).rev().filter(|p| !p.is_deleted());
        newest_first.skip(number("page").unwrap_or(0) * per_page).take(per_page).collect()
    } else {
        let since: i64 = since.parse().map_err(|_| ApiError::url_param("since"))?;
        let touched = world.channel_posts(id).rev();
        touched.filter(|p| p.update_at > since).take(1000).collect()
    };
    let roots = order.iter().filter_map(|post| world.posts.get(&post.root_id)).filter(|root| !root.is_deleted());
    Ok(post_list(&order, roots))
}

#[derive(Deserialize)]
struct Patch {
    message: Option<String>,
    props: Option<Map<String, Value>>,
    is_pinned: Option<bool>,
    has_reactions: Option<bool>,
}

/// The post, if the caller may change it. Posts that do not exist are a question of permission.
fn editable(world: &World, caller: &Session, id: &str) -> Result<Post, ApiError> {
    let refused = || ApiError::named("update_or_patch_post_deleted_or_unknown");
    let post = world.posts.get(id).filter(|post| !post.is_deleted());
    let post = post.ok_or_else(refused)?;
    let own = post.user_id == caller.user_id && world.in_channel(&post.channel_id, &caller.user_id);
    if !own && !world.is_sysadmin(&caller.user_id) {
        return Err(refused());
    }
    Ok(post.clone())
}

/// Whether the time for editing is over.
fn too_late(shared: &Shared, post: &Post) -> bool {
    let limit = shared.options.post_edit_time_limit;
    limit != -1 && shared.now() > post.create_at + limit * 1000
}

fn too_late_error(shared: &Shared) -> ApiError {
    let mut error = ApiError::named("update_post_edit_time_limit");
    let limit = shared.options.post_edit_time_limit.to_string();
    error.message = error.message.replace("300", &limit);
    error
}

fn is_archived(world: &World, post: &Post) -> bool {
    world.channels.get(&post.channel_id).is_some_and(|channel| channel.delete_at != 0)
}

/// `PUT posts/{id}/patch`: only what is given changes; properties are replaced as a whole. A
/// patch that names the message, changed or not, counts as an edit for the time limit.
pub(crate) fn patch(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "post_id")?;
    let patch: Patch = call.json(shared, "post")?;
    let mut world = shared.world();
    let mut post = editable(&world, caller, id)?;
    if patch.message.is_some() && too_late(shared, &post) {
        return Err(too_late_error(shared));
    }
    if is_archived(&world, &post) {
        return Err(ApiError::named("patch_post_archived_channel"));
    }
    if let Some(message) = patch.message {
        post.message = message;
    }
    if let Some(props) = patch.props {
        post.props = gojson::map_passed_through(&props);
    }
    post.is_pinned = patch.is_pinned.unwrap_or(post.is_pinned);
    post.has_reactions = patch.has_reactions.unwrap_or(post.has_reactions);
    let changed = world.change_post(post, &shared.options, shared.now())?;
    Ok(found(&changed))
}

/// `PUT posts/{id}`: everything is replaced; what is missing is emptied.
pub(crate) fn update(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "post_id")?;
    let input: PostInput = call.json(shared, "post")?;
    if input.id != id {
        return Err(ApiError::body_param("id"));
    }
    let mut world = shared.world();
    let old = editable(&world, caller, id)?;
    if input.message != old.message && too_late(shared, &old) {
        return Err(too_late_error(shared));
    }
    if is_archived(&world, &old) {
        return Err(ApiError::named("update_post_archived_channel"));
    }
    let post = Post {
        message: input.message,
        props: gojson::map_passed_through(&input.props.unwrap_or_default()),
        is_pinned: input.is_pinned,
        has_reactions: input.has_reactions,
        ..old
    };
    let changed = world.change_post(post, &shared.options, shared.now())?;
    Ok(found(&changed))
}

/// `DELETE posts/{id}`.
pub(crate) fn delete(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "post_id")?;
    let mut world = shared.world();
    let post = world.posts.get(id).filter(|post| !post.is_deleted());
    let post = post.ok_or_else(missing)?;
    let own = post.user_id == caller.user_id && world.in_channel(&post.channel_id, &caller.user_id);
    if !own && !world.is_sysadmin(&caller.user_id) {
        return Err(ApiError::permission());
    }
    world.delete_post(id, shared.now());
    Ok(Reply::ok())
}
