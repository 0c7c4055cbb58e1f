//! Pickers: finding people and channels with the bot's rights, and connecting what was found.

use chatport_fake_mattermost::{FakeMattermost, Options};
use chatport_tests::{
    mattermost::{BOT, chatport_beside, connect_bot},
    organization::{Organization, items, text},
};
use serde_json::{Value, json};

use crate::{World, with_button};

impl World {
    fn directory(&self, rest: &str) -> String {
        format!("installations/{}/directory{rest}", self.bot.installation)
    }

    async fn finds(&self, rest: &str) -> Vec<Value> {
        items(&self.acme.get(&self.directory(rest)).await.expect(200))
    }
}

/// Of each channel its name, whether the bot can post there, and why.
fn channels(found: &[Value]) -> Vec<(String, bool, String)> {
    let channel = |entry: &Value| {
        assert_eq!(entry["kind"], "channel", "{entry}");
        let can_post = entry["can_post"].as_bool().expect("yes or no");
        (text(&entry["conversation"], "name"), can_post, text(entry, "posting"))
    };
    found.iter().map(channel).collect()
}

fn people(found: &[Value]) -> Vec<String> {
    let person = |entry: &Value| {
        assert_eq!(entry["kind"], "person", "{entry}");
        text(&entry["account"], "username")
    };
    found.iter().map(person).collect()
}

