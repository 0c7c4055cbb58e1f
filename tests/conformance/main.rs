//! The conformance suite itself: a backend that is right passes all of it, and for each
//! behaviour there is a backend that is wrong in this alone, and is found out.

mod backend;
mod flaw;
mod platform;

use std::{collections::BTreeSet, sync::Arc};

use backend::{LoftBackend, signature};
use chatport_sdk::{
    prelude::*,
    testkit::{
        Cue, Fixture, Platform, Refusal, Stage,
        conformance::{BEHAVIOURS, Verdict, examine},
        text_answer,
    },
};
use flaw::{FLAWS, Flaw};
use http::{HeaderMap, Method};
use platform::{LOFT, Loft, PERSON, TOKEN};
use serde_json::json;

/// Loft and its backend, with this flaw.
struct LoftFixture(Option<Flaw>);

#[async_trait]
impl Fixture for LoftFixture {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::new(LoftBackend::with(self.0))
    }

    fn platform(&self) -> Arc<dyn Platform> {
        Arc::new(Loft::default())
    }

    fn fields(&self, _: &[SetupStep]) -> Fields {
        [("api_token", TOKEN)].into_iter().collect()
    }

    fn place(&self) -> Conversation {
        Conversation {
            id: LOFT.into(),
            address: Address(json!({ "v": 1, "loft": LOFT })),
            kind: ConversationKind::Channel,
            name: LOFT.into(),
            display_name: "Town".into(),
            team: String::new(),
        }
    }

    fn person(&self) -> Option<Account> {
        Some(Account::new(PERSON))
    }

    fn refusals(&self) -> Vec<Refusal> {
        let refusal = |name, status, cause, scope| Refusal { name, answer: text_answer(status, "no"), cause, scope };
        vec![
            refusal("the token is revoked", 401, Cause::Unauthorized, Scope::Installation),
            refusal("the loft is gone", 410, Cause::ChannelNotFound, Scope::Copy),
            refusal("the bot may not write", 403, Cause::PermissionDenied, Scope::Copy),
            refusal("the platform is away", 503, Cause::Unavailable, Scope::Copy),
        ]
    }

    async fn request(&self, stage: &Stage, cue: &Cue) -> Option<Request> {
        let body = match cue {
            Cue::Code(code) => json!({ "by": PERSON, "id": "e1", "kind": "code", "code": code.expose(), "loft": LOFT }),
            Cue::Press { token, post } => json!({
                "by": PERSON, "id": "e2", "kind": "press", "token": token.expose(), "post": post, "loft": LOFT,
            }),
            Cue::Text(text) => json!({ "by": PERSON, "id": "e3", "kind": "text", "text": text, "loft": LOFT }),
            _ => return None,
        };
        let body = body.to_string();
        let secret = stage.site().token("signing")?.value;
        let mut headers = HeaderMap::new();
        headers.insert("x-loft-signature", signature(&secret, body.as_bytes()).parse().ok()?);
        Some(Request { method: Method::POST, path: "/events".into(), query: None, headers, body: body.into() })
    }
}

mod a_backend_that_is_right {
    chatport_sdk::conformance!(super::LoftFixture(None));
}

#[test]
fn a_backend_that_is_right_offers_every_part_and_shows_it() {
    let report = examine(&LoftFixture(None));
    let unseen: Vec<_> = report.rows.iter().filter(|(_, verdict)| *verdict != Verdict::Holds).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
    assert!(report.proven().values().all(|proven| *proven));
}

#[test]
fn each_flaw_is_found_out() {
    for (flaw, name) in FLAWS {
        let behaviour = BEHAVIOURS.iter().find(|behaviour| behaviour.name == *name).expect("a behaviour of this name");
        let verdict = behaviour.play(&LoftFixture(Some(*flaw)));
        assert!(matches!(verdict, Verdict::Broken(_)), "{flaw:?} was not found out by {name}: {verdict:?}");
    }
}

#[test]
fn each_behaviour_has_a_flaw_that_it_finds_out() {
    let found: BTreeSet<&str> = FLAWS.iter().map(|(_, name)| *name).collect();
    let all: BTreeSet<&str> = BEHAVIOURS.iter().map(|behaviour| behaviour.name).collect();
    assert_eq!(found, all);
}

#[test]
fn a_part_with_a_flaw_is_not_proven() {
    let report = examine(&LoftFixture(Some(Flaw::EditPostsAnew)));
    let unproven: Vec<_> = report.proven().into_iter().filter(|(_, proven)| !proven).map(|(part, _)| part).collect();
    assert_eq!(unproven, [chatport_sdk::testkit::conformance::Part::Edit]);
}
