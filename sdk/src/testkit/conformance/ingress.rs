//! What comes in: nothing that isn't proven has an effect.

use super::{super::hostile, Finding, Fixture, Obstacle, Ready, codes::CODE, delivery::with_button, ensure};
use crate::{
    happening::{CodeRefusal, Happening, HappeningKind, Outcome, PressAnswer},
    ingress::{Ingress, PublicBase, Received, Request, Response},
    secret::Secret,
    site::Site,
    testkit::{Cue, Dice},
    verification::Purpose,
};

const ABSENT: Obstacle = Obstacle::Absent("the platform calls nothing");

impl Ready {
    fn ingress(&self) -> Result<&dyn Ingress, Obstacle> {
        self.backend.ingress().ok_or(ABSENT)
    }

    /// A press on a button that stands; the token and the post's id with it.
    async fn press(&self) -> Result<Option<(Request, Secret, String)>, Obstacle> {
        let Some(delivery) = self.backend.delivery() else { return Ok(None) };
        let mut parts = self.outgoing("pressed", &with_button())?;
        parts.retain(|part| !part.tokens.is_empty());
        let Some(part) = parts.first() else { return Ok(None) };
        let posted = delivery.post(&self.stage.site(), part).await;
        let post = posted.map_err(|failure| format!("post: {failure}"))?.id;
        let token = part.tokens[0].token.clone();
        let request =
            self.stage.platform.request(&self.stage, &Cue::Press { token: token.clone(), post: post.clone() }).await;
        Ok(request.map(|request| (request, token, post)))
    }

    /// Every genuine request that the fixture can make.
    async fn genuine(&self) -> Result<Vec<Request>, Obstacle> {
        let mut requests = Vec::new();
        for cue in [Cue::Code(Secret::new(CODE)), Cue::Text("status 4711".into())] {
            requests.extend(self.stage.platform.request(&self.stage, &cue).await);
        }
        requests.extend(self.press().await?.map(|(request, ..)| request));
        match requests.is_empty() {
            true => Err(Obstacle::Absent("the platform's stand-in makes no requests")),
            false => Ok(requests),
        }
    }
}

/// Ready, if there is an ingress.
async fn ready(fixture: &dyn Fixture) -> Result<Ready, Obstacle> {
    fixture.backend().ingress().ok_or(ABSENT)?;
    Ready::new(fixture).await
}

/// Presses apart: the host knows by the token whether a button is one of ours.
fn is_effect(received: &Received) -> bool {
    let Received::Happenings(happenings) = received else { return false };
    happenings.iter().any(|happening| !matches!(happening.kind, HappeningKind::Pressed { .. }))
}

pub(super) async fn unproven_requests_do_nothing(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let ingress = ready.ingress()?;
    if ready.backend.descriptor().loopback_only {
        return Err(Obstacle::Absent("who reaches loopback need not prove anything"));
    }
    for request in ready.genuine().await? {
        let received = ingress.receive(&ready.stage.site(), &request).await;
        ensure!(!matches!(received, Received::Refused { .. }), "a genuine request became {received:?}");
        // Who knows other secrets than this installation's has proven nothing.
        let received = ingress.receive(&ready.stage.stranger(), &request).await;
        ensure!(!is_effect(&received), "a request with another installation's secrets became {received:?}");
        let mut bare = request.clone();
        (bare.headers, bare.query) = (http::HeaderMap::new(), None);
        bare.body = ready.without_secrets(&request.body);
        let received = ingress.receive(&ready.stage.site(), &bare).await;
        ensure!(!is_effect(&received), "a request without a proof became {received:?}");
    }
    Ok(())
}

/// An id of the same shape.
fn another(id: &str) -> String {
    let mut letters: Vec<char> = id.chars().collect();
    if let Some(last) = letters.last_mut() {
        *last = match *last {
            '0'..='8' | 'a'..='y' | 'A'..='Y' => char::from_u32(u32::from(*last) + 1).unwrap_or('a'),
            '9' => '0',
            _ => 'a',
        };
    }
    letters.into_iter().collect()
}