fn channel(name: &str, posting: &str) -> (String, bool, String) {
    (name.into(), true, posting.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_was_picked_is_connected_as_it_was_found_and_hears_messages() {
    let world = World::begin().await;
    assert_eq!(
        channels(&world.finds("?kind=channels").await),
        [channel("incidents", "member"), channel("alerts", "joins"), channel("town-square", "joins")]
    );
    let found = world.finds("?kind=channels&query=ale").await;
    assert_eq!(channels(&found), [channel("alerts", "joins")]);
    assert_eq!(found[0]["conversation"]["team"], "acme");
    let request = json!({ "installation": world.bot.installation, "conversation": found[0]["conversation"] });
    let connected = world.acme.post("channels", request).await.expect(201);
    assert_eq!(connected["name"], "alerts");
    let message =
        json!({ "revision": 1, "targets": [{ "channel": connected["id"] }], "content": with_button("Disk full") });
    world.acme.say("picked", message).await;
    world.acme.delivered("picked").await;
    world.post("acme/alerts");
    assert_eq!(
        channels(&world.finds("?kind=channels&query=ALERTS").await),
        [channel("alerts", "member")],
        "the bot has joined it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_private_channel_that_the_bot_is_not_in_is_found_whatever_rights_the_bot_has() {
    let world = World::begin().await;
    world.server.create_private_channel("acme", "board");
    world.server.make_sysadmin(BOT);
    let named = |found: Vec<Value>| channels(&found).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    assert_eq!(named(world.finds("?kind=channels").await), ["incidents", "alerts", "town-square"]);
    assert_eq!(named(world.finds("?kind=channels&query=board").await), Vec::<String>::new());
    assert_eq!(named(world.finds("/resolve?name=board").await), Vec::<String>::new());
    assert_eq!(named(world.finds("/resolve?name=incidents").await), ["incidents"]);
    // Nor one of a team that the bot isn't in, one that is archived, or a direct conversation.
    world.server.archive_channel("acme/town-square");
    world.server.direct_channel("alice", BOT);
    assert_eq!(named(world.finds("?kind=channels").await), ["incidents", "alerts"]);
    assert_eq!(named(world.finds("/resolve?name=ops").await), Vec::<String>::new());
    assert_eq!(named(world.finds("/resolve?name=town-square").await), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_name_or_address_and_those_who_cannot_be_written_to_are_not() {
    let world = World::begin().await;
    assert_eq!(people(&world.finds("?kind=people").await), ["alice", "bob", "mallory", "sysadmin"]);
    assert_eq!(people(&world.finds("?kind=people&query=@AL").await), ["alice"]);
    let found = world.finds("/resolve?email=Alice@Example.com").await;
    assert_eq!(people(&found), ["alice"]);
    let account = json!({ "id": world.server.user_id("alice"), "username": "alice", "display_name": "Alice" });
    assert_eq!(found[0]["account"], account, "and nothing else is told of her");
    assert_eq!(world.finds("/resolve?name=@alice").await, found);
    for nobody in ["email=nobody@example.com", "name=nobody", "name=a/../users/me", "name=%C3%A4"] {
        assert_eq!(world.finds(&format!("/resolve?{nobody}")).await, Vec::<Value>::new(), "{nobody}");
    }
    world.server.deactivate_user("alice");
    assert_eq!(people(&world.finds("?kind=people&query=al").await), Vec::<String>::new());
    assert_eq!(people(&world.finds("/resolve?name=alice").await), Vec::<String>::new());
    assert_eq!(people(&world.finds("/resolve?email=alice@example.com").await), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_are_read_page_by_page_without_a_gap_across_the_teams() {
    let world = World::begin().await;
    world.server.join_team("globex", BOT);
    for number in 0..7 {
        world.server.create_channel("globex", &format!("room-{number}"));
        world.server.create_user(&format!("person-{number}"));
    }
    for (kind, query, most) in
        [("channels", "", 11), ("channels", "room", 7), ("people", "", 11), ("people", "person", 7)]
    {
        let mut read = Vec::new();
        let mut rest = format!("?kind={kind}&query={query}&limit=2");
        loop {
            let page = world.acme.get(&world.directory(&rest)).await.expect(200);
            assert!(items(&page).len() <= 2, "{page}");
            read.extend(items(&page));
            let Some(next) = page["next"].as_str() else { break };
            rest = format!("?kind={kind}&query={query}&limit=2&cursor={next}");
        }
        assert_eq!(read, world.finds(&format!("?kind={kind}&query={query}")).await);
        assert_eq!(read.len(), most, "{kind} {query}");
    }
    let page = world.acme.get(&world.directory("?kind=people&limit=1")).await.expect(200);
    for rest in [
        format!("?kind=channels&cursor={}", text(&page, "next")),
        format!("?kind=people&query=a&cursor={}", text(&page, "next")),
        "?kind=people&cursor=nonsense".into(),
    ] {
        let refused = world.acme.get(&world.directory(&rest)).await.expect(400);
        assert_eq!(refused["type"], "/problems/invalid-cursor", "{rest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_the_bot_is_said_and_the_rest_is_still_found() {
    let options = Options { show_email: false, list_team_channels: false, ..Options::default() };
    let server = FakeMattermost::start(options).await;
    let chatport = chatport_beside(&server, &[]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let bot = connect_bot(&acme, &server).await;
    let ask = async |rest: &str| acme.get(&format!("installations/{}/directory{rest}", bot.installation)).await;
    let refused = ask("/resolve?email=alice@example.com").await.expect(422);
    assert_eq!((&refused["type"], &refused["cause"]), (&json!("/problems/setup-refused"), &json!("permission_denied")));
    assert!(text(&refused, "detail").contains("Show Email Address"), "{refused}");
    assert_eq!(people(&items(&ask("/resolve?name=alice").await.expect(200))), ["alice"]);
    // A bot that may not list the public channels shows those that it is in.
    assert_eq!(channels(&items(&ask("?kind=channels").await.expect(200))), [channel("incidents", "member")]);
    server.revoke_token(&bot.bot_token);
    let refused = ask("?kind=people").await.expect(422);
    assert_eq!(refused["cause"], "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_means_nothing_is_refused_before_the_platform_is_asked() {
    let world = World::begin().await;
    let asked = world.server.requests().len();
    let long = "x".repeat(129);
    for rest in [
        "?query=a".into(),
        "?kind=bots".into(),
        format!("?kind=people&query={long}"),
        "/resolve".into(),
        "/resolve?email=alice".into(),
        "/resolve?name=@".into(),
        "/resolve?name=alice&email=alice@example.com".into(),
    ] {
        let refused = world.acme.get(&world.directory(&rest)).await.expect(400);
        assert_eq!(refused["type"], "/problems/invalid-query", "{rest}");
    }
    let foreign = Organization::create(&world.chatport.client(), "globex").await;
    let refused = foreign.get(&world.directory("?kind=people")).await.expect(404);
    assert_eq!(refused["type"], "/problems/installation-not-found");
    assert_eq!(world.server.requests().len(), asked);
}
