//! A host in this process, over an empty database of either engine, with the scripted
//! platform linked in: for suites of the engine that need no program.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chatport_host::{
    Host,
    app::{App, Parts},
    delivery::{self, Accepted, Delivery, message::PutMessage, read, view::CopyState},
    ids::{ChannelId, InstallationId, OrganizationId},
    registry::Registry,
    setup::{self, audit::Actor},
    store::entities::{account_links, channels, installations, organizations},
};
use chatport_sdk::time::Clock;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    database::{Empty, Engine},
    eventually,
    pigeon::{self, Pigeon},
};

/// A host with its engine running.
pub struct TestHost {
    pub app: App,
    pub pigeon: Pigeon,
    pub organization: OrganizationId,
    pub installation: InstallationId,
    stop: CancellationToken,
    running: Option<tokio::task::JoinHandle<()>>,
    _empty: Empty,
}

impl TestHost {
    /// Start on an empty database.
    pub async fn start(engine: Engine) -> Self {
        Self::with(engine, Pigeon::new()).await
    }

    /// Start with this pigeon.
    pub async fn with(engine: Engine, pigeon: Pigeon) -> Self {
        Self::begin(engine, pigeon, None).await
    }

    /// Start by this clock.
    pub async fn by(engine: Engine, clock: Arc<dyn Clock>) -> Self {
        Self::begin(engine, Pigeon::new(), Some(clock)).await
    }

    async fn begin(engine: Engine, pigeon: Pigeon, clock: Option<Arc<dyn Clock>>) -> Self {
        let empty = engine.empty().await;
        let registry = Registry::of([(Arc::new(pigeon.clone()) as _, "pigeon")]).expect("a registry");
        let mut app = Host::for_tests(&empty.location, empty.folder.path(), registry).await.expect("a host");
        if let Some(clock) = clock {
            let clock = app.database.clock(clock);
            let delivery = Delivery::new(&app.database, &clock, &app.random);
            app = App::from(Parts { delivery, clock, ..(*app).clone() });
        }
        let organization = OrganizationId::parse("acme").expect("an id");
        let mut host = Self {
            app,
            pigeon,
            organization: organization.clone(),
            installation: InstallationId::new(),
            stop: CancellationToken::new(),
            running: None,
            _empty: empty,
        };
        host.organization(&organization).await;
        host.installation = host.install(&organization).await;
        host.run();
        host
    }

    /// Let the engine run.
    pub fn run(&mut self) {
        self.stop = CancellationToken::new();
        self.running = Some(tokio::spawn(delivery::run(self.app.clone(), self.stop.clone())));
    }

