//! Trigger ids: the server's signed statement "this user acted now", and the key behind them.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A server's key for signing trigger ids (ECDSA over P-256).
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Makes a new key.
    pub(crate) fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a P-256 key can be made");
        Self { pair }
    }

    /// The public key as `config/client` gives it: base64 of PKIX DER.
    pub(crate) fn public_b64(&self) -> String {
        let der = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(self.pair.public_key())
            .expect("a P-256 public key can be encoded");
        STANDARD.encode(der.as_ref())
    }

    /// Signs a trigger id for a user at a time.
    pub(crate) fn trigger(&self, client_trigger_id: &str, user_id: &str, ms: i64) -> String {
        let data = format!("{client_trigger_id}:{user_id}:{ms}:");
        let signature = self.pair.sign(&SystemRandom::new(), data.as_bytes()).expect("a P-256 key signs");
        STANDARD.encode(format!("{data}{}", STANDARD.encode(signature.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

    /// Checks a trigger as a careful integration does: parse, then verify with the PKIX key.
    fn verifies(trigger: &str, public_b64: &str) -> bool {
        let text = String::from_utf8(STANDARD.decode(trigger).unwrap()).unwrap();
        let (data, signature) = text.rsplit_once(':').unwrap();
        let der = STANDARD.decode(public_b64).unwrap();
        // The uncompressed point is the last 65 bytes of the PKIX form of a P-256 key.
        let point = &der[der.len() - 65..];
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
            .verify(format!("{data}:").as_bytes(), &STANDARD.decode(signature).unwrap())
            .is_ok()
    }

    #[test]
    fn a_trigger_verifies_with_its_key_only() {
        let (ours, theirs) = (SigningKey::generate(), SigningKey::generate());
        let trigger = ours.trigger("t", "u", 1_767_225_600_000);
        assert!(verifies(&trigger, &ours.public_b64()));
        assert!(!verifies(&trigger, &theirs.public_b64()));
    }

    #[test]
    fn the_recorded_triggers_have_the_same_form() {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("../vectors/button_click_post_action.json")).unwrap();
        assert!(verifies(
            vector["body"]["trigger_id"].as_str().unwrap(),
            vector["asymmetric_signing_public_key_b64_pkix_der"].as_str().unwrap()
        ));
    }
}
