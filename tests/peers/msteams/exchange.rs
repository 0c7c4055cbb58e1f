//! The whole way with the peers' issuer: setup, links by codes, a message with buttons, a press, an
//! edit, a deletion. What Chatport sends is shown to Microsoft's models on the way.

use chatport_fake_msteams::Post;
use chatport_tests::{application::Application, eventually, msteams::INCIDENTS, organization::text};
use serde_json::{Value, json};

use crate::World;

impl World {
    fn channel(&self) -> String {
        self.teams.channel_id(INCIDENTS.0, INCIDENTS.1)
    }

    fn post(&self, id: &Value) -> Option<Post> {
        self.teams.posts(&self.channel()).into_iter().find(|post| *id == post.id)
    }

    /// What was sent is a message that the SDK's models read.
    async fn is_well_formed(&mut self, what: &str, value: &Value) {
        let verdict = self.judge.judge(what, value).await;
        assert!(verdict.accepts, "{}: {value}", verdict.why);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_way_with_tokens_and_models_that_arent_ours() {
    let mut world = World::begin().await;
    let application = Application::subscribed(&world.chatport.client()).await;

    let code = text(&world.acme.user_code(&world.bot.installation, "u-ada").await, "code");
    let typed = world.teams.says("Ada", &format!("link {code}"));
    world.deliver(&typed).await;
    assert_eq!(world.bot.last_said(&world.teams.personal_chat("Ada")), "You are linked to user u-ada of OnCall.");
    let code = text(&world.acme.channel_code(&world.bot.installation).await, "code");
    let typed = world.teams.mentions("Ada", INCIDENTS, None, &format!("link {code}"));
    world.deliver(&typed).await;
    assert_eq!(world.bot.last_said(&world.channel()), "Incidents is connected to OnCall.");

    let choices = json!([{ "value": "1h", "label": "One hour" }]);
    let content = json!({
        "state": "firing", "title": "Disk full", "text": "On **db-1**:\n\n- `/var` is full\n- since 12:00",
        "facts": [{ "name": "Host", "value": "db-1", "short": true }],
        "image": { "url": "https://oncall.example.com/graph.png", "alt": "A graph" },
        "link": { "url": "https://oncall.example.com/i/1", "label": "Open" },
        "actions": [
            { "id": "ack", "label": "Acknowledge", "style": "primary" },
            { "id": "close", "label": "Close", "style": "danger" },
            { "id": "silence", "label": "Silence", "choices": choices },
        ],
    });
    let targets = json!([{ "default": true }]);
    let message = json!({ "revision": 1, "targets": targets, "content": content, "urgency": "urgent" });
    world.acme.say("incident", message).await;
    let id = world.acme.delivered("incident").await["copies"][0]["posts"][0].clone();
    let post = world.post(&id).expect("a post");
    world.is_well_formed("message", &post.activity).await;

    // What a client asks by itself, and what it is shown.
    let refresh = world.teams.refreshes("Bob", &post.id);
    // The SDK's model has the trigger `manual` alone, the documentation `automatic` too.
    let mut by_hand = refresh.clone();
    by_hand["value"]["trigger"] = "manual".into();
    world.is_well_formed("activity", &by_hand).await;
    let shown = world.deliver(&refresh).await;
    assert!(shown["value"].to_string().contains("Disk full"), "{shown}");
    world.is_well_formed("answer", &shown).await;

    // A press is an activity that the SDK reads, and so are both answers to it.
    let press = world.teams.presses("Ada", &post.id, "Acknowledge", json!({}), false);
    world.is_well_formed("activity", &press).await;
    let old = world.teams.presses("Ada", &post.id, "Close", json!({}), true);
    world.is_well_formed("activity", &old).await;
    application.answer(|_| (200, json!({ "notice": "Noted." })));
    let answered = world.deliver(&press).await;
    assert_eq!(answered["value"], "Noted.");
    world.is_well_formed("answer", &answered).await;

    let taken = json!({ "state": "acknowledged", "title": "Disk full (taken)" });
    let reply = taken.clone();
    application.answer(move |_| (200, json!({ "notice": "It is yours.", "content": reply, "revision": 2 })));
    let chosen = world.teams.presses("Ada", &post.id, "Silence", json!({ "c2": "1h" }), false);
    let answered = world.deliver(&chosen).await;
    assert!(answered["value"].to_string().contains("Disk full (taken)"), "{answered}");
    world.is_well_formed("answer", &answered).await;
    assert_eq!(application.hears("action.invoked", 1).await["data"]["choice"], "1h");

    world.acme.delivered("incident").await;
    let edited = world.post(&id).expect("it stands");
    assert!(edited.text().contains("Disk full (taken)") && edited.edits > 0, "{}", edited.text());
    world.is_well_formed("message", &edited.activity).await;

    world.acme.delete("messages/incident").await.expect(202);
    eventually("the post to be gone", || async { world.post(&id).is_none().then_some(()) }).await;
}
