//! The login service: access tokens for the bot; and the metadata and keys of the connector.

use http::Method;
use serde_json::{Value, json};

use crate::{
    keys::{Key, KeySet, base64url, decoded},
    refusal::{Asked, Reply},
    teams::now_ms,
    world::World,
};

/// What an access token is for.
const RESOURCE: &str = "https://api.botframework.com";
/// The login service's own key.
const KEY: usize = 0;
const KEY_ID: &str = "login-1";

/// Where the metadata is.
pub(crate) const METADATA: &str = "/v1/.well-known/openidconfiguration";
const KEYS: &str = "/v1/.well-known/keys";

/// Answer a request that isn't the connector's.
pub(crate) fn answer(world: &mut World, asked: &Asked) -> Reply {
    match (&asked.method, asked.path.as_str()) {
        (&Method::GET, METADATA) => Reply::new(
            200,
            json!({
                "issuer": RESOURCE, "jwks_uri": format!("{}{KEYS}", world.url),
                "id_token_signing_alg_values_supported": ["RS256"],
            }),
        ),
        (&Method::GET, KEYS) => {
            let key = |(number, id): &(usize, String)| {
                let mut key = Key::number(*number).jwk(id);
                key["endorsements"] = json!(["msteams", "webchat"]);
                key
            };
            Reply::new(200, json!({ "keys": world.signing.iter().map(key).collect::<Vec<_>>() }))
        }
        (&Method::POST, path) => match path.strip_suffix("/oauth2/v2.0/token") {
            Some(tenant) => token(world, asked, tenant.trim_start_matches('/')),
            None => Reply::new(404, json!({})),
        },
        _ => Reply::new(404, json!({})),
    }
}

fn denied(status: u16, error: &str, code: u64) -> Reply {
    let description = format!("AADSTS{code}: refused.");
    Reply::new(status, json!({ "error": error, "error_description": description, "error_codes": [code] }))
}

/// The client credentials grant.
fn token(world: &World, asked: &Asked, tenant: &str) -> Reply {
    if asked.header("content-type") != "application/x-www-form-urlencoded" {
        return denied(400, "invalid_request", 900_144);
    }
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
    let field = |name: &str| fields.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.as_str());
    if tenant != world.options.tenant_id {
        return denied(400, "invalid_request", 90_002);
    }
    if field("grant_type") != "client_credentials" {
        return denied(400, "unsupported_grant_type", 70_003);
    }
    if field("client_id") != world.options.app_id {
        return denied(400, "unauthorized_client", 700_016);
    }
    if field("scope") != format!("{RESOURCE}/.default") {
        return denied(400, "invalid_scope", 70_011);
    }
    let is_proven = match field("client_assertion") {
        "" => field("client_secret") == world.options.secret,
        assertion => {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            let url = format!("{}/{tenant}/oauth2/v2.0/token", world.url);
            field("client_assertion_type") == kind && proves(world, assertion, &url).is_some()
        }
    };
    if !is_proven {
        return denied(401, "invalid_client", 7_000_215);
    }
    let (now, lifetime) = (now_ms() / 1_000, world.options.token_lifetime);
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID });
    let claims = json!({
        "aud": RESOURCE, "iss": format!("{}/{tenant}/", world.url), "appid": world.options.app_id, "tid": tenant,
        "iat": now, "nbf": now, "exp": now + lifetime, "uti": now_ms().to_string(),
    });
    let token = Key::number(KEY).sign(&header, &claims);
    Reply::new(
        200,
        json!({ "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token }),
    )
}

/// Whether an assertion is signed by the bot's certificate, for this address, and fresh.
fn proves(world: &World, assertion: &str, url: &str) -> Option<()> {
    let (certificate, set) = world.options.certificate.as_ref()?;
    let (header, _) = assertion.split_once('.')?;
    let header: Value = serde_json::from_slice(&decoded(header)?).ok()?;
    let thumbprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    (header["x5t#S256"] == base64url(thumbprint.as_ref()) && header["alg"] == "RS256").then_some(())?;
    let claims = KeySet::new(set.clone()).verify(assertion)?;
    let now = now_ms() / 1_000;
    let is_fresh = claims["exp"].as_u64()? > now && claims["nbf"].as_u64()? <= now + 5;
    let is_ours = claims["iss"] == world.options.app_id.as_str() && claims["sub"] == claims["iss"];
    (is_fresh && is_ours && claims["aud"] == url && claims["jti"].is_string()).then_some(())
}

/// Check the access token of a request.
pub(crate) fn check(world: &World, asked: &Asked) -> Result<(), Reply> {
    let refuse = || Reply::error(401, "Unauthorized", "Authorization has been denied for this request.");
    let token = asked.header("authorization").strip_prefix("Bearer ").ok_or_else(refuse)?;
    let own = KeySet::new(json!({ "keys": [Key::number(KEY).jwk(KEY_ID)] }));
    let claims = own.verify(token).or_else(|| world.trusted.as_ref()?.verify(token)).ok_or_else(refuse)?;
    let number = |name: &str| claims[name].as_u64().unwrap_or_default();
    let now = now_ms() / 1_000;
    let is_current = number("exp") > now && number("iat") >= world.revoked_before;
    let is_ours = claims["aud"] == RESOURCE && claims["appid"] == world.options.app_id.as_str();
    if is_current && is_ours { Ok(()) } else { Err(refuse()) }
}
