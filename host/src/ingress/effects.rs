//! What each happening does, in the transaction that records it.

use chatport_sdk::{
    happening::{CodeRefusal, HappeningKind, Outcome},
    identity::Account,
    time::Timestamp,
};
use sea_orm::DbErr;

use super::{
    commands::{self, Typed},
    replies,
};
use crate::{
    app::App,
    setup::{
        SetupFailure,
        audit::{self, Actor},
        channels, links,
        machine::{self, Completion},
        redeem,
        sites::Loaded,
        suspension, tokens,
    },
    store::Change,
};

/// Apply a happening. `may_try`: whether an entered code may be tried.
pub(super) async fn apply(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    kind: &HappeningKind,
    may_try: bool,
    now: Timestamp,
) -> Result<Outcome, SetupFailure> {
    Ok(match kind {
        HappeningKind::CodeEntered { .. } if !may_try => Outcome::CodeRefused(CodeRefusal::TooManyAttempts),
        HappeningKind::CodeEntered { code, account, place } => {
            redeem::redeem(transaction, app, loaded, code, account, place, now).await?
        }
        HappeningKind::UnlinkAsked { account } => {
            let was_linked = links::unlink_account(transaction, loaded, &account.id, now).await?;
            Outcome::Unlinked { was_linked }
        }
        HappeningKind::Commanded { text, account, conversation } => {
            commands::typed(transaction, app, loaded, Typed { name: None, text, account, conversation }, now).await?;
            Outcome::Recorded
        }
        HappeningKind::Installed { identity, tokens, by } => {
            let new = tokens.clone();
            let completion = machine::completed_by_platform(transaction, app, loaded, identity, new, now).await?;
            let (result, outcome) = match completion {
                Completion::Taken => ("done", Outcome::Installed),
                Completion::NotNow => ("refused", Outcome::InstallRefused),
                Completion::AnotherBot(present) => {
                    ("another bot", Outcome::InstalledByAnother { present: present.display_name })
                }
            };
            note(transaction, loaded, by.as_ref(), "installation.complete", result, now).await?;
            outcome
        }
        HappeningKind::Uninstalled { by } => {
            suspension::uninstalled(transaction, loaded, now).await?;
            note(transaction, loaded, by.as_ref(), "installation.uninstalled", "done", now).await?;
            Outcome::Recorded
        }
        HappeningKind::TokensArrived { tokens: new } => {
            tokens::store(transaction, app, &loaded.holder(), new.clone(), now).await?;
            Outcome::Recorded
        }
        HappeningKind::ConversationLost { conversation } => {
            channels::lost(transaction, loaded, conversation, now).await?;
            Outcome::Recorded
        }
        HappeningKind::ConversationMoved { from, to } => {
            channels::moved(transaction, loaded, from, to, now).await?;
            Outcome::Recorded
        }
        HappeningKind::AccountChanged { account } => {
            links::refresh(transaction, loaded, account, now).await?;
            Outcome::Recorded
        }
        HappeningKind::Replied { part, conversation, account, text } => {
            replies::replied(transaction, loaded, &part.id, conversation, account, text, now).await?;
            Outcome::Recorded
        }
        HappeningKind::SaidInThread { root, text, account, conversation } => {
            let key = conversation.id.as_str();
            if replies::replied(transaction, loaded, &root.id, key, account, text, now).await? {
                Outcome::Recorded
            } else {
                let typed = Typed { name: None, text, account, conversation };
                commands::typed(transaction, app, loaded, typed, now).await?;
                Outcome::NotOurs
            }
        }
        // Presses and uses of commands are recorded elsewhere. A later level of the contract may know more kinds; this
        // host keeps the record alone.
        _ => Outcome::Recorded,
    })
}

/// Audit what was done on the platform's side, and by whom, if that is known.
async fn note(
    transaction: &Change,
    loaded: &Loaded,
    by: Option<&Account>,
    action: &str,
    result: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    let backend = loaded.backend_id();
    let actor = by.map_or_else(|| Actor::new(backend, None), |account| Actor::account(backend, &account.id));
    audit::write(transaction, &loaded.organization, &actor, action, &loaded.id.to_string(), result, now).await
}
