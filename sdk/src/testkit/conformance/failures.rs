//! What a backend makes of failures. The host believes it: what is called done is never sent
//! again, and what is called not done always is.

use std::time::Duration;

use super::{Finding, Fixture, Obstacle, Ready, ensure};
use crate::{
    delivery::{Find, Found, Outgoing},
    failure::{Cause, Class, Failure},
    site::Site,
    testkit::{Fault, poll_times, text_answer, with_header},
    time::Timestamp,
};

const ELSEWHERE: Obstacle = Obstacle::Absent("the backend is another process");

/// Whether this can be done to the backend.
pub(super) fn can_be(fixture: &dyn Fixture, fault: &Fault) -> bool {
    !(fixture.is_elsewhere() && matches!(fault, Fault::Refused))
}

impl Ready {
    /// Post while this goes wrong with every request; `None`: no request was made.
    async fn post_with(&self, fault: Fault, outgoing: &Outgoing) -> Result<Option<Failure>, Obstacle> {
        let calls = self.stage.line.calls();
        self.stage.line.always(Some(fault.clone()));
        let posted = self.delivery()?.post(&self.stage.site(), outgoing).await;
        self.stage.line.always(None);
        match posted {
            _ if self.stage.line.calls() == calls => Ok(None),
            Err(failure) => Ok(Some(failure)),
            Ok(receipt) => Err(Obstacle::Broken(format!("{fault:?} became the receipt {receipt:?}"))),
        }
    }

    async fn failure(&self, fault: Fault, outgoing: &Outgoing) -> Result<Failure, Obstacle> {
        self.post_with(fault, outgoing).await?.ok_or(Obstacle::Absent("the platform isn't called over HTTP"))
    }

    fn find(&self) -> Option<&dyn Find> {
        self.backend.delivery().and_then(|delivery| delivery.find())
    }

    /// Post the same once more, as the host does where that is said to be safe: it may not stand
    /// twice.
    async fn repeat(&self, outgoing: &Outgoing, title: &str) -> Finding {
        let _ = self.delivery()?.post(&self.stage.site(), outgoing).await;
        let standing = self.standing(title).await.len();
        ensure!(standing <= 1, "it was said to be safe to repeat, and stands {standing} times");
        Ok(())
    }

    /// Whether what a failure says fits with what stands on the platform.
    async fn judge(&self, fault: &Fault, failure: &Failure, outgoing: &Outgoing, title: &str) -> Finding {
        let stands = !self.standing(title).await.is_empty();
        match failure.cause.class() {
            Class::Unknown => Ok(()),
            // It is tried again without looking.
            Class::Temporary | Class::Hold if stands => self.repeat(outgoing, title).await,
            Class::Temporary | Class::Hold => Ok(()),
            class => Err(Obstacle::Broken(format!("{fault:?} became {class:?}: {failure}"))),
        }
    }
}

pub(super) async fn every_refusal_has_its_cause(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let outgoing = ready.short("refused", "Refused")?;
    let refusals = ready.stage.platform.refusals();
    for refusal in &refusals {
        let failure = ready.failure(Fault::Answered(refusal.answer.clone()), &outgoing).await?;
        let (cause, scope) = (refusal.cause, refusal.scope);
        let is_right = failure.cause == cause && failure.scope == scope;
        ensure!(is_right, "{}: {cause:?} ({scope:?}) became {failure}", refusal.name);
        ensure!(!failure.detail.is_empty(), "{}: the failure has no words for the operator", refusal.name);
    }
    if refusals.is_empty() {
        return Err(Obstacle::Absent("the platform's stand-in names no refusals"));
    }
    let has_credentials = !ready.backend.descriptor().tokens.is_empty();
    let is_refused = refusals.iter().any(|refusal| refusal.cause == Cause::Unauthorized);
    ensure!(is_refused || !has_credentials, "the platform's stand-in doesn't say how it refuses a credential");
    Ok(())
}

