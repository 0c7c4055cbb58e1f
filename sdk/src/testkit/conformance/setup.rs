//! Setup, played as a machine whose state the host keeps.

use serde_json::{Value, json};

use super::{super::hostile, Finding, Fixture, Obstacle, Ready, ensure, failures::can_be};
use crate::{
    install::{Fields, Install, SetupError},
    steps::{SetupStep, StepKind},
    testkit::{Dice, Fault, Stage},
};

const ABSENT: Obstacle = Obstacle::Absent("the backend has no install steps");

/// A stage whose setup has begun.
async fn begun(fixture: &dyn Fixture, install: &dyn Install) -> Result<Stage, Obstacle> {
    let stage = Stage::of(fixture, fixture.backend().descriptor());
    let progress = install.begin(&stage.site()).await.map_err(|error| format!("begin: {error}"))?;
    stage.keep(progress)?;
    Ok(stage)
}

fn fields_of(steps: &[SetupStep]) -> Vec<crate::steps::Field> {
    let fields = steps.iter().filter_map(|step| match &step.kind {
        StepKind::Fields { fields } => Some(fields.clone()),
        _ => None,
    });
    fields.flatten().collect()
}

pub(super) async fn setup_completes_though_each_step_comes_to_another_process(fixture: &dyn Fixture) -> Finding {
    fixture.backend().install().ok_or(ABSENT)?;
    let ready = Ready::new(fixture).await?;
    let Some(identity) = ready.stage.identity() else { return Err(Obstacle::Broken("there is no identity".into())) };
    ensure!(!identity.account.is_empty() && !identity.server.is_empty(), "the identity says too little: {identity:?}");
    ensure!(!identity.display_name.is_empty(), "the bot has no name that people could read");
    Ok(())
}

pub(super) async fn a_field_that_is_missing_is_refused(fixture: &dyn Fixture) -> Finding {
    let backend = fixture.backend();
    let install = backend.install().ok_or(ABSENT)?;
    let stage = begun(fixture, install).await?;
    let asked = fields_of(&stage.steps());
    let required: Vec<_> = asked.iter().filter(|field| field.required && field.default.is_none()).collect();
    if required.is_empty() {
        return Err(Obstacle::Absent("no field must be filled in"));
    }
    for empty in [Fields::default(), asked.iter().map(|field| (field.name.clone(), "  ")).collect()] {
        match install.submit(&stage.site(), &empty).await {
            Err(SetupError::Field { name, .. }) => {
                ensure!(
                    asked.iter().any(|field| field.name == name),
                    "the error names `{name}`, which isn't asked for"
                );
            }
            other => return Err(Obstacle::Broken(format!("empty fields became {other:?}"))),
        }
    }
    Ok(())
}

pub(super) async fn fields_at_the_wrong_stage_are_refused(fixture: &dyn Fixture) -> Finding {
    let backend = fixture.backend();
    let install = backend.install().ok_or(ABSENT)?;
    let ready = Ready::new(fixture).await?;
    let first = begun(fixture, install).await?;
    let fields = first.platform.fields(&first.steps());
    // Before anything was begun, at a stage of another release, and when all is done.
    let fresh = Stage::of(fixture, backend.descriptor());
    for (when, stage) in [("before setup began", &fresh), ("after setup was complete", &ready.stage)] {
        let submitted = install.submit(&stage.site(), &fields).await;
        ensure!(submitted.is_err(), "fields were taken {when}");
    }
    Ok(())
}

pub(super) async fn a_step_that_is_repeated_does_no_harm(fixture: &dyn Fixture) -> Finding {
    let backend = fixture.backend();
    let install = backend.install().ok_or(ABSENT)?;
    let stage = begun(fixture, install).await?;
    let again = install.begin(&stage.site()).await.map_err(|error| format!("begin, repeated: {error}"))?;
    stage.keep(again)?;
    if !fields_of(&stage.steps()).is_empty() {
        // What the first one returned is lost: the process died before it was stored.
        let fields = stage.platform.fields(&stage.steps());
        let lost = install.submit(&stage.site(), &fields).await.map_err(|error| format!("submit: {error}"))?;
        drop(lost);
        let second = install.submit(&stage.site(), &fields).await;
        stage.keep(second.map_err(|error| format!("submit, repeated: {error}"))?)?;
    }
    stage.go_on(fixture).await?;
    Ok(())
}

pub(super) async fn settings_of_any_shape_are_answered(fixture: &dyn Fixture) -> Finding {
    let backend = fixture.backend();
    let install = backend.install().ok_or(ABSENT)?;
    let dice = Dice::new(7);
    let shapes = [Value::Null, json!([]), json!("x"), json!({ "site_url": "javascript:alert(1)" }), json!({ "v": 9 })];
    let generated = (0..300).map(|_| hostile::value(&dice, 3));
    for settings in shapes.into_iter().chain(generated) {
        let stage = Stage::of(fixture, backend.descriptor());
        stage.set_settings(settings);
        // Whatever it says, it says something.
        let _ = install.check(&stage.site());
        let _ = install.begin(&stage.site()).await;
    }
    Ok(())
}

pub(super) async fn a_platform_that_is_away_doesnt_end_setup(fixture: &dyn Fixture) -> Finding {
    let backend = fixture.backend();
    let install = backend.install().ok_or(ABSENT)?;
    let stage = begun(fixture, install).await?;
    let fields = stage.platform.fields(&stage.steps());
    if fields.names().next().is_none() {
        return Err(Obstacle::Absent("nothing is filled in"));
    }
    let before = stage.line.calls();
    let faults = [Fault::Refused, Fault::CutAfterWrite, Fault::Answered(super::super::text_answer(503, "away"))];
    for fault in faults.into_iter().filter(|fault| can_be(fixture, fault)) {
        stage.line.always(Some(fault.clone()));
        let submitted = install.submit(&stage.site(), &fields).await;
        if stage.line.calls() == before {
            return Err(Obstacle::Absent("the platform isn't asked"));
        }
        let is_told = matches!(submitted, Err(SetupError::Platform(_) | SetupError::Field { .. }));
        ensure!(is_told, "{fault:?} became {submitted:?}");
    }
    stage.line.always(None);
    stage.go_on(fixture).await?;
    Ok(())
}

pub(super) async fn settings_of_earlier_releases_are_understood(fixture: &dyn Fixture) -> Finding {
    let backend = fixture.backend();
    let install = backend.install().ok_or(ABSENT)?;
    let (present, earlier) = (backend.descriptor().settings_version, fixture.platform().earlier_settings());
    if present <= 1 {
        return Err(Obstacle::Absent("settings have had one shape so far"));
    }
    ensure!(!earlier.is_empty(), "settings are of version {present}, and the stand-in knows none of those before");
    for (version, old) in earlier {
        ensure!(version < present, "version {version} isn't earlier than {present}");
        let brought = install.migrate(old.clone(), version);
        ensure!(brought == install.migrate(old.clone(), version), "{old} becomes something else the second time");
        let stage = Stage::of(fixture, backend.descriptor());
        stage.set_settings(brought.clone());
        let checked = install.check(&stage.site());
        ensure!(checked.is_ok(), "{old} of version {version} became {brought}: {checked:?}");
        stage.install(fixture).await.map_err(|error| format!("{old} became {brought}, and setup: {error}"))?;
    }
    Ok(())
}
