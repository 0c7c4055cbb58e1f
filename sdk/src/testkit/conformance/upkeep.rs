//! An installation after it was set up.

use super::{super::text_answer, Finding, Fixture, Obstacle, Ready, ensure, failures::can_be};
use crate::{failure::Class, install::Renewal, testkit::Fault};

const ABSENT: Obstacle = Obstacle::Absent("the backend has no install steps");

pub(super) async fn new_secrets_keep_the_bot(fixture: &dyn Fixture) -> Finding {
    fixture.backend().install().ok_or(ABSENT)?;
    let ready = Ready::new(fixture).await?;
    let install = ready.backend.install().ok_or(ABSENT)?;
    let before = ready.stage.identity();
    let progress = install.reauthorize(&ready.stage.site()).await.map_err(|error| format!("reauthorize: {error}"))?;
    ready.stage.keep(progress)?;
    ready.stage.go_on(fixture).await?;
    let after = ready.stage.identity();
    let account = |identity: &Option<crate::identity::Identity>| identity.as_ref().map(|it| it.account.clone());
    ensure!(account(&before) == account(&after), "the bot was {before:?} and is {after:?}");
    Ok(())
}

pub(super) async fn a_probe_tells_how_it_is(fixture: &dyn Fixture) -> Finding {
    fixture.backend().install().ok_or(ABSENT)?;
    let ready = Ready::new(fixture).await?;
    let install = ready.backend.install().ok_or(ABSENT)?;
    let health = install.probe(&ready.stage.site()).await;
    ensure!(health.missing.is_empty(), "all is well, and it misses {:?}", health.missing);
    ensure!(health.can_post || ready.backend.delivery().is_none(), "all is well, and it can't post");
    let before = ready.stage.line.calls();
    let faults = [
        Fault::Refused,
        Fault::Silent,
        Fault::Answered(text_answer(401, "no")),
        Fault::Answered(text_answer(500, "no")),
    ];
    let mut away = Vec::new();
    for fault in faults.into_iter().filter(|fault| can_be(fixture, fault)) {
        ready.stage.line.always(Some(fault.clone()));
        let health = install.probe(&ready.stage.site()).await;
        if ready.stage.line.calls() == before {
            return Err(Obstacle::Absent("the platform isn't asked"));
        }
        ensure!(!health.can_post, "it says that it can post though {fault:?}");
        ensure!(!health.missing.is_empty(), "it misses nothing though {fault:?}");
        if matches!(fault, Fault::Refused | Fault::Silent) {
            away.push(health.missing);
        }
    }
    // Who may name addresses could look around in the host's network.
    let tells = away.iter().find(|missing| **missing != away[0]);
    ensure!(tells.is_none(), "it tells what is at an address that doesn't answer: {:?}, {tells:?}", away[0]);
    Ok(())
}

pub(super) async fn removing_twice_does_no_harm(fixture: &dyn Fixture) -> Finding {
    fixture.backend().install().ok_or(ABSENT)?;
    let ready = Ready::new(fixture).await?;
    let install = ready.backend.install().ok_or(ABSENT)?;
    for time in ["once", "twice"] {
        let removed = install.remove(&ready.stage.site()).await;
        ensure!(removed.is_ok(), "removing {time} became {removed:?}");
    }
    Ok(())
}

pub(super) async fn a_credential_is_renewed(fixture: &dyn Fixture) -> Finding {
    const RENEWS_NONE: Obstacle = Obstacle::Absent("no credential is renewed");
    fixture.backend().install().and_then(|install| install.renew()).ok_or(RENEWS_NONE)?;
    let ready = Ready::new(fixture).await?;
    let renew = ready.backend.install().and_then(|install| install.renew()).ok_or(RENEWS_NONE)?;
    let kinds = renew.kinds(&ready.stage.site());
    if kinds.is_empty() {
        return Err(RENEWS_NONE);
    }
    for kind in kinds {
        ensure!(ready.backend.descriptor().token_kind(kind).is_some(), "`{kind}` isn't declared in the descriptor");
        match renew.renew(&ready.stage.site(), kind).await {
            Ok(Renewal::Renewed(tokens)) => {
                ensure!(tokens.iter().any(|token| token.kind == *kind), "no `{kind}` is among what was renewed");
                let now = ready.stage.site().now();
                tokens.into_iter().try_for_each(|token| ready.stage.vault.store(token, now))?;
            }
            Ok(Renewal::Asked { retry_after }) => ensure!(!retry_after.is_zero(), "it is asked again at once"),
            Err(failure) => return Err(Obstacle::Broken(format!("renewing `{kind}` became {failure}"))),
        }
        ready.stage.line.always(Some(Fault::CutBeforeWrite));
        let failed = renew.renew(&ready.stage.site(), kind).await;
        ready.stage.line.always(None);
        let is_told = failed.as_ref().err().is_none_or(|failure| failure.cause.class() != Class::Permanent);
        ensure!(is_told, "a platform that is away for a moment became {failed:?}");
    }
    Ok(())
}
