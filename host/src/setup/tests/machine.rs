use std::sync::Arc;

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

use super::super::{
    SetupFailure,
    audit::Actor,
    installations,
    machine::{self, Completion},
    state::InstallationState,
    test_world::{World, identity},
};
use crate::{
    app::{App, Parts},
    registry::Registry,
    setup::renewal::Renewals,
};

async fn create(world: &World, backend: &str, settings: Value) -> SetupFailure {
    machine::create(&world.app, &world.organization, backend, settings, &Actor::host()).await.unwrap_err()
}

#[tokio::test]
async fn a_secret_in_a_step_is_shown_once() {
    let world = World::new().await;
    let begun = world.begin().await;
    let shown = begun.steps[0]["value"]["value"].as_str().unwrap();
    assert!(shown.starts_with("hook-"));
    let later = installations::get(&world.app, &world.organization, begun.id).await.unwrap();
    assert_eq!(later.steps[0]["value"], json!({ "value": null, "secret": true }));
    assert_eq!(world.load(begun.id).await.site.matches("hook", shown.as_bytes()).as_deref(), Some(""));
}

#[tokio::test]
async fn an_unknown_backend_is_answered_with_those_that_are_linked() {
    let world = World::new().await;
    let refused = create(&world, "owl", json!({})).await;
    assert!(refused.to_string().contains("pigeon"), "{refused}");
}

#[tokio::test]
async fn settings_that_break_the_schema_are_refused_by_name_and_leave_nothing_behind() {
    let world = World::new().await;
    let refused = create(&world, "pigeon", json!({ "colour": "red" })).await;
    assert!(matches!(refused, SetupFailure::Field { name, .. } if name == "colour"));
    assert_eq!(world.count("FROM installations").await, 0);
}

#[tokio::test]
async fn settings_that_the_backend_refuses_are_refused_alike_when_made_and_when_changed() {
    let world = World::new().await;
    let secret = json!({ "loft": "https://ann:secret@loft.example.com" });
    let refused = create(&world, "pigeon", secret.clone()).await;
    assert!(matches!(refused, SetupFailure::Field { name, .. } if name == "loft"));
    assert_eq!(world.count("FROM installations").await, 0);
    let id = world.installed().await;
    let (app, organization) = (&world.app, &world.organization);
    let refused = installations::change_settings(app, organization, id, &secret, &Actor::host()).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::Field { name, .. } if name == "loft"));
    assert_eq!(world.load(id).await.row.settings, json!({ "loft": "https://loft.example.com" }));
}

#[tokio::test]
async fn completed_setup_makes_the_installation_active_and_tells_of_it_once() {
    let world = World::new().await;
    let id = world.begin().await.id;
    let done = world.submit(id, &[("api_key", "k")]).await.unwrap();
    assert_eq!(done.state, InstallationState::Active);
    assert_eq!(done.identity.unwrap().account, "bot-1");
    assert!(done.steps.is_empty());
    assert_eq!(world.event_kinds().await, ["installation.activated"]);
}

#[tokio::test]
async fn a_wrong_field_leaves_the_stage_and_can_be_mended() {
    let world = World::new().await;
    let id = world.begin().await.id;
    let refused = world.submit(id, &[("api_key", "  ")]).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::Field { name, .. } if name == "api_key"));
    assert_eq!(world.submit(id, &[("api_key", "k")]).await.unwrap().state, InstallationState::Active);
}

#[tokio::test]
async fn fields_for_a_stage_that_is_over_are_refused() {
    let world = World::new().await;
    let id = world.installed().await;
    let refused = world.submit(id, &[("api_key", "k")]).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::WrongStage(_)));
}

#[tokio::test]
async fn another_replica_goes_on_where_the_machine_stands() {
    let world = World::new().await;
    let id = world.begin().await.id;
    let other = App::from(Parts { renewals: Renewals::default(), ..(*world.app).clone() });
    let fields: Fields = [("api_key", "k")].into_iter().collect();
    let done = machine::submit(&other, &world.organization, id, fields, &Actor::host()).await.unwrap();
    assert_eq!(done.state, InstallationState::Active);
    assert_eq!(installations::get(&world.app, &world.organization, id).await.unwrap().state, InstallationState::Active);
}

#[tokio::test]
async fn of_two_who_submit_at_once_one_is_told_to_look_again() {
    let world = World::new().await;
    let id = world.begin().await.id;
    let key = [("api_key", "k")];
    let (one, other) = tokio::join!(world.submit(id, &key), world.submit(id, &key));
    assert_eq!(one.is_ok() as u8 + other.is_ok() as u8, 1, "{one:?} {other:?}");
    assert_eq!(world.event_kinds().await, ["installation.activated"]);
}

#[tokio::test]
async fn a_panic_of_the_backend_is_an_error_and_nothing_else() {
    let world = World::new().await;
    let id = world.begin().await.id;
    let refused = world.submit(id, &[("mischief", "panic")]).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::BackendPanicked { .. }));
    assert_eq!(world.submit(id, &[("api_key", "k")]).await.unwrap().state, InstallationState::Active);
}

