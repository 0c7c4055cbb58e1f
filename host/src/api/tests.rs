//! The API over a database of its own, as its callers meet it.

use axum::body::Body;
use chatport_sdk::secret::Secret;
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    access::{self, NewKey},
    crowd::{self, What},
    events::webhook,
    security::api_keys::Scopes,
    setup::{audit::Actor, test_world::World},
    store::entities::subscriptions,
};

/// A host with an organization `acme`, and a key that may do everything.
struct Caller {
    world: World,
    key: Secret,
}

impl Caller {
    async fn new() -> Self {
        let world = World::new().await;
        let new = NewKey { name: "all".into(), scopes: Scopes::all(), organization: None, days: 1 };
        let (_, key) = access::create(&world.app, new, &Actor::host()).await.unwrap();
        Self { world, key }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key.expose()))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let answer = super::build().0.with_state(self.world.app.clone()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// A message to the default channel, which isn't there.
    async fn put_message(&self, key: &str) -> (u16, Value) {
        let message = json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": "Fire" } });
        self.ask(Method::PUT, &format!("/v1/organizations/acme/messages/{key}"), message).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    async fn subscribe(&self, url: &str) -> (u16, Value) {
        self.ask(Method::PUT, "/v1/subscriptions/app", json!({ "url": url })).await
    }

    /// What was done, the newest first: action, object, organization.
    async fn audited(&self) -> Vec<(String, String, Value)> {
        let audit = self.get("/v1/audit").await;
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        let entries = audit["items"].as_array().unwrap().iter();
        entries.map(|entry| (text(entry, "action"), text(entry, "object"), entry["organization"].clone())).collect()
    }
}

fn problem(kind: &str) -> Value {
    format!("/problems/{kind}").into()
}

// The description.

/// Every operation that takes an API key: its name, its path, and the kinds of problem that
/// it answers with.
fn operations() -> Vec<(String, String, Vec<String>)> {
    let description = super::build().1.describe();
    let mut found = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values() {
            if operation["security"].as_array().unwrap().is_empty() {
                continue;
            }
            let answers = operation["responses"].as_object().unwrap().values();
            let kinds = answers.flat_map(|answer| {
                let kinds = &answer["content"][super::problem::PROBLEM_JSON]["schema"]["properties"]["type"]["enum"];
                kinds.as_array().into_iter().flatten().map(|kind| kind.as_str().unwrap().to_owned())
            });
            let kinds = kinds.collect();
            found.push((operation["operationId"].as_str().unwrap().to_owned(), path.clone(), kinds));
        }
    }
    found
}

#[test]
fn the_description_has_no_faults() {
    assert_eq!(super::openapi_faults::faults(&super::build().1.describe()), Vec::<String>::new());
}

#[test]
fn the_description_tells_what_every_policy_answers() {
    for (id, path, kinds) in operations() {
        let has = |kind: &str| kinds.iter().any(|known| *known == problem(kind));
        assert!(has("unauthorized") && has("forbidden") && has("unavailable"), "{id}");
        assert_eq!(has("organization-not-found"), path.contains("{org}") || id == "createApiKey", "{id}");
        let is_counted = ["createVerificationCode", "searchDirectory", "resolveInDirectory"].contains(&id.as_str());
        assert_eq!(has("too-many-requests"), is_counted, "{id}");
    }
}

#[test]
fn a_listing_tells_that_a_cursor_can_be_wrong() {
    let having: Vec<String> = operations()
        .into_iter()
        .filter(|(_, _, kinds)| kinds.iter().any(|kind| *kind == problem("invalid-cursor")))
        .map(|(id, ..)| id)
        .collect();
    assert_eq!(
        having,
        ["readAudit", "listAccounts", "listChannels", "listDeadLetters", "listInstallations", "searchDirectory"]
    );
}

// Texts.

