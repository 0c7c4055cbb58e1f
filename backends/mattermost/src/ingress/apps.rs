//! The calls of the Apps plugin. Its JWT says only "somebody who knows this installation":
//! every logged-in user can read the secret, choose path, values and expansions of a call,
//! and reach every path by percent-encoding. So the order is: size, JWT, own table of paths,
//! window, body, path equality, claim, site, and then the pinned site itself is asked with
//! the tokens of the call. Nothing that a call says is used as an address.

mod call;
mod install;
mod session;

use chatport_sdk::{crypto, jwt, prelude::*};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use self::call::Call;
use super::{MAX_BODY, person, words};
use crate::{
    api::{Client, User},
    commands,
    descriptor::INSTALL_SECRET,
    details::Details,
    settings::Settings,
};

/// How the ids of happenings that came by a JWT start.
pub(super) const ID: &str = "jwt:";
/// The header with the JWT.
const HEADER: &str = "mattermost-app-authorization";
/// When the JWT of a call may run out: the plugin gives it 15 minutes.
const WINDOW: jwt::ExpiryWindow = jwt::ExpiryWindow { earliest: -60, latest: 960 };
/// The same for an install, which must be new.
const FRESH: std::ops::RangeInclusive<i64> = 780..=960;

/// What the plugin signs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Claims {
    acting_user_id: Option<String>,
}

/// A call whose JWT is good.
struct Verified {
    jwt: jwt::Verified<Claims>,
    /// The secret that it was signed with.
    secret: Secret,
}

/// Why a call is refused, after its JWT was good.
struct Refusal {
    /// For the operator.
    reason: &'static str,
    /// For the person.
    text: String,
}

fn refuse<T>(reason: &'static str, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { reason, text: text.into() })
}

/// The paths, compared with the raw path of the request.
#[derive(Clone, Copy)]
enum Route {
    Ping,
    Bindings,
    Help,
    Install,
    Uninstall,
    Link,
    Unlink,
    Session,
}

const ROUTES: &[(&str, Route)] = &[
    ("/ping", Route::Ping),
    ("/bindings", Route::Bindings),
    ("/command/help", Route::Help),
    ("/install", Route::Install),
    ("/uninstall", Route::Uninstall),
    ("/command/link", Route::Link),
    ("/command/unlink", Route::Unlink),
    ("/webhook/refresh", Route::Session),
];

