//! The reference backend for Loft: right in everything, or with one flaw.

use std::sync::{
    LazyLock, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use chatport_sdk::{
    commands::Commands,
    delivery::{Delete, Direct},
    directory::Directory,
    prelude::*,
    schemars::JsonSchema,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::flaw::Flaw;

/// The backend.
#[derive(Debug, Default)]
pub(crate) struct LoftBackend {
    pub(crate) flaw: Option<Flaw>,
    counter: AtomicUsize,
    remembered: Mutex<String>,
}

const API: TokenKind =
    TokenKind { name: "api_token", usage: TokenUse::Reveal, origin: TokenOrigin::Person, lifetime: None };
pub(crate) const SIGNING: TokenKind =
    TokenKind { name: "signing", usage: TokenUse::Reveal, origin: TokenOrigin::Host, lifetime: None };

/// The lofts that are wanted. In version 1 it was one: `loft`.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(crate = "chatport_sdk::schemars")]
#[serde(default, deny_unknown_fields)]
struct Settings {
    lofts: Vec<String>,
}

fn descriptor(id: &'static str) -> Descriptor {
    let mut descriptor = Descriptor::new(id, "Loft").settings::<Settings>();
    descriptor.settings_version = 2;
    descriptor.tokens = &[API, SIGNING];
    descriptor.limits.text = crate::platform::LONGEST;
    descriptor.limits.actions = 5;
    descriptor.limits.threads = true;
    descriptor
}

static RIGHT: LazyLock<Descriptor> = LazyLock::new(|| descriptor("loft"));
static WRONG: LazyLock<Descriptor> = LazyLock::new(|| descriptor("Loft here"));

impl LoftBackend {
    pub(crate) fn with(flaw: Option<Flaw>) -> Self {
        Self { flaw, ..Self::default() }
    }

    pub(crate) fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    pub(crate) fn count(&self) -> usize {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }
}

impl MessagingBackend for LoftBackend {
    fn descriptor(&self) -> &Descriptor {
        if self.is(Flaw::IdWithSpace) { &WRONG } else { &RIGHT }
    }
    fn install(&self) -> Option<&dyn Install> {
        Some(self)
    }
    fn verification(&self) -> Option<&dyn Verification> {
        let is_there = !self.is(Flaw::PartThatComesAndGoes) || self.count().is_multiple_of(3);
        is_there.then_some(self)
    }
    fn delivery(&self) -> Option<&dyn Delivery> {
        Some(self)
    }
    fn ingress(&self) -> Option<&dyn Ingress> {
        Some(self)
    }
    fn listen(&self) -> Option<&dyn Listen> {
        Some(self)
    }
    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }
    fn commands(&self) -> Option<&dyn Commands> {
        Some(self)
    }
}

/// How a call that can't be repeated is left where its answer is of no use.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Repeatable,
    Once,
}

impl LoftBackend {
    pub(crate) async fn call(
        &self,
        site: &Site,
        token: &Secret,
        method: http::Method,
        path: &str,
        body: Option<Value>,
        kind: Kind,
    ) -> Result<Value, Failure> {
        let open = match kind {
            Kind::Once if !self.is(Flaw::LostAnswerCalledUnavailable) => Cause::NoAnswer,
            _ => Cause::Unavailable,
        };
        let settle = |error: HttpError| match Failure::from(error) {
            failure if failure.cause == Cause::NoAnswer => Failure::new(open, failure.detail),
            failure if self.is(Flaw::RefusedConnectionInDoubt) => Failure::new(Cause::NoAnswer, failure.detail),
            failure => failure,
        };
        let url = Url::parse("https://loft.example.com").and_then(|base| base.join(path)).expect("an address");
        let mut request = site.http().request(method, url).bearer(token);
        if let Some(body) = &body {
            request = request.json(body);
        }
        if kind == Kind::Repeatable {
            request = request.repeatable();
        }
        let answer = request.send().await.map_err(settle)?;
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        if self.is(Flaw::AnyAnswerIsSuccess) && answer.status == 200 {
            return Ok(answer.json().unwrap_or_else(|_| json!({ "id": "p0" })));
        }
        let (cause, scope) = match answer.status.as_u16() {
            204 => return Ok(Value::Null),
            200..=299 => return answer.json().map_err(settle),
            300..=399 if self.is(Flaw::RedirectTaken) => {
                let again = Url::parse("https://loft.example.com/elsewhere").expect("an address");
                let _ = site.http().get(again).send().await;
                (Cause::RedirectRefused, None)
            }
            300..=399 => (Cause::RedirectRefused, None),
            _ if self.is(Flaw::RefusalsAllAlike) => (Cause::ContentRejected, None),
            401 => (Cause::Unauthorized, None),
            403 => (Cause::PermissionDenied, None),
            404 | 410 => (Cause::ChannelNotFound, None),
            429 => (Cause::RateLimited, Some(Scope::Installation)),
            503 => (Cause::Unavailable, None),
            500..=599 => (open, None),
            _ => (Cause::ContentRejected, None),
        };
        let wait = answer.retry_after(site.now()).filter(|_| !self.is(Flaw::WishToSlowDownIgnored));
        let detail = match self.is(Flaw::SecretInTheDetail) {
            true => format!("the platform answered {}: {told}", answer.status),
            false => format!("the platform answered {}", answer.status),
        };
        let failure = Failure::new(cause, detail).retry_after(wait);
        Err(scope.map_or(failure.clone(), |scope| failure.scope(scope)))
    }
}

