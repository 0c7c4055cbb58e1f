//! What the backend shows, and that it doesn't pretend to do more.

use std::sync::Arc;

use chatport_msteams::TeamsBackend;
use chatport_sdk::{
    async_trait,
    http::{Call, Dispatch, Transport},
    prelude::*,
    site::{Random, SiteParts, Vault},
    time::Clock,
};

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

fn site() -> Site {
    let mut parts = SiteParts::new("slot", Arc::new(Nothing), Arc::new(Nothing), Arc::new(Nothing));
    parts.app_name = "OnCall".into();
    Site::new(parts, HttpClient::new(Arc::new(Nothing), Dispatch::default()))
}

#[test]
fn it_says_plainly_that_it_cannot_deliver() {
    let backend = TeamsBackend;
    assert!(backend.descriptor().description.contains("cannot deliver yet"));
    assert!(backend.delivery().is_none() && backend.ingress().is_none());
}

#[tokio::test]
async fn setup_shows_its_steps_and_never_completes() {
    let backend = TeamsBackend;
    let (install, site) = (backend.install().unwrap(), site());
    let progress = install.begin(&site).await.unwrap();
    let ids: Vec<&str> = progress.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["not-yet", "create-bot", "enter-app"]);
    assert!(progress.installed.is_none() && progress.tokens.is_empty());

    let fields: Fields = [("app_id", "a"), ("tenant_id", "t"), ("client_secret", "s")].into_iter().collect();
    let error = install.submit(&site, &fields).await.unwrap_err();
    assert!(matches!(&error, SetupError::WrongStage(why) if why.contains("no delivery for Microsoft Teams yet")));
    assert!(matches!(install.reauthorize(&site).await, Err(SetupError::WrongStage(_))));
    let health = install.probe(&site).await;
    assert!(!health.can_post && !health.can_receive && !health.missing.is_empty());
}

#[test]
fn a_code_goes_to_the_bot_or_with_a_mention_into_the_channel() {
    let backend = TeamsBackend;
    let cases = [(Purpose::User, CODE.to_owned()), (Purpose::Channel, format!("@OnCall {CODE}"))];
    for (purpose, text) in cases {
        let shown = backend.verification().unwrap().present(&site(), purpose, &Secret::new(CODE));
        assert_eq!(shown.steps[0].to_json(true)["send"]["value"], text);
        assert!(!shown.steps[0].to_json(false).to_string().contains(CODE));
    }
}