pub(super) async fn a_forged_person_is_refused(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    if ready.backend.descriptor().loopback_only {
        return Err(Obstacle::Absent("who reaches loopback need not prove anything"));
    }
    let person = ready.stage.platform.person().ok_or(Obstacle::Absent("the platform's stand-in knows nobody"))?;
    // Somebody else, of whom nothing is wrong but that it wasn't they.
    let other = another(&person.id);
    let mut forged = 0;
    for request in ready.genuine().await? {
        // Who sends a secret along vouches for all of it; without the secret nothing counts.
        if ready.vouches(&request) {
            continue;
        }
        let text = String::from_utf8_lossy(&request.body).replace(&person.id, &other);
        if text.as_bytes() == &request.body[..] {
            continue;
        }
        forged += 1;
        let request = Request { body: text.into(), ..request };
        let received = ready.ingress()?.receive(&ready.stage.site(), &request).await;
        ensure!(!matches!(received, Received::Happenings(_)), "what {other} was said to do became {received:?}");
    }
    if forged == 0 { Err(Obstacle::Absent("requests name nobody")) } else { Ok(()) }
}

impl Ready {
    /// Whether a header holds one of the installation's secrets as it is.
    fn vouches(&self, request: &Request) -> bool {
        let secrets = self.stage.vault.values();
        request.headers.values().any(|value| secrets.iter().any(|secret| secret.as_bytes() == value.as_bytes()))
    }

    /// The same text with something else in the place of each secret.
    fn without_secrets(&self, body: &[u8]) -> bytes::Bytes {
        let mut text = String::from_utf8_lossy(body).into_owned();
        for secret in self.stage.vault.values() {
            text = text.replace(&secret, &"x".repeat(secret.len()));
        }
        text.into()
    }
}

pub(super) async fn garbage_does_nothing(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let (ingress, dice) = (ready.ingress()?, Dice::new(17));
    for _ in 0..1_000 {
        let request = hostile::request(&dice);
        let received = ingress.receive(&ready.stage.site(), &request).await;
        ensure!(!matches!(received, Received::Happenings(_)), "{request:?} became {received:?}");
    }
    // Genuine ones that were cut, or repeated within themselves: whatever they are, no panic.
    for request in ready.genuine().await.unwrap_or_default() {
        for length in 0..request.body.len().min(400) {
            let cut = Request { body: request.body.slice(..length), ..request.clone() };
            let _ = ingress.receive(&ready.stage.site(), &cut).await;
        }
        let twice = Request { body: request.body.repeat(2).into(), ..request.clone() };
        let _ = ingress.receive(&ready.stage.site(), &twice).await;
    }
    Ok(())
}

pub(super) async fn a_repetition_has_the_same_id(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let mut known: Vec<String> = Vec::new();
    for request in ready.genuine().await? {
        let first = ready.stage.receive(fixture, &request).await?;
        let second = ready.stage.receive(fixture, &request).await?;
        let ids = |happenings: &[Happening]| happenings.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        ensure!(ids(&first) == ids(&second), "the same request became {first:?} and {second:?}");
        ensure!(first.iter().all(|happening| !happening.id.is_empty()), "a happening has no id: {first:?}");
        let twin = first.iter().find(|happening| known.contains(&happening.id));
        ensure!(twin.is_none(), "something else had the id of {twin:?}");
        known.extend(first.into_iter().map(|happening| happening.id));
    }
    Ok(())
}

/// What the platform sees. Of a press that is nobody's: the host refuses its token.
async fn shown(ingress: &dyn Ingress, site: &Site, request: &Request) -> (u16, String, String) {
    let response = match ingress.receive(site, request).await {
        Received::Answer(response) | Received::Refused { response, .. } => response,
        Received::Happenings(happenings) => {
            let outcomes = vec![Outcome::NotOurs; happenings.len()];
            ingress.answer(site, &happenings, &outcomes).await
        }
    };
    let body = String::from_utf8_lossy(&response.body).into_owned();
    (response.status.as_u16(), response.content_type.to_owned(), body)
}

