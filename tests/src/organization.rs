//! An application at work for one of its organizations: the calls of the API that the flows
//! have in common, each with the answer that is expected.

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    eventually,
};

/// One organization, seen by its application.
#[derive(Clone)]
pub struct Organization {
    pub api: Client,
    pub id: String,
}

impl Organization {
    /// Create it.
    pub async fn create(api: &Client, id: &str) -> Self {
        api.put(&format!("/v1/organizations/{id}"), json!({ "name": id })).await.expect(200);
        Self { api: api.clone(), id: id.to_owned() }
    }

    /// The address of something of it.
    pub fn at(&self, rest: &str) -> String {
        format!("/v1/organizations/{}/{rest}", self.id)
    }

    pub async fn get(&self, rest: &str) -> Answer {
        self.api.get(&self.at(rest)).await
    }

    pub async fn post(&self, rest: &str, body: Value) -> Answer {
        self.api.post(&self.at(rest), body).await
    }

    pub async fn put(&self, rest: &str, body: Value) -> Answer {
        self.api.put(&self.at(rest), body).await
    }

    pub async fn delete(&self, rest: &str) -> Answer {
        self.api.delete(&self.at(rest)).await
    }

    /// Begin to set a backend up.
    pub async fn install(&self, backend: &str, settings: Value) -> Value {
        self.post("installations", json!({ "backend": backend, "settings": settings })).await.expect(201)
    }

    /// An installation as it stands.
    pub async fn installation(&self, id: &str) -> Value {
        self.get(&format!("installations/{id}")).await.expect(200)
    }

    /// Wait until an installation is in a state.
    pub async fn becomes(&self, installation: &str, state: &str) -> Value {
        eventually(&format!("the installation to be {state}"), || async {
            Some(self.installation(installation).await).filter(|found| found["state"] == state)
        })
        .await
    }

    /// Submit what a person filled in.
    pub async fn submit(&self, installation: &str, fields: Value) -> Answer {
        self.post(&format!("installations/{installation}/setup"), json!({ "fields": fields })).await
    }

    /// A code that links a user.
    pub async fn user_code(&self, installation: &str, user: &str) -> Value {
        let request = json!({ "installation": installation, "purpose": "user", "user": user });
        self.post("verification-codes", request).await.expect(201)
    }

    /// A code that connects a channel.
    pub async fn channel_code(&self, installation: &str) -> Value {
        let request = json!({ "installation": installation, "purpose": "channel" });
        self.post("verification-codes", request).await.expect(201)
    }

    /// The linked accounts.
    pub async fn accounts(&self) -> Vec<Value> {
        items(&self.get("accounts").await.expect(200))
    }

    /// The connected channels.
    pub async fn channels(&self) -> Vec<Value> {
        items(&self.get("channels").await.expect(200))
    }

    /// The connected channel of this name.
    pub async fn channel(&self, name: &str) -> Value {
        let channels = self.channels().await;
        let found = channels.iter().find(|channel| channel["name"] == name || channel["display_name"] == name);
        found.unwrap_or_else(|| panic!("no channel {name} in {channels:?}")).clone()
    }

    /// Say what a message shows; it is accepted.
    pub async fn say(&self, key: &str, message: Value) -> Value {
        self.put(&format!("messages/{key}"), message).await.expect(202)
    }

    /// A message as it stands.
    pub async fn message(&self, key: &str) -> Value {
        self.get(&format!("messages/{key}")).await.expect(200)
    }

    /// Wait until all copies of a message are in a state.
    pub async fn settles(&self, key: &str, state: &str) -> Value {
        let settled = |message: &Value| {
            let copies = message["copies"].as_array().expect("copies");
            !copies.is_empty() && copies.iter().all(|copy| copy["state"] == state)
        };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        loop {
            let message = self.message(key).await;
            if settled(&message) {
                return message;
            }
            let in_time = tokio::time::Instant::now() < deadline;
            assert!(in_time, "waited ten seconds in vain for {state}: {:#}", message["copies"]);
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Wait until all copies of a message show its newest revision.
    pub async fn delivered(&self, key: &str) -> Value {
        let message = self.settles(key, "delivered").await;
        // A line of the log is posted once, with the revision that brought it.
        for copy in message["copies"].as_array().expect("copies").iter().filter(|copy| copy["log_id"].is_null()) {
            assert_eq!(copy["shown_revision"], message["revision"], "{copy}");
        }
        message
    }

    /// All events of this organization so far.
    pub async fn events(&self) -> Vec<Value> {
        let page = self.api.get("/v1/events?after=0").await.expect(200);
        let own = |event: &Value| event["organization"] == self.id.as_str();
        items(&page).into_iter().filter(own).collect()
    }

    /// The events of one kind so far.
    pub async fn events_of(&self, kind: &str) -> Vec<Value> {
        self.events().await.into_iter().filter(|event| event["type"] == kind).collect()
    }
}

/// The items of a page.
pub fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().expect("a page").clone()
}

/// The text of a member.
#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {value}")).to_owned()
}

/// How many copy-revisions ended how, and how many are open, by the metrics. The law is
/// checked: what was accepted has ended in exactly one way, or is still open.
pub async fn tallies(api: &Client) -> BTreeMap<String, i64> {
    let answer = api.get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    let figure = |line: &str| {
        let rest = line.strip_prefix("chatport_copy_revisions{outcome=\"")?;
        let (outcome, number) = rest.split_once("\"} ")?;
        let number: f64 = number.trim().parse().expect("a number");
        Some((outcome.to_owned(), number as i64))
    };
    let tallies: BTreeMap<String, i64> = answer.text.lines().filter_map(figure).collect();
    let others: i64 = tallies.iter().filter(|(name, _)| *name != "accepted").map(|(_, total)| total).sum();
    assert_eq!(tallies.get("accepted").copied().unwrap_or(0), others, "{tallies:?}");
    tallies
}