pub(crate) fn token(site: &Site) -> Result<Secret, Failure> {
    let token = site.token(API.name).map(|token| token.value);
    token.ok_or_else(|| Failure::new(Cause::Unauthorized, "there is no token"))
}

#[async_trait]
impl Install for LoftBackend {
    fn check(&self, site: &Site) -> Result<(), SetupError> {
        match site.settings::<Option<Settings>>().map(Option::unwrap_or_default) {
            Ok(settings) if settings.lofts.len() > 9 => Err(SetupError::field("lofts", "must be 9 at most")),
            Ok(_) => Ok(()),
            Err(error) => Err(SetupError::field("settings", error.to_string())),
        }
    }

    fn migrate(&self, mut settings: Value, _: u32) -> Value {
        if !self.is(Flaw::EarlierSettingsLeft)
            && let Some(loft) = settings.as_object_mut().and_then(|settings| settings.remove("loft"))
        {
            settings["lofts"] = json!([loft]);
        }
        settings
    }

    async fn begin(&self, site: &Site) -> Result<Progress, SetupError> {
        if self.is(Flaw::SettingsUnwrapped) {
            let _: Settings = site.settings().expect("settings of the right shape");
        }
        if self.is(Flaw::StateInMemory) {
            *self.remembered.lock().expect("a lock") = "token".into();
        }
        let field = Field::new(API.name, "API token", FieldKind::Secret, "Under *Profile*.");
        let kind = StepKind::Fields { fields: vec![field] };
        let secret = Secret::new(chatport_sdk::crypto::hex(&site.random::<16>()));
        let steps = vec![SetupStep::new("token", "Fill in the bot's token", "", kind)];
        Ok(Progress::next("token", steps).token(NewToken::new(SIGNING.name, secret)))
    }

    async fn submit(&self, site: &Site, fields: &Fields) -> Result<Progress, SetupError> {
        let stage = match self.is(Flaw::StateInMemory) {
            true => self.remembered.lock().expect("a lock").clone(),
            false => site.stage().to_owned(),
        };
        let again = self.is(Flaw::RepetitionRefused) && self.count() > 0;
        if again || (stage != "token" && !self.is(Flaw::StageIgnored)) {
            return Err(SetupError::WrongStage("setup isn't waiting for anything".into()));
        }
        let value = match self.is(Flaw::EmptyFieldTaken) {
            true => fields.get(API.name).unwrap_or("none"),
            false => fields.required(API.name)?,
        };
        let value = Secret::new(value);
        let me = self.call(site, &value, http::Method::GET, "/api/me", None, Kind::Repeatable).await;
        let me = match me {
            Err(_) if self.is(Flaw::EmptyFieldTaken) => json!({ "id": "bot-1", "name": "OnCall" }),
            Err(_) if self.is(Flaw::OutageCalledWrongStage) => return Err(SetupError::WrongStage("no".into())),
            other => other?,
        };
        let text = |name: &str| me[name].as_str().unwrap_or_default().to_owned();
        let is_another = self.is(Flaw::AnotherBotAfterNewSecrets) && site.identity().is_some();
        let account = if is_another { "bot-2".to_owned() } else { text("id") };
        let server = "https://loft.example.com".to_owned();
        let identity = Identity { server, account, display_name: text("name"), details: Value::Null };
        Ok(Progress::installed(identity).token(NewToken::new(API.name, value)))
    }

