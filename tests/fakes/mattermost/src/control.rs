//! The control interface below `/_fake/`: what the handle can do, for scripts and people.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::apps::{command, install, lifecycle};
use crate::faults::{FaultKind, FaultRule};
use crate::gojson;
use crate::model::Post;
use crate::reply::{Answer, ApiError, Reply};
use crate::rest::Call;
use crate::state::Shared;
use crate::world::TokenKind;
use crate::{clicks, slash};

/// The arguments of a request: its JSON body.
struct Arguments<'a> {
    shared: &'a Shared,
    body: Value,
}

fn bad(what: impl Into<String>) -> ApiError {
    ApiError::new(400, "fake.bad_argument", what)
}

impl Arguments<'_> {
    fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    fn user(&self, name: &str) -> Result<String, ApiError> {
        let text = self.text(name);
        let world = self.shared.world();
        let user = world.find_user(&text).map(|user| user.id.clone());
        user.ok_or_else(|| bad(format!("{name}: no user {text:?}")))
    }

    fn channel(&self, text: &str) -> Result<String, ApiError> {
        let world = self.shared.world();
        let channel = world.find_channel(text).map(|channel| channel.id.clone());
        channel.ok_or_else(|| bad(format!("channel: no single channel {text:?}")))
    }
}

/// Finds and runs a control request.
pub(crate) async fn route(shared: &Arc<Shared>, call: &Call, rest: &str) -> Answer {
    let body = if call.body.is_empty() {
        json!({})
    } else {
        serde_json::from_slice(&call.body).map_err(|error| bad(error.to_string()))?
    };
    let arguments = Arguments { shared, body };
    match (call.method.as_str(), rest) {
        ("GET", _) => look(&arguments, call, rest),
        ("POST", "click" | "slash") => act(shared, &arguments, rest).await,
        ("POST", "post") => post(&arguments),
        ("POST", "fault") => {
            shared.faults().add(fault(&arguments)?);
            Ok(Reply::ok())
        }
        ("POST", "clear_faults") => {
            shared.faults().clear();
            Ok(Reply::ok())
        }
        ("POST", "advance") => {
            let seconds = arguments.body["seconds"].as_u64().unwrap_or(0);
            shared.clock.advance(Duration::from_secs(seconds));
            Ok(Reply::json(200, &json!({"now_ms": shared.now()})))
        }
        ("POST", "bot") => bot(&arguments),
        ("POST", name) => match name.strip_prefix("apps/") {
            Some(name) => apps(shared, &arguments, name).await,
            None => Err(ApiError::no_route()),
        },
        _ => Err(ApiError::no_route()),
    }
}

async fn act(shared: &Arc<Shared>, arguments: &Arguments<'_>, what: &str) -> Answer {
    let user = arguments.user("user")?;
    if what == "click" {
        let (post, action) = (arguments.text("post"), arguments.text("action"));
        let selected = arguments.text("selected");
        let outcome = clicks::click(shared, &user, &post, &action, Some(&selected)).await;
        return Ok(Reply::json(200, &outcome));
    }
    let channel = arguments.channel(&arguments.text("channel"))?;
    let team = {
        let world = shared.world();
        let mut teams = world.teams.keys();
        teams.find(|team| world.in_team(team, &user)).cloned()
    };
    let text = arguments.text("text");
    let outcome = slash::execute(shared, &user, &channel, team.as_deref(), &text).await;
    Ok(Reply::json(200, &outcome))
}

async fn apps(shared: &Arc<Shared>, arguments: &Arguments<'_>, what: &str) -> Answer {
    if !shared.options.apps_enabled {
        return Err(bad("the Apps plugin does not run"));
    }
    if what == "command" {
        let user = arguments.user("user")?;
        let channel = arguments.channel(&arguments.text("channel"))?;
        let outcome = command::run(shared, &user, &channel, &arguments.text("text")).await;
        return Ok(Reply::json(200, &outcome));
    }
    let admin = arguments.user("admin")?;
    let app_id = arguments.text("app_id");
    let outcome = match what {
        "install" => {
            let (url, secret) = (arguments.text("manifest_url"), arguments.text("secret"));
            install::install_http(shared, &admin, &url, &secret).await
        }
        "uninstall" => {
            let force = arguments.body["force"].as_bool().unwrap_or(false);
            lifecycle::uninstall(shared, &admin, &app_id, force).await
        }
        "disable" => lifecycle::disable(shared, &admin, &app_id).await,
        "enable" => lifecycle::enable(shared, &admin, &app_id).await,
        _ => return Err(ApiError::no_route()),
    };
    Ok(Reply::json(200, &outcome))
}

fn post(arguments: &Arguments<'_>) -> Answer {
    let shared = arguments.shared;
    let user = arguments.user("user")?;
    let channel = arguments.channel(&arguments.text("channel"))?;
    let props = arguments.body["props"].as_object().cloned();
    let post = Post {
        user_id: user,
        channel_id: channel,
        message: arguments.text("message"),
        props: gojson::map_passed_through(&props.unwrap_or_else(Map::new)),
        ..Post::default()
    };
    let now = shared.now();
    let stored = shared.world().store_post(post, &shared.options, now)?;
    Ok(Reply::json(200, &stored))
}