#[tokio::test]
async fn a_step_with_a_token_that_cannot_be_kept_changes_nothing() {
    let world = World::new().await;
    let before = world.begin().await;
    let refused = world.submit(before.id, &[("mischief", "undeclared")]).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::Token(_)));
    let after = installations::get(&world.app, &world.organization, before.id).await.unwrap();
    assert_eq!(after.updated_at, before.updated_at);
}

#[tokio::test]
async fn reauthorizing_takes_new_secrets_of_the_same_bot_alone() {
    let world = World::new().await;
    let id = world.installed().await;
    let (app, organization) = (&world.app, &world.organization);
    machine::reauthorize(app, organization, id, &Actor::host()).await.unwrap();
    let refused = world.submit(id, &[("api_key", "k2"), ("bot", "bot-2")]).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::OtherIdentity { .. }));
    world.submit(id, &[("api_key", "k2")]).await.unwrap();
    assert_eq!(world.load(id).await.site.token("api_key").unwrap().value.expose(), "k2");
}

#[tokio::test]
async fn an_installation_is_not_found_in_another_organization() {
    let world = World::new().await;
    let id = world.installed().await;
    let other = crate::ids::OrganizationId::parse("other").unwrap();
    let refused = installations::get(&world.app, &other, id).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::NotFound));
}

/// A world in which only this backend without parts is linked.
fn with_owl(world: &World, change: impl FnOnce(&mut Descriptor)) -> App {
    struct Owl(Descriptor);
    impl MessagingBackend for Owl {
        fn descriptor(&self) -> &Descriptor {
            &self.0
        }
    }
    let mut descriptor = Descriptor::new("owl", "Owl");
    change(&mut descriptor);
    let owl: Arc<dyn MessagingBackend> = Arc::new(Owl(descriptor));
    App::from(Parts { registry: Registry::of([(owl, "owl")]).unwrap(), ..(*world.app).clone() })
}

#[tokio::test]
async fn without_its_backend_an_installation_shows_as_suspended_and_keeps_its_row() {
    let world = World::new().await;
    let id = world.installed().await;
    let other = with_owl(&world, |_| {});
    let seen = installations::get(&other, &world.organization, id).await.unwrap();
    assert_eq!((seen.state, seen.problem.unwrap().code.as_str()), (InstallationState::Suspended, "backend_not_linked"));
    assert_eq!(seen.identity.unwrap().account, "bot-1");
    let again = installations::get(&world.app, &world.organization, id).await.unwrap();
    assert_eq!(again.state, InstallationState::Active);
}

#[tokio::test]
async fn a_backend_without_install_steps_cannot_be_set_up() {
    let world = World::new().await;
    let app = with_owl(&world, |_| {});
    let refused = machine::create(&app, &world.organization, "owl", json!({}), &Actor::host()).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::NoInstall { .. }));
}

#[tokio::test]
async fn a_backend_for_trying_out_needs_a_host_on_loopback() {
    let world = World::new().await;
    let owl = with_owl(&world, |descriptor| descriptor.loopback_only = true);
    for (listen, public_url) in [("0.0.0.0:8080", None), ("127.0.0.1:8080", Some("https://chat.example.com"))] {
        let mut settings = (*owl.settings).clone();
        settings.listen = listen.parse().unwrap();
        settings.public_url = public_url.map(|url| url.parse().unwrap());
        let app = App::from(Parts { settings: Arc::new(settings), ..(*owl).clone() });
        let refused = machine::create(&app, &world.organization, "owl", json!({}), &Actor::host()).await.unwrap_err();
        assert!(matches!(refused, SetupFailure::LoopbackOnly { .. }), "{listen}");
    }
}

#[tokio::test]
async fn the_platform_may_complete_setup_only_while_the_window_is_open() {
    let world = World::new().await;
    let id = world.begin().await.id;
    let complete = async |bot: &str| {
        let loaded = world.load(id).await;
        let transaction = world.app.database.begin(&world.organization).await.unwrap();
        let (app, now) = (&world.app, world.app.clock.now());
        let taken = machine::completed_by_platform(&transaction, app, &loaded, &identity(bot), vec![], now).await;
        transaction.commit().await.unwrap();
        taken.unwrap()
    };
    world.clock.advance(std::time::Duration::from_secs(901));
    assert_eq!(complete("bot-1").await, Completion::NotNow, "the window has closed");
    machine::reauthorize(&world.app, &world.organization, id, &Actor::host()).await.unwrap();
    assert_eq!(complete("bot-1").await, Completion::NotNow, "these steps open none");
    world.submit(id, &[("api_key", "k")]).await.unwrap();
    assert_eq!(complete("bot-1").await, Completion::Taken, "an active installation may hear it again");
    assert_eq!(complete("bot-2").await, Completion::NotNow, "but not from another bot");
}
