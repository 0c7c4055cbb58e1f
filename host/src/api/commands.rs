//! Commands: what people can type to the application, declared for each installation.

use axum::extract::State;
use chatport_sdk::commands::{self as contract, DeclaredCommand};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    callers::{MayReadSetup, MaySetUp, Within},
    extract::{Json, Path},
    operation::Operation,
    problem::Problem,
    problem_types as types,
    routes::Api,
};
use crate::{
    app::App,
    ids::InstallationId,
    setup::commands::{self, CommandSet},
};

#[derive(Debug, Deserialize, JsonSchema)]
struct CommandsPath {
    #[expect(dead_code, reason = "read by the policy")]
    org: String,
    /// The installation's id.
    id: InstallationId,
}

/// The commands that people can use from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Declaration {
    /// At most 50, each name once; an empty list takes all away.
    commands: Vec<DeclaredCommand>,
}

async fn get(
    within: Within<MayReadSetup>,
    State(app): State<App>,
    Path(path): Path<CommandsPath>,
) -> Result<Json<CommandSet>, Problem> {
    Ok(Json(commands::get(&app, &within.organization, path.id).await?))
}

async fn declare(
    within: Within<MaySetUp>,
    State(app): State<App>,
    Path(path): Path<CommandsPath>,
    Json(declaration): Json<Declaration>,
) -> Result<Json<CommandSet>, Problem> {
    contract::check(&declaration.commands).map_err(|error| {
        Problem::new(types::INVALID_BODY).pointer(format!("/commands{}", error.pointer)).detail(error.detail)
    })?;
    let declared = commands::declare(&app, &within.organization, path.id, declaration.commands, &within.actor).await?;
    Ok(Json(declared))
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    let problems = [types::INSTALLATION_NOT_FOUND, types::BACKEND_NOT_FOUND, types::BACKEND_LACKS_PART];
    api.route(
        Operation::get("/v1/organizations/{org}/installations/{id}/commands", "getCommands", "Read the declared commands, and whether the platform offers them")
            .tag("Installations")
            .problems(&problems),
        get,
    )
    .route(
        Operation::put("/v1/organizations/{org}/installations/{id}/commands", "declareCommands", "Declare the commands that people can use")
            .tag("Installations")
            .about("They replace those that were declared before. The platform gets to know them as soon as the installation is active; the same list once more changes nothing, but is tried at once where something failed or is missing. A use is the event `command.invoked`, which can be answered at once.")
            .problems(&problems)
            .problems(&[types::SETUP_REFUSED, types::PUBLIC_URL_MISSING]),
        declare,
    )
}