pub(super) async fn a_wish_to_slow_down_is_passed_on(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let outgoing = ready.short("slow", "Slower")?;
    let hours = Duration::from_secs(2 * 3_600);
    let answer = with_header(text_answer(429, "slow down"), "retry-after", "7200");
    let failure = ready.failure(Fault::Answered(answer), &outgoing).await?;
    ensure!(failure.cause == Cause::RateLimited, "429 became {failure}");
    ensure!(failure.retry_after == Some(hours), "`Retry-After: 7200` became {:?}", failure.retry_after);
    let failure = ready.failure(Fault::Answered(text_answer(429, "")), &outgoing).await?;
    ensure!(failure.cause == Cause::RateLimited, "429 without a time became {failure}");
    // RFC 9110 has a date too.
    let answer =
        with_header(text_answer(429, "slow down"), "retry-after", &http_date(ready.stage.site().now().plus(hours)));
    let failure = ready.failure(Fault::Answered(answer), &outgoing).await?;
    let asked = failure.retry_after.unwrap_or_default();
    ensure!(asked <= hours && asked + Duration::from_secs(60) > hours, "a date in two hours became {asked:?}");
    Ok(())
}

/// A time as HTTP writes it.
fn http_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(super) async fn nothing_that_was_not_sent_is_in_doubt(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    if fixture.is_elsewhere() {
        return Err(ELSEWHERE);
    }
    let outgoing = ready.short("unsent", "Never sent")?;
    let failure = ready.failure(Fault::Refused, &outgoing).await?;
    ensure!(failure.cause.class() == Class::Temporary, "a refused connection became {failure}");
    ready.post(&outgoing).await?;
    ensure!(ready.standing("Never sent").await.len() == 1, "what is tried again stands not once");
    Ok(())
}

pub(super) async fn what_may_have_been_done_is_in_doubt(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let gateway = |status| Fault::DoneButAnswered(text_answer(status, "<html>bad gateway</html>"));
    let faults = [Fault::CutBeforeWrite, Fault::CutAfterWrite, Fault::Silent, gateway(500), gateway(502), gateway(504)];
    for (number, fault) in faults.into_iter().enumerate() {
        let title = format!("In doubt {number}");
        let outgoing = ready.short(&format!("doubt{number}"), &title)?;
        let failure = ready.failure(fault.clone(), &outgoing).await?;
        ready.judge(&fault, &failure, &outgoing, &title).await?;
    }
    Ok(())
}

pub(super) async fn an_answer_of_no_shape_is_no_success(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let bodies = ["", "<html>Welcome to the captive portal</html>", "null", "[]", "{}", "\"ok\"", "{\"id\":7"];
    for (number, body) in bodies.into_iter().enumerate() {
        let title = format!("No shape {number}");
        let outgoing = ready.short(&format!("shape{number}"), &title)?;
        let fault = Fault::DoneButAnswered(text_answer(200, body));
        let failure = ready.failure(fault.clone(), &outgoing).await?;
        ready.judge(&fault, &failure, &outgoing, &title).await?;
    }
    Ok(())
}

pub(super) async fn a_redirect_is_not_followed(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let outgoing = ready.short("redirect", "Redirected")?;
    for status in [301, 302, 307, 308] {
        let answer = with_header(text_answer(status, ""), "location", "http://169.254.169.254/latest");
        let calls = ready.stage.line.calls();
        let failure = ready.failure(Fault::Answered(answer), &outgoing).await?;
        ensure!(failure.cause == Cause::RedirectRefused, "{status} became {failure}");
        let made = ready.stage.line.calls() - calls;
        ensure!(made == 1, "{made} requests were made though the first was redirected");
    }
    Ok(())
}

