//! A library with readers' cards stands for the host's API.

use axum::{body::Body, extract::State};
use chatport_sdk::time::Timestamp;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower::ServiceExt;

use super::*;
use crate::api::{
    answer::{Accepted, Either, NoContent},
    extract::{Json, Path, Query},
    openapi_faults::faults,
    page::{Cursor, Page, PageLimit},
};

#[derive(Clone)]
struct Library {
    card: &'static str,
}

struct Borrower;

impl Policy for Borrower {
    const SECURITY: Security = Security::ApiKey("borrow");
    const PROBLEMS: &'static [ProblemType] = &[types::UNAUTHORIZED];
}

impl FromRequestParts<Library> for Borrower {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, library: &Library) -> Result<Self, Problem> {
        let card = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if card == Some(library.card) { Ok(Self) } else { Err(types::UNAUTHORIZED.into()) }
    }
}

#[derive(Deserialize, JsonSchema)]
struct OnShelf {
    /// The book's number.
    book: u32,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Search {
    /// Only books by this author.
    author: Option<String>,
    #[serde(default)]
    limit: PageLimit,
    cursor: Option<Cursor>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Book {
    title: String,
    #[serde(default)]
    authors: Vec<Author>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Author {
    name: String,
    born: Option<Timestamp>,
}

#[derive(Serialize, JsonSchema)]
struct Loan {
    book: Book,
    until: Timestamp,
}

#[derive(Serialize, JsonSchema)]
struct Told {
    r#type: &'static str,
    data: Loan,
}

fn book() -> Book {
    Book { title: "T".into(), authors: Vec::new() }
}

async fn search(_: Borrower, Query(_search): Query<Search>) -> Result<Json<Page<Book>>, Problem> {
    Ok(Json(Page { items: vec![book()], next: None }))
}

async fn shelve(
    _: Borrower,
    State(_library): State<Library>,
    Path(OnShelf { book: number }): Path<OnShelf>,
    Json(book): Json<Book>,
) -> Result<Either<Accepted<Loan>, NoContent>, Problem> {
    match number {
        0 => Ok(Either::Other(NoContent)),
        13 => Err(types::CONFLICT.into()),
        _ => Ok(Either::One(crate::api::answer::Answered(Loan { book, until: Timestamp::EPOCH }))),
    }
}

async fn opening_hours(_: Public) -> Response {
    "always".into_response()
}

async fn letters(_: PlatformIngress, request: Request) -> Response {
    request.uri().path().to_owned().into_response()
}

fn api() -> Api<Library> {
    Api::new(About::new("Library", "1.0", "Books."))
        .tag("Books", "What stands on the shelves.")
        .tag("House", "The rest.")
        .parameter("rest", "Anything.")
        .route(Operation::get("/books", "listBooks", "List books").tag("Books"), search)
        .route(
            Operation::put("/books/{book}", "putBook", "Put a book on the shelf")
                .tag("Books")
                .about("A book that is there is replaced.")
                .says(202, "Somebody will carry it.")
                .problems(&[types::CONFLICT]),
            shelve,
        )
        .route(
            Operation::get("/hours", "getHours", "Get the opening hours").tag("House").medium(
                200,
                "text/plain",
                "The hours.",
            ),
            opening_hours,
        )
        .route(
            Operation::any("/in/{*rest}", "takeLetter", "Take a letter").tag("House").medium(200, "", "Taken."),
            letters,
        )
        .event::<Told>("book.lent", "Somebody has borrowed a book")
}

fn description() -> Value {
    api().finish().1.describe()
}

struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

async fn ask(method: &str, path: &str, card: &str, body: Value) -> Answered {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, card)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request");
    let router = api().finish().0.with_state(Library { card: "card" });
    let response = router.oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Answered { status: parts.status, headers: parts.headers, body: String::from_utf8(body.into()).expect("text") }
}

async fn get_it(path: &str) -> Answered {
    ask("GET", path, "", Value::Null).await
}

#[test]
fn the_description_has_no_faults() {
    assert_eq!(faults(&description()), Vec::<String>::new());
}

#[test]
fn faults_are_found() {
    let mut broken = description();
    broken["paths"]["/books"]["get"]["operationId"] = "putBook".into();
    broken["paths"]["/books/{book}"]["put"]["parameters"] = json!([]);
    broken["paths"]["/hours"]["get"]["responses"] = json!({});
    broken["components"]["schemas"]["AuthorInput"]["additionalProperties"] = true.into();
    broken["components"]["schemas"].as_object_mut().expect("an object").remove("Loan");
    let found = faults(&broken).join("\n");
    for part in
        ["stands twice", "the description {}", "no answer is described", "takes unknown fields", "Loan leads nowhere"]
    {
        assert!(found.contains(part), "{part} is missing from:\n{found}");
    }
}

#[test]
fn the_policy_stands_in_the_description() {
    let paths = &description()["paths"];
    assert_eq!(paths["/books"]["get"]["security"], json!([{ "apiKey": ["borrow"] }]));
    assert_eq!(paths["/hours"]["get"]["security"], json!([]));
    assert!(paths["/books"]["get"]["responses"]["401"].is_object());
    assert!(paths["/hours"]["get"]["responses"]["401"].is_null());
    // Nothing is promised that nobody gives.
    assert!(paths["/books"]["get"]["responses"]["403"].is_null());
    assert!(paths["/books"]["get"]["responses"]["429"].is_null());
}

#[test]
fn answers_and_problems_stand_in_the_description() {
    let put = &description()["paths"]["/books/{book}"]["put"];
    assert_eq!(put["responses"]["202"]["description"], "Somebody will carry it.");
    assert_eq!(put["responses"]["202"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Loan");
    assert!(put["responses"]["204"]["content"].is_null());
    let conflict = &put["responses"]["409"]["content"]["application/problem+json"];
    assert_eq!(conflict["schema"]["properties"]["type"]["enum"], json!(["/problems/conflict"]));
    for status in ["400", "401", "408", "413", "415", "422", "500", "503"] {
        assert!(put["responses"][status].is_object(), "{status} is missing");
    }
}

#[test]
fn parameters_come_from_the_types() {
    let paths = &description()["paths"];
    let book = &paths["/books/{book}"]["put"]["parameters"][0];
    assert_eq!(
        (&book["name"], &book["in"], &book["schema"]["format"]),
        (&json!("book"), &json!("path"), &json!("uint32"))
    );
    assert_eq!(book["description"], "The book's number.");
    let search = paths["/books"]["get"]["parameters"].as_array().expect("a list");
    let author = search.iter().find(|parameter| parameter["name"] == "author").expect("there");
    assert_eq!((&author["required"], &author["schema"]), (&json!(false), &json!({ "type": "string" })));
    assert_eq!(paths["/in/{rest}"]["post"]["parameters"][0]["name"], "rest");
}

#[test]
fn what_may_be_sent_and_what_is_answered_are_told_apart_where_they_differ() {
    let description = description();
    let sent = &description["paths"]["/books/{book}"]["put"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(sent["$ref"], "#/components/schemas/BookInput");
    let schemas = &description["components"]["schemas"];
    assert_eq!(schemas["BookInput"]["required"], json!(["title"]));
    assert_eq!(schemas["BookInput"]["properties"]["authors"]["items"]["$ref"], "#/components/schemas/AuthorInput");
    assert_eq!(schemas["Book"]["required"], json!(["title", "authors"]));
    assert_eq!(schemas["Loan"]["properties"]["book"]["$ref"], "#/components/schemas/Book");
}

#[test]
fn events_are_described_as_webhooks_with_a_schema_for_each_kind() {
    let description = description();
    let event = &description["webhooks"]["book.lent"]["post"];
    let schema = "#/components/schemas/BookLentEvent";
    assert_eq!(event["requestBody"]["content"]["application/json"]["schema"]["$ref"], schema);
    let schemas = &description["components"]["schemas"];
    assert_eq!(schemas["BookLentEvent"]["properties"]["type"]["const"], "book.lent");
    assert_eq!(schemas["BookLentEvent"]["properties"]["data"]["$ref"], "#/components/schemas/Loan");
    assert_eq!(schemas["AnyEvent"]["oneOf"], json!([{ "$ref": schema }]));
}

#[tokio::test]
async fn the_policy_refuses_before_the_body_is_looked_at() {
    let answer = ask("PUT", "/books/1", "stolen", json!("nonsense")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["type"], "/problems/unauthorized");
}

#[tokio::test]
async fn a_handler_answers_with_what_its_type_says() {
    let answer = ask("PUT", "/books/1", "card", json!({ "title": "T" })).await;
    assert_eq!((answer.status, &answer.json()["book"]["title"]), (StatusCode::ACCEPTED, &json!("T")));
    assert_eq!(ask("PUT", "/books/0", "card", json!({ "title": "T" })).await.status, 204);
    let conflict = ask("PUT", "/books/13", "card", json!({ "title": "T" })).await;
    assert_eq!((conflict.status, &conflict.json()["type"]), (StatusCode::CONFLICT, &json!("/problems/conflict")));
}

#[tokio::test]
async fn a_part_of_the_path_that_does_not_fit_is_a_problem() {
    let answer = ask("PUT", "/books/first", "card", json!({ "title": "T" })).await;
    assert_eq!(answer.json()["type"], "/problems/invalid-path");
    assert!(answer.json()["detail"].as_str().expect("a detail").contains("book"), "{}", answer.body);
}

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let answer = get_it("/bookz").await;
    assert_eq!((answer.status, &answer.json()["type"]), (StatusCode::NOT_FOUND, &json!("/problems/route-not-found")));
}

#[tokio::test]
async fn an_unknown_method_is_a_problem_that_names_the_known_ones() {
    let answer = ask("DELETE", "/books/1", "card", Value::Null).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.json()["type"], "/problems/method-not-allowed");
    assert_eq!(answer.headers[header::ALLOW], "PUT");
}

#[tokio::test]
async fn answers_are_not_stored_on_the_way() {
    assert_eq!(get_it("/hours").await.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn what_a_platform_calls_takes_every_method() {
    for method in ["GET", "POST", "PUT"] {
        assert_eq!(ask(method, "/in/a/b", "", Value::Null).await.body, "/in/a/b");
    }
}

#[tokio::test]
async fn the_description_is_served_and_known_copies_are_not_sent_again() {
    let answer = get_it("/openapi.json").await;
    assert_eq!(answer.json(), description());
    let router = api().finish().0.with_state(Library { card: "card" });
    let again = http::Request::get("/openapi.json")
        .header(header::IF_NONE_MATCH, &answer.headers[header::ETAG])
        .body(Body::empty())
        .expect("a request");
    assert_eq!(router.oneshot(again).await.expect("infallible").status(), 304);
}

#[tokio::test]
async fn the_documentation_page_needs_nothing_from_elsewhere() {
    let page = get_it("/docs").await;
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.body.contains("http://") && !page.body.contains("https://"));
    assert!(!page.body.contains("<style") && !page.body.contains("style=") && !page.body.contains("onclick"));
    for file in ["/docs/docs.js", "/docs/docs.css"] {
        assert!(page.body.contains(file.trim_start_matches('/')));
        assert_eq!(get_it(file).await.status, 200, "{file}");
    }
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_explanation() {
    let answer = get_it("/problems/backlog-full").await;
    assert_eq!(
        (answer.status, &answer.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &HeaderValue::from_static("../docs#problem-backlog-full"))
    );
    assert_eq!(get_it("/problems/none").await.status, 404);
}
