//! Signatures of the webhooks that tell the application what happened, as Standard Webhooks
//! describes them (<https://www.standardwebhooks.com>): HMAC-SHA-256 over id, timestamp and
//! body. While a secret is being rotated each secret signs, and the receiver accepts any.
//! [`verify`] is what a receiver does; the host's own tests are one.

use std::time::Duration;

use chatport_sdk::{crypto, secret::Secret, site::Random, time::Timestamp};

use super::random;

/// How a secret begins.
const PREFIX: &str = "whsec_";
/// How far the timestamp may be from the receiver's clock.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Why a receiver refuses a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The timestamp isn't a number.
    #[error("the timestamp isn't a number of seconds")]
    Timestamp,
    /// Too old, or from the future.
    #[error("the timestamp is too far from now")]
    Stale,
    /// No signature is right.
    #[error("no signature is by a known secret")]
    Signature,
}

/// A new secret.
pub fn new_secret(random: &dyn Random) -> Secret {
    Secret::new(format!("{PREFIX}{}", crypto::base64(&random::bytes::<32>(random))))
}

/// Whether a text is a secret whose key nobody guesses: at least 24 bytes, as Standard Webhooks
/// asks for.
pub fn is_strong(secret: &Secret) -> bool {
    key(secret).is_some_and(|key| key.len() >= 24)
}

/// The value of `webhook-signature`: one signature for each secret, in the same order.
/// A text that isn't a secret of the form `whsec_…` signs nothing.
pub fn sign(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let signatures: Vec<String> = secrets
        .iter()
        .filter_map(key)
        .map(|key| format!("v1,{}", crypto::base64(&signature(&key, id, &timestamp, body))))
        .collect();
    signatures.join(" ")
}

/// Check a received webhook: the values of its three headers and its body.
///
/// # Errors
/// It isn't fresh, or isn't signed by one of `secrets`.
pub fn verify(
    secrets: &[Secret],
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let seconds: i64 = timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
    let sent = Timestamp::from_seconds(seconds);
    if sent.since(now) > TOLERANCE || now.since(sent) > TOLERANCE {
        return Err(VerifyError::Stale);
    }
    let presented: Vec<Vec<u8>> =
        signatures.split(' ').filter_map(|one| crypto::base64_decode(one.strip_prefix("v1,")?)).collect();
    let known = secrets.iter().filter_map(key).any(|key| {
        let expected = signature(&key, id, timestamp, body);
        presented.iter().any(|one| crypto::constant_time_eq(&expected, one))
    });
    if known { Ok(()) } else { Err(VerifyError::Signature) }
}

fn key(secret: &Secret) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let key = crypto::base64_decode(secret.expose().strip_prefix(PREFIX)?)?;
    // A key of no bytes would let anybody sign.
    (!key.is_empty()).then(|| key.into())
}

fn signature(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    crypto::hmac_sha256(key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::random::SystemRandom;

    // The example of the Standard Webhooks libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn verified(secrets: &[Secret], signatures: &str, seconds_later: i64) -> Result<(), VerifyError> {
        let now = Timestamp::from_seconds(SENT + seconds_later);
        verify(secrets, ID, &SENT.to_string(), signatures, BODY, now)
    }

    #[test]
    fn the_published_example_is_signed_as_published() {
        assert_eq!(sign(&[Secret::new(SECRET)], ID, SENT, BODY), SIGNATURE);
        assert_eq!(verified(&[Secret::new(SECRET)], SIGNATURE, 0), Ok(()));
    }

    #[test]
    fn while_rotating_a_receiver_with_either_secret_accepts() {
        let (old, new) = (Secret::new(SECRET), new_secret(&SystemRandom));
        let signatures = sign(&[new.clone(), old.clone()], ID, SENT, BODY);
        assert_eq!(signatures.split(' ').count(), 2);
        for known in [old, new] {
            assert_eq!(verified(&[known], &signatures, 0), Ok(()));
        }
        assert_eq!(verified(&[new_secret(&SystemRandom)], &signatures, 0), Err(VerifyError::Signature));
    }

    #[test]
    fn a_webhook_is_fresh_for_five_minutes_either_way() {
        let secrets = [Secret::new(SECRET)];
        for (later, expected) in
            [(300, Ok(())), (-300, Ok(())), (301, Err(VerifyError::Stale)), (-301, Err(VerifyError::Stale))]
        {
            assert_eq!(verified(&secrets, SIGNATURE, later), expected, "{later}");
        }
    }

    #[test]
    fn id_timestamp_and_body_are_all_signed() {
        let secrets = [Secret::new(SECRET)];
        let now = Timestamp::from_seconds(SENT);
        let time = SENT.to_string();
        let earlier = (SENT - 1).to_string();
        for (id, time, body) in [("msg_other", &time, BODY), (ID, &earlier, BODY), (ID, &time, b"{}")] {
            assert_eq!(verify(&secrets, id, time, SIGNATURE, body, now), Err(VerifyError::Signature));
        }
    }

    #[test]
    fn garbage_in_the_headers_is_refused() {
        let secrets = [Secret::new(SECRET)];
        for signatures in ["", "v1", "v1,", "v1,????", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", ", ,v1,AAAA"]
        {
            assert_eq!(verified(&secrets, signatures, 0), Err(VerifyError::Signature), "{signatures}");
        }
        let now = Timestamp::from_seconds(SENT);
        assert_eq!(verify(&secrets, ID, "now", SIGNATURE, BODY, now), Err(VerifyError::Timestamp));
    }

    #[test]
    fn an_empty_secret_signs_and_verifies_nothing() {
        let empty = [Secret::new("whsec_"), Secret::new("")];
        assert_eq!(sign(&empty, ID, SENT, BODY), "");
        let forged = format!("v1,{}", crypto::base64(&signature(b"", ID, &SENT.to_string(), BODY)));
        assert_eq!(verified(&empty, &forged, 0), Err(VerifyError::Signature));
    }
}
