use std::{sync::atomic::Ordering, time::Duration};

use chatport_sdk::prelude::*;
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use super::super::{
    SetupFailure,
    audit::Actor,
    channels::{self, ChannelFilter, ChannelStatus},
    installations,
    links::{self, LinkFilter},
    page::Page,
    state::InstallationState,
    suspension,
    test_world::{World, loft},
};
/// Until when the installation's messages are held.
async fn held(world: &World, id: crate::ids::InstallationId) -> i64 {
    world.load(id).await.row.held_until
}

#[tokio::test]
async fn a_suspended_installation_holds_its_messages_until_it_is_resumed() {
    let world = World::new().await;
    let id = world.installed().await;
    let (app, organization) = (&world.app, &world.organization);
    for _ in 0..2 {
        suspension::suspend(app, organization, id, "installation_revoked", "401").await.unwrap();
    }
    let seen = installations::get(app, organization, id).await.unwrap();
    assert_eq!(seen.state, InstallationState::Suspended);
    assert_eq!(seen.problem.unwrap().code, "installation_revoked");
    assert_eq!(held(&world, id).await, i64::MAX);
    let seen = suspension::resume(app, organization, id, &Actor::host()).await.unwrap();
    assert_eq!((seen.state, seen.problem), (InstallationState::Active, None));
    assert_eq!(held(&world, id).await, 0);
    let kinds = ["installation.activated", "installation.suspended", "installation.activated"];
    assert_eq!(world.event_kinds().await, kinds);
}

#[tokio::test]
async fn only_a_suspended_installation_can_be_resumed() {
    let world = World::new().await;
    let id = world.installed().await;
    let refused = suspension::resume(&world.app, &world.organization, id, &Actor::host()).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::WrongStage(_)));
}

#[tokio::test]
async fn a_removed_installation_leaves_tombstones_and_no_usable_token() {
    let world = World::new().await;
    let id = world.installed().await;
    let (app, organization) = (&world.app, &world.organization);
    channels::add(app, organization, id, &loft("attic"), &Actor::host()).await.unwrap();
    let slot = world.load(id).await.row.slot.clone();
    world.clock.advance(Duration::from_secs(1));
    let before = app.clock.now().minus(Duration::from_micros(1));
    installations::remove(app, organization, id, &Actor::host()).await.unwrap();
    let gone = installations::get(app, organization, id).await.unwrap_err();
    assert!(matches!(gone, SetupFailure::NotFound));
    assert_eq!(world.count("FROM tokens WHERE revoked_at IS NULL").await, 0);
    let filter = ChannelFilter { updated_after: Some(before), ..ChannelFilter::default() };
    let tombstones = channels::list(app, organization, &filter, Page::default()).await.unwrap().items;
    assert_eq!(tombstones.iter().map(|channel| channel.status).collect::<Vec<_>>(), [ChannelStatus::Removed]);
    let backend = app.registry.get("pigeon").unwrap();
    assert!(super::super::sites::load_slot(app, backend, &slot).await.unwrap().is_none());
    assert_eq!(world.event_kinds().await.last().unwrap(), "installation.removed");
    let again = installations::remove(app, organization, id, &Actor::host()).await.unwrap_err();
    assert!(matches!(again, SetupFailure::NotFound));
}

#[tokio::test]
async fn a_credential_is_discarded_when_the_settings_name_another_server() {
    let world = World::new().await;
    let id = world.installed().await;
    let (app, organization) = (&world.app, &world.organization);
    let change = async |loft: &str| {
        installations::change_settings(app, organization, id, &json!({ "loft": loft }), &Actor::host()).await.unwrap()
    };
    assert_eq!(change("https://loft.example.com/second-floor").await.state, InstallationState::Active);
    assert!(world.load(id).await.site.token("api_key").is_some());
    let moved = change("https://other.example.com").await;
    assert_eq!(
        (moved.state, moved.problem.unwrap().code.as_str()),
        (InstallationState::Suspended, "reauthorization_needed")
    );
    assert!(world.load(id).await.site.token("api_key").is_none());
}

