//! The address an integration may answer a slash command at, later and a few times.

use crate::reply::{Answer, ApiError, Reply};
use crate::rest::Call;
use crate::slash;
use crate::state::Shared;

/// How often an address works.
const MAX_USES: u32 = 5;
/// How long an address works.
const LIFE_MS: i64 = 30 * 60 * 1000;

/// An address for later answers.
#[derive(Debug, Clone)]
pub(crate) struct ResponseHook {
    pub(crate) user_id: String,
    pub(crate) channel_id: String,
    pub(crate) made_at: i64,
    pub(crate) uses: u32,
}

/// `POST /hooks/commands/{id}`.
pub(crate) fn answer(shared: &Shared, call: &Call, id: &str) -> Answer {
    if call.method != "POST" {
        return Err(ApiError::no_route());
    }
    let gone = || ApiError::new(404, "app.command_webhook.get.missing", "There is no such address.");
    let now = shared.now();
    let hook = {
        let mut world = shared.world();
        let hook = world.response_hooks.get_mut(id).ok_or_else(gone)?;
        if now - hook.made_at > LIFE_MS {
            return Err(gone());
        }
        if hook.uses >= MAX_USES {
            return Err(ApiError::new(400, "app.command_webhook.try_use.invalid", "The address was used too often."));
        }
        hook.uses += 1;
        hook.clone()
    };
    let content_type = call.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parsed = slash::parse_answer(content_type, &call.body)
        .map_err(|_| ApiError::new(400, "web.command_webhook.parse.app_error", "The answer cannot be read."))?;
    let answer = parsed.unwrap_or_default();
    slash::show(shared, &hook.user_id, &hook.channel_id, &answer);
    Ok(Reply { body: "ok".into(), ..Reply::empty(200) }.header("Content-Type", "text/plain"))
}
