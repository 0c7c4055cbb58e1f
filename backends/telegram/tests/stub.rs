//! What the backend shows, and that it doesn't pretend to do more.

use std::sync::Arc;

use chatport_sdk::{
    async_trait,
    http::{Call, Dispatch, Transport},
    prelude::*,
    site::{Random, SiteParts, Vault},
    time::Clock,
};
use chatport_telegram::TelegramBackend;
use serde_json::{Value, json};

const CODE: &str = "K7QX-2M4P-9ZRT";

struct Nothing;

impl Vault for Nothing {
    fn tokens(&self, _kind: &str) -> Vec<Token> {
        Vec::new()
    }
    fn matches(&self, _kind: &str, _presented: &[u8]) -> Option<String> {
        None
    }
}

impl Random for Nothing {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }
}

#[async_trait]
impl Transport for Nothing {
    async fn send(&self, _call: Call, _dispatch: &Dispatch) -> Result<Answer, HttpError> {
        panic!("no call is to be made")
    }
}

fn site(settings: Value) -> Site {
    let mut parts = SiteParts::new("slot", Arc::new(Nothing), Arc::new(Nothing), Arc::new(Nothing));
    parts.settings = settings;
    Site::new(parts, HttpClient::new(Arc::new(Nothing), Dispatch::default()))
}

#[test]
fn it_says_plainly_that_it_cannot_deliver() {
    let backend = TelegramBackend;
    assert!(backend.descriptor().description.contains("cannot deliver yet"));
    assert!(backend.delivery().is_none() && backend.ingress().is_none());
}

#[tokio::test]
async fn setup_shows_its_steps_and_never_completes() {
    let backend = TelegramBackend;
    let (install, site) = (backend.install().unwrap(), site(json!({})));
    let progress = install.begin(&site).await.unwrap();
    let ids: Vec<&str> = progress.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["not-yet", "open-botfather", "make-bot", "enter-token"]);
    assert!(progress.installed.is_none() && progress.tokens.is_empty());

    let fields: Fields = [("bot_token", "123:abc")].into_iter().collect();
    let error = install.submit(&site, &fields).await.unwrap_err();
    assert!(matches!(&error, SetupError::WrongStage(why) if why.contains("no delivery for Telegram yet")), "{error}");
    assert!(matches!(install.reauthorize(&site).await, Err(SetupError::WrongStage(_))));
    let health = install.probe(&site).await;
    assert!(!health.can_post && !health.can_receive && !health.missing.is_empty());
}

#[test]
fn a_code_comes_with_a_deep_link_once_the_bot_is_known() {
    let backend = TelegramBackend;
    let verification = backend.verification().unwrap();
    let present = |settings, purpose| verification.present(&site(settings), purpose, &Secret::new(CODE));
    let known = json!({ "bot_username": "oncall_bot" });
    let cases = [(Purpose::User, "start"), (Purpose::Channel, "startgroup")];
    for (purpose, parameter) in cases {
        let shown = present(known.clone(), purpose);
        assert_eq!(shown.deep_link.unwrap().as_str(), format!("https://t.me/oncall_bot?{parameter}={CODE}"));
    }
    assert_eq!(present(json!({}), Purpose::User).deep_link, None);
    assert_eq!(present(json!({ "bot_username": "x/../y" }), Purpose::User).deep_link, None);
}

#[test]
fn the_typed_code_is_shown_as_a_secret_only() {
    let backend = TelegramBackend;
    let site = site(json!({ "bot_username": "oncall_bot" }));
    for purpose in [Purpose::User, Purpose::Channel] {
        let shown = backend.verification().unwrap().present(&site, purpose, &Secret::new(CODE));
        let last = shown.steps.last().unwrap();
        assert_eq!(last.to_json(true)["send"]["value"], CODE);
        assert!(shown.steps.iter().all(|step| !step.to_json(false).to_string().contains(CODE)));
    }
}
