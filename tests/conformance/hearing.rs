//! How the reference backend hears what happens: the platform calls, or is asked.

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

use crate::{
    backend::{Kind, LoftBackend, SIGNING, token},
    flaw::Flaw,
};

/// The signature of a body, as the platform makes it.
pub(crate) fn signature(secret: &Secret, body: &[u8]) -> String {
    chatport_sdk::crypto::hex(&chatport_sdk::crypto::hmac_sha256(secret.expose().as_bytes(), body))
}

impl LoftBackend {
    /// What the platform tells, as the host wants it.
    fn understand(&self, site: &Site, body: &Value) -> Option<Happening> {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let account = Account::new(text("by"));
        let conversation = Conversation {
            id: text("loft"),
            address: Address(json!({ "v": 1, "loft": body["loft"] })),
            kind: ConversationKind::Channel,
            name: text("loft"),
            display_name: text("loft"),
            team: String::new(),
        };
        let cut = |text: String, flaw| if self.is(flaw) { text.chars().take(5).collect() } else { text };
        let kind = match body["kind"].as_str() {
            Some("code") => HappeningKind::CodeEntered {
                code: Secret::new(cut(text("code"), Flaw::CodeCut)),
                account,
                place: Place::Direct { address: None },
            },
            Some("press") => HappeningKind::Pressed {
                token: Secret::new(cut(text("token"), Flaw::TokenCut)),
                choice: None,
                account,
                conversation: conversation.id,
                part: Receipt::new(text("post")),
            },
            Some("command") if !self.is(Flaw::CommandNameLost) => {
                HappeningKind::CommandUsed { name: text("name"), text: text("text"), account, conversation }
            }
            Some("text" | "command") => HappeningKind::Commanded { text: text("text"), account, conversation },
            _ => return None,
        };
        let id = match () {
            () if self.is(Flaw::IdAtRandom) => chatport_sdk::crypto::hex(&site.random::<8>()),
            () if self.is(Flaw::FirstRequestRemembered) => format!("{}-{}", text("id"), self.count()),
            () => text("id"),
        };
        Some(Happening::new(id, kind))
    }
}

#[async_trait]
impl Ingress for LoftBackend {
    fn public(&self, _: &PublicBase<'_>, request: &Request) -> Option<Response> {
        let number = if self.is(Flaw::PublicCounts) { self.count() } else { 0 };
        (request.path == "/manifest").then(|| Response::json(&json!({ "name": "Loft", "number": number })))
    }

    async fn receive(&self, site: &Site, request: &Request) -> Received {
        if site.is_decoy() && self.is(Flaw::UnknownSlotTold) {
            return Received::Answer(Response::text(http::StatusCode::NOT_FOUND, "no such loft"));
        }
        let refused =
            |reason| Received::Refused { response: Response::text(http::StatusCode::FORBIDDEN, "not proven"), reason };
        let signed = request.header("x-loft-signature").unwrap_or_default();
        let is_signed = |body: &[u8]| {
            let secret = site.token(SIGNING.name);
            secret.is_some_and(|secret| Secret::new(signature(&secret.value, body)).matches(signed.as_bytes()))
        };
        // Whoever it is said to be.
        let of_ada = String::from_utf8_lossy(&request.body).replace("adb", "ada");
        if self.is(Flaw::BigBodyTaken) && request.body.len() > 200_000 {
            let account = Account::new("nobody");
            return Received::Happenings(vec![Happening::new("x", HappeningKind::UnlinkAsked { account })]);
        }
        let is_proven = is_signed(&request.body) || (self.is(Flaw::PersonNotSigned) && is_signed(of_ada.as_bytes()));
        let parsed: Result<Value, _> = serde_json::from_slice(&request.body);
        if self.is(Flaw::GarbageTaken) && parsed.is_err() {
            let account = Account::new("nobody");
            return Received::Happenings(vec![Happening::new("x", HappeningKind::UnlinkAsked { account })]);
        }
        let is_believed = self.is(Flaw::UnsignedTaken) && request.body.starts_with(b"{\"by\":\"ada\"");
        if !is_proven && !is_believed {
            return refused("the signature is wrong");
        }
        let Ok(body) = parsed else { return refused("the body isn't JSON") };
        match self.understand(site, &body) {
            Some(happening) => Received::Happenings(vec![happening]),
            None => refused("it is nothing that the platform sends"),
        }
    }

    async fn answer(&self, _: &Site, _: &[Happening], outcomes: &[Outcome]) -> Response {
        let is_odd = matches!(outcomes.first(), Some(Outcome::InstalledByAnother { .. }));
        if is_odd && self.is(Flaw::OutcomeUnexpected) {
            unreachable!("this platform installs nothing by itself");
        }
        match outcomes.first() {
            Some(Outcome::Unavailable) => Response::text(http::StatusCode::SERVICE_UNAVAILABLE, "not recorded"),
            _ => Response::json(&json!({ "ok": true })),
        }
    }
}

#[async_trait]
impl Listen for LoftBackend {
    fn listens(&self, site: &Site) -> bool {
        site.ingress_url().is_none()
    }

    async fn listen(&self, site: &Site, cursor: Option<&str>) -> Result<Heard, Failure> {
        let after = cursor.filter(|_| !self.is(Flaw::CursorIgnored)).unwrap_or("0");
        let path = format!("/api/events?after={after}");
        let heard = match self.call(site, &token(site)?, http::Method::GET, &path, None, Kind::Repeatable).await {
            Err(_) if self.is(Flaw::OutageHeardAsSilence) => return Ok(Heard::default()),
            other => other?,
        };
        let events = heard["events"].as_array();
        let events =
            events.ok_or_else(|| Failure::new(Cause::Unavailable, "the platform told nothing of that shape"))?;
        let mut all = Heard::default();
        for told in events {
            let number = told["number"].as_u64().unwrap_or_default();
            let understood = self.understand(site, &told["event"]);
            let is_kept = |happening: &Happening| {
                !(self.is(Flaw::CodeNotHeard) && matches!(happening.kind, HappeningKind::CodeEntered { .. }))
            };
            for mut happening in understood.into_iter().filter(is_kept) {
                happening.id = format!("{}-{number}", happening.id);
                all = all.happening(happening);
            }
            all = all.until(number.to_string());
        }
        Ok(all)
    }

    async fn answer(&self, _: &Site, _: &[Happening], outcomes: &[Outcome]) {
        let is_odd = matches!(outcomes.first(), Some(Outcome::InstalledByAnother { .. }));
        assert!(!(is_odd && self.is(Flaw::OutcomeUntold)), "this platform installs nothing by itself");
    }
}
