//! Verification codes: shown to the person, entered on the platform.

use super::{Finding, Fixture, Obstacle, Ready, ensure};
use crate::{
    happening::{Happening, HappeningKind},
    identity::Account,
    secret::Secret,
    testkit::Cue,
};

pub(super) const CODE: &str = "K7QX-2M4P-9ZRT";

/// The code that somebody has entered, and who it was.
pub(super) fn entered(happenings: &[Happening]) -> Option<(&Secret, &Account)> {
    happenings.iter().find_map(|happening| match &happening.kind {
        HappeningKind::CodeEntered { code, account, .. } => Some((code, account)),
        _ => None,
    })
}

pub(super) async fn a_code_is_shown_as_it_is(fixture: &dyn Fixture) -> Finding {
    let backend = fixture.backend();
    backend.verification().ok_or(Obstacle::Absent("the backend links nothing by codes"))?;
    let ready = Ready::new(fixture).await?;
    let verification = ready.backend.verification().ok_or(Obstacle::Absent("the backend links nothing by codes"))?;
    let purposes = verification.purposes();
    ensure!(!purposes.is_empty(), "codes link nothing");
    let calls = ready.stage.line.calls();
    for purpose in purposes {
        let show = || {
            let shown = verification.present(&ready.stage.site(), *purpose, &Secret::new(CODE));
            let steps: Vec<_> = shown.steps.iter().map(|step| step.to_json(true).to_string()).collect();
            let link = shown.deep_link.map(|link| link.to_string());
            (steps.join("\n"), link)
        };
        let (steps, link) = show();
        let is_shown = |text: &str| text.contains(CODE) || text.contains(&CODE.replace('-', ""));
        ensure!(is_shown(&steps) || link.as_deref().is_some_and(is_shown), "the code for {purpose:?} isn't shown");
        ensure!(!steps.is_empty() || link.is_some(), "nobody is told what to do with a code for {purpose:?}");
        ensure!(show() == (steps, link), "a code for {purpose:?} is shown in another way the second time");
    }
    ensure!(ready.stage.line.calls() == calls, "showing a code asks the platform");
    Ok(())
}

pub(super) async fn a_code_that_is_entered_arrives(fixture: &dyn Fixture) -> Finding {
    let ready = Ready::new(fixture).await?;
    ready.backend.verification().ok_or(Obstacle::Absent("the backend links nothing by codes"))?;
    let request = ready.stage.platform.request(&ready.stage, &Cue::Code(Secret::new(CODE))).await;
    let request = request.ok_or(Obstacle::Absent("codes don't come by a request"))?;
    let happenings = ready.stage.receive(fixture, &request).await?;
    let Some((code, account)) = entered(&happenings) else {
        return Err(Obstacle::Broken(format!("a code became {happenings:?}")));
    };
    let plain = |code: &str| code.replace(['-', ' '], "").to_uppercase();
    ensure!(plain(code.expose()) == plain(CODE), "another code arrived than was entered");
    ensure!(!account.id.is_empty(), "nobody knows who entered the code");
    if let Some(person) = ready.stage.platform.person() {
        ensure!(account.id == person.id, "{} entered the code, not {}", person.id, account.id);
    }
    Ok(())
}
