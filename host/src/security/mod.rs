//! Keys, and what is made with them; and the way out to the network. The rest of the host
//! asks here for a sealed text, a digest, a code or a client, and never meets an algorithm.

pub mod action_tokens;
pub mod api_keys;
pub mod clock;
pub mod codes;
pub mod digests;
pub mod keyring;
pub mod network;
pub mod random;
pub mod sealing;
pub mod transport;
pub mod webhook_signature;

/// Choose the one cryptographic provider for TLS and for JWTs. It may be called again and
/// again; whoever needs either calls it before.
pub fn install_crypto_providers() {
    // Both fail only where a provider was chosen before, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

/// Join fields so that no two lists of fields give the same bytes: each is preceded by its
/// length.
fn unambiguous(fields: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(fields.iter().map(|field| field.len() + 8).sum());
    for field in fields {
        joined.extend_from_slice(&(field.len() as u64).to_be_bytes());
        joined.extend_from_slice(field);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_may_be_installed_twice() {
        install_crypto_providers();
        install_crypto_providers();
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }

    #[test]
    fn fields_that_are_split_elsewhere_join_to_other_bytes() {
        assert_ne!(unambiguous(&[b"ab", b"c"]), unambiguous(&[b"a", b"bc"]));
        assert_ne!(unambiguous(&[b"ab", b""]), unambiguous(&[b"ab"]));
    }
}