pub(super) async fn receive(site: &Site, request: &Request) -> Received {
    if request.body.len() > MAX_BODY {
        return refused(Refusal { reason: "body-too-long", text: "The call is too long.".into() });
    }
    let verified = match authenticate(site, request) {
        Ok(verified) => verified,
        // The one refusal that isn't 200: it stops an install with a wrong secret at once.
        Err(reason) => {
            return Received::Refused { response: Response::text(StatusCode::UNAUTHORIZED, "unauthorized"), reason };
        }
    };
    let Some((_, route)) = ROUTES.iter().find(|(path, _)| *path == request.path) else {
        return refused(Refusal { reason: "no-route", text: "There is no such call.".into() });
    };
    match understand(site, request, *route, &verified).await {
        Ok(received) => received,
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Received {
    Received::Refused { response: say(false, &refusal.text), reason: refusal.reason }
}

/// An answer in the plugin's form.
fn say(well: bool, text: &str) -> Response {
    let kind = if well { "ok" } else { "error" };
    Response::json(&if text.is_empty() { json!({ "type": kind }) } else { json!({ "type": kind, "text": text }) })
}

fn authenticate(site: &Site, request: &Request) -> Result<Verified, &'static str> {
    let token = request.header(HEADER).and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let keys: Vec<Secret> = site.tokens(INSTALL_SECRET).into_iter().map(|token| token.value).collect();
    let jwt = jwt::verify_hs256(token, &keys, site.now(), WINDOW).map_err(|error| match error {
        jwt::JwtError::Expired => "jwt-expired",
        jwt::JwtError::TooFarAhead => "jwt-too-far-ahead",
        jwt::JwtError::Signature => "jwt-signature",
        _ => "jwt-form",
    })?;
    let secret = keys.get(jwt.key).cloned().ok_or("jwt-signature")?;
    Ok(Verified { jwt, secret })
}

async fn understand(site: &Site, request: &Request, route: Route, verified: &Verified) -> Result<Received, Refusal> {
    let settings = Settings::of(site).or_else(|_| refuse("settings", "The installation's settings can't be read."))?;
    let command = settings.command(site.app_name());
    let kind = match route {
        Route::Ping => return Ok(Received::Answer(say(true, ""))),
        Route::Bindings => return Ok(Received::Answer(Response::json(&commands::bindings(&command, site.app_name())))),
        Route::Help => return Ok(Received::Answer(say(true, &commands::help(&command, site.app_name())))),
        Route::Install => {
            install::check_window(site, verified)?;
            let call = Call::of(request)?;
            install::installed(site, &settings, verified, call).await?
        }
        Route::Uninstall => {
            let call = Call::of(request)?;
            let user = acting_user(site, &settings, verified, &call).await?;
            install::must_be_admin(&user)?;
            if Details::of(site).is_none() {
                // Nothing was set up, so nothing stands in the way.
                return Ok(Received::Answer(say(true, "")));
            }
            HappeningKind::Uninstalled { by: Some(user.account()) }
        }
        Route::Link => {
            let call = Call::of(request)?;
            must_be_installed(site)?;
            let Some(code) = call.code() else { return refuse("no-code", "Give the code: `link CODE`.") };
            let user = acting_user(site, &settings, verified, &call).await?;
            let conversation = conversation(site, &settings, &call, &user).await;
            HappeningKind::CodeEntered { code, account: user.account(), place: Place::Command { conversation } }
        }
        Route::Unlink => {
            let call = Call::of(request)?;
            must_be_installed(site)?;
            let user = acting_user(site, &settings, verified, &call).await?;
            HappeningKind::UnlinkAsked { account: user.account() }
        }
        Route::Session => {
            let call = Call::of(request)?;
            session::arrived(site, &settings, verified, &call).await?
        }
    };
    Ok(Received::Happenings(vec![Happening::new(happening_id(route, verified, request), kind)]))
}

/// The plugin's tokens count whole seconds, so two calls of one person may carry the same
/// one. An install counts once for each token; of all else, each body is a call of its own,
/// and only the same call again is a repetition.
fn happening_id(route: Route, verified: &Verified, request: &Request) -> String {
    match route {
        Route::Install => format!("{ID}{}", verified.jwt.digest),
        _ => format!("{ID}{}:{}", verified.jwt.digest, crypto::hex(&crypto::sha256(&request.body)[..16])),
    }
}

fn must_be_installed(site: &Site) -> Result<Details, Refusal> {
    Details::of(site).map_or_else(|| refuse("not-installed", "Nothing is set up here yet."), Ok)
}

/// The person who acts: named by the JWT and by the body, and confirmed by the pinned site
/// with the person's own token.
async fn acting_user(site: &Site, settings: &Settings, verified: &Verified, call: &Call) -> Result<User, Refusal> {
    call.must_come_from(&settings.site_url)?;
    let claimed = verified.jwt.claims.acting_user_id.as_deref().unwrap_or_default();
    if claimed.is_empty() || call.acting_user() != Some(claimed) {
        return refuse("acting-user-mismatch", "The call doesn't say who you are.");
    }
    let Some(token) = call.user_token() else {
        return refuse(
            "no-user-token",
            "The app may not act for you: allow it to use the REST API as connected users.",
        );
    };
    let client = Client::with_token(site, &settings.site_url, token);
    person::confirm(&client, claimed).await.or_else(unconfirmed)
}

fn unconfirmed<T>(reason: &'static str) -> Result<T, Refusal> {
    match reason {
        "confirmation-failed" => refuse(reason, "Mattermost could not be asked who you are. Please try again."),
        _ => refuse(reason, "Mattermost doesn't confirm who you are."),
    }
}

/// Where a command ran, proven with the person's token; and the bot must be in it or be able
/// to join it, as far as its token is at hand. Nothing is changed here: the bot joins when
/// there is something to post.
async fn conversation(site: &Site, settings: &Settings, call: &Call, user: &User) -> Option<Conversation> {
    let (channel, team) = (call.channel()?, call.team());
    let client = Client::with_token(site, &settings.site_url, call.user_token()?);
    let found = person::channel(&client, channel).await?;
    if !client.is_member(&found.id, &user.id).await.ok()? {
        return None;
    }
    let details = Details::of(site)?;
    if let Some(token) = call.bot_token() {
        let bot = Client::with_token(site, &settings.site_url, token);
        let can_enter = if found.is_public() {
            // It sees the public channels of its own teams.
            person::channel(&bot, channel).await.is_some()
        } else {
            bot.is_member(&found.id, &details.bot_user_id).await.ok()?
        };
        if !can_enter {
            return None;
        }
    }
    Some(found.conversation(team))
}

pub(super) fn answer(site: &Site, happening: &Happening, outcome: &Outcome) -> Response {
    let said = words::of_outcome(site, happening, outcome);
    match happening.kind {
        // Nobody reads this answer.
        HappeningKind::TokensArrived { .. } => say(true, ""),
        // An error would keep the administrator from uninstalling.
        HappeningKind::Uninstalled { .. } => say(true, &format!("{} is disconnected.", site.app_name())),
        _ => say(said.well, &said.text),
    }
}