/// Ask whether a post arrived; the answer must fit with what stands.
async fn look(ready: &Ready, find: &dyn Find, outgoing: &Outgoing, title: &str) -> Result<Found, Obstacle> {
    let mut asked = outgoing.clone();
    asked.first_tried = Some(ready.stage.site().now());
    let site: Site = ready.stage.site();
    let found = find.find(&site, &asked).await.map_err(|failure| format!("find: {failure}"))?;
    let standing = ready.standing(title).await;
    match &found {
        Found::Posted(receipt) => {
            let is_there = standing.iter().any(|post| post.id == receipt.id);
            ensure!(is_there, "`{}` was found, and {standing:?} stands", receipt.id);
        }
        Found::Absent => ensure!(standing.is_empty(), "it stands, and find says that it certainly doesn't"),
        Found::SafeToRepeat => ready.repeat(outgoing, title).await?,
        Found::Unknowable => {}
    }
    Ok(found)
}

pub(super) async fn what_was_lost_is_found(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let find = ready.find().ok_or(Obstacle::Absent("the backend finds nothing"))?;
    let there = ready.short("lost", "Lost on the way back")?;
    ready.failure(Fault::CutAfterWrite, &there).await?;
    let found = look(&ready, find, &there, "Lost on the way back").await?;
    let is_found = matches!(found, Found::Posted(_) | Found::SafeToRepeat);
    ensure!(is_found, "what stands and was lost on the way back is {found:?}");
    let never = ready.short("never", "Lost on the way there")?;
    ready.failure(Fault::CutBeforeWrite, &never).await?;
    look(&ready, find, &never, "Lost on the way there").await?;
    Ok(())
}

pub(super) async fn a_post_dropped_at_any_await_is_never_doubled(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    if fixture.is_elsewhere() {
        return Err(ELSEWHERE);
    }
    for times in 1..100 {
        let title = format!("Dropped after {times} polls.");
        let outgoing = ready.short(&format!("drop{times}"), &title)?;
        let posted = poll_times(ready.delivery()?.post(&ready.stage.site(), &outgoing), times).await;
        let standing = ready.standing(&title).await.len();
        ensure!(standing <= 1, "a post that was dropped stands {standing} times");
        if posted.is_some() {
            return Ok(());
        }
        if let Some(find) = ready.find() {
            look(&ready, find, &outgoing, &title).await?;
        }
    }
    Err(Obstacle::Broken("a post didn't come to its end".into()))
}

pub(super) async fn secrets_stay_secret(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::to_deliver(fixture).await?;
    let outgoing = ready.outgoing("secret", &super::delivery::with_button())?;
    let mut secrets = ready.stage.vault.values();
    secrets.extend(outgoing.iter().flat_map(|part| &part.tokens).map(|token| token.token.expose().to_owned()));
    secrets.retain(|secret| secret.len() >= 6);
    let echo = format!("no: {}", secrets.join(" "));
    let answers = [400, 401, 403, 404, 429, 500].map(|status| Fault::Answered(text_answer(status, &echo)));
    let faults =
        [Fault::Refused, Fault::CutAfterWrite].into_iter().chain(answers).filter(|fault| can_be(fixture, fault));
    let mut said = vec![format!("{:?}", ready.stage.site().notes()), format!("{:?}", ready.stage.identity())];
    for fault in faults {
        if let Some(failure) = ready.post_with(fault.clone(), &outgoing[0]).await? {
            said.push(format!("{failure} {failure:?}"));
        }
        if let Some(install) = ready.backend.install() {
            ready.stage.line.always(Some(fault));
            said.push(format!("{:?}", install.probe(&ready.stage.site()).await));
            ready.stage.line.always(None);
        }
    }
    let receipt = ready.post(&outgoing[0]).await?;
    said.push(format!("{receipt:?} {:?} {:?}", ready.stage.site(), Timestamp::EPOCH));
    for secret in secrets {
        let told = said.iter().find(|said| said.contains(&secret));
        ensure!(told.is_none(), "a secret is told: {}", told.map_or("", |told| told).replace(&secret, "…"));
    }
    Ok(())
}