#[tokio::test]
async fn a_probe_is_kept_with_its_time() {
    let world = World::new().await;
    let id = world.installed().await;
    let seen = installations::probe(&world.app, &world.organization, id).await.unwrap();
    let probed = seen.health.last_probe.unwrap();
    assert!(probed.health.can_post);
    assert_eq!(probed.at, world.app.clock.now());
}

#[tokio::test]
async fn a_quiet_installation_stays_well_and_a_deaf_one_says_so_with_its_cure() {
    let world = World::new().await;
    let id = world.installed().await;
    let health = async || {
        crate::setup::watch::look(&world.app, &mut Uuid::nil()).await.unwrap();
        let seen = installations::get(&world.app, &world.organization, id).await.unwrap();
        assert_eq!((seen.state, seen.health.last_heard_at), (InstallationState::Active, None), "nobody calls");
        seen.health.last_probe
    };
    assert!(health().await.is_none(), "a new one is left alone");
    world.clock.advance(Duration::from_secs(11 * 60));
    let probed = health().await.expect("it is asked");
    assert_eq!((probed.at, probed.health.can_receive), (world.app.clock.now(), true));
    world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    assert!(health().await.unwrap().health.can_receive, "silence proves nothing");

    world.pigeon.is_deaf.store(true, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(60));
    assert!(health().await.unwrap().health.can_receive, "what is known for a minute isn't asked again");
    world.clock.advance(Duration::from_secs(10 * 60));
    let probed = health().await.unwrap().health;
    assert_eq!((probed.can_receive, probed.cure.as_deref()), (false, Some("Hang the bell up again.")));
}

#[tokio::test]
async fn a_backend_alone_names_its_installation_unless_there_are_several() {
    let world = World::new().await;
    let (app, organization) = (&world.app, &world.organization);
    assert!(matches!(installations::sole(app, organization, "pigeon").await, Err(SetupFailure::NotFound)));
    let first = world.begin().await.id;
    let pending = installations::sole(app, organization, "pigeon").await.unwrap_err();
    let expected = InstallationState::Pending;
    assert!(
        matches!(pending, SetupFailure::NotActive { installation, state } if installation == first && state == expected)
    );
    world.submit(first, &[("api_key", "key-of-the-loft")]).await.unwrap();
    assert_eq!(installations::sole(app, organization, "pigeon").await.unwrap(), first);
    let second = world.installed().await;
    let refused = installations::sole(app, organization, "pigeon").await.unwrap_err();
    assert!(matches!(refused, SetupFailure::Several { installations } if installations == [first, second]));
}

#[tokio::test]
async fn exactly_one_channel_is_the_default() {
    let world = World::new().await;
    let id = world.installed().await;
    let (app, organization, actor) = (&world.app, &world.organization, &Actor::host());
    let first = channels::add(app, organization, id, &loft("attic"), actor).await.unwrap();
    let second = channels::add(app, organization, id, &loft("tower"), actor).await.unwrap();
    assert!(first.is_default && !second.is_default);
    channels::make_default(app, organization, second.id, actor).await.unwrap();
    let all = channels::list(app, organization, &ChannelFilter::default(), Page::default()).await.unwrap().items;
    let defaults: Vec<_> = all.iter().filter(|channel| channel.is_default).map(|channel| channel.id).collect();
    assert_eq!(defaults, [second.id]);
}

#[tokio::test]
async fn an_address_that_is_not_the_conversations_is_refused() {
    let world = World::new().await;
    let id = world.installed().await;
    let wrong = Conversation { id: "tower".into(), ..loft("attic") };
    let refused = channels::add(&world.app, &world.organization, id, &wrong, &Actor::host()).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::Field { name, .. } if name == "address"));
}

