//! The page for people: who gets it, what it may do, and how it hears of changes.

mod chat;

use std::time::Duration;

use chat::{Chat, alert, site_with};
use chatport_sandbox::SandboxBackend;
use chatport_sdk::prelude::*;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
/// What a host allows for a call.
const CALL_LIMIT: Duration = Duration::from_secs(10);

async fn ask(backend: &SandboxBackend, site: &Site, path: &str, headers: &[(&str, &str)]) -> Response {
    let header = |(name, value): &(&str, &str)| -> (HeaderName, HeaderValue) {
        (name.parse().expect("a name"), value.parse().expect("a value"))
    };
    let headers: HeaderMap = headers.iter().map(header).collect();
    let request = Request { method: Method::GET, path: path.into(), query: None, headers, body: Bytes::new() };
    match backend.ingress().expect("it has an ingress").receive(site, &request).await {
        Received::Answer(response) => response,
        other => panic!("{path} should be answered at once, not {other:?}"),
    }
}

async fn get(chat: &Chat, path: &str, headers: &[(&str, &str)]) -> Response {
    ask(&chat.backend, &chat.site, path, headers).await
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).expect("text")
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// The files that a text refers to in the folder `page`.
fn files_in(text: &str) -> Vec<String> {
    let quoted = text.split(['"', '\'']);
    let file = |word: &str| word.strip_prefix("/in/sandbox/slot").or(word.strip_prefix('.')).map(str::to_owned);
    quoted.filter_map(file).map(|path| path.replace("/page/", "/")).map(|name| format!("/page{name}")).collect()
}

#[tokio::test]
async fn a_browser_gets_the_page_and_a_program_the_list() {
    let chat = Chat::new();
    let page = get(&chat, "/", &[BROWSER]).await;
    assert_eq!((page.status.as_u16(), page.content_type), (200, "text/html; charset=utf-8"));
    for accept in [&[][..], &[("accept", "*/*")], &[("accept", "application/json")]] {
        let list = get(&chat, "/", accept).await;
        assert_eq!(list.content_type, "application/json");
        assert_eq!(header(&list, "vary"), Some("accept"));
    }
    assert_eq!(header(&page, "vary"), Some("accept"));
}

#[tokio::test]
async fn the_page_and_its_files_run_under_a_strict_policy() {
    let chat = Chat::new();
    let page = get(&chat, "/", &[BROWSER]).await;
    let mut waiting = files_in(text(&page));
    let mut answers = vec![page];
    let mut seen = Vec::new();
    while let Some(path) = waiting.pop() {
        if !seen.contains(&path) {
            let file = get(&chat, &path, &[]).await;
            assert_eq!(file.status.as_u16(), 200, "{path}");
            if file.content_type.starts_with("text/javascript") {
                waiting.extend(files_in(text(&file)).into_iter().filter(|path| path.ends_with(".js")));
            }
            answers.push(file);
            seen.push(path);
        }
    }
    assert!(seen.len() >= 4, "the page refers to {seen:?}");
    for answer in &answers {
        let policy = header(answer, "content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(header(answer, "x-content-type-options"), Some("nosniff"));
        assert_eq!(header(answer, "referrer-policy"), Some("no-referrer"));
    }
}

#[tokio::test]
async fn no_text_becomes_markup() {
    let chat = Chat::new();
    for file in ["dom.js", "faults.js", "live.js", "markdown.js", "page.js", "posts.js"] {
        let script = get(&chat, &format!("/page/{file}"), &[]).await;
        for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("] {
            assert!(!text(&script).contains(way), "{file} uses {way}");
        }
    }
}

#[tokio::test]
async fn a_slot_that_does_not_exist_has_no_page_no_files_and_no_events() {
    let backend = SandboxBackend::default();
    let site = site_with(|parts| parts.decoy = true);
    let plain = ask(&backend, &site, "/world", &[]).await;
    for path in ["/", "/page/page.js", "/page/icon.svg", "/page/nothing", "/events"] {
        for headers in [&[][..], &[BROWSER], &[("last-event-id", "1")]] {
            let answer =
                timeout(Duration::from_secs(1), ask(&backend, &site, path, headers)).await.expect("no waiting");
            assert_eq!((answer.status, answer.content_type), (plain.status, plain.content_type), "{path}");
            assert_eq!((&answer.headers, &answer.body), (&plain.headers, &plain.body), "{path}");
        }
    }
}

/// The `id` of an answer to `/events`, and whether it tells of a change.
fn event(response: &Response) -> (String, bool) {
    assert_eq!((response.status.as_u16(), response.content_type), (200, "text/event-stream"));
    let text = text(response);
    assert!(text.ends_with("\n\n") && text.contains("retry: "), "{text:?}");
    let id = text.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id");
    (id.to_owned(), text.contains("event: change\ndata: "))
}

#[tokio::test(start_paused = true)]
async fn a_new_reader_hears_at_once_and_one_who_has_seen_all_waits() {
    let chat = Chat::new();
    let begun = Instant::now();
    let (seen, told) = event(&get(&chat, "/events", &[]).await);
    assert!(told && begun.elapsed() < Duration::from_millis(100));
    let (same, told) = event(&get(&chat, "/events", &[("last-event-id", &seen)]).await);
    assert_eq!((same, told), (seen, false));
    assert!(begun.elapsed() > Duration::from_secs(1) && begun.elapsed() < CALL_LIMIT, "{:?}", begun.elapsed());
    // What isn't an id of ours, nobody has seen.
    for odd in ["0", "", "x", "99999999999999999999"] {
        assert!(event(&get(&chat, "/events", &[("last-event-id", odd)]).await).1, "{odd:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_changes_is_heard_while_waiting_and_afterwards() {
    let chat = Chat::new();
    let post = alert("c1");
    let receipt = chat.post(&post).await.expect("posted");
    let mut newer = alert("c1");
    let mut payload = newer.part.payload.value();
    payload["title"] = json!("Disk empty");
    newer.part.payload = payload.into();
    for change in 0..5 {
        let (seen, _) = event(&get(&chat, "/events", &[]).await);
        let seen = [("last-event-id", seen.as_str())];
        let (heard, ()) = tokio::join!(get(&chat, "/events", &seen), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            match change {
                0 => drop(chat.edit(&newer, &receipt).await.expect("edited")),
                1 => chat.fault(json!({ "kind": "fail" })).await,
                2 => drop(chat.call(Method::DELETE, "/faults", Value::Null).await),
                3 => {
                    let message = json!({ "as": "ada", "text": "hello" });
                    drop(chat.call(Method::POST, "/conversations/general/messages", message).await);
                }
                _ => chat.delete(&post, &receipt).await.expect("deleted"),
            }
        });
        assert!(event(&heard).1, "change {change} is told to who waits");
        assert!(event(&get(&chat, "/events", &seen).await).1, "change {change} is told to who comes late");
    }
}

#[tokio::test(start_paused = true)]
async fn looking_is_no_change() {
    let chat = Chat::new();
    let (seen, _) = event(&get(&chat, "/events", &[]).await);
    for path in ["/world", "/faults", "/conversations/incidents/posts?as=ada"] {
        chat.get(path).await;
    }
    assert!(!event(&get(&chat, "/events", &[("last-event-id", &seen)]).await).1);
}
