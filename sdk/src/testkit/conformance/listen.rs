//! What is heard where the platform doesn't call: all of it, in spite of crashes and outages.

use super::{
    Finding, Fixture, Obstacle, Ready,
    codes::{CODE, entered},
    ensure,
    ingress::outcomes,
};
use crate::{
    failure::Cause,
    happening::Happening,
    listen::{Heard, Listen},
    secret::Secret,
    testkit::{Cue, Fault, Stage, text_answer},
};

const ABSENT: Obstacle = Obstacle::Absent("the backend isn't heard by listening");

/// Set up where the platform can't call, if there is anything to listen to.
async fn ready(fixture: &dyn Fixture) -> Result<Ready, Obstacle> {
    let backend = fixture.backend();
    backend.listen().ok_or(ABSENT)?;
    let stage = Stage::of(fixture, backend.descriptor());
    stage.hide();
    stage.install(fixture).await?;
    let ready = Ready { stage, backend };
    ensure!(ready.listen()?.listens(&ready.stage.site()), "nobody calls, and nobody listens");
    Ok(ready)
}

impl Ready {
    fn listen(&self) -> Result<&dyn Listen, Obstacle> {
        self.backend.listen().ok_or(ABSENT)
    }

    /// Let this happen on the platform.
    async fn happens(&self, cue: &Cue) -> Finding {
        match self.stage.platform.happens(&self.stage, cue).await {
            true => Ok(()),
            false => Err(Obstacle::Absent("the platform's stand-in lets nothing be heard")),
        }
    }

    /// Listen in a process made anew.
    async fn hear(&self, fixture: &dyn Fixture, cursor: Option<&str>) -> Result<Heard, Obstacle> {
        let backend = fixture.backend();
        let heard = backend.listen().ok_or(ABSENT)?.listen(&self.stage.site(), cursor).await;
        Ok(heard.map_err(|failure| format!("listen: {failure}"))?)
    }

    /// Listen until nothing new comes.
    async fn hear_all(&self, fixture: &dyn Fixture) -> Result<Heard, Obstacle> {
        let mut all = Heard::default();
        for _ in 0..5 {
            let heard = self.hear(fixture, all.cursor.as_deref()).await?;
            let is_end = heard.happenings.is_empty();
            all.cursor = heard.cursor.or(all.cursor);
            all.happenings.extend(heard.happenings);
            if is_end {
                return Ok(all);
            }
        }
        Err(Obstacle::Broken(format!("what was heard comes again and again: {:?}", all.happenings)))
    }
}

fn ids(happenings: &[Happening]) -> Vec<&str> {
    happenings.iter().map(|happening| happening.id.as_str()).collect()
}

pub(super) async fn what_happens_is_heard(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    ready.happens(&Cue::Code(Secret::new(CODE))).await?;
    let heard = ready.hear_all(fixture).await?;
    let Some((code, account)) = entered(&heard.happenings) else {
        return Err(Obstacle::Broken(format!("a code was heard as {:?}", heard.happenings)));
    };
    ensure!(code.expose().replace('-', "") == CODE.replace('-', ""), "another code was heard than was entered");
    let person = ready.stage.platform.person();
    ensure!(person.is_none_or(|person| person.id == account.id), "{} entered the code", account.id);
    ensure!(heard.cursor.is_some_and(|cursor| cursor.len() <= crate::listen::MAX_CURSOR), "no cursor that can be kept");
    Ok(())
}

pub(super) async fn what_was_heard_comes_again_until_the_cursor_moves_on(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    ready.happens(&Cue::Code(Secret::new(CODE))).await?;
    let first = ready.hear(fixture, None).await?;
    ensure!(!first.happenings.is_empty(), "nothing was heard of a code");
    // The host has crashed before it was on disk.
    let again = ready.hear(fixture, None).await?;
    let (was, is) = (ids(&first.happenings), ids(&again.happenings));
    ensure!(was == is, "{was:?} was heard before a crash, and {is:?} after it");
    ready.happens(&Cue::Text("status 4711".into())).await?;
    let next = ready.hear(fixture, first.cursor.as_deref()).await?;
    let twice = ids(&next.happenings).into_iter().find(|id| was.contains(id));
    ensure!(twice.is_none(), "{twice:?} is on disk, and is heard again behind it");
    ensure!(!next.happenings.is_empty(), "nothing was heard of a text behind the code");
    Ok(())
}

pub(super) async fn an_outage_is_no_silence(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    ready.happens(&Cue::Code(Secret::new(CODE))).await?;
    let first = ready.hear(fixture, None).await?;
    for fault in [Fault::Refused, Fault::CutAfterWrite, Fault::Silent, Fault::Answered(text_answer(502, "bad gateway"))]
    {
        ready.stage.line.always(Some(fault.clone()));
        let heard = ready.listen()?.listen(&ready.stage.site(), None).await;
        ensure!(heard.is_err(), "{fault:?} was heard as {heard:?}");
    }
    ready.stage.line.always(Some(Fault::Answered(text_answer(200, "<html>sign in to the network</html>"))));
    if let Ok(heard) = ready.listen()?.listen(&ready.stage.site(), None).await {
        return Err(Obstacle::Broken(format!("an answer of no shape was heard as {heard:?}")));
    }
    let refusals = ready.stage.platform.refusals();
    if let Some(refusal) = refusals.iter().find(|refusal| refusal.cause == Cause::Unauthorized) {
        ready.stage.line.always(Some(Fault::Answered(refusal.answer.clone())));
        let cause = ready.listen()?.listen(&ready.stage.site(), None).await.err().map(|failure| failure.cause);
        ensure!(cause == Some(Cause::Unauthorized), "a refused credential became {cause:?}");
    }
    ready.stage.line.always(None);
    let after = ready.hear(fixture, None).await?;
    ensure!(ids(&after.happenings) == ids(&first.happenings), "what happened before an outage isn't heard after it");
    Ok(())
}

pub(super) async fn every_outcome_can_be_told(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    ready.happens(&Cue::Code(Secret::new(CODE))).await?;
    let heard = ready.hear_all(fixture).await?;
    for happening in &heard.happenings {
        for outcome in outcomes() {
            ready.listen()?.answer(&ready.stage.site(), std::slice::from_ref(happening), &[outcome]).await;
        }
    }
    Ok(())
}
