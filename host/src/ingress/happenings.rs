//! Committing happenings. The platform's id makes each unique within its installation: the
//! same again gets the first outcome, another content under a known id is refused. Effect
//! and record are one transaction: one for each, but presses, which are many, share theirs
//! (`recorder`).

use chatport_sdk::{
    happening::{Happening, HappeningKind, Outcome},
    time::Timestamp,
};
use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, TryInsertResult,
    sea_query::{Expr, OnConflict},
};

use super::{
    commands::{self, Typed, Used},
    effects, fingerprint, outcome,
    press::{self, Press},
    recorder::{Conclusion, Written},
    refresh,
};
use crate::{
    app::App,
    ids::EventId,
    setup::{
        SetupFailure,
        audit::{self, Actor},
        guesses,
        sites::Loaded,
    },
    store::{
        Change,
        entities::happenings::{ActiveModel, Column, Entity, Model},
    },
};

/// How often a press is tried whose twin came to another replica in the same moment.
const PRESS_TRIES: usize = 3;

/// A happening that is on disk, or can't be.
pub enum Committed {
    /// There is nothing to wait for.
    Answered(Outcome),
    /// The application is being asked once this is polled.
    Asking(BoxFuture<'static, Outcome>),
}

impl std::fmt::Debug for Committed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered(outcome) => f.debug_tuple("Answered").field(outcome).finish(),
            Self::Asking(_) => f.write_str("Asking"),
        }
    }
}

impl Committed {
    /// What came of it, once the application has been asked.
    pub async fn outcome(self) -> Outcome {
        match self {
            Self::Answered(outcome) => outcome,
            Self::Asking(asking) => asking.await,
        }
    }
}

/// Commit one happening and its effect, and ask the application where there is something to ask.
pub async fn commit(app: &App, loaded: &Loaded, happening: &Happening) -> Outcome {
    begin(app, loaded, happening).await.outcome().await
}

/// Commit one happening and its effect, if it has one. A failure to store is an outcome too.
pub async fn begin(app: &App, loaded: &Loaded, happening: &Happening) -> Committed {
    if let Some(press) = Press::of(app, loaded, happening) {
        return press_commit(app, loaded, press).await;
    }
    if let HappeningKind::RefreshAsked { token, conversation, part } = &happening.kind {
        return Committed::Answered(refresh::shown(app, loaded, token, conversation, part).await);
    }
    match try_commit(app, loaded, happening).await {
        Ok(committed) => committed,
        Err(error) => {
            tracing::error!(installation = %loaded.id, %error, "a happening could not be stored");
            Committed::Answered(Outcome::Unavailable)
        }
    }
}

async fn try_commit(app: &App, loaded: &Loaded, happening: &Happening) -> Result<Committed, SetupFailure> {
    let fingerprint = fingerprint::of(loaded.id.0, happening);
    if let Some(known) = find(app.database.read(), loaded, happening).await? {
        return duplicate(app, loaded, happening, known, &fingerprint).await.map(Committed::Answered);
    }
    let mut may_try = true;
    if let HappeningKind::CodeEntered { account, .. } = &happening.kind {
        may_try = guesses::charge(app, &loaded.organization, loaded.id, &account.id).await?;
    }
    let transaction = match &happening.kind {
        // Many, and hardly ever with a new name of somebody in them: then it says so itself.
        HappeningKind::Commanded { .. }
        | HappeningKind::CommandUsed { .. }
        | HappeningKind::Replied { .. }
        | HappeningKind::SaidInThread { .. } => app.database.begin_quietly(&loaded.organization).await?,
        _ => app.database.begin(&loaded.organization).await?,
    };
    let now = app.clock.now();
    if !insert(&transaction, loaded, happening, &fingerprint, now).await? {
        // Its twin was quicker, and is committed by now.
        transaction.rollback().await?;
        let known = find(app.database.write_uncached(), loaded, happening).await?;
        let known = known.ok_or_else(|| DbErr::RecordNotFound("the happening that was there before".into()))?;
        return duplicate(app, loaded, happening, known, &fingerprint).await.map(Committed::Answered);
    }
    let used = match &happening.kind {
        HappeningKind::CommandUsed { name, text, account, conversation } => {
            let typed = Typed { name: Some(name), text, account, conversation };
            commands::used(&transaction, app, loaded, typed, now).await?
        }
        kind => Used::Answer(effects::apply(&transaction, app, loaded, kind, may_try, now).await?),
    };
    if let Used::Answer(outcome) = &used {
        conclude(&transaction, loaded, happening, outcome).await?;
    }
    transaction.commit().await?;
    app.delivery.wake();
    if matches!(happening.kind, HappeningKind::TokensArrived { .. } | HappeningKind::Installed { .. }) {
        app.renewals.arrived(loaded.id);
    }
    Ok(match used {
        Used::Answer(outcome) => Committed::Answered(outcome),
        Used::Ask(event) => {
            let (app, loaded, id) = (app.clone(), loaded.clone(), happening.id.clone());
            Committed::Asking(Box::pin(async move {
                let asked = commands::ask_application(&app, &loaded, &event).await;
                asked_about(&app, &loaded, id, event.id, asked).await
            }))
        }
    })
}

