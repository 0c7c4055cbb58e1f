//! The nonce of a session that was asked for: it comes back by the plugin's webhook, and
//! proves without being kept that it was made here a short while ago. It is made with the
//! webhook's secret, which the server shows to nobody but administrators.

use chatport_sdk::{crypto, prelude::*};

use crate::descriptor::WEBHOOK_SECRET;

/// How long a nonce is good, in seconds.
const LIFE: i64 = 120;

/// A nonce of now.
pub(crate) fn make(secret: &Secret, now: Timestamp) -> String {
    let seconds = now.as_seconds();
    format!("{seconds}.{}", mac(secret, seconds))
}

/// Whether a nonce was made here a short while ago.
pub(crate) fn is_ours(site: &Site, nonce: &str) -> bool {
    let Some((seconds, presented)) = nonce.split_once('.') else { return false };
    let Ok(seconds) = seconds.parse::<i64>() else { return false };
    let age = site.now().as_seconds().saturating_sub(seconds);
    let made_with =
        |secret: &Secret| !secret.is_empty() && Secret::new(mac(secret, seconds)).matches(presented.as_bytes());
    (0..=LIFE).contains(&age) && site.tokens(WEBHOOK_SECRET).iter().any(|token| made_with(&token.value))
}

fn mac(secret: &Secret, seconds: i64) -> String {
    let message = format!("chatport mattermost session {seconds}");
    crypto::base64url(&crypto::hmac_sha256(secret.expose().as_bytes(), message.as_bytes()))
}