pub(super) async fn unknown_slots_look_alike(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let (ingress, dice) = (ready.ingress()?, Dice::new(19));
    let mut requests: Vec<Request> = (0..300).map(|_| hostile::request(&dice)).collect();
    requests.extend(ready.genuine().await.unwrap_or_default());
    if ready.backend.descriptor().loopback_only {
        return Err(Obstacle::Absent("slots need not be hidden on loopback"));
    }
    for request in requests {
        let a = shown(ingress, &ready.stage.stranger(), &request).await;
        let b = shown(ingress, &ready.stage.decoy(), &request).await;
        ensure!(a == b, "{request:?}: a slot that exists answers {a:?}, one that doesn't {b:?}");
    }
    Ok(())
}

/// Every outcome that a happening can have.
pub(super) fn outcomes() -> Vec<Outcome> {
    let refusals = [
        CodeRefusal::NotValid,
        CodeRefusal::TooManyAttempts,
        CodeRefusal::SeenByOthers,
        CodeRefusal::NeedsChannel,
        CodeRefusal::AlreadyLinked,
    ];
    let linked = |purpose| Outcome::Linked { purpose, name: "ada <b>@all</b>".into() };
    let mut outcomes: Vec<Outcome> = refusals.into_iter().map(Outcome::CodeRefused).collect();
    outcomes.extend([
        Outcome::Recorded,
        linked(Purpose::User),
        linked(Purpose::Channel),
        Outcome::Unlinked { was_linked: true },
        Outcome::Unlinked { was_linked: false },
        Outcome::Pressed(PressAnswer::default()),
        Outcome::Pressed(PressAnswer::notice(Some("It is yours, @all.".into()))),
        Outcome::NotLinked,
        Outcome::NotOurs,
        Outcome::Installed,
        Outcome::InstallRefused,
        Outcome::InstalledByAnother { present: "other bot".into() },
        Outcome::Duplicate { same_content: true, first: None },
        Outcome::Duplicate { same_content: true, first: Some(Box::new(Outcome::Recorded)) },
        Outcome::Duplicate { same_content: false, first: None },
        Outcome::Unavailable,
    ]);
    outcomes
}

pub(super) async fn every_outcome_has_an_answer(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let ingress = ready.ingress()?;
    for request in ready.genuine().await? {
        let happenings = ready.stage.receive(fixture, &request).await?;
        for outcome in outcomes() {
            let all = vec![outcome.clone(); happenings.len()];
            let Response { status, body, .. } = ingress.answer(&ready.stage.site(), &happenings, &all).await;
            let is_away = matches!(outcome, Outcome::Unavailable);
            let is_fine = (200..500).contains(&status.as_u16()) || (is_away && status.as_u16() < 600);
            ensure!(is_fine, "{outcome:?} became {status}");
            let secrets = ready.stage.vault.values();
            let body = String::from_utf8_lossy(&body);
            let told = secrets.iter().any(|secret| secret.len() >= 6 && body.contains(secret));
            ensure!(!told, "the answer to {outcome:?} tells a secret");
        }
    }
    Ok(())
}

pub(super) async fn a_press_arrives(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let (request, sent, post) = ready.press().await?.ok_or(Obstacle::Absent("presses don't come by a request"))?;
    let happenings = ready.stage.receive(fixture, &request).await?;
    let pressed = happenings.iter().find_map(|happening| match &happening.kind {
        HappeningKind::Pressed { token, account, conversation, part, .. } => Some((token, account, conversation, part)),
        _ => None,
    });
    let Some((token, account, conversation, part)) = pressed else {
        return Err(Obstacle::Broken(format!("a press became {happenings:?}")));
    };
    ensure!(token.expose() == sent.expose(), "a press brought back another token than the button carries");
    ensure!(part.id == post, "the post `{post}` was pressed, and `{}` arrived", part.id);
    ensure!(*conversation == ready.stage.platform.place().id, "the press came from `{conversation}`");
    ensure!(!account.id.is_empty(), "nobody knows who pressed");
    Ok(())
}