/// Commit a press and its event; then the application is to be asked.
async fn press_commit(app: &App, loaded: &Loaded, press: Press) -> Committed {
    let (id, mut press) = (press.id.clone(), Box::new(press));
    for _ in 0..PRESS_TRIES {
        match app.ingress.recorder.record(press).await {
            Written::Answer(outcome) => return Committed::Answered(outcome),
            Written::Ask(pressed) => {
                let (app, loaded, event) = (app.clone(), loaded.clone(), pressed.event.id);
                return Committed::Asking(Box::pin(async move {
                    let asked = press::ask_application(&app, &loaded, *pressed).await;
                    asked_about(&app, &loaded, id, event, asked).await
                }));
            }
            Written::Raced(again) => press = again,
        }
    }
    tracing::error!(installation = %loaded.id, "a press met its twin again and again");
    Committed::Answered(Outcome::Unavailable)
}

/// The application was asked: keep the outcome, and the subscription that has taken the event.
async fn asked_about(
    app: &App,
    loaded: &Loaded,
    id: String,
    event: EventId,
    (outcome, subscription): (Outcome, Option<String>),
) -> Outcome {
    let conclusion = Conclusion {
        organization: loaded.organization.clone(),
        installation: loaded.id,
        id,
        outcome: outcome::store(&outcome),
        taken: subscription.map(|subscription| (event, subscription)),
        at: app.clock.now(),
    };
    // Nobody waits for its commit: what happened is on disk.
    app.ingress.recorder.conclude(conclusion).await;
    outcome
}

async fn find(on: &impl ConnectionTrait, loaded: &Loaded, happening: &Happening) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Organization.eq(loaded.organization.as_str()))
        .filter(Column::Installation.eq(loaded.id.0))
        .filter(Column::Id.eq(happening.id.as_str()))
        .one(on)
        .await
}

async fn insert(
    transaction: &Change,
    loaded: &Loaded,
    happening: &Happening,
    fingerprint: &[u8; 32],
    now: Timestamp,
) -> Result<bool, DbErr> {
    let inserted = Entity::insert(ActiveModel {
        organization: Set(loaded.organization.as_str().to_owned()),
        installation: Set(loaded.id.0),
        id: Set(happening.id.clone()),
        fingerprint: Set(fingerprint.to_vec()),
        outcome: Set(None),
        received_at: Set(now.as_micros()),
    })
    .on_conflict(OnConflict::new().do_nothing().to_owned())
    .try_insert()
    .exec_without_returning(transaction)
    .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1)))
}

async fn conclude(
    on: &impl ConnectionTrait,
    loaded: &Loaded,
    happening: &Happening,
    outcome: &Outcome,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Outcome, Expr::value(outcome::store(outcome)))
        .filter(Column::Organization.eq(loaded.organization.as_str()))
        .filter(Column::Installation.eq(loaded.id.0))
        .filter(Column::Id.eq(happening.id.as_str()))
        .exec(on)
        .await?;
    Ok(())
}

async fn duplicate(
    app: &App,
    loaded: &Loaded,
    happening: &Happening,
    mut known: Model,
    fingerprint: &[u8; 32],
) -> Result<Outcome, SetupFailure> {
    if known.fingerprint == fingerprint {
        if known.outcome.is_none() {
            // What the application answered may be about to be written.
            app.ingress.settled().await;
            known = find(app.database.write_uncached(), loaded, happening).await?.unwrap_or(known);
        }
        let first = known.outcome.as_ref().and_then(outcome::load).map(Box::new);
        return Ok(Outcome::Duplicate { same_content: true, first });
    }
    let (now, object) = (app.clock.now(), loaded.id.to_string());
    tracing::warn!(installation = object, "a known id came with another content");
    let (on, action) = (app.database.write_uncached(), "happening.repeat");
    audit::write(on, &loaded.organization, &Actor::host(), action, &object, "other content", now).await?;
    Ok(Outcome::Duplicate { same_content: false, first: None })
}
