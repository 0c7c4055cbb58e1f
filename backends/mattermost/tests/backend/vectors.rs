//! The recorded requests, brought to the bench's slot.

use chatport_sdk::{crypto, prelude::*};
use serde_json::{Value, json};

use crate::bench::{NOW, SECRET, app_id, post};

/// The path of the example tenant in the recordings.
const PREFIX: &str = "/mattermost/v1/t_9f2c";
const JWT_HEADER: &str = "mattermost-app-authorization";

macro_rules! vector {
    ($path:literal) => {
        serde_json::from_str::<serde_json::Value>(include_str!(concat!("../vectors/", $path, ".json"))).expect($path)
    };
}
pub(crate) use vector;

/// A recorded call of the Apps plugin. Its body names the bench's app; the JWT binds no body.
pub(crate) fn call(vector: &Value) -> Request {
    let raw = vector["body_raw"].as_str().map_or_else(|| vector["body"].to_string(), str::to_owned);
    let raw = raw.replace("/apps/oncall\"", &format!("/apps/{}\"", app_id()));
    let raw = raw.replace("\"app_id\":\"oncall\"", &format!("\"app_id\":\"{}\"", app_id()));
    let path = vector["request"]["path"].as_str().expect("a path").strip_prefix(PREFIX).expect("the prefix");
    match vector["request"]["headers"]["Mattermost-App-Authorization"].as_str() {
        Some(jwt) => post(path, &[(JWT_HEADER, jwt)], raw),
        None => post(path, &[], raw),
    }
}

/// A call with this body, signed now for this user.
pub(crate) fn signed(path: &str, user: Option<&str>, body: &Value) -> Request {
    post(path, &[(JWT_HEADER, &format!("Bearer {}", jwt(NOW + 900, user)))], body.to_string())
}

/// The JWT that the plugin makes.
pub(crate) fn jwt(exp: i64, user: Option<&str>) -> String {
    let claims = match user {
        Some(user) => json!({"exp": exp, "acting_user_id": user}),
        None => json!({"exp": exp}),
    };
    let header = crypto::base64url(br#"{"alg":"HS256","typ":"JWT"}"#);
    let input = format!("{header}.{}", crypto::base64url(claims.to_string().as_bytes()));
    let mac = crypto::hmac_sha256(SECRET.as_bytes(), input.as_bytes());
    format!("{input}.{}", crypto::base64url(&mac))
}

/// The body of a call, to be changed.
pub(crate) fn body_of(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

/// The same call with another body.
pub(crate) fn with_body(request: &Request, change: impl FnOnce(&mut Value)) -> Request {
    let mut body = body_of(request);
    change(&mut body);
    Request { body: body.to_string().into(), ..request.clone() }
}
