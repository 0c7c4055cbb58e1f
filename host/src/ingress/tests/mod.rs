mod batches;
mod listening;
mod refreshes;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chatport_sdk::{
    content::{Allow, Choice},
    identity::ConversationKind,
    prelude::*,
};
use http::{HeaderMap, Method, StatusCode};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{commit_all, handle, press};
use crate::{
    app::{App, Parts},
    delivery::{self, message::ShownPart},
    ids::{CopyId, InstallationId},
    registry::Registry,
    setup::{
        audit::Actor,
        channels, installations, links, machine,
        state::InstallationState,
        suspension,
        test_world::{Pigeon, World, identity, loft},
    },
    store::entities::copies,
};

async fn call(world: &World, slot: &str, path: &str, hook: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert("x-hook", hook.parse().unwrap());
    let request = Request { method: Method::POST, path: path.into(), query: None, headers, body: Bytes::new() };
    handle(&world.app, "pigeon", slot, request).await
}

async fn commit(world: &World, id: InstallationId, name: &str, kind: HappeningKind) -> Outcome {
    let loaded = world.load(id).await;
    commit_all(&world.app, &loaded, &[Happening::new(name, kind)]).await.remove(0)
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_call_that_proves_itself_is_committed_and_answered_and_heard() {
    let world = World::new().await;
    let begun = world.begin().await;
    let hook = begun.steps[0]["value"]["value"].as_str().unwrap();
    let slot = world.load(begun.id).await.row.slot.clone();
    let first = call(&world, &slot, "/", hook).await;
    assert!(text(&first).contains("Unlinked"), "{}", text(&first));
    let second = call(&world, &slot, "/", hook).await;
    assert!(text(&second).contains("Duplicate"), "{}", text(&second));
    let seen = installations::get(&world.app, &world.organization, begun.id).await.unwrap();
    assert_eq!(seen.health.last_heard_at, Some(world.app.clock.now()));
}

#[tokio::test]
async fn known_and_unknown_slots_are_refused_alike_and_nothing_is_committed() {
    let world = World::new().await;
    let slot = world.load(world.installed().await).await.row.slot.clone();
    let known = call(&world, &slot, "/", "wrong").await;
    let unknown = call(&world, &"0".repeat(32), "/", "wrong").await;
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    assert_eq!(known.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.count("FROM happenings").await, 0);
}

#[tokio::test]
async fn the_slot_of_a_removed_installation_is_nobodys() {
    let world = World::new().await;
    let id = world.begin().await.id;
    let slot = world.load(id).await.row.slot.clone();
    call(&world, &slot, "/", "wrong").await;
    installations::remove(&world.app, &world.organization, id, &Actor::host()).await.unwrap();
    for _ in 0..2 {
        let removed = call(&world, &slot, "/", "wrong").await;
        let unknown = call(&world, &"0".repeat(32), "/", "wrong").await;
        assert_eq!((removed.status, &removed.body), (unknown.status, &unknown.body));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(world.count("FROM audit WHERE action = 'ingress.refuse'").await, 1, "while it was there");
}

#[tokio::test]
async fn nothing_is_refused_by_what_is_kept_in_memory() {
    let world = World::new().await;
    let begun = world.begin().await;
    let hook = begun.steps[0]["value"]["value"].as_str().unwrap();
    let slot = world.load(begun.id).await.row.slot.clone();
    let set = |until: &'static str| format!("UPDATE tokens SET expires_at = {until} WHERE kind = 'hook'");
    world.app.database.write().execute_unprepared(&set("1")).await.unwrap();
    assert_eq!(call(&world, &slot, "/", hook).await.status, StatusCode::UNAUTHORIZED);
    // As another replica would, of which this one hasn't heard yet.
    world.app.database.write_uncached().execute_unprepared(&set("NULL")).await.unwrap();
    assert_eq!(call(&world, &slot, "/", hook).await.status, StatusCode::OK);
}

#[tokio::test]
async fn refusals_of_one_reason_are_audited_once_a_minute() {
    let world = World::new().await;
    let slot = world.load(world.installed().await).await.row.slot.clone();
    for _ in 0..3 {
        call(&world, &slot, "/", "wrong").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.count("FROM audit WHERE action = 'ingress.refuse'").await, 1);
}

#[tokio::test]
async fn what_is_public_is_the_same_for_every_slot() {
    let world = World::new().await;
    let manifest = call(&world, &"f".repeat(32), "/manifest", "").await;
    assert!(text(&manifest).contains("/in/pigeon/ffff"), "{}", text(&manifest));
}

#[tokio::test]
async fn a_panic_of_the_backend_is_a_plain_500() {
    let world = World::new().await;
    let answer = call(&world, &"f".repeat(32), "/panic", "").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_repetition_gets_the_first_outcome_and_another_content_is_refused() {
    let world = World::new().await;
    let id = world.installed().await;
    let asked = |account: &str| HappeningKind::UnlinkAsked { account: Account::new(account) };
    let first = commit(&world, id, "h", asked("a1")).await;
    assert!(matches!(first, Outcome::Unlinked { was_linked: false }));
    let Outcome::Duplicate { same_content: true, first } = commit(&world, id, "h", asked("a1")).await else {
        panic!("it is a repetition");
    };
    assert!(matches!(first.as_deref(), Some(Outcome::Unlinked { was_linked: false })));
    let forged = commit(&world, id, "h", asked("a2")).await;
    assert!(matches!(forged, Outcome::Duplicate { same_content: false, first: None }));
    assert_eq!(world.count("FROM audit WHERE action = 'happening.repeat'").await, 1);
}

#[tokio::test]
async fn of_two_at_once_one_is_the_repetition() {
    let world = World::new().await;
    let id = world.installed().await;
    let kind = HappeningKind::UnlinkAsked { account: Account::new("a1") };
    let (one, other) = tokio::join!(commit(&world, id, "h", kind.clone()), commit(&world, id, "h", kind));
    let repeated = [&one, &other].into_iter().filter(|outcome| matches!(outcome, Outcome::Duplicate { .. })).count();
    assert_eq!(repeated, 1, "{one:?} {other:?}");
}

#[tokio::test]
async fn setup_is_completed_by_the_platform_with_its_tokens() {
    let world = World::new().await;
    let id = world.begin().await.id;
    let tokens = vec![NewToken::new("access", Secret::new("given"))];
    let installed = HappeningKind::Installed { identity: identity("bot-1"), tokens, by: Some(Account::new("admin")) };
    assert!(matches!(commit(&world, id, "h", installed).await, Outcome::Installed));
    let by = "FROM audit WHERE action = 'installation.complete' AND actor = 'pigeon:admin' AND result = 'done'";
    assert_eq!(world.count(by).await, 1);
    let loaded = world.load(id).await;
    assert_eq!(loaded.state(), InstallationState::Active);
    assert_eq!(loaded.site.token("access").unwrap().value.expose(), "given");
}

#[tokio::test]
async fn another_bot_is_told_that_this_one_is_installed() {
    let world = World::new().await;
    let id = world.installed().await;
    let installed = HappeningKind::Installed { identity: identity("bot-2"), tokens: vec![], by: None };
    let outcome = commit(&world, id, "h", installed).await;
    assert!(matches!(&outcome, Outcome::InstalledByAnother { present } if present == "Bot bot-1"), "{outcome:?}");
}

#[tokio::test]
async fn an_app_that_was_removed_on_the_platform_waits_for_new_credentials() {
    let world = World::new().await;
    let id = world.installed().await;
    let (app, organization) = (&world.app, &world.organization);
    // Suspended before for a reason after which it could be resumed.
    suspension::suspend(app, organization, id, "installation_revoked", "401").await.unwrap();
    commit(&world, id, "h", HappeningKind::Uninstalled { by: Some(Account::new("admin")) }).await;
    let seen = installations::get(app, organization, id).await.unwrap();
    assert_eq!((seen.state, seen.problem.unwrap().code.as_str()), (InstallationState::Suspended, "uninstalled"));
    let site = world.load(id).await.site;
    assert!(site.token("api_key").is_none(), "what a person gave is void");
    let host_made = "FROM tokens WHERE kind = 'hook' AND revoked_at IS NULL";
    assert_eq!(world.count(host_made).await, 1, "what the host made up isn't");
    let refused = suspension::resume(app, organization, id, &Actor::host()).await.unwrap_err();
    assert!(refused.to_string().contains("reauthorize"), "{refused}");
    let by = "FROM audit WHERE action = 'installation.uninstalled' AND actor = 'pigeon:admin'";
    assert_eq!(world.count(by).await, 1);
    machine::reauthorize(app, organization, id, &Actor::host()).await.unwrap();
    assert_eq!(world.submit(id, &[("api_key", "new")]).await.unwrap().state, InstallationState::Active);
}

#[tokio::test]
async fn a_backend_for_trying_out_is_not_there_for_others() {
    let world = World::new().await;
    let mut trial = Pigeon::default();
    trial.make_loopback_only();
    let registry = Registry::of([(Arc::new(trial) as Arc<dyn MessagingBackend>, "pigeon")]).unwrap();
    let at = async |listen: &str, public_url: Option<&str>| {
        let mut settings = (*world.app.settings).clone();
        settings.listen = listen.parse().unwrap();
        settings.public_url = public_url.map(|url| url.parse().unwrap());
        let (settings, registry) = (Arc::new(settings), registry.clone());
        let app = App::from(Parts { settings, registry, ..(*world.app).clone() });
        let headers = HeaderMap::new();
        let request =
            Request { method: Method::GET, path: "/manifest".into(), query: None, headers, body: Bytes::new() };
        handle(&app, "pigeon", &"f".repeat(32), request).await.status
    };
    assert_eq!(at("127.0.0.1:8000", None).await, StatusCode::OK);
    assert_eq!(at("127.0.0.1:8000", Some("http://localhost:8000")).await, StatusCode::OK);
    assert_eq!(at("127.0.0.1:8000", Some("https://chat.example.com")).await, StatusCode::NOT_FOUND);
    assert_eq!(at("0.0.0.0:8000", None).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_slot_reaches_no_backend() {
    let world = World::new().await;
    for slot in ["", "nobody", &"F".repeat(32), &"f".repeat(33), &format!("{}\u{e9}", "f".repeat(30))] {
        let answer = call(&world, slot, "/manifest", "").await;
        assert_eq!((answer.status, text(&answer).as_str()), (StatusCode::NOT_FOUND, "not found"), "{slot}");
    }
}

#[tokio::test]
async fn a_command_reaches_the_application_with_the_linked_user() {
    let world = World::new().await;
    let id = world.installed().await;
    link(&world, id, "ann", "a1").await;
    let conversation = Conversation { kind: ConversationKind::Group, ..loft("attic") };
    let command = HappeningKind::Commanded { text: "who is on call".into(), account: Account::new("a1"), conversation };
    commit(&world, id, "h", command).await;
    let (kind, data) = world.events().await.pop().unwrap();
    assert_eq!(
        (kind.as_str(), &data["user"], &data["text"]),
        ("command.invoked", &json!("ann"), &json!("who is on call"))
    );
}

async fn link(world: &World, id: InstallationId, user: &str, account: &str) {
    let loaded = world.load(id).await;
    let transaction = world.app.database.begin(&world.organization).await.unwrap();
    links::insert(&transaction, &loaded, user, &Account::new(account), world.app.clock.now()).await.unwrap().unwrap();
    transaction.commit().await.unwrap();
}

/// A message with buttons that stands in a channel.
struct Shown {
    world: World,
    id: InstallationId,
    copy: CopyId,
    content: Content,
}

impl Shown {
    async fn new() -> Self {
        let shown = Self::in_flight().await;
        let part = ShownPart {
            receipt: Receipt::new("post-1"),
            digest: "d".into(),
            revision: 1,
            actions: shown.content.actions.clone(),
        };
        let parts = serde_json::to_string(&[part]).unwrap();
        shown.set(&[(copies::Column::Parts, parts.into()), (copies::Column::Shown, 1_i64.into())]).await;
        shown
    }

    /// On its way: what the platform made of it isn't known yet.
    async fn in_flight() -> Self {
        let world = World::new().await;
        let id = world.installed().await;
        link(&world, id, "ann", "a1").await;
        let channel = channels::add(&world.app, &world.organization, id, &loft("attic"), &Actor::host()).await.unwrap();
        let action = |id: &str, allow: Allow| json!({ "id": id, "label": id, "allow": allow });
        let mut actions = vec![
            action("ack", Allow::Linked),
            action("look", Allow::Anyone),
            action("close", Allow::Users(vec!["boss".into()])),
        ];
        let menu = [
            Choice { value: "1h".into(), label: "an hour".into() },
            Choice { value: "1d".into(), label: "a day".into() },
        ];
        actions.push(json!({ "id": "silence", "label": "silence", "choices": menu }));
        let put = json!({
            "revision": 1,
            "targets": [{ "channel": channel.id }],
            "content": { "title": "Fire", "actions": actions },
        });
        let put: delivery::message::PutMessage = serde_json::from_value(put).unwrap();
        let content = put.content.clone();
        let accepted = delivery::accept(&world.app, &world.organization, "fire", put).await.unwrap();
        let shown = Self { copy: accepted.copies[0].id, world, id, content };
        shown.set(&[(copies::Column::Sending, 1_i64.into())]).await;
        shown
    }

    async fn set(&self, columns: &[(copies::Column, sea_orm::Value)]) {
        for (column, value) in columns {
            copies::Entity::update_many()
                .col_expr(*column, Expr::value(value.clone()))
                .filter(copies::Column::Id.eq(self.copy.0))
                .exec(self.world.app.database.write())
                .await
                .unwrap();
        }
    }

    fn token(&self, action: &str, choice: Option<&str>) -> Secret {
        let part = Part { payload: Payload::default(), actions: vec![action.into()] };
        let (app, organization) = (&self.world.app, &self.world.organization);
        let tokens = press::tokens_for(app, organization, self.id, self.copy, 1, &self.content, &part);
        tokens.into_iter().find(|token| token.choice.as_deref() == choice).unwrap().token
    }

    async fn press(&self, name: &str, token: Secret, change: impl FnOnce(&mut HappeningKind)) -> Outcome {
        let mut kind = pressed(token);
        change(&mut kind);
        commit(&self.world, self.id, name, kind).await
    }

    async fn presses(&self) -> Vec<serde_json::Value> {
        let events = self.world.events().await;
        events.into_iter().filter(|(kind, _)| kind == "action.invoked").map(|(_, data)| data).collect()
    }
}

fn pressed(token: Secret) -> HappeningKind {
    HappeningKind::Pressed {
        token,
        choice: None,
        account: Account::new("a1"),
        conversation: "attic".into(),
        part: Receipt::new("post-1"),
    }
}

fn as_account(id: &'static str) -> impl FnOnce(&mut HappeningKind) {
    move |kind| {
        if let HappeningKind::Pressed { account, .. } = kind {
            *account = Account::new(id);
        }
    }
}

#[tokio::test]
async fn a_press_is_on_disk_before_it_is_answered_as_recorded() {
    let shown = Shown::new().await;
    let outcome = shown.press("h", shown.token("ack", None), |_| {}).await;
    let Outcome::Pressed(answer) = outcome else { panic!("{outcome:?}") };
    assert!(answer.notice.unwrap().starts_with("Recorded"));
    let presses = shown.presses().await;
    assert_eq!(presses.len(), 1);
    assert_eq!((&presses[0]["action"], &presses[0]["user"]), (&json!("ack"), &json!("ann")));
    assert_eq!((&presses[0]["message"], &presses[0]["revision"]), (&json!("fire"), &json!(1)));
}

#[tokio::test]
async fn a_choice_is_known_by_its_own_token_or_as_the_platform_tells_it() {
    let shown = Shown::new().await;
    shown.press("h1", shown.token("silence", Some("1d")), |_| {}).await;
    let choose = |value: &'static str| {
        move |kind: &mut HappeningKind| {
            if let HappeningKind::Pressed { choice, .. } = kind {
                *choice = Some(value.into());
            }
        }
    };
    shown.press("h2", shown.token("silence", None), choose("1h")).await;
    let forged = shown.press("h3", shown.token("silence", None), choose("forever")).await;
    assert!(matches!(forged, Outcome::NotOurs));
    let choices: Vec<_> = shown.presses().await.into_iter().map(|data| data["choice"].clone()).collect();
    assert_eq!(choices, [json!("1d"), json!("1h")]);
}

#[tokio::test]
async fn a_token_counts_only_on_its_own_post_in_its_own_conversation() {
    let shown = Shown::new().await;
    shown.set(&[(copies::Column::Sending, Option::<i64>::None.into())]).await;
    let elsewhere = shown
        .press("h1", shown.token("ack", None), |kind| {
            if let HappeningKind::Pressed { conversation, .. } = kind {
                *conversation = "tower".into();
            }
        })
        .await;
    let on_another = shown
        .press("h2", shown.token("ack", None), |kind| {
            if let HappeningKind::Pressed { part, .. } = kind {
                *part = Receipt::new("post-2");
            }
        })
        .await;
    let forged = shown.press("h3", Secret::new("AAAA"), |_| {}).await;
    for outcome in [elsewhere, on_another, forged] {
        assert!(matches!(outcome, Outcome::NotOurs), "{outcome:?}");
    }
    assert!(shown.presses().await.is_empty());
}

#[tokio::test]
async fn a_token_of_one_installation_is_worth_nothing_in_another() {
    let shown = Shown::new().await;
    let token = shown.token("ack", None);
    let other = Shown { id: shown.world.installed().await, ..shown };
    assert!(matches!(other.press("h", token, |_| {}).await, Outcome::NotOurs));
}

#[tokio::test]
async fn who_may_press_is_said_by_the_action() {
    let shown = Shown::new().await;
    let unlinked = shown.press("h1", shown.token("ack", None), as_account("stranger")).await;
    assert!(matches!(unlinked, Outcome::NotLinked));
    let anyone = shown.press("h2", shown.token("look", None), as_account("stranger")).await;
    assert!(matches!(anyone, Outcome::Pressed(answer) if !answer.refused));
    let not_named = shown.press("h3", shown.token("close", None), |_| {}).await;
    assert!(matches!(not_named, Outcome::Pressed(answer) if answer.refused));
    link(&shown.world, shown.id, "boss", "a2").await;
    let named = shown.press("h4", shown.token("close", None), as_account("a2")).await;
    assert!(matches!(named, Outcome::Pressed(answer) if !answer.refused));
    let pressed: Vec<_> = shown.presses().await.into_iter().map(|data| data["action"].clone()).collect();
    assert_eq!(pressed, [json!("look"), json!("close")]);
}

#[tokio::test]
async fn a_button_of_a_revision_that_is_no_longer_shown_does_nothing() {
    let shown = Shown::new().await;
    let token = shown.token("ack", None);
    let put = json!({ "revision": 2, "targets": [{ "default": true }], "content": { "title": "Over" } });
    let put = serde_json::from_value(put).unwrap();
    delivery::accept(&shown.world.app, &shown.world.organization, "fire", put).await.unwrap();
    let still_shown = shown.press("h1", token.clone(), |_| {}).await;
    assert!(matches!(still_shown, Outcome::Pressed(_)), "{still_shown:?}");
    let part = ShownPart { receipt: Receipt::new("post-1"), digest: "e".into(), revision: 2, actions: vec![] };
    shown.set(&[(copies::Column::Parts, serde_json::to_string(&[part]).unwrap().into())]).await;
    shown.set(&[(copies::Column::Sending, Option::<i64>::None.into())]).await;
    assert!(matches!(shown.press("h2", token, |_| {}).await, Outcome::NotOurs));
}

#[tokio::test]
async fn a_press_that_comes_before_the_post_is_recorded_makes_the_post_known() {
    let shown = Shown::in_flight().await;
    let outcome = shown.press("h", shown.token("ack", None), |_| {}).await;
    assert!(matches!(outcome, Outcome::Pressed(_)), "{outcome:?}");
    let row =
        copies::Entity::find().filter(copies::Column::Id.eq(shown.copy.0)).one(shown.world.app.database.read()).await;
    let parts: Vec<ShownPart> = serde_json::from_str(&row.unwrap().unwrap().parts).unwrap();
    assert_eq!(parts[0].receipt.id, "post-1");
}

#[tokio::test]
async fn a_reply_to_one_of_our_posts_reaches_the_application() {
    let shown = Shown::new().await;
    let reply = |part: &str| HappeningKind::Replied {
        part: Receipt::new(part),
        conversation: "attic".into(),
        account: Account::new("a1"),
        text: "on it".into(),
    };
    commit(&shown.world, shown.id, "h1", reply("post-of-somebody")).await;
    commit(&shown.world, shown.id, "h2", reply("post-1")).await;
    let replies: Vec<_> = shown
        .world
        .events()
        .await
        .into_iter()
        .filter(|(kind, _)| kind == "reply.posted")
        .map(|(_, data)| data)
        .collect();
    assert_eq!(replies.len(), 1);
    assert_eq!((&replies[0]["message"], &replies[0]["text"]), (&json!("fire"), &json!("on it")));
}

#[tokio::test]
async fn what_is_said_in_a_thread_reaches_the_application_whoever_began_the_thread() {
    let shown = Shown::new().await;
    let said = |root: &str| HappeningKind::SaidInThread {
        root: Receipt::new(root),
        text: "who is on call".into(),
        account: Account::new("a1"),
        conversation: loft("attic"),
    };
    let before = shown.world.events().await.len();
    assert!(matches!(commit(&shown.world, shown.id, "h1", said("post-1")).await, Outcome::Recorded));
    assert!(matches!(commit(&shown.world, shown.id, "h2", said("post-of-somebody")).await, Outcome::NotOurs));
    let told: Vec<_> = shown.world.events().await.split_off(before);
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["reply.posted", "command.invoked"]);
    assert!(told.iter().all(|(_, data)| data["text"] == "who is on call" && data["user"] == "ann"), "{told:?}");
}

/// An application that answers each press with `reply`.
async fn application(world: &World, reply: serde_json::Value) {
    use axum::{Json, Router, routing::post};
    let answer = Router::new().route("/hook", post(move || async move { Json(reply) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, answer).await });
    let put = serde_json::from_value(json!({ "url": url, "kinds": ["action.invoked"] })).unwrap();
    crate::events::subscriptions::put(&world.app, "app", put).await.unwrap();
}

#[tokio::test]
async fn the_applications_answer_is_accepted_and_shown_at_once() {
    let shown = Shown::new().await;
    let content = json!({ "title": "Taken", "actions": [{ "id": "undo", "label": "Undo" }] });
    application(&shown.world, json!({ "notice": "It is yours", "content": content })).await;
    let outcome = shown.press("h", shown.token("ack", None), |_| {}).await;
    let Outcome::Pressed(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer.notice.as_deref(), Some("It is yours"));
    let outgoing = answer.shown.unwrap();
    assert_eq!(outgoing.part.payload.value()["title"], "Taken");
    let (app, organization) = (&shown.world.app, &shown.world.organization);
    let stored = delivery::read::message(app, organization, "fire").await.unwrap().unwrap();
    assert_eq!((stored.revision, stored.message.content.title.as_str()), (outgoing.revision, "Taken"));
    let undo = outgoing.token("undo").unwrap().clone();
    let outcome = shown.press("h2", undo, |_| {}).await;
    assert!(matches!(outcome, Outcome::Pressed(_)), "what is shown at once can be pressed at once: {outcome:?}");
    assert_eq!(shown.presses().await.last().unwrap()["action"], "undo");
}

#[tokio::test]
async fn a_stranger_post_is_not_believed_while_an_edit_is_on_its_way() {
    let shown = Shown::new().await;
    let outcome = shown
        .press("h", shown.token("ack", None), |kind| {
            if let HappeningKind::Pressed { part, .. } = kind {
                *part = Receipt::new("post-2");
            }
        })
        .await;
    assert!(matches!(outcome, Outcome::Unavailable), "{outcome:?}");
    assert_eq!(shown.world.count("FROM happenings").await, 0);
}
