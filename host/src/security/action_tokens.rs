//! The tokens that buttons carry: which copy, which revision, which action, which choice, and
//! a 96-bit MAC that binds them to one installation. They hold nothing secret and need no
//! row; whoever presses must still be who the platform says, which is checked elsewhere.
//!
//! 52 characters of base64url, which every platform's button can hold. A post as a whole has a
//! shorter one, by which clients ask what it shows.

use chatport_sdk::{crypto, secret::Secret};
use uuid::Uuid;

use super::{
    keyring::{Key, Keyring, Use},
    unambiguous,
};

const CONTENT: usize = 16 + 8 + 1 + 2;
const PLACE: usize = 16 + 2;
const MAC: usize = 12;

/// What a button stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Button {
    /// The copy that it is shown on.
    pub copy: Uuid,
    /// The revision that the copy showed.
    pub revision: i64,
    /// The action's place in the message.
    pub action: u8,
    /// The choice's place in the action; `None` for a button or a menu as a whole.
    pub choice: Option<u8>,
}

/// A post as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The copy.
    pub copy: Uuid,
    /// Which of its parts, from 0.
    pub number: u16,
}

/// The token of a button of this installation.
pub fn make(keyring: &Keyring, organization: &str, installation: Uuid, button: &Button) -> Secret {
    let content = encode(button);
    let mac = mac(keyring.current(), organization, installation, &content);
    Secret::new(crypto::base64url(&[content.as_slice(), &mac].concat()))
}

/// What a presented token stands for, if it was made for this installation, under any key of
/// the ring.
pub fn verify(keyring: &Keyring, organization: &str, installation: Uuid, presented: &str) -> Option<Button> {
    let token = crypto::base64url_decode(presented)?;
    let (content, presented) = token.split_first_chunk::<CONTENT>()?;
    let genuine = |key: &Key| crypto::constant_time_eq(&mac(key, organization, installation, content), presented);
    keyring.keys().any(genuine).then(|| decode(content))?
}

/// The token by which clients ask what a post of this installation shows.
pub fn make_refresh(keyring: &Keyring, organization: &str, installation: Uuid, place: &Place) -> Secret {
    let mut content = [0; PLACE];
    content[..16].copy_from_slice(place.copy.as_bytes());
    content[16..].copy_from_slice(&place.number.to_be_bytes());
    let mac = mac(keyring.current(), organization, installation, &content);
    Secret::new(crypto::base64url(&[content.as_slice(), &mac].concat()))
}

/// The post that a presented token stands for, if it was made for this installation, under any
/// key of the ring.
pub fn verify_refresh(keyring: &Keyring, organization: &str, installation: Uuid, presented: &str) -> Option<Place> {
    let token = crypto::base64url_decode(presented)?;
    let (content, presented) = token.split_first_chunk::<PLACE>()?;
    let genuine = |key: &Key| crypto::constant_time_eq(&mac(key, organization, installation, content), presented);
    keyring.keys().any(genuine).then_some(())?;
    let (copy, number) = content.split_first_chunk()?;
    Some(Place { copy: Uuid::from_bytes(*copy), number: u16::from_be_bytes(number.try_into().ok()?) })
}

/// The content's length is bound as well, so a token of one sort is never one of the other.
fn mac(key: &Key, organization: &str, installation: Uuid, content: &[u8]) -> [u8; MAC] {
    let bound = unambiguous(&[organization.as_bytes(), installation.as_bytes(), content]);
    let whole = crypto::hmac_sha256(key.derived(Use::Actions), &bound);
    *whole.first_chunk().expect("32 bytes are more than 12")
}

fn encode(button: &Button) -> [u8; CONTENT] {
    let mut content = [0; CONTENT];
    content[..16].copy_from_slice(button.copy.as_bytes());
    content[16..24].copy_from_slice(&button.revision.to_be_bytes());
    content[24] = button.action;
    content[25] = u8::from(button.choice.is_some());
    content[26] = button.choice.unwrap_or_default();
    content
}

