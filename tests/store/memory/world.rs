//! One or two replicas over one database, each with its server, and what is asked of them.

use std::sync::Arc;

use chatport_host::{
    Host,
    access::{self, NewKey},
    app::App,
    config::{DatabaseAddress, Settings},
    ids::{InstallationId, OrganizationId},
    registry::Registry,
    security::api_keys::Scopes,
    setup::{
        audit::Actor,
        sites::{self, Loaded},
    },
    store::{BOUND, Location, statement},
};
use chatport_sdk::{delivery::Delivery, prelude::*, schemars};
use chatport_tests::{
    client::Client,
    database::{Empty, Engine},
    eventually,
    pigeon::{Pigeon, address},
};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Asked {
    Here,
    Elsewhere,
}

/// A host in this process, with its server.
pub(crate) struct Replica {
    pub(crate) app: App,
    pub(crate) api: Client,
    _stop: DropGuard,
}

impl Replica {
    pub(crate) async fn start(empty: &Empty, pigeon: &Pigeon) -> Self {
        let mut settings = Settings::in_folder(empty.folder.path());
        settings.listen = "127.0.0.1:0".parse().unwrap();
        settings.database = match &empty.location {
            Location::Sqlite(path) => DatabaseAddress::Sqlite(path.clone()),
            Location::Postgres(url) => DatabaseAddress::Postgres(url.clone().into()),
        };
        let registry = Registry::of([(Arc::new(Parrot::new(pigeon)) as _, "pigeon")]).unwrap();
        let host = Host::start(settings, registry).await.unwrap();
        let (app, stop) = (host.app().clone(), CancellationToken::new());
        let api = Client::new(format!("http://{}", host.address().unwrap()), None);
        tokio::spawn(host.run(stop.clone()));
        Self { app, api, _stop: stop.drop_guard() }
    }

    pub(crate) async fn new_key(&self) -> (String, String) {
        let new = NewKey { name: "test".into(), scopes: Scopes::all(), organization: None, days: 1 };
        let (view, key) = access::create(&self.app, new, &Actor::host()).await.unwrap();
        (view.id, key.expose().to_owned())
    }
}

/// One or two replicas over one database, with one organization.
pub(crate) struct World {
    /// Where changes are made.
    pub(crate) changing: Replica,
    /// Where it is asked, if that is another.
    pub(crate) other: Option<Replica>,
    pub(crate) api: Client,
    key: String,
    pub(crate) pigeon: Pigeon,
    pub(crate) installation: InstallationId,
    empty: Empty,
}

/// A pigeon that has a setting.
struct Parrot {
    pigeon: Pigeon,
    descriptor: Descriptor,
}

#[derive(schemars::JsonSchema)]
#[allow(dead_code, reason = "it is read as a schema alone")]
struct Repertoire {
    number: Option<i64>,
}

impl Parrot {
    fn new(pigeon: &Pigeon) -> Self {
        let mut descriptor = pigeon.descriptor().clone().settings::<Repertoire>();
        descriptor.name = "Parrot";
        Self { pigeon: pigeon.clone(), descriptor }
    }
}

impl MessagingBackend for Parrot {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
    fn delivery(&self) -> Option<&dyn Delivery> {
        self.pigeon.delivery()
    }
}

pub(crate) fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

/// What a replica knows of an installation.
pub(crate) async fn load(app: &App, installation: InstallationId) -> Loaded {
    sites::load(app, &acme(), installation).await.unwrap()
}

pub(crate) const ACME: &str = "/v1/organizations/acme";