    async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError> {
        self.begin(site).await
    }

    async fn probe(&self, site: &Site) -> Health {
        let mut health = Health::default();
        let asked = async {
            let token = token(site)?;
            self.call(site, &token, http::Method::GET, "/api/me", None, Kind::Repeatable).await
        };
        match asked.await {
            Err(failure) if self.is(Flaw::ProbeTellsWhatIsThere) => health.missing.push(failure.detail),
            Err(failure) if !self.is(Flaw::ProbeAlwaysWell) => health.missing.push(failure.for_application().into()),
            _ => health.can_post = true,
        }
        health
    }

    async fn remove(&self, _: &Site) -> Result<(), Failure> {
        match self.is(Flaw::RemovingTwiceFails) && self.count() > 0 {
            true => Err(Failure::new(Cause::ChannelNotFound, "it is gone already")),
            false => Ok(()),
        }
    }

    fn renew(&self) -> Option<&dyn Renew> {
        Some(self)
    }
}

impl Verification for LoftBackend {
    fn purposes(&self) -> &'static [Purpose] {
        &[Purpose::User, Purpose::Channel]
    }

    fn present(&self, _: &Site, _: Purpose, code: &Secret) -> Presentation {
        let text = if self.is(Flaw::CodeNotShown) { "link".to_owned() } else { format!("link {}", code.expose()) };
        let kind = StepKind::SendText { text: ShownValue::Secret(Secret::new(text)), to: "the bot".into() };
        Presentation { steps: vec![SetupStep::new("send", "Send the code", "", kind)], deep_link: None }
    }
}

impl LoftBackend {
    fn loft(&self, address: &Address) -> Result<String, Failure> {
        let is_id = |loft: &&str| address.0["v"] == 1 && loft.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        match address.0["loft"].as_str().filter(is_id) {
            Some(loft) => Ok(loft.to_owned()),
            None => Err(Failure::new(Cause::ChannelNotFound, "the address isn't one of a loft")),
        }
    }

    fn text(&self, request: &RenderRequest<'_>) -> (String, bool) {
        let content = request.content;
        let link = content.link.as_ref().map(|link| format!("\n{}", link.url)).unwrap_or_default();
        let text = format!("{} {}\n{}", content.state.map_or("", State::sign), content.title, content.text);
        let text = match self.is(Flaw::RenderingCounts) {
            true => format!("{} {text}", self.count()),
            false => text,
        };
        let text = if text.trim().is_empty() { "(no text)".to_owned() } else { text };
        if self.is(Flaw::NothingTrimmed) {
            return (text + &link, false);
        }
        if self.is(Flaw::LinkTrimmedAway) {
            return ((text + &link).chars().take(request.limits.text).collect(), true);
        }
        let room = request.limits.text.saturating_sub(link.chars().count());
        let is_cut = text.chars().count() > room;
        if is_cut && self.is(Flaw::RenderingSlicesBytes) {
            return (text[..room].to_owned() + &link, true);
        }
        (text.chars().take(room).collect::<String>() + &link, is_cut)
    }

    /// The post as the platform takes it.
    fn body(&self, outgoing: &Outgoing) -> Value {
        let mut body = outgoing.part.payload.value();
        let buttons = outgoing.part.actions.iter().filter_map(|id| {
            let token = outgoing.token(id)?.expose();
            Some(json!({ "label": id, "token": if self.is(Flaw::ButtonsWithoutTokens) { "press" } else { token } }))
        });
        body["buttons"] = buttons.collect();
        body["key"] = json!(key(outgoing));
        if let Some(root) = outgoing.reply_to.as_ref().filter(|_| !self.is(Flaw::ReplyAsAPost)) {
            body["reply_to"] = json!(root.id);
        }
        body
    }

    async fn make(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        let path = format!("/api/lofts/{}/posts", self.loft(&outgoing.address)?);
        let body = Some(self.body(outgoing));
        let made = self.call(site, &token(site)?, http::Method::POST, &path, body, Kind::Once).await?;
        let id = made["id"].as_str().ok_or_else(|| match self.is(Flaw::LostAnswerCalledUnavailable) {
            true => Failure::new(Cause::Unavailable, "the answer names no post"),
            false => Failure::new(Cause::NoAnswer, "the answer names no post"),
        });
        match self.is(Flaw::AnyAnswerIsSuccess) {
            true => Ok(Receipt::new(id.unwrap_or("p0"))),
            false => id.map(Receipt::new),
        }
    }
}

