//! The application's own commands.

use chatport_tests::eventually;
use serde_json::json;

use crate::World;

impl World {
    async fn declare(&self, commands: serde_json::Value) {
        let path = format!("installations/{}/commands", self.bot.installation);
        self.acme.put(&path, json!({ "commands": commands })).await.expect(200);
        eventually("Telegram to be told", || async {
            let set = self.acme.get(&path).await.expect(200);
            (set["state"] == "synced").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_commands_are_offered_used_and_answered_in_private() {
    let world = World::begin("webhook").await;
    let status = json!([{ "name": "status", "description": "Says how things are", "hint": "[team]" }]);
    world.declare(status.clone()).await;
    for scope in ["all_private_chats", "all_group_chats"] {
        assert_eq!(world.server.commands(&world.bot.token, scope), ["status"]);
    }
    world.application.answer(|_| (200, json!({ "notice": "All is well." })));
    world.server.say("Ada", world.group, "/status of db-1");
    let event = world.application.hears("command.invoked", 0).await;
    let data = &event["data"];
    assert_eq!(
        (&data["command"], &data["text"], &data["user"]),
        (&json!("status"), &json!("of db-1"), &json!("u-ada")),
        "{event}"
    );
    world.bot.says(world.bot.private("Ada"), "All is well.").await;
    let public = world.server.posts(&world.bot.token, world.group);
    assert!(!public.iter().any(|post| post.text == "All is well."), "the answer is Ada's alone");

    // What Telegram knows already isn't told again.
    let told = world.server.calls_of("setMyCommands").len();
    world.declare(status).await;
    world.acme.post(&format!("installations/{}/reauthorize", world.bot.installation), json!({})).await.expect(200);
    world.acme.submit(&world.bot.installation, json!({ "bot_token": world.bot.token })).await.expect(200);
    eventually("the commands to be compared", || async {
        (world.server.calls_of("getMyCommands").len() >= 4).then_some(())
    })
    .await;
    assert_eq!(world.server.calls_of("setMyCommands").len(), told);

    let path = format!("installations/{}/commands", world.bot.installation);
    let refused = world.acme.put(&path, json!({ "commands": [{ "name": "on-call", "description": "x" }] })).await;
    assert!(refused.text.contains("letters, digits and _ alone"));
    world.acme.delete(&format!("installations/{}", world.bot.installation)).await.expect(204);
    assert_eq!(world.server.commands(&world.bot.token, "all_group_chats"), Vec::<String>::new());
}