#[tokio::test]
async fn a_lost_channel_stays_connected_and_a_moved_one_keeps_its_id() {
    let world = World::new().await;
    let id = world.installed().await;
    let (app, organization) = (&world.app, &world.organization);
    let channel = channels::add(app, organization, id, &loft("attic"), &Actor::host()).await.unwrap();
    let loaded = world.load(id).await;
    let transaction = app.database.begin(organization).await.unwrap();
    channels::lost(&transaction, &loaded, "attic", app.clock.now()).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(channels::get(app, organization, channel.id).await.unwrap().status, ChannelStatus::Lost);
    let transaction = app.database.begin(organization).await.unwrap();
    channels::moved(&transaction, &loaded, "attic", &loft("tower"), app.clock.now()).await.unwrap();
    transaction.commit().await.unwrap();
    let moved = channels::get(app, organization, channel.id).await.unwrap();
    assert_eq!((moved.status, moved.name.as_str()), (ChannelStatus::Active, "tower"));
}

#[tokio::test]
async fn pages_give_every_link_once_and_ended_ones_as_tombstones() {
    let world = World::new().await;
    let id = world.installed().await;
    let (app, organization) = (&world.app, &world.organization);
    let loaded = world.load(id).await;
    for number in 0..7 {
        let transaction = app.database.begin(organization).await.unwrap();
        let account = Account::new(format!("account-{number}"));
        let user = format!("user-{number}");
        links::insert(&transaction, &loaded, &user, &account, app.clock.now()).await.unwrap().unwrap();
        transaction.commit().await.unwrap();
    }
    assert_eq!(links::unlink_user(app, organization, None, "user-3", &Actor::host()).await.unwrap(), 1);
    let mut seen = Vec::new();
    let mut page = Page { after: None, limit: 2 };
    let filter = LinkFilter { updated_after: Some(Timestamp::EPOCH), ..LinkFilter::default() };
    loop {
        let found = links::list(app, organization, &filter, page).await.unwrap();
        seen.extend(found.items);
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    let mut users: Vec<_> = seen.iter().map(|link| link.user.as_str()).collect();
    users.sort_unstable();
    users.dedup();
    assert_eq!((seen.len(), users.len()), (7, 7));
    let ended: Vec<_> = seen.iter().filter(|link| link.unlinked_at.is_some()).map(|link| &link.user).collect();
    assert_eq!(ended, ["user-3"]);
    let live = links::list(app, organization, &LinkFilter::default(), Page::default()).await.unwrap();
    assert_eq!(live.items.len(), 6);
}

/// As the release before stored it.
async fn stored_before(world: &World, settings: &str) {
    let sql = format!("UPDATE installations SET settings_version = 0, settings = '{settings}'");
    world.app.database.write().execute_unprepared(&sql).await.unwrap();
}

#[tokio::test]
async fn settings_of_an_earlier_release_are_read_in_the_present_shape_and_stored_with_the_next_change() {
    let world = World::new().await;
    let (app, organization, id) = (&world.app, &world.organization, world.installed().await);
    stored_before(&world, r#"{"coop":"https://loft.example.com/"}"#).await;
    let present = json!({ "loft": "https://loft.example.com/" });
    let loaded = world.load(id).await;
    assert_eq!(loaded.site.settings::<serde_json::Value>().unwrap(), present);
    assert!(loaded.site.token("api_key").is_some(), "what was sealed for the server is still open");
    assert_eq!(installations::get(app, organization, id).await.unwrap().settings, present);
    assert_eq!(
        world.count("FROM installations WHERE settings_version = 0").await,
        1,
        "an old replica can still read it"
    );
    installations::change_settings(app, organization, id, &json!({}), &Actor::host()).await.unwrap();
    assert_eq!(world.count("FROM installations WHERE settings_version = 1").await, 1);
}

#[tokio::test]
async fn settings_that_would_lead_elsewhere_or_fit_nowhere_stay_as_they_were() {
    let world = World::new().await;
    let id = world.installed().await;
    for old in [r#"{"coop":"https://moved.example.com/"}"#, r#"{"nest":1}"#] {
        stored_before(&world, old).await;
        let settings = world.load(id).await.site.settings::<serde_json::Value>().unwrap();
        assert_eq!(settings.to_string(), old);
    }
}
