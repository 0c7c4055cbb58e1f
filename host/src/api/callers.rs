//! Who may use an operation. A policy is a type that the handler takes first; without one
//! the route doesn't compile. The database is reached only with what a policy gives.

use std::{marker::PhantomData, time::Duration};

use axum::extract::{FromRequestParts, RawPathParams};
use chatport_sdk::secret::Secret;
use futures_util::TryFutureExt;
use http::{header, request::Parts};
use sea_orm::EntityTrait;

use super::{
    problem::{Problem, ProblemType},
    problem_types as types,
    routes::{Policy, Security},
};
use crate::{
    access::{self, Caller},
    app::App,
    ids::OrganizationId,
    security::api_keys::Scope,
    server::RequestId,
    setup::audit::Actor,
    store::{entities::organizations, only},
};

/// A right that a key can have.
pub trait Right: Send + Sync + 'static {
    /// The scope that gives it.
    const SCOPE: Scope;
    /// The scope's name.
    const NAME: &'static str;
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $scope:ident $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Right for $name {
            const SCOPE: Scope = Scope::$scope;
            const NAME: &'static str = $text;
        }
    )*};
}

rights! {
    /// May send messages and read what became of them.
    MaySend = Send "send";
    /// May link and unlink people and channels.
    MayLink = Link "link";
    /// May read organizations and installations.
    MayReadSetup = InstallRead "install:read";
    /// May change organizations and installations.
    MaySetUp = InstallWrite "install:write";
    /// May try dead letters again.
    MayReplay = Replay "replay";
    /// May read who did what.
    MayReadAudit = AuditRead "audit:read";
    /// May manage keys and whatever concerns all organizations.
    MayManage = Keys "keys";
}

/// A caller with a right, for what isn't an organization's.
#[derive(Clone, Debug)]
pub struct Holder<R> {
    /// Who.
    pub caller: Caller,
    /// Who, for the audit.
    pub actor: Actor,
    /// The key as it was presented, for what lasts longer than a request: it may be revoked
    /// meanwhile.
    pub key: Secret,
    right: PhantomData<R>,
}

/// A caller with a right in the organization of the path. An organization that the key isn't
/// for looks like one that doesn't exist.
#[derive(Clone, Debug)]
pub struct Within<R> {
    /// The organization.
    pub organization: OrganizationId,
    /// Who.
    pub caller: Caller,
    /// Who, for the audit.
    pub actor: Actor,
    right: PhantomData<R>,
}

impl<R: Right> FromRequestParts<App> for Holder<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let presented = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(types::UNAUTHORIZED)?;
        let key = Secret::new(presented.trim());
        let caller = in_time(access::authenticate(app, key.expose()).map_err(unavailable), types::UNAVAILABLE).await?;
        let caller = caller.ok_or(types::UNAUTHORIZED)?;
        if !caller.scopes.allow(R::SCOPE) {
            return Err(Problem::new(types::FORBIDDEN).detail(format!("the scope `{}` is needed", R::NAME)));
        }
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.to_string());
        let actor = Actor::new(format!("key:{}", caller.key), request_id);
        Ok(Self { caller, actor, key, right: PhantomData })
    }
}

impl<R: Right> Policy for Holder<R> {
    const SECURITY: Security = Security::ApiKey(R::NAME);
    const PROBLEMS: &'static [ProblemType] = &[types::UNAUTHORIZED, types::FORBIDDEN, types::UNAVAILABLE];
}

impl<R: Right> FromRequestParts<App> for Within<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Holder { caller, actor, right, .. } = Holder::<R>::from_request_parts(parts, app).await?;
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(Problem::internal)?;
        let named = params.iter().find(|(name, _)| *name == "org").map(|(_, value)| value.to_owned());
        let named = named.ok_or_else(|| Problem::internal("the route has no {org}"))?;
        let missing = || Problem::new(types::ORGANIZATION_NOT_FOUND);
        let organization = OrganizationId::parse(&named).ok_or_else(missing)?;
        if caller.organization.as_ref().is_some_and(|own| *own != organization) {
            return Err(missing());
        }
        if !in_time(exists(app, &organization).map_err(unavailable), types::UNAVAILABLE).await? {
            return Err(missing());
        }
        Ok(Self { organization, caller, actor, right })
    }
}

impl<R: Right> Policy for Within<R> {
    const SECURITY: Security = Security::ApiKey(R::NAME);
    const PROBLEMS: &'static [ProblemType] =
        &[types::UNAUTHORIZED, types::FORBIDDEN, types::ORGANIZATION_NOT_FOUND, types::UNAVAILABLE];
}

/// Whether there is such an organization.
async fn exists(app: &App, organization: &OrganizationId) -> Result<bool, sea_orm::DbErr> {
    let (cache, id) = (app.database.cache(), organization.as_str());
    let read = async || {
        let row = only(organizations::Entity::find_by_id(id), app.database.read()).await?;
        Ok::<_, sea_orm::DbErr>(row.map(|_| ()))
    };
    Ok(cache.find(&cache.known.organizations, id, id.to_owned(), read).await?.is_some())
}

/// How long a request waits for what the database alone has to do.
const ANSWER: Duration = Duration::from_secs(3);

/// Do this, unless the database stays silent: then the caller learns it while it can still do
/// something else. `silent`: what it learns.
///
/// # Errors
/// What was to be done failed, or took too long.
pub async fn in_time<T>(work: impl Future<Output = Result<T, Problem>>, silent: ProblemType) -> Result<T, Problem> {
    tokio::time::timeout(ANSWER, work).await.unwrap_or_else(|_elapsed| {
        let cause = format!("the database didn't answer within {ANSWER:?}");
        Err(Problem::new(silent).because(cause).retry_after(Duration::from_secs(1)))
    })
}

/// The database can't be reached or refuses.
pub fn unavailable(error: impl std::fmt::Display) -> Problem {
    Problem::new(types::UNAVAILABLE).because(error.to_string()).retry_after(Duration::from_secs(1))
}
