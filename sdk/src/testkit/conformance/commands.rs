//! The application's own commands, made known to the platform.

use super::{Finding, Fixture, Obstacle, Ready, ensure};
use crate::{
    commands::{Commands, DeclaredCommand},
    happening::HappeningKind,
    testkit::{Cue, Fault},
};

const ABSENT: Obstacle = Obstacle::Absent("the backend makes no commands known");

/// Declare these, and store what comes of it.
async fn sync(ready: &Ready, names: &[&str]) -> Finding {
    let commands: &dyn Commands = ready.backend.commands().ok_or(ABSENT)?;
    let declared: Vec<_> = names.iter().map(|name| DeclaredCommand::new(*name, "Says how things are")).collect();
    commands.check(&ready.stage.site(), &declared).map_err(|error| format!("check: {error}"))?;
    let synced = commands.sync(&ready.stage.site(), &declared).await.map_err(|failure| format!("sync: {failure}"))?;
    ensure!(synced.missing.is_empty(), "not offered though all is well: {:?}", synced.missing);
    let now = ready.stage.site().now();
    Ok(synced.tokens.into_iter().try_for_each(|token| ready.stage.vault.store(token, now))?)
}

pub(super) async fn the_platform_offers_exactly_what_is_declared(fixture: &dyn Fixture) -> Finding {
    fixture.backend().commands().ok_or(ABSENT)?;
    let ready = Ready::new(fixture).await?;
    let Some(own) = ready.stage.platform.commands().await else {
        return Err(Obstacle::Absent("the platform has no list of commands"));
    };
    // The second time changes nothing, the third takes one away and adds one.
    for names in [&["status", "oncallers"][..], &["status", "oncallers"], &["status", "shifts"], &[]] {
        sync(&ready, names).await?;
        let mut offered = ready.stage.platform.commands().await.unwrap_or_default();
        offered.retain(|name| !own.contains(name));
        offered.sort();
        let mut wanted: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        wanted.sort();
        ensure!(offered == wanted, "{wanted:?} were declared, and {offered:?} are offered");
    }
    let all = ready.stage.platform.commands().await.unwrap_or_default();
    ensure!(own.iter().all(|name| all.contains(name)), "of {own:?}, which are nobody's business, {all:?} are left");
    Ok(())
}

pub(super) async fn an_outage_leaves_no_half_of_the_commands(fixture: &dyn Fixture) -> Finding {
    fixture.backend().commands().ok_or(ABSENT)?;
    if fixture.is_elsewhere() {
        return Err(Obstacle::Absent("what another process asks its platform for can't be stopped half-way"));
    }
    let ready = Ready::new(fixture).await?;
    let Some(own) = ready.stage.platform.commands().await else {
        return Err(Obstacle::Absent("the platform has no list of commands"));
    };
    sync(&ready, &["status", "old"]).await?;
    let wanted =
        [DeclaredCommand::new("new", "Says what is new"), DeclaredCommand::new("status", "Says how things are")];
    let commands: &dyn Commands = ready.backend.commands().ok_or(ABSENT)?;
    for fault in [Fault::Refused, Fault::CutBeforeWrite, Fault::CutAfterWrite, Fault::Silent] {
        // The outage begins with the first request, the second, …
        for well in 0..6 {
            let before = ready.stage.line.calls();
            ready.stage.line.next(std::iter::repeat_n(None, well));
            ready.stage.line.always(Some(fault.clone()));
            let synced = commands.sync(&ready.stage.site(), &wanted).await;
            ready.stage.line.always(None);
            let is_hit = ready.stage.line.calls() - before > well;
            ready.stage.line.forget();
            if let Ok(synced) = synced {
                let is_told = !synced.missing.is_empty();
                ensure!(!is_hit || is_told, "{fault:?} at request {well} was passed over in silence");
                let now = ready.stage.site().now();
                synced.tokens.into_iter().try_for_each(|token| ready.stage.vault.store(token, now))?;
            }
            sync(&ready, &["new", "status"]).await?;
            let mut offered = ready.stage.platform.commands().await.unwrap_or_default();
            offered.retain(|name| !own.contains(name));
            offered.sort();
            ensure!(offered == ["new", "status"], "after {fault:?} at request {well}, {offered:?} are offered");
            sync(&ready, &["status", "old"]).await?;
        }
    }
    Ok(())
}

pub(super) async fn a_command_that_is_used_arrives(fixture: &dyn Fixture) -> Finding {
    fixture.backend().commands().ok_or(ABSENT)?;
    let ready = Ready::new(fixture).await?;
    sync(&ready, &["status"]).await?;
    let cue = Cue::Command { name: "status".into(), text: "of db 1".into() };
    let request = ready.stage.platform.request(&ready.stage, &cue).await;
    let request = request.ok_or(Obstacle::Absent("commands don't come by a request"))?;
    let happenings = ready.stage.receive(fixture, &request).await?;
    let used = happenings.iter().find_map(|happening| match &happening.kind {
        HappeningKind::CommandUsed { name, text, account, .. } => Some((name, text, account)),
        _ => None,
    });
    let Some((name, text, account)) = used else {
        return Err(Obstacle::Broken(format!("a command became {happenings:?}")));
    };
    ensure!(name == "status" && text == "of db 1", "`status of db 1` arrived as `{name}` with `{text}`");
    ensure!(!account.id.is_empty(), "nobody knows who used the command");
    Ok(())
}