impl World {
    pub(crate) async fn start(engine: Engine, asked: Asked) -> Self {
        let (empty, pigeon) = (engine.empty().await, Pigeon::new());
        let changing = Replica::start(&empty, &pigeon).await;
        let other = match asked {
            Asked::Here => None,
            Asked::Elsewhere => Some(Replica::start(&empty, &pigeon).await),
        };
        let (_, key) = changing.new_key().await;
        let api = changing.api.with_key(&key);
        api.put(ACME, json!({})).await.expect(200);
        let installation = InstallationId::new();
        let world = Self { changing, other, api, key, pigeon, installation, empty };
        world
            .execute(&format!(
                "INSERT INTO installations (organization, id, backend, slot, state, settings, settings_version, stage,
                    notes, steps, identity, created_at, updated_at) VALUES ('acme', {}, 'pigeon', 'slot', 'active',
                    '{{}}', 1, 'installed', 'null', '[]', '{{\"server\":\"loft\",\"account\":\"bot\",\"display_name\":\"P\"}}',
                    1, 1)",
                world.literal(installation.0)
            ))
            .await;
        world.rely_on_memory().await;
        world
    }

    fn replicas(&self) -> impl Iterator<Item = &Replica> {
        [&self.changing].into_iter().chain(&self.other)
    }

    /// Where it is asked.
    pub(crate) fn asked(&self) -> &Replica {
        self.other.as_ref().unwrap_or(&self.changing)
    }

    pub(crate) fn asked_api(&self) -> Client {
        self.asked().api.with_key(&self.key)
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.changing.app.database.write().execute_unprepared(sql).await.unwrap();
    }

    fn literal(&self, id: Uuid) -> String {
        match self.empty.location {
            Location::Sqlite(_) => format!("X'{}'", id.simple()),
            Location::Postgres(_) => format!("'{id}'"),
        }
    }

    async fn rely_on_memory(&self) {
        if let Location::Postgres(_) = self.empty.location {
            for replica in self.replicas() {
                self.relies_on_memory(replica).await;
            }
        }
    }

    /// Wait until all replicas have heard of all that was changed: whoever uses what it knows
    /// after this has had a ping from after it.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(BOUND).await;
        self.rely_on_memory().await;
    }

    /// Wait until a replica doesn't notice what nobody tells: it hears, and so uses what it
    /// knows.
    pub(crate) async fn relies_on_memory(&self, replica: &Replica) {
        eventually("a replica to use what it knows", || async {
            let known = self.note(replica).await;
            self.change_note_unheard().await;
            (self.note(replica).await == known).then_some(())
        })
        .await;
    }

    pub(crate) async fn note(&self, replica: &Replica) -> Value {
        load(&replica.app, self.installation).await.row.notes.clone()
    }

    /// Change a row without the triggers that tell of it.
    pub(crate) async fn change_note_unheard(&self) {
        let Location::Postgres(url) = &self.empty.location else { unreachable!("only Postgres has others to tell") };
        let behind = sea_orm::Database::connect(url).await.unwrap();
        let sql = "SET session_replication_role = replica;
            UPDATE installations SET notes = to_jsonb(COALESCE((notes #>> '{}')::BIGINT, 0) + 1)";
        behind.execute_unprepared(sql).await.unwrap();
        behind.close().await.unwrap();
    }

    /// What is answered now where the change was made; soon, where it has to be heard of.
    pub(crate) async fn holds<F: Future<Output = bool>>(&self, what: &str, check: impl Fn() -> F) {
        match self.other {
            None => assert!(check().await, "{what}"),
            Some(_) => eventually(what, || async { check().await.then_some(()) }).await,
        }
    }

    /// What the asked replica knows of the installation.
    pub(crate) async fn loaded(&self) -> Loaded {
        load(&self.asked().app, self.installation).await
    }

    pub(crate) async fn query(&self, sql: &str) -> Vec<QueryResult> {
        let database = self.changing.app.database.read();
        database.query_all_raw(statement(database, sql, [])).await.unwrap()
    }

    pub(crate) async fn channel(&self, loft: &str) -> String {
        let body = json!({ "installation": self.installation, "conversation":
            { "id": loft, "address": address(loft), "kind": "channel", "name": loft } });
        let made = self.api.post(&format!("{ACME}/channels"), body).await;
        made.json()["id"].as_str().unwrap_or_else(|| panic!("no channel")).to_owned()
    }

    pub(crate) async fn link(&self, user: &str) {
        let id = self.literal(Uuid::now_v7());
        let installation = self.literal(self.installation.0);
        self.execute(&format!(
            "INSERT INTO account_links (organization, id, installation, user_id, account, username, display_name,
                linked_at, updated_at) VALUES ('acme', {id}, {installation}, '{user}', '{user}', '{user}', '', 1, 1)"
        ))
        .await;
    }

    /// Put a new message where it is asked; the answer is its one copy.
    pub(crate) async fn put(&self, target: Value) -> Value {
        let path = format!("{ACME}/messages/{}", Uuid::new_v4());
        let body = json!({ "revision": 1, "targets": [target], "content": { "title": "x" } });
        let accepted = self.asked_api().put(&path, body).await;
        assert_eq!(accepted.status.as_u16(), 202, "{}", accepted.text);
        accepted.json()["copies"][0].clone()
    }

    /// Wait until so many posts stand and all is recorded.
    pub(crate) async fn sent(&self, number: usize) {
        eventually("the posts", || async { (self.pigeon.world().posts.len() == number).then_some(()) }).await;
        let open = "SELECT 1 AS open FROM copies WHERE is_open AND event IS NULL";
        eventually("the records", || async { self.query(open).await.is_empty().then_some(()) }).await;
    }

    /// Whether a message for this target can't be delivered for that reason.
    pub(crate) async fn is_dead(&self, target: &Value, code: &str) -> bool {
        self.put(target.clone()).await["code"] == code
    }

    pub(crate) async fn is_accepted(&self, target: &Value) -> bool {
        self.put(target.clone()).await["state"] == "pending"
    }
}
