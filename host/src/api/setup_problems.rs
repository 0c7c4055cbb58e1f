//! From failures of setup to problems: one row for each.

use std::time::Duration;

use chatport_sdk::failure::{Cause, Failure};
use serde_json::json;

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
            | SetupFailure::LacksPart { .. }
            | SetupFailure::CodesNotOffered { .. }
            | SetupFailure::LoopbackOnly { .. } => problem(types::BACKEND_LACKS_PART),
            SetupFailure::Field { name, .. } => problem(types::SETUP_REFUSED).with("field", name.as_str()),
            SetupFailure::Platform(failure) => platform(failure),
            SetupFailure::NotActive { installation, state } => problem(types::INSTALLATION_NOT_ACTIVE)
                .with("installation", installation.to_string())
                .with("state", state.as_str()),
            SetupFailure::WrongStage(_) => problem(types::SETUP_NOT_EXPECTED),
            SetupFailure::NeedsPublicUrl(_) => problem(types::PUBLIC_URL_MISSING),
            SetupFailure::OtherIdentity { .. } => problem(types::CONFLICT),
            SetupFailure::Several { installations } => {
                let ids: Vec<String> = installations.iter().map(ToString::to_string).collect();
                problem(types::INSTALLATION_AMBIGUOUS).with("installations", ids)
            }
            SetupFailure::TooManyCodes { retry_after } | SetupFailure::TooManyQuestions { retry_after } => {
                problem(types::TOO_MANY_REQUESTS).retry_after(*retry_after)
            }
            SetupFailure::BackendPanicked { .. } | SetupFailure::Token(_) => Self::internal(detail),
            SetupFailure::TimedOut { .. } => unreachable(detail),
            SetupFailure::Store(_) => Self::new(types::UNAVAILABLE).because(detail).retry_after(Duration::from_secs(1)),
        }
    }
}

fn platform(failure: &Failure) -> Problem {
    let because = failure.to_string();
    let problem = match failure.cause {
        Cause::Unreachable | Cause::NoAnswer | Cause::Unavailable | Cause::RedirectRefused => unreachable(because),
        Cause::RateLimited => {
            Problem::new(types::PLATFORM_UNREACHABLE).detail("the platform asks to slow down").because(because)
        }
        Cause::AwaitingCredential => {
            Problem::new(types::PLATFORM_UNREACHABLE).detail("a fresh credential has been asked for").because(because)
        }
        cause => Problem::new(types::SETUP_REFUSED).detail(failure.detail.clone()).with("cause", json!(cause)),
    };
    match failure.retry_after {
        Some(wait) => problem.retry_after(wait),
        None => problem,
    }
}

/// One text for all: whether an address exists, refuses, or speaks something else is not
/// for those who may type addresses. The log has the reason.
fn unreachable(because: String) -> Problem {
    let detail = "the address can't be reached or doesn't answer as expected; the operator finds the reason in the \
                  log by the request's id";
    Problem::new(types::PLATFORM_UNREACHABLE).detail(detail).because(because)
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

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;
    use crate::api::problem;

    #[test]
    fn what_is_at_an_address_that_does_not_answer_stands_in_the_log_alone() {
        let told = |cause, detail: &str| {
            let response = Problem::from(SetupFailure::Platform(Failure::new(cause, detail))).into_response();
            let logged = response.extensions().get::<problem::Cause>().expect("for the log").0.to_string();
            assert!(logged.contains(detail), "{logged}");
            response.extensions().get::<Problem>().expect("kept").to_json(None)
        };
        let refused = told(Cause::Unreachable, "no connection to chat.corp: connection refused");
        assert_eq!(refused["type"], "/problems/platform-unreachable");
        for (cause, detail) in [
            (Cause::Unreachable, "no address is known for chat.corp"),
            (Cause::Unreachable, "no secure connection: an unknown issuer"),
            (Cause::NoAnswer, "no answer within 10000 ms"),
            (Cause::RedirectRefused, "moved to http://10.0.0.1/"),
        ] {
            assert_eq!(told(cause, detail), refused, "{detail}");
        }
    }

    #[test]
    fn the_line_that_would_allow_an_address_is_told() {
        let line = "10.1.2.3 is a private address: to allow it, configure allow_networks";
        let problem = Problem::from(SetupFailure::Platform(Failure::new(Cause::AddressRefused, line))).to_json(None);
        assert_eq!((&problem["type"], &problem["detail"]), (&json!("/problems/setup-refused"), &json!(line)));
    }
}
