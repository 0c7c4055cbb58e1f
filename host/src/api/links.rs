//! Linking: verification codes, the accounts that are linked, and the channels.

use axum::extract::State;
use chatport_sdk::{identity::Conversation, time::Timestamp, verification::Purpose};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    answer::{Answered, Created, NoContent},
    callers::{MayLink, Within},
    extract::{Json, Path, Query},
    operation::Operation,
    page::{Cursor, Page, PageLimit},
    problem::Problem,
    problem_types as types,
    routes::Api,
    setup_problems::page_of,
};
use crate::{
    app::App,
    ids::{ChannelId, InstallationId, LinkId},
    setup::{
        channels::{self, Channel, ChannelFilter},
        codes,
        installations::{self, ShownStep},
        links::{self, AccountLink, LinkFilter},
    },
};

/// A code to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewCode {
    /// The installation in which it is to be entered.
    #[serde(default)]
    installation: Option<InstallationId>,
    /// Or a backend: its one active installation.
    #[serde(default)]
    backend: Option<String>,
    /// What it links.
    purpose: Purpose,
    /// The application's id of the user; required for `user`.
    #[serde(default)]
    user: Option<String>,
}

/// A code.
#[derive(Debug, Serialize, JsonSchema)]
struct CodeView {
    /// In groups, e.g. `K7QX-2M4P-9ZRT`; shown this once.
    code: String,
    /// The installation in which it is to be entered.
    installation: InstallationId,
    /// What it links.
    purpose: Purpose,
    /// Until when it can be entered.
    expires_at: Timestamp,
    /// A link that does it all, where the platform has such links.
    deep_link: Option<Url>,
    /// What the person does.
    #[schemars(with = "Vec<ShownStep>")]
    steps: Vec<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AccountListing {
    /// Of this installation.
    installation: Option<InstallationId>,
    /// Of this user.
    user: Option<String>,
    /// Changed after this time; links that are gone are then among them.
    updated_after: Option<Timestamp>,
    /// Where to go on.
    cursor: Option<Cursor>,
    /// Most items on a page.
    #[serde(default)]
    limit: PageLimit,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelListing {
    /// Of this installation.
    installation: Option<InstallationId>,
    /// Changed after this time; channels that are gone are then among them.
    updated_after: Option<Timestamp>,
    /// Where to go on.
    cursor: Option<Cursor>,
    /// Most items on a page.
    #[serde(default)]
    limit: PageLimit,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct LinkPath {
    #[expect(dead_code, reason = "read by the policy")]
    org: String,
    /// The link's id.
    id: LinkId,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct UserPath {
    #[expect(dead_code, reason = "read by the policy")]
    org: String,
    /// The application's id of the user.
    user: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct ChannelPath {
    #[expect(dead_code, reason = "read by the policy")]
    org: String,
    /// The channel's id.
    id: ChannelId,
}

/// A conversation whose address is known already.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewChannel {
    /// The installation.
    installation: InstallationId,
    /// The conversation, in the backend's own terms.
    conversation: Conversation,
}

/// What to change in a channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangedChannel {
    /// Make it the default of its installation; only `true` can be said.
    #[serde(default)]
    is_default: Option<bool>,
    /// Whether first posts that had to wait there for long become one summary with a link to
    /// each: ten or more of which one waits for half a minute. Urgent messages, final
    /// revisions and those with a log never do. Holds for messages that are put from now on.
    #[serde(default)]
    storm_guard: Option<bool>,
}

/// How many links are gone.
#[derive(Debug, Serialize, JsonSchema)]
struct UnlinkedCount {
    unlinked: usize,
}

async fn issue(
    within: Within<MayLink>,
    State(app): State<App>,
    Json(request): Json<NewCode>,
) -> Result<Created<CodeView>, Problem> {
    let installation = match (request.installation, &request.backend) {
        (Some(installation), None) => installation,
        (None, Some(backend)) => installations::sole(&app, &within.organization, backend).await?,
        _ => {
            let detail = "name either `installation` or `backend`";
            return Err(Problem::new(types::INVALID_BODY).detail(detail));
        }
    };
    let user = request.user.as_deref();
    // As the id stands in a path, too, where none is accepted.
    if user.is_some_and(|user| user.contains(char::is_control)) {
        return Err(Problem::new(types::INVALID_BODY).pointer("/user").detail("has a control character"));
    }
    let issued = codes::issue(&app, &within.organization, installation, request.purpose, user, &within.actor).await?;
    Ok(Answered(CodeView {
        code: issued.code.expose().to_owned(),
        installation: issued.installation,
        purpose: request.purpose,
        expires_at: issued.expires_at,
        deep_link: issued.deep_link,
        steps: issued.steps,
    }))
}

async fn list_accounts(
    within: Within<MayLink>,
    State(app): State<App>,
    Query(listing): Query<AccountListing>,
) -> Result<Json<Page<AccountLink>>, Problem> {
    let filter =
        LinkFilter { installation: listing.installation, user: listing.user, updated_after: listing.updated_after };
    let page = page_of(listing.cursor.as_ref(), listing.limit)?;
    Ok(Json(links::list(&app, &within.organization, &filter, page).await?.into()))
}

async fn unlink(
    within: Within<MayLink>,
    State(app): State<App>,
    Path(path): Path<LinkPath>,
) -> Result<NoContent, Problem> {
    let was_linked = links::unlink_one(&app, &within.organization, path.id, &within.actor).await?;
    if was_linked { Ok(NoContent) } else { Err(types::ACCOUNT_NOT_FOUND.into()) }
}

async fn unlink_user(
    within: Within<MayLink>,
    State(app): State<App>,
    Path(path): Path<UserPath>,
) -> Result<Json<UnlinkedCount>, Problem> {
    let unlinked = links::unlink_user(&app, &within.organization, None, &path.user, &within.actor).await?;
    Ok(Json(UnlinkedCount { unlinked }))
}

async fn list_channels(
    within: Within<MayLink>,
    State(app): State<App>,
    Query(listing): Query<ChannelListing>,
) -> Result<Json<Page<Channel>>, Problem> {
    let filter = ChannelFilter { installation: listing.installation, updated_after: listing.updated_after };
    let page = page_of(listing.cursor.as_ref(), listing.limit)?;
    Ok(Json(channels::list(&app, &within.organization, &filter, page).await?.into()))
}

async fn get_channel(
    within: Within<MayLink>,
    State(app): State<App>,
    Path(path): Path<ChannelPath>,
) -> Result<Json<Channel>, Problem> {
    let channel = channels::get(&app, &within.organization, path.id).await;
    Ok(Json(channel.map_err(|failure| failure.or_not_found(types::CHANNEL_NOT_FOUND))?))
}

async fn add_channel(
    within: Within<MayLink>,
    State(app): State<App>,
    Json(request): Json<NewChannel>,
) -> Result<Created<Channel>, Problem> {
    let (installation, conversation) = (request.installation, &request.conversation);
    let channel = channels::add(&app, &within.organization, installation, conversation, &within.actor).await?;
    Ok(Answered(channel))
}

async fn change_channel(
    within: Within<MayLink>,
    State(app): State<App>,
    Path(path): Path<ChannelPath>,
    Json(request): Json<ChangedChannel>,
) -> Result<Json<Channel>, Problem> {
    if request.is_default == Some(false) {
        let detail = "only `true` can be said: make another channel the default instead";
        return Err(Problem::new(types::INVALID_BODY).pointer("/is_default").detail(detail));
    }
    let (organization, actor) = (&within.organization, &within.actor);
    let channel = match (request.is_default, request.storm_guard) {
        (None, None) => {
            return Err(Problem::new(types::INVALID_BODY).detail("say what to change: `is_default` or `storm_guard`"));
        }
        (_, Some(on)) => channels::guard(&app, organization, path.id, on, actor).await,
        (_, None) => Ok(()),
    };
    let channel = match (channel, request.is_default) {
        (Err(failure), _) => Err(failure),
        (Ok(()), Some(_)) => channels::make_default(&app, organization, path.id, actor).await,
        (Ok(()), None) => channels::get(&app, organization, path.id).await,
    };
    Ok(Json(channel.map_err(|failure| failure.or_not_found(types::CHANNEL_NOT_FOUND))?))
}

async fn remove_channel(
    within: Within<MayLink>,
    State(app): State<App>,
    Path(path): Path<ChannelPath>,
) -> Result<NoContent, Problem> {
    let was_connected = channels::remove(&app, &within.organization, path.id, &within.actor).await?;
    if was_connected { Ok(NoContent) } else { Err(types::CHANNEL_NOT_FOUND.into()) }
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    api.route(
        Operation::post("/v1/organizations/{org}/verification-codes", "createVerificationCode", "Make a code that links a person or a channel")
            .tag("Linking")
            .about("The same for every backend: show `steps` (or `deep_link`) to the person. A new code for the same user and installation revokes the old one.")
            .problems(&[types::BACKEND_LACKS_PART, types::INSTALLATION_AMBIGUOUS, types::INSTALLATION_NOT_FOUND, types::INSTALLATION_NOT_ACTIVE, types::BACKEND_NOT_FOUND, types::PUBLIC_URL_MISSING, types::SETUP_REFUSED, types::TOO_MANY_REQUESTS]),
        issue,
    )
    .route(
        Operation::get("/v1/organizations/{org}/accounts", "listAccounts", "List linked accounts")
            .tag("Linking")
            .about("In the order of their last change. With `updated_after`, links that are gone are among them, so that a local copy can follow."),
        list_accounts,
    )
    .route(
        Operation::delete("/v1/organizations/{org}/accounts/{id}", "unlinkAccount", "Unlink an account")
            .tag("Linking")
            .problems(&[types::ACCOUNT_NOT_FOUND]),
        unlink,
    )
    .route(
        Operation::delete("/v1/organizations/{org}/users/{user}", "unlinkUser", "Unlink all accounts of a user").tag("Linking"),
        unlink_user,
    )
    .route(
        Operation::get("/v1/organizations/{org}/channels", "listChannels", "List connected channels").tag("Linking"),
        list_channels,
    )
    .route(
        Operation::get("/v1/organizations/{org}/channels/{id}", "getChannel", "Read a channel")
            .tag("Linking")
            .problems(&[types::CHANNEL_NOT_FOUND]),
        get_channel,
    )
    .route(
        Operation::post("/v1/organizations/{org}/channels", "addChannel", "Connect a conversation whose address is known")
            .tag("Linking")
            .problems(&[types::INSTALLATION_NOT_FOUND, types::BACKEND_NOT_FOUND, types::INSTALLATION_NOT_ACTIVE, types::SETUP_REFUSED]),
        add_channel,
    )
    .route(
        Operation::patch("/v1/organizations/{org}/channels/{id}", "changeChannel", "Make a channel the default, or guard it against storms")
            .tag("Linking")
            .problems(&[types::CHANNEL_NOT_FOUND]),
        change_channel,
    )
    .route(
        Operation::delete("/v1/organizations/{org}/channels/{id}", "removeChannel", "Disconnect a channel")
            .tag("Linking")
            .problems(&[types::CHANNEL_NOT_FOUND]),
        remove_channel,
    )
}
