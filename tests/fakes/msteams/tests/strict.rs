//! What the stand-in refuses.

use chatport_fake_msteams::{Asked, FakeTeams, Options, Reply};
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};

const URL: &str = "https://teams.example.com";

struct Bench(FakeTeams);

impl Bench {
    fn new(options: Options) -> Self {
        let teams = FakeTeams::unserved(options, URL);
        teams.installs("Ada", true);
        teams.installs_in_team("Ada", "Operations", true);
        Self(teams)
    }

    fn ask(&self, method: Method, path: &str, token: &str, content_type: &str, body: &str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a value"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).expect("a value"));
        self.0.answer(Asked { method, path: path.to_owned(), headers, body: body.as_bytes().to_vec() })
    }

    fn login(&self, changes: &[(&str, &str)]) -> Reply {
        let options = self.0.options();
        let mut fields = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", options.app_id),
            ("client_secret", options.secret),
            ("scope", "https://api.botframework.com/.default".to_owned()),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, (*value).to_owned()));
        }
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let path = format!("/{}/oauth2/v2.0/token", options.tenant_id);
        self.ask(Method::POST, &path, "", "application/x-www-form-urlencoded", &form)
    }

    fn token(&self) -> String {
        self.login(&[]).body["access_token"].as_str().expect("a token").to_owned()
    }

    /// Post an activity to Ada's chat.
    fn post(&self, activity: &Value) -> Reply {
        let chat = self.0.personal_chat("Ada").replace(':', "%3A");
        let path = format!("/emea/v3/conversations/{chat}/activities");
        self.ask(Method::POST, &path, &self.token(), "application/json", &activity.to_string())
    }
}

fn with_card(card: Value) -> Value {
    let content_type = "application/vnd.microsoft.card.adaptive";
    json!({ "type": "message", "attachments": [{ "contentType": content_type, "content": card }] })
}

fn card(body: Value) -> Value {
    json!({ "type": "AdaptiveCard", "version": "1.5", "body": body })
}

#[test]
fn a_token_is_issued_to_the_bot_alone() {
    let bench = Bench::new(Options::default());
    assert_eq!(bench.login(&[]).status, 200);
    let wrong = [
        ("grant_type", "password", 400),
        ("client_id", "x", 400),
        ("client_secret", "x", 401),
        ("scope", "https://graph.microsoft.com/.default", 400),
    ];
    for (field, value, status) in wrong {
        assert_eq!(bench.login(&[(field, value)]).status, status, "{field}");
    }
}

#[test]
fn a_post_needs_a_token_that_was_issued_here_and_is_current() {
    let bench = Bench::new(Options { token_lifetime: 0, ..Options::default() });
    let message = json!({ "type": "message", "text": "x" });
    assert_eq!(bench.post(&message).status, 401, "it has run out");
    let bench = Bench::new(Options::default());
    assert_eq!(bench.post(&message).status, 201);
    let connectors = bench.0.authorization().replace("Bearer ", "");
    let path = "/emea/v3/conversations/a%3A1/activities";
    for token in ["", "x", "a.b.c", &connectors] {
        assert_eq!(bench.ask(Method::POST, path, token, "application/json", &message.to_string()).status, 401);
    }
}

#[test]
fn ids_are_percent_encoded() {
    let bench = Bench::new(Options::default());
    let (token, chat) = (bench.token(), bench.0.personal_chat("Ada"));
    let message = json!({ "type": "message", "text": "x" }).to_string();
    for (chat, status) in [(chat.clone(), 400), (chat.replace(':', "%3a"), 201), ("a%3".into(), 400)] {
        let path = format!("/emea/v3/conversations/{chat}/activities");
        assert_eq!(bench.ask(Method::POST, &path, &token, "application/json", &message).status, status, "{chat}");
    }
}

#[test]
fn activities_and_cards_have_known_members_alone() {
    let bench = Bench::new(Options::default());
    assert_eq!(bench.post(&with_card(card(json!([{ "type": "TextBlock", "text": "x", "wrap": true }])))).status, 201);
    let wrong = [
        json!({ "type": "message" }),
        json!({ "type": "typing", "text": "x" }),
        json!({ "type": "message", "text": "x", "colour": "red" }),
        with_card(json!({ "type": "AdaptiveCard", "version": "1.6", "body": [] })),
        with_card(card(json!([{ "type": "Nope" }]))),
        with_card(card(json!([{ "type": "TextBlock" }]))),
        with_card(card(json!([{ "type": "TextBlock", "text": "x", "wrap": "yes" }]))),
        with_card(card(json!([{ "type": "TextBlock", "text": "x", "colour": "Good" }]))),
        with_card(card(json!([{ "type": "TextBlock", "text": "<at>Nobody</at>" }]))),
        with_card(card(json!([{ "type": "Image", "url": "javascript:alert(1)" }]))),
        with_card(card(json!([{ "type": "FactSet", "facts": [{ "title": "x" }] }]))),
        with_card(
            json!({ "type": "AdaptiveCard", "version": "1.5", "body": [], "actions": [{ "type": "Action.Http" }] }),
        ),
    ];
    for activity in wrong {
        assert_eq!(bench.post(&activity).status, 400, "{activity}");
    }
}

#[test]
fn what_is_too_large_or_too_quick_is_refused() {
    let bench = Bench::new(Options::default());
    let long = json!({ "type": "message", "text": "x".repeat(41_000) });
    assert_eq!(bench.post(&long).status, 413);
    let message = json!({ "type": "message", "text": "x" });
    let statuses: Vec<u16> = (0..9).map(|_| bench.post(&message).status).collect();
    assert!(statuses[..7].iter().all(|status| *status == 201) && statuses[8] == 429, "{statuses:?}");
}

#[test]
fn whom_the_bot_cant_reach_is_told_apart() {
    let bench = Bench::new(Options::default());
    let message = json!({ "type": "message", "text": "x" });
    bench.0.block("Ada", true);
    let blocked = bench.post(&message);
    assert!(
        blocked.status == 403 && blocked.body["message"].as_str().expect("a text").contains("MessageWritesBlocked")
    );
    bench.0.block("Ada", false);
    let (token, id) = (bench.token(), bench.0.person_id("Bob"));
    let options = bench.0.options();
    let chat = json!({
        "bot": { "id": format!("28:{}", options.app_id) }, "isGroup": false, "members": [{ "id": id }],
        "tenantId": options.tenant_id, "channelData": { "tenant": { "id": options.tenant_id } },
    });
    let open = || bench.ask(Method::POST, "/emea/v3/conversations", &token, "application/json", &chat.to_string());
    assert_eq!(open().body["error"]["code"], "BotNotInConversationRoster");
    bench.0.installs("Bob", true);
    assert_eq!(open().body["id"], bench.0.personal_chat("Bob"));
}
