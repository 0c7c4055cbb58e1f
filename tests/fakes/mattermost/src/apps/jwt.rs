//! The token the plugin sends along with calls.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

/// How long a token lives, in seconds.
pub(crate) const LIFE_S: i64 = 15 * 60;

#[derive(Serialize)]
struct Claims<'a> {
    exp: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    acting_user_id: &'a str,
}

/// Signs a token. An empty user is left out; an empty secret is an empty key, as in the plugin.
pub(crate) fn sign(secret: &str, acting_user_id: &str, exp: i64) -> String {
    let claims = Claims { exp, acting_user_id };
    let claims = serde_json::to_vec(&claims).expect("claims are plain data");
    let signed =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#), URL_SAFE_NO_PAD.encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_recorded_tokens_come_out() {
        let vectors: Value = serde_json::from_str(include_str!("../../vectors/jwt_vectors.json")).unwrap();
        let secret = vectors["secret"].as_str().unwrap();
        let now = vectors["now_unix"].as_i64().unwrap();
        let (alice, bot) = ("ws4o4macctyn5ko8uhkkxmgfur", "mgbd1czngjbbdx6eqruqabdeie");
        for (name, token) in [
            ("valid_with_acting_user", sign(secret, alice, now + LIFE_S)),
            ("valid_without_acting_user", sign(secret, "", now + LIFE_S)),
            ("valid_notify_bot_as_acting_user", sign(secret, bot, now + LIFE_S)),
            ("expired_1s", sign(secret, alice, now - 1)),
            ("expired_1h", sign(secret, alice, now - 3600)),
            ("exp_more_than_15min_ahead", sign(secret, alice, now + 365 * 24 * 3600)),
            ("empty_secret", sign("", alice, now + LIFE_S)),
        ] {
            let vector = vectors["vectors"].as_array().unwrap().iter().find(|vector| vector["name"] == name).unwrap();
            assert_eq!(vector["token"], token, "{name}");
        }
    }
}