fn key(outgoing: &Outgoing) -> String {
    format!("{}-{}", outgoing.copy, outgoing.number)
}

#[async_trait]
impl Delivery for LoftBackend {
    fn render(&self, request: &RenderRequest<'_>) -> Rendering {
        let (text, is_cut) = self.text(request);
        let actions: Vec<String> = request.content.actions.iter().take(5).map(|action| action.id.clone()).collect();
        let notes = is_cut.then(|| Note::new(NoteCode::Trimmed, "the text was too long")).into_iter().collect();
        Rendering { parts: vec![Part { payload: json!({ "text": text }).into(), actions }], notes }
    }

    fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
        let key = match self.is(Flaw::StreamOfTheServer) {
            true => "server".to_owned(),
            false => self.loft(address)?,
        };
        Ok(StreamKey { key, rate: "default" })
    }

    async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        if self.is(Flaw::AnyAddressTaken) && self.loft(&outgoing.address).is_err() {
            let place = Address(json!({ "v": 1, "loft": crate::platform::LOFT }));
            let mut elsewhere = outgoing.clone();
            elsewhere.address = place;
            return self.make(site, &elsewhere).await;
        }
        let receipt = self.make(site, outgoing).await?;
        if self.is(Flaw::ReceiptOfTheKey) {
            return Ok(Receipt::new(key(outgoing)));
        }
        Ok(receipt)
    }

    fn edit(&self) -> Option<&dyn Edit> {
        Some(self)
    }
    fn delete(&self) -> Option<&dyn Delete> {
        Some(self)
    }
    fn find(&self) -> Option<&dyn Find> {
        Some(self)
    }
    fn direct(&self) -> Option<&dyn Direct> {
        Some(self)
    }
}

#[async_trait]
impl Edit for LoftBackend {
    async fn edit(&self, site: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
        if self.is(Flaw::EditPostsAnew) {
            return self.make(site, outgoing).await.map(Edited::Done);
        }
        let (path, body) = (format!("/api/posts/{}", receipt.id), Some(self.body(outgoing)));
        match self.call(site, &token(site)?, http::Method::PUT, &path, body, Kind::Repeatable).await {
            Ok(_) => Ok(Edited::Done(receipt.clone())),
            Err(failure) if failure.cause == Cause::ChannelNotFound && !self.is(Flaw::GoneIsRejected) => {
                Ok(Edited::Gone)
            }
            Err(failure) => Err(failure),
        }
    }
}

#[async_trait]
impl Delete for LoftBackend {
    async fn delete(&self, site: &Site, _: &Address, receipt: &Receipt) -> Result<(), Failure> {
        let path = format!("/api/posts/{}", receipt.id);
        match self.call(site, &token(site)?, http::Method::DELETE, &path, None, Kind::Repeatable).await {
            Err(failure) if failure.cause == Cause::ChannelNotFound && !self.is(Flaw::DeletingTwiceFails) => Ok(()),
            other => other.map(drop),
        }
    }
}

#[async_trait]
impl Find for LoftBackend {
    async fn find(&self, site: &Site, outgoing: &Outgoing) -> Result<Found, Failure> {
        if self.is(Flaw::NeverFound) {
            return Ok(Found::Unknowable);
        }
        if self.is(Flaw::DropForgotten) {
            return Ok(Found::Absent);
        }
        let path = format!("/api/lofts/{}/posts?key={}", self.loft(&outgoing.address)?, key(outgoing));
        let found = self.call(site, &token(site)?, http::Method::GET, &path, None, Kind::Repeatable).await?;
        Ok(match found["posts"][0]["id"].as_str() {
            Some(id) => Found::Posted(Receipt::new(id)),
            None => Found::Absent,
        })
    }
}

#[async_trait]
impl Direct for LoftBackend {
    async fn direct(&self, site: &Site, account: &Account) -> Result<Address, Failure> {
        let path = format!("/api/people/{}/loft", account.id);
        let opened = self.call(site, &token(site)?, http::Method::POST, &path, None, Kind::Repeatable).await?;
        let mut address = json!({ "v": 1, "loft": opened["id"] });
        if self.is(Flaw::PersonAnewEachTime) {
            address["opened"] = json!(self.count());
        }
        Ok(Address(address))
    }
}
