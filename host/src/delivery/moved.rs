//! A conversation that has moved: a platform refuses the old address and names the new one. The
//! channel, or the person's link, is brought up to date with everything that waits for it, and
//! the copy at hand goes on to the new address in the same attempt.

use chatport_sdk::{
    failure::{Class, Failure},
    identity::{Account, Address, Conversation, ConversationKind},
};

use super::{sql_store, store::Work};
use crate::{
    app::App,
    ids::InstallationId,
    setup::{channels, links, sites},
};

/// Where a copy should go instead, if a failure says so. A removal stays where its post is; and
/// what may have arrived must be found out first.
pub(super) fn destination<'f>(work: &Work, failure: &'f Failure) -> Option<&'f Address> {
    let to = failure.moved_to.as_ref().filter(|_| !work.removal && failure.cause.class() != Class::Unknown)?;
    let is_there = work.address.as_deref().and_then(|text| serde_json::from_str::<Address>(text).ok());
    (is_there.as_ref() != Some(to)).then_some(to)
}

/// The same work at its new address. What stands in the old place can't be edited from the new
/// one: its ids may mean something else there.
pub(super) fn there(work: &Work, to: &Address) -> Work {
    Work { address: serde_json::to_string(to).ok(), parts: Vec::new(), ..work.clone() }
}

/// Bring up to date what is known of the conversation. Where that fails, the copy goes on all
/// the same, and the next one meets the move anew.
pub(super) async fn follow(app: &App, work: &Work, installation: InstallationId, to: &Address) {
    match try_follow(app, work, installation, to).await {
        Ok(()) => {
            tracing::info!(%installation, organization = %work.lease.organization, "followed a conversation that has moved")
        }
        Err(error) => {
            tracing::warn!(%error, %installation, "a conversation has moved; what is known of it could not be changed")
        }
    }
}

async fn try_follow(app: &App, work: &Work, installation: InstallationId, to: &Address) -> Result<(), String> {
    let (organization, now) = (&work.lease.organization, app.clock.now());
    let loaded = sites::load(app, organization, installation).await.map_err(|error| error.to_string())?;
    let account = work.account.as_deref().and_then(|text| serde_json::from_str::<Account>(text).ok());
    let old = work.address.as_deref().and_then(|text| serde_json::from_str::<Address>(text).ok());
    let failed = |error: sea_orm::DbErr| error.to_string();
    if let Some(account) = account.filter(|account| old.is_none() || account.direct == old) {
        let change = app.database.begin(organization).await.map_err(failed)?;
        let account = Account { direct: Some(to.clone()), ..account };
        links::refresh(&change, &loaded, &account, now).await.map_err(failed)?;
        return change.commit().await.map_err(failed);
    }
    let (Some(delivery), Some(old)) = (loaded.backend.delivery(), old) else { return Ok(()) };
    let key = |address: &Address| delivery.stream(address).map(|stream| stream.key).map_err(|failure| failure.detail);
    let (from, key) = (key(&old)?, key(to)?);
    let conversation = Conversation {
        id: key,
        address: to.clone(),
        kind: ConversationKind::Channel,
        name: String::new(),
        display_name: String::new(),
        team: String::new(),
    };
    let change = app.database.begin(organization).await.map_err(failed)?;
    let place = sql_store::Relocation { installation, from: &from, old: &old, to: &conversation };
    sql_store::lock_streams(&change, organization, &place.what()).await.map_err(failed)?;
    channels::moved(&change, &loaded, &from, &conversation, now).await.map_err(failed)?;
    sql_store::relocate(&change, &app.database, organization, &place, &app.random, now).await.map_err(failed)?;
    change.commit().await.map_err(failed)?;
    app.delivery.wake();
    Ok(())
}
