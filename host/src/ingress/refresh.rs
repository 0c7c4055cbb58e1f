//! Clients that ask what a post shows before somebody reads it. They are answered from what is
//! stored, with the newest revision, even where the engine hasn't brought it there yet. Every
//! reader's client may ask, and again after each edit: so nothing is written, and nobody is told.

use chatport_sdk::{
    delivery::{Outgoing, Receipt},
    happening::Outcome,
    secret::Secret,
};

use super::{
    press::{as_shown, shown_address},
    replies,
};
use crate::{
    app::App,
    delivery::message::{PutMessage, ShownPart},
    ids::CopyId,
    security::action_tokens,
    setup::{SetupFailure, sites::Loaded},
};

/// What the post with this token shows, if it is one of ours in this conversation.
pub(super) async fn shown(app: &App, loaded: &Loaded, token: &Secret, conversation: &str, part: &Receipt) -> Outcome {
    match find(app, loaded, token, conversation, part).await {
        Ok(Some(shown)) => Outcome::Refreshed(Box::new(shown)),
        Ok(None) => Outcome::NotOurs,
        Err(error) => {
            tracing::error!(installation = %loaded.id, %error, "what a post shows could not be read");
            Outcome::Unavailable
        }
    }
}

async fn find(
    app: &App,
    loaded: &Loaded,
    token: &Secret,
    conversation: &str,
    part: &Receipt,
) -> Result<Option<Outgoing>, SetupFailure> {
    let organization = loaded.organization.as_str();
    let place = action_tokens::verify_refresh(&app.keyring, organization, loaded.id.0, token.expose());
    let Some(place) = place else { return Ok(None) };
    let Some((copy, message)) = replies::find(app.database.read(), loaded, place.copy).await? else { return Ok(None) };
    let address = shown_address(loaded, copy.address.as_deref(), conversation);
    let Some(address) = address.filter(|_| copy.root.is_none()) else { return Ok(None) };
    let parts: Vec<ShownPart> = serde_json::from_str(&copy.parts).unwrap_or_default();
    let is_there = parts.get(usize::from(place.number)).is_some_and(|shown| shown.receipt.id == part.id);
    // A post may be read before the engine has recorded it.
    if !is_there && copy.sending.is_none() {
        return Ok(None);
    }
    let Ok(put) = serde_json::from_str::<PutMessage>(&message.body) else { return Ok(None) };
    Ok(as_shown(app, loaded, &put, CopyId(copy.id), address, place.number))
}