#[tokio::test]
async fn a_control_character_is_refused_wherever_it_stands() {
    let caller = Caller::new().await;
    let message = json!({ "revision": 1, "targets": [{ "user": "a\0b" }], "content": { "title": "x" } });
    let code = json!({ "backend": "pigeon", "purpose": "user", "user": "a\0b" });
    caller.world.installed().await;
    let lines = json!({ "backend": "pigeon", "purpose": "user", "user": "a\nb" });
    for (method, path, body, status, kind) in [
        (Method::PUT, "messages/a%00b", json!({}), 400, "invalid-path"),
        (Method::GET, "messages/a%0Ab", Value::Null, 400, "invalid-path"),
        (Method::DELETE, "users/a%00b", Value::Null, 400, "invalid-path"),
        (Method::GET, "accounts?user=a%00b", Value::Null, 400, "invalid-query"),
        (Method::GET, "installations?backend=%00", Value::Null, 400, "invalid-query"),
        (Method::PUT, "messages/m1", message, 400, "malformed-json"),
        (Method::POST, "verification-codes", code, 400, "malformed-json"),
        (Method::POST, "verification-codes", lines, 422, "invalid-body"),
        (Method::PUT, "", json!({ "name": "a\nb" }), 422, "invalid-body"),
        (Method::PUT, "", json!({ "locale": "a\nb" }), 422, "invalid-body"),
    ] {
        let path = format!("/v1/organizations/acme/{path}");
        let (answered, document) = caller.ask(method, path.trim_end_matches('/'), body).await;
        assert_eq!((answered, &document["type"]), (status, &problem(kind)), "{path}: {document}");
    }
    let (_, document) = caller.ask(Method::PUT, "/v1/organizations/b", json!({ "name": "a\0" })).await;
    assert!(document["detail"].as_str().unwrap().contains("U+0000"), "{document}");
}

// Subscriptions.