    /// Let the engine finish and stop.
    pub async fn halt(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            running.await.expect("the engine ends well");
        }
    }

    pub async fn organization(&self, id: &OrganizationId) {
        let now = self.app.clock.now().as_micros();
        let row = organizations::Model {
            id: id.as_str().into(),
            name: "Acme".into(),
            locale: "en".into(),
            created_at: now,
            updated_at: now,
        };
        let row = row.into_active_model().reset_all();
        organizations::Entity::insert(row).exec_without_returning(self.app.database.write()).await.expect("inserted");
    }

    pub async fn install(&self, organization: &OrganizationId) -> InstallationId {
        let now = self.app.clock.now().as_micros();
        let id = InstallationId::new();
        let row = installations::Model {
            organization: organization.as_str().into(),
            id: id.0,
            backend: "pigeon".into(),
            slot: id.0.simple().to_string(),
            state: "active".into(),
            settings: json!({}),
            settings_version: 1,
            stage: "installed".into(),
            notes: Value::Null,
            steps: json!([]),
            window_until: None,
            identity: Some(json!({ "server": "loft", "account": "bot", "display_name": "Pigeon" })),
            problem: None,
            health: None,
            held_until: 0,
            last_delivered_at: None,
            last_heard_at: None,
            created_at: now,
            updated_at: now,
            removed_at: None,
        };
        let row = row.into_active_model().reset_all();
        installations::Entity::insert(row).exec_without_returning(self.app.database.write()).await.expect("inserted");
        id
    }

    /// Connect a loft as a channel.
    pub async fn channel(&self, loft: &str) -> ChannelId {
        self.channel_of(&self.organization, self.installation, loft).await
    }

    pub async fn channel_of(
        &self,
        organization: &OrganizationId,
        installation: InstallationId,
        loft: &str,
    ) -> ChannelId {
        let now = self.app.clock.now().as_micros();
        let id = ChannelId::new();
        let row = channels::Model {
            organization: organization.as_str().into(),
            id: id.0,
            installation: installation.0,
            conversation: loft.into(),
            address: pigeon::address(loft).0,
            name: loft.into(),
            display_name: loft.into(),
            team: String::new(),
            status: "active".into(),
            is_default: false,
            storm_guard: false,
            linked_at: now,
            updated_at: now,
            removed_at: None,
        };
        let row = row.into_active_model().reset_all();
        channels::Entity::insert(row).exec_without_returning(self.app.database.write()).await.expect("inserted");
        id
    }

    /// Let first posts that wait in a channel become a summary.
    pub async fn guard(&self, channel: ChannelId) {
        setup::channels::guard(&self.app, &self.organization, channel, true, &Actor::host()).await.expect("guarded");
    }

    /// Link a user to an account.
    pub async fn link(&self, user: &str, account: &str) {
        let now = self.app.clock.now().as_micros();
        let row = account_links::Model {
            organization: self.organization.as_str().into(),
            id: chatport_host::ids::LinkId::new().0,
            installation: self.installation.0,
            user_id: user.into(),
            account: account.into(),
            username: account.into(),
            display_name: account.into(),
            direct: None,
            linked_at: now,
            updated_at: now,
            unlinked_at: None,
        };
        let row = row.into_active_model().reset_all();
        account_links::Entity::insert(row).exec_without_returning(self.app.database.write()).await.expect("inserted");
    }

    /// Put a message.
    pub async fn put(&self, key: &str, document: Value) -> Accepted {
        self.try_put(key, document).await.expect("accepted")
    }

    pub async fn try_put(&self, key: &str, document: Value) -> Result<Accepted, delivery::AcceptError> {
        let put: PutMessage = serde_json::from_value(document).expect("a message");
        delivery::accept(&self.app, &self.organization, key, put).await
    }

    /// Wait until all copies of a message are in one of these states.
    pub async fn settles(&self, key: &str, states: &[CopyState]) {
        eventually(&format!("{key} to become {states:?}"), || async {
            let message = read::message(&self.app, &self.organization, key).await.expect("read")?;
            message.copies.iter().all(|copy| states.contains(&copy.copy.state)).then_some(())
        })
        .await;
    }

    /// Check the law: what was accepted has ended in exactly one way, or is still open.
    pub async fn check_conservation(&self) {
        let tallies: BTreeMap<String, i64> = read::tallies(&self.app).await.expect("read");
        let of = |name: &str| tallies.get(name).copied().unwrap_or_default();
        let ended: i64 = ["delivered", "superseded", "dead", "expired", "cancelled"].into_iter().map(of).sum();
        assert_eq!(
            of("accepted"),
            ended + of("in_flight") + of("in_flight_older") + of("in_flight_final"),
            "{tallies:?}"
        );
        let overlaps = self.pigeon.world().overlaps;
        assert_eq!(overlaps, 0, "two sends of one conversation overlapped");
    }
}

/// A message for one channel.
pub fn message(revision: i64, channel: ChannelId, title: &str) -> Value {
    json!({ "revision": revision, "targets": [{ "channel": channel }], "content": { "title": title } })
}

/// A moment, for what should not happen.
pub async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(400)).await;
}