/// What a happening says, without its time.
fn told(happenings: &[Happening]) -> Vec<String> {
    happenings.iter().map(|happening| format!("{} {:?}", happening.id, happening.kind)).collect()
}

pub(super) async fn requests_are_understood_in_any_order(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let mut requests = ready.genuine().await?;
    let mut understood = Vec::new();
    for _ in 0..2 {
        // One process hears them all: what it heard before must not matter.
        let backend = fixture.backend();
        let ingress = backend.ingress().ok_or(ABSENT)?;
        let mut of_each = Vec::new();
        for request in &requests {
            match ingress.receive(&ready.stage.site(), request).await {
                Received::Happenings(happenings) => of_each.push(told(&happenings)),
                other => return Err(Obstacle::Broken(format!("a genuine request became {other:?}"))),
            }
        }
        if requests.len() < 2 {
            return Err(Obstacle::Absent("there is but one kind of request"));
        }
        if !understood.is_empty() {
            of_each.reverse();
        }
        understood.push(of_each);
        requests.reverse();
    }
    ensure!(understood[0] == understood[1], "in order: {:?}; in reverse: {:?}", understood[0], understood[1]);
    Ok(())
}

/// The most that the host reads of a request.
const LARGEST: usize = 256 * 1024;

pub(super) async fn what_is_too_big_does_nothing(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let ingress = ready.ingress()?;
    let filled = |text: &str| bytes::Bytes::from(text.repeat(LARGEST / text.len()));
    for request in ready.genuine().await? {
        let padded: Vec<u8> = request.body.iter().copied().chain(filled(" ").iter().copied()).take(LARGEST).collect();
        let bodies = [filled("["), filled("{\"a\":"), filled("x"), filled("a=1&"), filled("\u{1f4df}")];
        for body in bodies.into_iter().chain([padded.into()]) {
            let big = Request { body, ..request.clone() };
            let received = ingress.receive(&ready.stage.stranger(), &big).await;
            let needs_proof = !ready.backend.descriptor().loopback_only;
            ensure!(!needs_proof || !is_effect(&received), "{big:?} became {received:?}");
            let _ = ingress.receive(&ready.stage.site(), &big).await;
        }
    }
    Ok(())
}

pub(super) async fn what_is_public_is_the_same_each_time(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let site = ready.stage.site();
    let url = site.ingress_url().ok_or(Obstacle::Absent("there is no public address"))?;
    let base = PublicBase { ingress_url: url, public_url: url, app_name: site.app_name(), slot: site.slot() };
    let dice = Dice::new(23);
    let mut requests: Vec<Request> = (0..200).map(|_| hostile::request(&dice)).collect();
    for path in ["/", "/manifest.json", "/manifest", "/icon.png", "/icon.svg", "/package.zip"] {
        let (method, query, headers, body) = Default::default();
        requests.push(Request { method, path: path.into(), query, headers, body });
    }
    let secrets = ready.stage.vault.values();
    for request in requests {
        let ask = |backend: &dyn crate::backend::MessagingBackend| {
            let response = backend.ingress()?.public(&base, &request)?;
            Some((response.status, response.content_type, response.headers, response.body))
        };
        let (one, other) = (ask(ready.backend.as_ref()), ask(fixture.backend().as_ref()));
        ensure!(one == other && one == ask(ready.backend.as_ref()), "{request:?} is answered in two ways");
        let body = one.map(|(.., body)| String::from_utf8_lossy(&body).into_owned()).unwrap_or_default();
        let told = secrets.iter().any(|secret| secret.len() >= 6 && body.contains(secret));
        ensure!(!told, "what everybody may read tells a secret");
    }
    Ok(())
}