#[tokio::test]
async fn an_address_that_can_never_be_called_is_refused_at_once() {
    let caller = Caller::new().await;
    for url in ["http://me@app.example.com/", "http://me:s3cret@app.example.com/", "http://:s3cret@app.example.com/"] {
        let (status, document) = caller.subscribe(url).await;
        assert_eq!((status, &document["pointer"]), (422, &json!("/url")), "{url}");
        assert!(!document.to_string().contains("s3cret"), "{document}");
    }
    let (status, document) = caller.subscribe("http://10.1.2.3:3000/hook").await;
    assert_eq!((status, &document["pointer"]), (422, &json!("/url")));
    let detail = document["detail"].as_str().unwrap();
    assert!(detail.ends_with(r#"configure allow_networks = ["10.1.2.3=10.1.2.3/32:3000"]"#), "{detail}");
    assert_eq!(caller.get("/v1/subscriptions").await["subscriptions"], json!([]));
}

#[tokio::test]
async fn a_subscription_shows_how_its_receiver_last_answered() {
    use axum::{Router, routing::post};
    let caller = Caller::new().await;
    let router = Router::new()
        .route("/good", post(|| async { "" }))
        .route("/bad", post(|| async { http::StatusCode::INTERNAL_SERVER_ERROR }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let now = json!(caller.world.app.clock.now());
    let try_out = async |path: &str| {
        use sea_orm::EntityTrait;
        assert!(caller.subscribe(&format!("{url}{path}")).await.0 < 300);
        let fresh = caller.get("/v1/subscriptions").await["subscriptions"][0].clone();
        assert!(fresh.get("last_failure").is_none() && fresh.get("last_success_at").is_none(), "{fresh}");
        let row = subscriptions::Entity::find_by_id("app").one(caller.world.app.database.read()).await;
        let row = row.unwrap().unwrap();
        webhook::send(&caller.world.app, &row, "e1", "{}", std::time::Duration::from_secs(5)).await.unwrap();
        caller.get("/v1/subscriptions").await["subscriptions"][0].clone()
    };
    let good = try_out("/good").await;
    assert_eq!((&good["last_success_at"], good.get("last_failure")), (&now, None));
    let bad = try_out("/bad").await;
    assert_eq!(bad["last_failure"], json!({ "at": now, "detail": "the receiver answered 500" }));
    assert!(bad.get("last_success_at").is_none(), "another receiver begins anew: {bad}");
}

// The audit.

#[tokio::test]
async fn making_and_revoking_a_key_is_audited_for_its_organization() {
    let caller = Caller::new().await;
    let new = json!({ "name": "n", "scopes": ["send"], "organization": "acme" });
    let (_, made) = caller.ask(Method::POST, "/v1/api-keys", new).await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(caller.ask(Method::DELETE, &format!("/v1/api-keys/{id}"), Value::Null).await.0, 204);
    assert_eq!(caller.ask(Method::DELETE, &format!("/v1/api-keys/{id}"), Value::Null).await.0, 404);
    let audited = caller.audited().await;
    assert_eq!(audited.len(), 3, "{audited:?}");
    assert_eq!(audited[0], ("key.revoke".into(), id.clone(), json!("acme")));
    assert_eq!(audited[1], ("key.create".into(), id, json!("acme")));
    assert_eq!((audited[2].0.as_str(), &audited[2].2), ("key.create", &Value::Null));
}

#[tokio::test]
async fn putting_and_removing_a_subscription_is_audited() {
    let caller = Caller::new().await;
    assert_eq!(caller.subscribe("https://app.example.com/").await.0, 201);
    assert_eq!(caller.ask(Method::DELETE, "/v1/subscriptions/app", Value::Null).await.0, 204);
    assert_eq!(caller.ask(Method::DELETE, "/v1/subscriptions/app", Value::Null).await.0, 404);
    let audited = caller.audited().await;
    let done = |action: &str| (action.to_owned(), "app".to_owned(), Value::Null);
    assert_eq!(audited[..2], [done("subscription.remove"), done("subscription.put")]);
}

// Setup.

#[tokio::test]
async fn what_needs_an_active_installation_says_where_it_stands() {
    let caller = Caller::new().await;
    let id = caller.world.begin().await.id.to_string();
    let conversation = json!({ "id": "c", "address": { "v": 1, "loft": "c" }, "kind": "channel", "name": "c" });
    for (path, body) in [
        ("verification-codes", json!({ "backend": "pigeon", "purpose": "user", "user": "u" })),
        ("verification-codes", json!({ "installation": id, "purpose": "user", "user": "u" })),
        ("channels", json!({ "installation": id, "conversation": conversation })),
        (&format!("installations/{id}/resume"), json!({})),
    ] {
        let (status, document) = caller.ask(Method::POST, &format!("/v1/organizations/acme/{path}"), body).await;
        assert_eq!((status, &document["type"]), (409, &problem("installation-not-active")), "{path}: {document}");
        assert_eq!((&document["installation"], &document["state"]), (&json!(id), &json!("pending")));
    }
}

#[tokio::test]
async fn an_organization_takes_all_its_installations_with_it() {
    let caller = Caller::new().await;
    for _ in 0..101 {
        caller.world.begin().await;
    }
    assert_eq!(caller.ask(Method::DELETE, "/v1/organizations/acme", Value::Null).await.0, 204);
    assert_eq!(caller.world.count("FROM audit WHERE action = 'installation.remove'").await, 101);
}

// More than can be served.

#[tokio::test]
async fn a_message_that_finds_no_place_is_refused_and_can_be_repeated() {
    let caller = Caller::new().await;
    let crowd = &caller.world.app.crowd;
    let inside: Vec<_> = (0..crowd::MESSAGES).map_while(|_| crowd.enter(What::Message)).collect();
    let (status, refusal) = caller.put_message("fire").await;
    assert_eq!((status, &refusal["type"]), (503, &problem("overloaded")));
    assert_eq!(caller.world.count("FROM messages").await, 0);
    drop(inside);
    assert_eq!(caller.put_message("fire").await.0, 202);
}

#[tokio::test]
async fn a_call_that_finds_no_place_is_told_when_to_come_back() {
    let caller = Caller::new().await;
    let crowd = &caller.world.app.crowd;
    let _inside: Vec<_> = (0..crowd::CALLS).map_while(|_| crowd.enter(What::Call)).collect();
    let slot = caller.world.load(caller.world.installed().await).await.row.slot.clone();
    let call = Request::post(format!("/in/pigeon/{slot}/")).body(Body::empty()).unwrap();
    let answer = super::build().0.with_state(caller.world.app.clone()).oneshot(call).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].as_bytes()), (503, b"1".as_slice()));
    assert_eq!(caller.put_message("fire").await.0, 202, "applications have places of their own");
}
