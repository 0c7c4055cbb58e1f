//! A world that has been asked to misbehave, as the host sees it.

mod chat;

use std::time::Duration;

use chat::{Chat, alert, outgoing, soon};
use chatport_sdk::{failure::Class, prelude::*};
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn refusals_name_their_cause_and_do_nothing() {
    let cases = [
        ("fail", Cause::Unavailable),
        ("rate_limit", Cause::RateLimited),
        ("unauthorized", Cause::Unauthorized),
        ("reject", Cause::ContentRejected),
        ("gone", Cause::ChannelNotFound),
    ];
    for (kind, cause) in cases {
        let chat = Chat::new();
        chat.fault(json!({ "kind": kind })).await;
        assert_eq!(chat.post(&alert("c1")).await.unwrap_err().cause, cause, "{kind}");
        assert!(chat.posts("incidents").await.is_empty(), "{kind}");
        chat.post(&alert("c1")).await.expect("the fault was for once");
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait() {
    let chat = Chat::new();
    chat.fault(json!({ "kind": "rate_limit", "retry_after_seconds": 30 })).await;
    let failure = chat.post(&alert("c1")).await.unwrap_err();
    assert_eq!(failure.retry_after, Some(Duration::from_secs(30)));
}

#[tokio::test]
async fn a_stalled_post_is_not_done_when_the_host_stops_waiting() {
    let chat = Chat::new();
    chat.fault(json!({ "kind": "stall" })).await;
    assert_eq!(soon(chat.post(&alert("c1"))).await, None);
    assert!(chat.posts("incidents").await.is_empty());
    assert_eq!(chat.find(&alert("c1")).await, Found::Absent);
}

#[tokio::test]
async fn a_post_whose_answer_got_lost_is_found_by_its_copy_and_part() {
    let chat = Chat::new();
    chat.fault(json!({ "kind": "lose_answer" })).await;
    let failure = chat.post(&alert("c1")).await.unwrap_err();
    assert_eq!(failure.cause.class(), Class::Unknown);
    assert!(matches!(chat.find(&alert("c1")).await, Found::Posted(receipt) if receipt.id == "p1"));
    assert_eq!(chat.find(&alert("c2")).await, Found::Absent);
    let mut second_part = alert("c1");
    second_part.number = 1;
    assert_eq!(chat.find(&second_part).await, Found::Absent);
}

#[tokio::test]
async fn an_edit_and_a_deletion_whose_answers_got_lost_are_done() {
    let chat = Chat::new();
    let receipt = chat.post(&alert("c1")).await.unwrap();
    chat.fault(json!({ "kind": "lose_answer", "times": 2 })).await;
    let newer = outgoing("incidents", "c1", json!({ "title": "Resolved" }));
    assert_eq!(chat.edit(&newer, &receipt).await.unwrap_err().cause, Cause::NoAnswer);
    assert_eq!(chat.posts("incidents").await[0]["title"], "Resolved");
    assert_eq!(chat.delete(&newer, &receipt).await.unwrap_err().cause, Cause::NoAnswer);
    assert!(chat.posts("incidents").await[0]["deleted_at"].is_string());
}

#[tokio::test]
async fn an_edit_of_a_post_that_is_gone_says_so_and_it_is() {
    let chat = Chat::new();
    let receipt = chat.post(&alert("c1")).await.unwrap();
    chat.fault(json!({ "kind": "gone", "operation": "edit" })).await;
    assert_eq!(chat.edit(&alert("c1"), &receipt).await, Ok(Edited::Gone));
    assert_eq!(chat.edit(&alert("c1"), &receipt).await, Ok(Edited::Gone));
}

#[tokio::test]
async fn a_fault_for_one_operation_leaves_the_others_alone() {
    let chat = Chat::new();
    chat.fault(json!({ "kind": "fail", "operation": "edit", "times": 2 })).await;
    let receipt = chat.post(&alert("c1")).await.expect("posting is not affected");
    for _ in 0..2 {
        assert_eq!(chat.edit(&alert("c1"), &receipt).await.unwrap_err().cause, Cause::Unavailable);
    }
    chat.edit(&alert("c1"), &receipt).await.expect("twice is over");
}

#[tokio::test]
async fn faults_can_be_taken_back() {
    let chat = Chat::new();
    chat.fault(json!({ "kind": "reject", "times": 100 })).await;
    assert_eq!(chat.get("/faults").await["faults"][0]["kind"], "reject");
    chat.call(Method::DELETE, "/faults", Value::Null).await;
    chat.post(&alert("c1")).await.expect("all is well again");
}

#[tokio::test]
async fn a_probe_tells_that_the_credential_is_refused() {
    let chat = Chat::new();
    chat.fault(json!({ "kind": "unauthorized" })).await;
    let health = chat.backend.install().unwrap().probe(&chat.site).await;
    assert!(!health.can_post && health.cure.is_some());
    assert_eq!(chat.post(&alert("c1")).await.unwrap_err().scope, Scope::Installation);
}

#[tokio::test]
async fn a_fault_that_does_not_exist_is_refused() {
    let chat = Chat::new();
    for body in [json!({ "kind": "explode" }), json!({ "kind": "fail", "times": 0 }), json!({ "kind": "fail", "x": 1 })]
    {
        assert_eq!(chat.call(Method::POST, "/faults", body).await.0, 400);
    }
}