fn decode(content: &[u8; CONTENT]) -> Option<Button> {
    let (copy, rest) = content.split_first_chunk()?;
    let (revision, rest) = rest.split_first_chunk()?;
    let &[action, chosen, choice] = rest else { return None };
    Some(Button {
        copy: Uuid::from_bytes(*copy),
        revision: i64::from_be_bytes(*revision),
        action,
        choice: (chosen == 1).then_some(choice),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::security::random::SystemRandom;

    const INSTALLATION: Uuid = Uuid::from_u128(1);

    fn buttons() -> impl Strategy<Value = Button> {
        (any::<u128>(), any::<i64>(), any::<u8>(), any::<Option<u8>>()).prop_map(|(copy, revision, action, choice)| {
            Button { copy: Uuid::from_u128(copy), revision, action, choice }
        })
    }

    fn made(button: &Button) -> Secret {
        make(&Keyring::for_tests(), "acme", INSTALLATION, button)
    }

    fn verified(token: &str) -> Option<Button> {
        verify(&Keyring::for_tests(), "acme", INSTALLATION, token)
    }

    proptest! {
        #[test]
        fn a_token_is_short_and_gives_its_button_back(button in buttons()) {
            let token = made(&button);
            prop_assert!(token.expose().len() < 64);
            prop_assert_eq!(verified(token.expose()), Some(button));
        }

        #[test]
        fn a_token_with_one_bit_flipped_is_refused(button in buttons(), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut bytes = crypto::base64url_decode(made(&button).expose()).expect("base64url");
            let place = place.index(bytes.len());
            bytes[place] ^= 1_u8 << bit;
            prop_assert_eq!(verified(&crypto::base64url(&bytes)), None);
        }

        #[test]
        fn a_shortened_or_lengthened_token_is_refused(button in buttons(), kept in 0..CONTENT + MAC) {
            let bytes = crypto::base64url_decode(made(&button).expose()).expect("base64url");
            prop_assert_eq!(verified(&crypto::base64url(&bytes[..kept])), None);
            prop_assert_eq!(verified(&crypto::base64url(&[&bytes[..], &bytes[..kept + 1]].concat())), None);
        }

        #[test]
        fn a_posts_token_gives_its_place_back_and_is_never_a_buttons(copy in any::<u128>(), number in any::<u16>(), button in buttons()) {
            let (keyring, place) = (Keyring::for_tests(), Place { copy: Uuid::from_u128(copy), number });
            let token = make_refresh(&keyring, "acme", INSTALLATION, &place);
            let verified_as = |organization, token: &str| verify_refresh(&keyring, organization, INSTALLATION, token);
            prop_assert!(token.expose().len() < 64);
            prop_assert_eq!(verified_as("acme", token.expose()), Some(place));
            prop_assert_eq!(verified_as("other", token.expose()), None);
            prop_assert_eq!(verified_as("acme", made(&button).expose()), None);
            prop_assert_eq!(verified(token.expose()), None);
        }

        #[test]
        fn arbitrary_text_is_refused(text in ".{0,80}") {
            prop_assert_eq!(verified(&text), None);
        }
    }

    #[test]
    fn a_token_is_worth_nothing_in_another_organization_or_installation() {
        let button = Button { copy: Uuid::from_u128(9), revision: 3, action: 0, choice: None };
        let (keyring, token) = (Keyring::for_tests(), made(&button));
        assert_eq!(verify(&keyring, "other", INSTALLATION, token.expose()), None);
        assert_eq!(verify(&keyring, "acme", Uuid::from_u128(2), token.expose()), None);
    }

    #[test]
    fn live_buttons_outlive_a_rotation_of_the_keys() {
        let button = Button { copy: Uuid::from_u128(9), revision: 3, action: 1, choice: Some(255) };
        let before = Keyring::for_tests();
        let token = make(&before, "acme", INSTALLATION, &button);
        let after = before.rotated(&SystemRandom);
        assert_eq!(verify(&after, "acme", INSTALLATION, token.expose()), Some(button));
        let without = after.without(before.current().id());
        assert_eq!(verify(&without, "acme", INSTALLATION, token.expose()), None);
    }
}
