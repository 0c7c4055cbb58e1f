//! Real databases for the model: one for a whole test, emptied for each sequence. Postgres
//! decides leases by its own clock, so its clock is replaced by one that a test can set.

use std::sync::Arc;

use chatport_host::{
    delivery::{self, store::DeliveryStore},
    store::{
        Database, Location,
        entities::{installations, organizations, subscriptions},
    },
};
use chatport_sdk::time::{Clock, Timestamp};
use chatport_tests::{
    database::{Empty, Engine},
    seeded::SetClock,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use uuid::Uuid;

/// A database, and the clock by which it goes.
pub struct Real {
    pub database: Database,
    engine: Engine,
    clock: SetClock,
    _empty: Empty,
}

impl Real {
    pub async fn open(engine: Engine, clock: &SetClock) -> Self {
        let empty = engine.empty().await;
        if let Location::Postgres(url) = &empty.location {
            replace_clock(url).await;
        }
        let database = Database::open(&empty.location).await.expect("the database opens");
        Self { database, engine, clock: clock.clone(), _empty: empty }
    }

    pub fn store(&self) -> Arc<dyn DeliveryStore> {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        delivery::store_of(&self.database, &clock)
    }

    /// Empty it, and set up organizations with their installations, and one subscription.
    pub async fn reset(&self, world: &[(&str, Vec<Uuid>)], subscription: &str, kinds: &str) {
        let on = self.database.write();
        for sql in [
            "DELETE FROM organizations",
            "DELETE FROM subscriptions",
            "DELETE FROM facts WHERE name = 'event_sequence'",
        ] {
            on.execute_unprepared(sql).await.expect("emptied");
        }
        for (organization, installations) in world {
            insert_organization(on, organization).await;
            for id in installations {
                insert_installation(on, organization, *id).await;
            }
        }
        let row = subscriptions::Model {
            name: subscription.into(),
            url: "http://receiver.test/".into(),
            kinds: kinds.into(),
            secrets: String::new(),
            created_at: 0,
            updated_at: 0,
        };
        let row = row.into_active_model().reset_all();
        subscriptions::Entity::insert(row).exec_without_returning(on).await.expect("inserted");
    }

    /// Let the database's clock show this.
    pub async fn set_clock(&self, now: Timestamp) {
        if self.engine == Engine::Postgres {
            let sql = format!("UPDATE public.set_clock SET micros = {}", now.as_micros());
            self.database.write().execute_unprepared(&sql).await.expect("the clock is set");
        }
    }
}

/// Put a function of our own before Postgres' `clock_timestamp()`.
async fn replace_clock(url: &str) {
    let admin = sea_orm::Database::connect(url).await.expect("the database opens");
    let name = url.rsplit('/').next().expect("a name");
    let sql = format!(
        "CREATE TABLE public.set_clock (micros BIGINT NOT NULL);
        INSERT INTO public.set_clock VALUES (0);
        CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
            $$ SELECT timestamptz 'epoch' + micros * interval '1 microsecond' FROM public.set_clock $$;
        ALTER DATABASE {name} SET search_path = public, pg_catalog"
    );
    admin.execute_unprepared(&sql).await.expect("the clock is replaced");
    admin.close().await.expect("closed");
}

async fn insert_organization(on: &impl ConnectionTrait, id: &str) {
    let row =
        organizations::Model { id: id.into(), name: id.into(), locale: "en".into(), created_at: 0, updated_at: 0 };
    let row = row.into_active_model().reset_all();
    organizations::Entity::insert(row).exec_without_returning(on).await.expect("inserted");
}

async fn insert_installation(on: &impl ConnectionTrait, organization: &str, id: Uuid) {
    let row = installations::Model {
        organization: organization.into(),
        id,
        backend: "pigeon".into(),
        slot: id.simple().to_string(),
        state: "active".into(),
        settings: json!({}),
        settings_version: 1,
        stage: "installed".into(),
        notes: Value::Null,
        steps: json!([]),
        window_until: None,
        identity: None,
        problem: None,
        health: None,
        held_until: 0,
        last_delivered_at: None,
        last_heard_at: None,
        created_at: 0,
        updated_at: 0,
        removed_at: None,
    };
    let row = row.into_active_model().reset_all();
    installations::Entity::insert(row).exec_without_returning(on).await.expect("inserted");
}