fn bot(arguments: &Arguments<'_>) -> Answer {
    let shared = arguments.shared;
    let owner = arguments.user("owner")?;
    let channels = arguments.body["channels"].as_array().cloned();
    let mut ids = Vec::new();
    for channel in channels.iter().flatten() {
        ids.push(arguments.channel(channel.as_str().unwrap_or_default())?);
    }
    let now = shared.now();
    let mut world = shared.world();
    let bot = world.add_bot(&arguments.text("username"), &owner, now);
    let bot = bot.ok_or_else(|| bad("username: taken"))?;
    for id in ids {
        let team = world.channels[&id].team_id.clone();
        world.join_team(&team, &bot.id);
        world.join_channel(&id, &bot.id);
    }
    let token = world.add_token(&bot.id, TokenKind::Personal, None);
    Ok(Reply::json(200, &json!({"user_id": bot.id, "token": token})))
}

fn fault(arguments: &Arguments<'_>) -> Result<FaultRule, ApiError> {
    let body = &arguments.body;
    let kind = match arguments.text("kind").as_str() {
        "error" => FaultKind::Error(arguments.text("name")),
        "status" => {
            let status = body["status"].as_u64().and_then(|s| u16::try_from(s).ok());
            FaultKind::Status(status.unwrap_or(500), arguments.text("body"))
        }
        "rate_limited" => FaultKind::RateLimited { retry_after: body["retry_after"].as_u64().unwrap_or(1) },
        "stall" => FaultKind::Stall,
        "lose_answer" => FaultKind::LoseAnswer,
        "cut_before" => FaultKind::CutBefore,
        "delay" => FaultKind::Delay(Duration::from_millis(body["ms"].as_u64().unwrap_or(1000))),
        "half_body" => FaultKind::HalfBody,
        other => return Err(bad(format!("kind: no fault {other:?}"))),
    };
    let or_any = |name: &str| match arguments.text(name) {
        empty if empty.is_empty() => "*".to_owned(),
        given => given,
    };
    Ok(FaultRule {
        method: or_any("method"),
        path: or_any("path"),
        times: body["times"].as_u64().and_then(|t| u32::try_from(t).ok()),
        kind,
    })
}

fn look(arguments: &Arguments<'_>, call: &Call, what: &str) -> Answer {
    let shared = arguments.shared;
    match what {
        "world" => Ok(Reply::json(200, &world(shared))),
        "posts" => {
            let channel = arguments.channel(&call.query("channel"))?;
            let world = shared.world();
            let posts: Vec<&Post> = world.channel_posts(&channel).collect();
            Ok(Reply::json(200, &posts))
        }
        "ephemerals" => {
            let world = shared.world();
            let user = world.find_user(&call.query("user"));
            let id = &user.ok_or_else(|| bad("user: no such user"))?.id;
            let seen: Vec<_> = world.ephemerals.iter().filter(|e| e.user_id == *id).collect();
            Ok(Reply::json(200, &seen))
        }
        "notifications" => Ok(Reply::json(200, &shared.world().notifications)),
        "requests" => Ok(Reply::json(200, &shared.log().got)),
        "sent" => Ok(Reply::json(200, &shared.log().sent)),
        _ => Err(ApiError::no_route()),
    }
}

/// Ids and tokens of everything, by name.
pub(crate) fn world(shared: &Shared) -> Value {
    let world = shared.world();
    let mut users = Map::new();
    for user in world.users.values() {
        let tokens: Vec<&String> =
            world.tokens.iter().filter(|(_, token)| token.user_id == user.id).map(|(value, _)| value).collect();
        let shown = json!({"id": user.id, "roles": user.roles, "is_bot": user.is_bot, "tokens": tokens});
        users.insert(user.username.clone(), shown);
    }
    let mut channels = Map::new();
    for channel in world.channels.values() {
        let team = world.teams.get(&channel.team_id);
        let team = team.map(|team| team.name.as_str()).unwrap_or_default();
        let shown = json!({"id": channel.id, "type": channel.kind, "archived": channel.delete_at != 0});
        channels.insert(format!("{team}/{}", channel.name), shown);
    }
    let teams: Map<String, Value> =
        world.teams.values().map(|team| (team.name.clone(), team.id.clone().into())).collect();
    let apps: Map<String, Value> =
        world.apps.installed.values().map(|app| (app.manifest.app_id.clone(), app.shown(true))).collect();
    json!({
        "url": shared.site_url,
        "public_key": shared.key.public_b64(),
        "now_ms": shared.now(),
        "users": users,
        "teams": teams,
        "channels": channels,
        "commands": world.commands.values().collect::<Vec<_>>(),
        "apps": apps,
    })
}
