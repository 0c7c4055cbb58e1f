//! The REST interface refuses and grants what the real one does.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod caller;

use std::time::Duration;

use caller::Rest;
use chatport_fake_mattermost::{FakeMattermost, MentionPlace, Options, RateLimit, RestrictDm};
use serde_json::{Value, json};

/// A server with a bot in `acme/alerts`.
async fn with_bot(options: Options) -> (FakeMattermost, String, String) {
    let server = FakeMattermost::start(options).await;
    let (id, token) = server.create_bot("helper", "sysadmin");
    server.join_channel("acme/alerts", "helper");
    (server, id, token)
}

fn error(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["id"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn tokens_and_users() {
    let (server, id, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let (status, me) = bot.get("users/me").await;
    assert_eq!((status, &me["id"], &me["is_bot"]), (200, &json!(id), &json!(true)));
    assert_eq!(bot.get("users/username/alice").await.1["username"], "alice");
    let unknown = bot.get("users/aaaaaaaaaaaaaaaaaaaaaaaaaa").await;
    assert_eq!(error(&unknown), (404, "app.user.missing_account.const"));
    let nobody = Rest::new(&server, "nope").get("users/me").await;
    assert_eq!(error(&nobody), (401, "api.context.session_expired.app_error"));
    server.deactivate_user("sysadmin");
    assert_eq!(bot.get("users/me").await.0, 401, "a bot goes with its owner");
    server.reactivate_user("helper");
    assert_eq!(bot.get("users/me").await.0, 200);
    server.revoke_token(&token);
    assert_eq!(bot.get("users/me").await.0, 401);
    let short = server.create_expiring_token("alice", Duration::from_secs(60));
    assert!(server.is_good_token(&short));
    server.advance(Duration::from_secs(61));
    assert!(!server.is_good_token(&short));
}

#[tokio::test]
async fn making_posts() {
    let (server, id, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let channel = server.channel_id("acme/alerts");
    let text = "a".repeat(16383);
    let (status, post) = bot.post("posts", json!({"channel_id": channel, "message": text})).await;
    assert_eq!(status, 201);
    assert_eq!(post["user_id"], id.as_str());
    assert_eq!(post["props"]["from_bot"], "true");
    for (body, expected) in [
        (json!({"message": format!("{text}b")}), (400, "model.post.is_valid.message_length.app_error")),
        (json!({"id": post["id"]}), (400, "app.post.save.existing.app_error")),
        (json!({"root_id": "aaaaaaaaaaaaaaaaaaaaaaaaaa"}), (400, "api.post.create_post.root_id.app_error")),
        (json!({"props": {"attachments": [null]}}), (400, "model.post.is_valid.props.app_error")),
        (json!({"message": 5}), (400, "api.context.invalid_body_param.app_error")),
        (json!({"channel_id": server.channel_id("incidents")}), (403, "api.context.permissions.app_error")),
        (json!({"channel_id": "aaaaaaaaaaaaaaaaaaaaaaaaaa"}), (403, "api.context.permissions.app_error")),
        (json!({"message": "a".repeat(300_001)}), (413, "api.context.request_body_too_large.app_error")),
    ] {
        let mut full = json!({"channel_id": channel, "message": "m"});
        for (key, value) in body.as_object().unwrap() {
            full[key] = value.clone();
        }
        assert_eq!(error(&bot.post("posts", full).await), expected);
    }
    let admin = Rest::new(&server, server.login("sysadmin"));
    let unknown = admin.post("posts", json!({"channel_id": "aaaaaaaaaaaaaaaaaaaaaaaaaa"})).await;
    assert_eq!(error(&unknown), (400, "api.context.invalid_param.app_error"));
    server.archive_channel("acme/alerts");
    let archived = bot.post("posts", json!({"channel_id": channel, "message": "m"})).await;
    assert_eq!(error(&archived), (400, "api.post.create_post.can_not_post_to_deleted.error"));
    assert_eq!(server.posts("acme/alerts").len(), 1);
}

#[tokio::test]
async fn a_request_is_repeatable_for_thirty_seconds() {
    let (server, _, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let channel = server.channel_id("acme/alerts");
    let body = json!({"channel_id": channel, "message": "m", "pending_post_id": "p:1"});
    let (_, first) = bot.post("posts", body.clone()).await;
    assert_eq!(first["pending_post_id"], "p:1");
    let (status, second) = bot.post("posts", body.clone()).await;
    assert_eq!((status, &second["id"]), (201, &first["id"]));
    assert_eq!(second["pending_post_id"], "");
    server.advance(Duration::from_secs(31));
    let (_, third) = bot.post("posts", body).await;
    assert_ne!(third["id"], first["id"]);
    assert_eq!(server.posts("acme/alerts").len(), 2);
}

#[tokio::test]
async fn editing_and_deleting() {
    let options = Options { post_edit_time_limit: 300, ..Options::default() };
    let (server, _, token) = with_bot(options).await;
    let bot = Rest::new(&server, &token);
    let channel = server.channel_id("acme/alerts");
    let action = json!({"id": "ack", "type": "button", "name": "Ack",
        "integration": {"url": "http://127.0.0.1:1/", "context": {"n": 1}}});
    let props = json!({"x": "y", "attachments": [{"text": "t", "actions": [action]}]});
    let (_, post) = bot.post("posts", json!({"channel_id": channel, "message": "m", "props": props})).await;
    let id = post["id"].as_str().unwrap().to_owned();
    assert!(post["props"]["attachments"][0]["actions"][0].get("integration").is_none());
    assert_eq!(server.post(&id).unwrap().action("ack").unwrap()["integration"]["context"], json!({"n": 1}));
    let route = format!("posts/{id}/patch");
    let (status, patched) = bot.put(&route, json!({"props": {"z": 1}})).await;
    assert_eq!((status, &patched["message"]), (200, &json!("m")));
    assert_eq!(patched["props"], json!({"z": 1}), "properties are replaced as a whole");
    let replaced = bot.put(&format!("posts/{id}"), json!({"id": id, "message": "n"})).await;
    assert_eq!(replaced.1["props"], json!({}));
    assert_eq!(server.post(&id).unwrap().updates, 2);
    let (_, reply) = bot.post("posts", json!({"channel_id": channel, "message": "r", "root_id": id})).await;
    let (_, thread) = bot.get(&format!("posts/{id}/thread")).await;
    assert_eq!(thread["order"], json!([id, reply["id"]]));

    server.advance(Duration::from_secs(301));
    let late = (400, "api.post.update_post.permissions_time_limit.app_error");
    assert_eq!(error(&bot.put(&route, json!({"message": "n"})).await), late);
    assert_eq!(bot.put(&route, json!({"props": {}})).await.0, 200, "properties have no time limit");
    let mallory = Rest::new(&server, server.login("mallory"));
    let refused = (403, "api.context.permissions.app_error");
    assert_eq!(error(&mallory.put(&route, json!({"message": "n"})).await), refused);

    server.archive_channel("acme/alerts");
    let archived = (400, "api.post.patch_post.can_not_update_post_in_deleted.error");
    assert_eq!(error(&bot.put(&route, json!({"props": {}})).await), archived);
    server.unarchive_channel("acme/alerts");
    assert_eq!(bot.delete(&format!("posts/{id}")).await, (200, json!({"status": "OK"})));
    assert!(server.posts("acme/alerts").is_empty(), "the thread goes with its first post");
    assert_eq!(error(&bot.delete(&format!("posts/{id}")).await), (404, "app.post.get.app_error"));
    assert_eq!(error(&bot.put(&route, json!({"props": {}})).await), refused);
    let gone = json!({"channel_id": channel, "message": "r", "root_id": id});
    assert_eq!(error(&bot.post("posts", gone).await).1, "api.post.create_post.root_id.app_error");
}

#[tokio::test]
async fn lists_of_posts() {
    let (server, _, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let channel = server.channel_id("acme/alerts");
    let posts: Vec<_> = (0..5).map(|n| server.post_as("alice", "acme/alerts", &n.to_string())).collect();
    let (_, page) = bot.get(&format!("channels/{channel}/posts?page=1&per_page=2")).await;
    assert_eq!(page["order"], json!([posts[2].id, posts[1].id]));
    server.delete_post(&posts[3].id);
    let since = posts[2].update_at;
    let (_, list) = bot.get(&format!("channels/{channel}/posts?since={since}")).await;
    assert_eq!(list["order"], json!([posts[4].id, posts[3].id]), "deleted posts are listed");
    assert_ne!(list["posts"][&posts[3].id]["delete_at"], 0);
}

#[tokio::test]
async fn channels_and_members() {
    let (server, id, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let square = server.channel_id("acme/town-square");
    let incidents = server.channel_id("incidents");
    assert_eq!(bot.get(&format!("channels/{square}")).await.1["type"], "O");
    assert_eq!(bot.get(&format!("channels/{incidents}")).await.0, 403);
    let unknown = bot.get("channels/aaaaaaaaaaaaaaaaaaaaaaaaaa").await;
    assert_eq!(error(&unknown), (404, "app.channel.get.existing.app_error"));
    let join = json!({"user_id": id});
    assert_eq!(bot.post(&format!("channels/{square}/members"), join.clone()).await.0, 201);
    assert!(server.is_in_channel("acme/town-square", "helper"));
    assert_eq!(bot.post(&format!("channels/{incidents}/members"), join.clone()).await.0, 403);
    let ops = server.channel_id("globex/ops");
    assert_eq!(bot.post(&format!("channels/{ops}/members"), join).await.0, 403);
    let bob = server.user_id("bob");
    assert_eq!(bot.get(&format!("channels/{square}/members/{bob}")).await.0, 200);
    server.leave_channel("acme/town-square", "bob");
    let missing = bot.get(&format!("channels/{square}/members/{bob}")).await;
    assert_eq!(error(&missing), (404, "app.channel.get_member.missing.app_error"));
    let team = server.team_id("acme");
    assert_eq!(bot.get(&format!("teams/{team}/channels/name/alerts")).await.0, 200);
    assert_eq!(bot.get("users/me/teams").await.1[0]["name"], "acme");
    assert_eq!(bot.get("teams/name/acme").await.1["id"], team.as_str());
    assert_eq!(bot.get("teams/name/globex").await.0, 403);
}

#[tokio::test]
async fn direct_channels() {
    let (server, id, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let alice = server.user_id("alice");
    let (status, first) = bot.post("channels/direct", json!([id, alice])).await;
    assert_eq!((status, &first["type"], &first["team_id"]), (201, &json!("D"), &json!("")));
    let (_, second) = bot.post("channels/direct", json!([alice, id])).await;
    assert_eq!(first["id"], second["id"]);
    let bob = server.user_id("bob");
    assert_eq!(bot.post("channels/direct", json!([alice, bob])).await.0, 403);
    server.deactivate_user("alice");
    let into = json!({"channel_id": first["id"], "message": "hello"});
    assert_eq!(bot.post("posts", into).await.0, 201, "deactivated users are written to");

    let options = Options { restrict_dm: RestrictDm::TeamV11, ..Options::default() };
    let server = FakeMattermost::start(options).await;
    let (id, token) = server.create_bot("lonely", "sysadmin");
    let bot = Rest::new(&server, &token);
    let refused = bot.post("channels/direct", json!([id, server.user_id("alice")])).await;
    assert_eq!(error(&refused), (403, "api.channel.create_channel.direct_channel.team_restricted_error"));
    let owner = bot.post("channels/direct", json!([id, server.user_id("sysadmin")])).await;
    assert_eq!(owner.0, 201, "a bot may write to its owner");
    let dm = server.direct_channel("lonely", "alice");
    let refused = bot.post("posts", json!({"channel_id": dm, "message": "m"})).await;
    assert_eq!(error(&refused), (400, "api.post.create_post.can_not_post_in_restricted_dm.error"));
}

#[tokio::test]
async fn client_config_is_short_for_strangers() {
    let (server, _, token) = with_bot(Options::default()).await;
    let stranger = Rest::new(&server, "").get("config/client?format=old").await;
    assert_eq!(stranger.0, 200);
    assert_eq!(stranger.1["AsymmetricSigningPublicKey"], server.public_key().as_str());
    assert_eq!(stranger.1["SiteURL"], server.url().as_str());
    assert!(stranger.1.get("MaxPostSize").is_none());
    let bot = Rest::new(&server, &token).get("config/client?format=old").await;
    assert_eq!((&bot.1["MaxPostSize"], &bot.1["PostEditTimeLimit"]), (&json!("16383"), &json!("-1")));
    assert_eq!(Rest::new(&server, "").get("config/client").await.0, 501);
}

#[tokio::test]
async fn ephemeral_posts_and_tokens_are_for_the_privileged() {
    let (server, id, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let post = json!({"user_id": server.user_id("alice"),
        "post": {"channel_id": server.channel_id("acme/alerts"), "message": "psst"}});
    assert_eq!(bot.post("posts/ephemeral", post.clone()).await.0, 403);
    let admin = Rest::new(&server, server.login("sysadmin"));
    assert_eq!(admin.post("posts/ephemeral", post).await.0, 201);
    assert_eq!(server.ephemerals("alice")[0].message, "psst");
    let route = format!("users/{id}/tokens");
    assert_eq!(bot.post(&route, json!({"description": "d"})).await.0, 403);
    let (status, made) = admin.post(&route, json!({"description": "d"})).await;
    assert_eq!(status, 200);
    assert!(server.is_good_token(made["token"].as_str().unwrap()));
}

#[tokio::test]
async fn notifications_are_noted() {
    let (server, _, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let channel = server.channel_id("acme/alerts");
    let quiet = json!({"channel_id": channel, "message": "@\u{200b}channel `@here` a@all"});
    bot.post("posts", quiet).await;
    assert!(server.notifications().is_empty());
    let loud = json!({"channel_id": channel, "message": "@channel @alice @nobody",
        "props": {"attachments": [{"text": "@all"}]}});
    bot.post("posts", loud).await;
    let heard = server.notifications();
    let heard: Vec<_> = heard.iter().map(|n| (n.keyword.as_str(), n.place)).collect();
    assert_eq!(
        heard,
        [
            ("@channel", MentionPlace::Message),
            ("@alice", MentionPlace::Message),
            ("@all", MentionPlace::AttachmentText)
        ]
    );
    assert_eq!(server.everybody_notifications().len(), 2);
}

#[tokio::test]
async fn slash_commands_are_managed_by_team_admins() {
    let (server, _, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let team = server.team_id("acme");
    let wanted = json!({"team_id": team, "trigger": "OnCall", "url": "http://127.0.0.1:1/slash", "method": "P"});
    assert_eq!(bot.post("commands", wanted.clone()).await.0, 403);
    server.make_team_admin("acme", "helper");
    let (status, made) = bot.post("commands", wanted.clone()).await;
    assert_eq!((status, &made["trigger"]), (201, &json!("oncall")));
    assert_eq!(made["token"].as_str().unwrap().len(), 26);
    let twice = bot.post("commands", wanted).await;
    assert_eq!(error(&twice), (400, "api.command.duplicate_trigger.app_error"));
    let (_, list) = bot.get(&format!("commands?team_id={team}&custom_only=true")).await;
    assert_eq!(list[0]["id"], made["id"]);
    let route = format!("commands/{}", made["id"].as_str().unwrap());
    let mut changed = made.clone();
    changed["url"] = "http://127.0.0.1:1/other".into();
    let (status, updated) = bot.put(&route, changed).await;
    assert_eq!((status, &updated["token"]), (200, &made["token"]));
    let bad = json!({"team_id": team, "trigger": "x", "url": "ftp://x", "method": "P"});
    assert_eq!(bot.post("commands", bad).await.0, 400);
    assert_eq!(bot.delete(&route).await.0, 200);
    assert!(server.commands("acme").is_empty());
}

#[tokio::test]
async fn the_rate_limiter_answers_in_plain_text() {
    let limit = RateLimit { per_sec: 1, max_burst: 2 };
    let server = FakeMattermost::start(Options { rate_limit: Some(limit), ..Options::default() }).await;
    let rest = Rest::new(&server, "");
    for _ in 0..3 {
        assert_eq!(rest.get("system/ping").await.0, 200);
    }
    let refused = rest.call("GET", "system/ping", &Value::Null).await;
    assert_eq!((refused.status, refused.body.as_str()), (429, "limit exceeded\n"));
    assert!(refused.content_type.starts_with("text/plain"));
}

#[tokio::test]
async fn a_sub_path_is_part_of_the_site() {
    let server = FakeMattermost::start(Options { subpath: "/chat".into(), ..Options::default() }).await;
    assert!(server.url().ends_with("/chat"));
    assert_eq!(Rest::new(&server, "").get("system/ping").await.0, 200);
    let beside = server.url().replace("/chat", "/api/v4/system/ping");
    assert_eq!(server.send_raw("GET", &beside, &[], b"").await.status, 404);
}

#[tokio::test]
async fn the_recorded_posts_are_taken() {
    let (server, _, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    for recorded in [
        include_str!("../vectors/create_post_request_attachments.json"),
        include_str!("../vectors/create_post_request_app_bindings.json"),
    ] {
        let mut body = serde_json::from_str::<Value>(recorded).unwrap()["body"].clone();
        body["channel_id"] = json!(server.channel_id("acme/alerts"));
        let (status, post) = bot.post("posts", body.clone()).await;
        assert_eq!(status, 201, "{post}");
        assert_eq!(post["props"]["app_bindings"], body["props"]["app_bindings"]);
        assert!(!post["props"].to_string().contains("integration"), "readers never see where a button leads");
    }
}

fn names(list: &Value, member: &str) -> Vec<String> {
    let name = |thing: &Value| thing[member].as_str().unwrap_or_default().to_owned();
    list.as_array().map(|list| list.iter().map(name).collect()).unwrap_or_default()
}

#[tokio::test]
async fn users_are_listed_and_searched() {
    let (server, _, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    assert_eq!(names(&bot.get("users?per_page=2&page=1").await.1, "username"), ["helper", "mallory"]);
    server.deactivate_user("bob");
    assert_eq!(names(&bot.get("users?active=true&per_page=2").await.1, "username"), ["alice", "helper"]);
    let search = async |body: Value| bot.post("users/search", body).await;
    assert_eq!(names(&search(json!({"term": "@A"})).await.1, "username"), ["alice"]);
    assert_eq!(names(&search(json!({"term": "bo"})).await.1, "username"), Vec::<String>::new());
    assert_eq!(names(&search(json!({"term": "bo", "allow_inactive": true})).await.1, "username"), ["bob"]);
    for body in [json!({}), json!({"term": ""}), json!({"term": "a", "limit": 1001}), json!({"term": "a", "limit": -1})]
    {
        assert_eq!(error(&search(body).await), (400, "api.context.invalid_body_param.app_error"));
    }
    let foreign = search(json!({"term": "a", "team_id": server.team_id("globex")})).await;
    assert_eq!(error(&foreign), (403, "api.context.permissions.app_error"));
}

#[tokio::test]
async fn mail_addresses_are_for_administrators_where_they_are_hidden() {
    let (server, _, token) = with_bot(Options { show_email: false, ..Options::default() }).await;
    let bot = Rest::new(&server, &token);
    let refused = bot.get("users/email/alice@example.com").await;
    assert_eq!(error(&refused), (403, "api.user.get_user_by_email.permissions.app_error"));
    assert_eq!(names(&bot.post("users/search", json!({"term": "alice@"})).await.1, "username"), Vec::<String>::new());
    let admin = Rest::new(&server, server.login("sysadmin"));
    assert_eq!(admin.get("users/email/Alice@example.com").await.1["username"], "alice");
    assert_eq!(error(&admin.get("users/email/x@example.com").await), (404, "app.user.missing_account.const"));
}

#[tokio::test]
async fn channels_are_listed_and_searched_by_members_of_the_team() {
    let (server, _, token) = with_bot(Options::default()).await;
    let bot = Rest::new(&server, &token);
    let (acme, globex) = (server.team_id("acme"), server.team_id("globex"));
    let listed = bot.get(&format!("teams/{acme}/channels")).await.1;
    assert_eq!(names(&listed, "name"), ["alerts", "town-square"], "private ones aren't listed");
    assert_eq!(names(&bot.get(&format!("users/me/teams/{acme}/channels")).await.1, "name"), ["alerts"]);
    let path = format!("teams/{acme}/channels/search");
    assert_eq!(names(&bot.post(&path, json!({"term": "TOWN"})).await.1, "name"), ["town-square"]);
    assert_eq!(names(&bot.post(&path, json!({"term": "inc"})).await.1, "name"), Vec::<String>::new());
    for path in [format!("teams/{globex}/channels"), format!("users/me/teams/{globex}/channels")] {
        assert_eq!(error(&bot.get(&path).await), (403, "api.context.permissions.app_error"), "{path}");
    }
    let outside = bot.post(&format!("teams/{globex}/channels/search"), json!({"term": "ops"})).await;
    assert_eq!(error(&outside), (404, "app.team.get_member.missing.app_error"));
    server.leave_channel("acme/alerts", "helper");
    let none = bot.get(&format!("users/me/teams/{acme}/channels")).await;
    assert_eq!(error(&none), (404, "app.channel.get_channels.not_found.app_error"));
}
