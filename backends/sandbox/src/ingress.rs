//! The JSON API through which people use a world, and the page on top of it. Whoever knows
//! the slot may act as anybody: a sandbox is make-believe, and reached on loopback only. The
//! API's answers are laid out for a terminal; errors say what would have been right.

use chatport_sdk::prelude::*;
use http::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    SandboxBackend, events,
    faults::{Fault, MAX_FAULTS},
    file::FileError,
    page, view,
    world::Refusal,
};

/// What there is: method, path and what it does, as `GET /` tells it.
const WAYS: [(&str, &str, &str); 9] = [
    ("GET", "/", "this list; in a browser, a page to read, write and press on"),
    ("GET", "/world", "the people, the conversations and the bot"),
    ("GET", "/conversations/{id}/posts", "what stands in a conversation; ?as=ada: with the notices that Ada sees"),
    (
        "POST",
        "/conversations/{id}/messages",
        r#"write: {"as": "ada", "text": "…", "reply_to"?: "p1", "id"?: "h1"}; an "id" of before sends that event again. In the direct conversation (dm-ada): link CODE, unlink, help. In a channel: link CODE"#,
    ),
    ("POST", "/posts/{id}/press", r#"press a button: {"as": "ada", "action": "…", "choice"?: "…", "id"?: "h1"}"#),
    ("GET", "/events", "wait until something changes (server-sent events); ask again with the header Last-Event-ID"),
    ("GET", "/faults", "what is to go wrong"),
    (
        "POST",
        "/faults",
        r#"let something go wrong: {"kind": "fail|stall|lose_answer|rate_limit|unauthorized|reject|gone", "times"?: 1, "retry_after_seconds"?: 30, "operation"?: "post|edit|delete"}"#,
    ),
    ("DELETE", "/faults", "let everything go well again"),
];

/// An answer that something is wrong with the request.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(skip)]
    pub(crate) status: StatusCode,
    pub(crate) error: String,
    pub(crate) hint: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: hint.into() }
    }

    /// The same for every slot that doesn't exist, whatever is asked of it.
    fn no_world() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "there is no such world",
            "the address of a sandbox is shown with its installation",
        )
    }

    fn nothing_here() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing here", "GET / shows what there is")
    }

    fn into_response(self) -> Response {
        pretty(self.status, &self)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, hint) = match &refusal {
            Refusal::NoPerson(_) => (StatusCode::NOT_FOUND, "GET /world lists the people"),
            Refusal::NoPlace(_) => (StatusCode::NOT_FOUND, "GET /world lists the conversations"),
            Refusal::NotMember { .. } => (StatusCode::FORBIDDEN, "GET /world lists the members of each conversation"),
            Refusal::Archived(_) => (StatusCode::CONFLICT, "write in another conversation; GET /world lists them"),
            Refusal::NoPost(_) => (StatusCode::NOT_FOUND, "GET /conversations/{id}/posts lists the posts"),
            Refusal::Deleted(_) => (StatusCode::GONE, "GET /conversations/{id}/posts shows what is left"),
        };
        Self::new(status, refusal.to_string(), hint)
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            error.to_string(),
            "look at the `file` in the installation's settings",
        )
    }
}

/// JSON for people: indented, with a line's end.
pub(crate) fn pretty(status: StatusCode, value: &impl Serialize) -> Response {
    // What is shown is made of texts, numbers and lists: JSON holds all of it.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    Response::new(status, "application/json", text)
}

/// Read a body; anything that isn't an object of its shape is the sender's mistake.
pub(crate) fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    let refused = |error: String| {
        let error = format!("the body can't be used: {error}");
        Problem::new(StatusCode::BAD_REQUEST, error, "GET / shows what it looks like")
    };
    let body: Value = serde_json::from_slice(&request.body).map_err(|error| refused(error.to_string()))?;
    if !body.is_object() {
        return Err(refused("it isn't an object".into()));
    }
    serde_json::from_value(body).map_err(|error| refused(error.to_string()))
}

/// Check the id that a sender gives an event.
pub(crate) fn check_id(id: Option<&str>) -> Result<(), Problem> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match id {
        Some(id) if !(1..=64).contains(&id.len()) || !id.bytes().all(allowed) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "this `id` can't be used",
            "1 to 64 of A-Z, a-z, 0-9 and -_. or leave it out",
        )),
        _ => Ok(()),
    }
}

/// Who is looking, if the query says so.
fn reader(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|pair| pair.strip_prefix("as="))
}

impl SandboxBackend {
    async fn route(&self, site: &Site, request: &Request) -> Result<Received, Problem> {
        let path: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let response = match (request.method.clone(), path.as_slice()) {
            (Method::GET, []) if page::is_wanted(request) => page::index(site),
            (Method::GET, []) => page::by_accept(view::ways(&WAYS)),
            (Method::GET, ["page", name]) => page::file(name).ok_or_else(Problem::nothing_here)?,
            (Method::GET, ["events"]) => self.events(site, events::last_id(request)).await?,
            (Method::GET, ["world"]) => self.worlds.read(site, view::world)?,
            (Method::GET, ["conversations", id, "posts"]) => {
                let reader = reader(request.query.as_deref());
                self.worlds.read(site, |world| view::conversation(world, id, reader))??
            }
            (Method::POST, ["conversations", id, "messages"]) => return self.hear_message(site, id, request),
            (Method::POST, ["posts", id, "press"]) => return self.hear_press(site, id, request),
            (Method::GET, ["faults"]) => self.worlds.faults(site, |faults| view::faults(&faults.0))?,
            (Method::POST, ["faults"]) => self.add_fault(site, read(request)?)?,
            (Method::DELETE, ["faults"]) => self.worlds.change_faults(site, |faults| {
                faults.0.clear();
                view::faults(&faults.0)
            })?,
            (
                _,
                []
                | ["world" | "faults" | "events"]
                | ["page", _]
                | ["conversations", _, "posts" | "messages"]
                | ["posts", _, "press"],
            ) => {
                let error = format!("{} isn't possible here", request.method);
                return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, error, "GET / shows what is"));
            }
            _ => return Err(Problem::nothing_here()),
        };
        Ok(Received::Answer(response))
    }

    fn add_fault(&self, site: &Site, fault: Fault) -> Result<Response, Problem> {
        if fault.times == 0 {
            let hint = "a number from 1; DELETE /faults ends all faults";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "`times` is 0", hint));
        }
        self.worlds.change_faults(site, |faults| {
            if faults.0.len() >= MAX_FAULTS {
                let error = format!("{MAX_FAULTS} faults wait already");
                return Err(Problem::new(StatusCode::CONFLICT, error, "DELETE /faults ends all faults"));
            }
            faults.0.push(fault);
            Ok(view::faults(&faults.0))
        })?
    }
}

#[async_trait]
impl Ingress for SandboxBackend {
    async fn receive(&self, site: &Site, request: &Request) -> Received {
        if site.is_decoy() {
            return Received::Answer(Problem::no_world().into_response());
        }
        self.route(site, request).await.unwrap_or_else(|problem| Received::Answer(problem.into_response()))
    }

    async fn answer(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]) -> Response {
        let Some(happening) = happenings.first().filter(|_| !site.is_decoy()) else {
            return Problem::no_world().into_response();
        };
        // No outcome is no promise that it is on disk.
        let outcome = outcomes.first().unwrap_or(&Outcome::Unavailable);
        self.tell(site, happening, outcome).unwrap_or_else(Problem::into_response)
    }
}
