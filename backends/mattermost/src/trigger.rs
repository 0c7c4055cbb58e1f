//! The `trigger_id`: the one thing in a press or a slash command that the server signs.
//!
//! It is base64 of `id:user:milliseconds:signature`, the signature base64 of an ECDSA P-256
//! signature (ASN.1) over SHA-256 of `id:user:milliseconds:`. It proves that this server
//! says that this user acted at this time. It isn't bound to a post or an action: that is
//! what the button's own token is for. Its id serves as the happening's id, so it counts
//! once.

use chatport_sdk::{crypto, prelude::*};

use crate::details::Details;

/// Longest trigger that is looked at, in bytes.
const MAX_TRIGGER: usize = 1_024;
/// How old a trigger may be, in milliseconds.
const OLDEST: i64 = 30_000;
/// How far ahead of our clock the server's may be, in milliseconds.
const EARLIEST: i64 = -5_000;

/// A verified trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trigger {
    /// The server's own id of it.
    pub(crate) id: String,
    /// When the person acted, by the server's clock.
    pub(crate) at: Timestamp,
}

/// Why a trigger is refused; for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TriggerError {
    #[error("the trigger is not of the known form")]
    Form,
    #[error("the trigger was not signed by the pinned key")]
    Signature,
    #[error("the trigger names another user")]
    User,
    #[error("the trigger is too old, or from the future")]
    Stale,
    #[error("no key is pinned to verify triggers with")]
    NoKey,
}

impl TriggerError {
    /// The reason under which the refusal is counted.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Form => "trigger-form",
            Self::Signature => "trigger-signature",
            Self::User => "trigger-user-mismatch",
            Self::Stale => "trigger-stale",
            Self::NoKey => "trigger-no-key",
        }
    }
}

/// Verify that the server whose `key` (base64 of DER) is pinned says that `user` acted just
/// now.
pub(crate) fn verify(trigger: &str, key: &str, user: &str, now: Timestamp) -> Result<Trigger, TriggerError> {
    if trigger.len() > MAX_TRIGGER {
        return Err(TriggerError::Form);
    }
    let text = crypto::base64_decode(trigger).and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or(TriggerError::Form)?;
    let parts: Vec<&str> = text.split(':').collect();
    let [id, signed_user, millis, signature] = parts[..] else { return Err(TriggerError::Form) };
    let signature = crypto::base64_decode(signature).ok_or(TriggerError::Form)?;
    let key = crypto::base64_decode(key).ok_or(TriggerError::NoKey)?;
    let message = format!("{id}:{signed_user}:{millis}:");
    if !crypto::ecdsa_p256_sha256_verify(&key, message.as_bytes(), &signature) {
        return Err(TriggerError::Signature);
    }
    let at: i64 = millis.parse().map_err(|_| TriggerError::Form)?;
    if id.is_empty() || user.is_empty() || signed_user != user {
        return Err(TriggerError::User);
    }
    let age = now.as_millis().saturating_sub(at);
    if !(EARLIEST..=OLDEST).contains(&age) {
        return Err(TriggerError::Stale);
    }
    Ok(Trigger { id: id.to_owned(), at: Timestamp::from_millis(at) })
}

/// Verify as the installation demands: with the pinned key, never without one that was
/// pinned. Where somebody accepted unsigned presses, the answer is `None`.
pub(crate) fn verify_for(
    details: &Details,
    trigger: &str,
    user: &str,
    now: Timestamp,
) -> Result<Option<Trigger>, TriggerError> {
    match &details.signing_key {
        Some(key) => verify(trigger, key, user, now).map(Some),
        None if details.unsigned_presses => Ok(None),
        None => Err(TriggerError::NoKey),
    }
}

/// The id of the happening of a press or command. Without a signed trigger it is random: a
/// repetition can't be told from a new press.
pub(crate) fn happening_id(site: &Site, trigger: Option<&Trigger>) -> String {
    match trigger {
        Some(trigger) => format!("trigger:{}", trigger.id),
        None => format!("unsigned:{}", crypto::hex(&site.random::<16>())),
    }
}
