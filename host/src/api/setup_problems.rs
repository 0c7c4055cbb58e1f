//! From failures of setup to problems: one row for each.

use chatport_sdk::failure::Cause;

use super::{
    page::{Cursor, Page, PageLimit},
    problem::{Problem, ProblemType},
    problem_types as types,
};
use crate::setup::{SetupFailure, page};

impl From<SetupFailure> for Problem {
    fn from(failure: SetupFailure) -> Self {
        let detail = failure.to_string();
        let problem = |kind: ProblemType| Self::new(kind).detail(detail.clone());
        match &failure {
            SetupFailure::BackendUnknown { .. } | SetupFailure::BackendNotLinked { .. } => {
                problem(types::BACKEND_NOT_FOUND)
            }
            SetupFailure::NotFound => problem(types::INSTALLATION_NOT_FOUND),
            SetupFailure::NoInstall { .. }
            | SetupFailure::CodesNotOffered { .. }
            | SetupFailure::LoopbackOnly { .. } => problem(types::BACKEND_LACKS_PART),
            SetupFailure::Field { name, .. } => problem(types::SETUP_REFUSED).with("field", name.as_str()),
            SetupFailure::Platform(failure) => platform(failure),
            SetupFailure::WrongStage(_) => problem(types::SETUP_NOT_EXPECTED),
            SetupFailure::NeedsPublicUrl(_) => problem(types::PUBLIC_URL_MISSING),
            SetupFailure::OtherIdentity { .. } => problem(types::CONFLICT),
            SetupFailure::Several { installations } => {
                let ids: Vec<String> = installations.iter().map(ToString::to_string).collect();
                problem(types::INSTALLATION_AMBIGUOUS).with("installations", ids)
            }
            SetupFailure::TooManyCodes { retry_after } => problem(types::TOO_MANY_REQUESTS).retry_after(*retry_after),
            SetupFailure::BackendPanicked { .. } | SetupFailure::Token(_) => Self::internal(detail),
            SetupFailure::TimedOut { .. } => problem(types::PLATFORM_UNREACHABLE),
            SetupFailure::Store(_) => Self::new(types::UNAVAILABLE).because(detail),
        }
    }
}

fn platform(failure: &chatport_sdk::failure::Failure) -> Problem {
    let kind = match failure.cause {
        Cause::Unreachable | Cause::NoAnswer | Cause::Unavailable | Cause::RateLimited | Cause::RedirectRefused => {
            types::PLATFORM_UNREACHABLE
        }
        _ => types::SETUP_REFUSED,
    };
    let problem = Problem::new(kind).detail(failure.detail.clone()).with("cause", serde_json::json!(failure.cause));
    match failure.retry_after {
        Some(wait) => problem.retry_after(wait),
        None => problem,
    }
}

impl SetupFailure {
    /// As a problem; where something isn't there, of this kind.
    pub(super) fn or_not_found(self, kind: ProblemType) -> Problem {
        match self {
            Self::NotFound => kind.into(),
            other => other.into(),
        }
    }
}

/// The page that a listing asks for.
pub(super) fn page_of(cursor: Option<&Cursor>, limit: PageLimit) -> Result<page::Page, Problem> {
    let after = match cursor {
        Some(cursor) => Some(page::Cursor::decode(cursor.as_str()).ok_or(types::INVALID_CURSOR)?),
        None => None,
    };
    Ok(page::Page { after, limit: limit.get() as u64 })
}

impl<T> From<page::Paged<T>> for Page<T> {
    fn from(paged: page::Paged<T>) -> Self {
        Self { items: paged.items, next: paged.next.map(|cursor| Cursor::new(cursor.encode())) }
    }
}
