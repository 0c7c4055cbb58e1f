//! What each recorded error of the server means.

use std::time::Duration;

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, delivery},
    delivery::outgoing,
    server::{ALICE, CHANNEL, POST, answer, post},
    vectors::vector,
};

/// What is done when the error comes.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Posting,
    Editing,
    Deleting,
    Opening,
    AskingForUser,
}
use Doing::{AskingForUser, Deleting, Editing, Opening, Posting};

async fn outcome(doing: Doing, status: u16, headers: &[(&str, &str)], body: &str) -> Result<(), Failure> {
    let bench = Bench::with_bot();
    let error = vec![answer(status, headers, body.to_owned())];
    let site = bench.site();
    let (outgoing, receipt) = (outgoing(), Receipt::new(POST));
    match doing {
        Posting => {
            bench.server.script("POST /posts", error);
            delivery().post(&site, &outgoing).await.map(drop)
        }
        Editing => {
            bench.server.script(&format!("PUT /posts/{POST}/patch"), error);
            // The post is there and the bot is in its private channel.
            bench.server.on(&format!("GET /posts/{POST}"), 200, post(POST, ""));
            delivery().edit().expect("edit").edit(&site, &outgoing, &receipt).await.map(drop)
        }
        Deleting => {
            bench.server.script(&format!("DELETE /posts/{POST}"), error);
            delivery().delete().expect("delete").delete(&site, &outgoing.address, &receipt).await
        }
        Opening => {
            bench.server.script("POST /channels/direct", error);
            delivery().direct().expect("direct").direct(&site, &Account::new(ALICE)).await.map(drop)
        }
        AskingForUser => {
            bench.server.script(&format!("GET /users/{ALICE}"), error);
            delivery().direct().expect("direct").direct(&site, &Account::new(ALICE)).await.map(drop)
        }
    }
}

/// What an error means; `None` is success.
type Meaning = Option<(Cause, Scope)>;

/// Name in the recording, what was done, and what it means.
const EXPECTED: &[(&str, Doing, Meaning)] = &[
    ("body_too_large", Posting, Some((Cause::ContentRejected, Scope::Copy))),
    ("channel_not_found", Posting, Some((Cause::ChannelNotFound, Scope::Conversation))),
    ("create_post_archived_channel", Posting, Some((Cause::ChannelArchived, Scope::Conversation))),
    ("create_post_bad_root", Posting, Some((Cause::ReplyRootMissing, Scope::Copy))),
    ("create_post_bot_not_in_channel_or_unknown_channel", Posting, Some((Cause::BotNotInChannel, Scope::Conversation))),
    ("create_post_pending_duplicate_in_flight", Posting, Some((Cause::Unavailable, Scope::Copy))),
    ("create_post_restricted_dm_v11", Posting, Some((Cause::RecipientUnreachable, Scope::Conversation))),
    ("create_post_too_long", Posting, Some((Cause::ContentRejected, Scope::Copy))),
    ("create_post_unknown_channel_system_admin_token", Posting, Some((Cause::ChannelNotFound, Scope::Conversation))),
    ("create_token_from_oauth_session", AskingForUser, Some((Cause::PermissionDenied, Scope::Copy))),
    ("delete_post_unknown_or_deleted", Deleting, None),
    ("direct_channel_team_restricted", Opening, Some((Cause::RecipientUnreachable, Scope::Conversation))),
    ("invalid_body_param", Posting, Some((Cause::ContentRejected, Scope::Copy))),
    ("invalid_url_param", Editing, Some((Cause::ContentRejected, Scope::Copy))),
    ("patch_post_archived_channel", Editing, Some((Cause::ChannelArchived, Scope::Conversation))),
    ("proxy_502_html", Posting, Some((Cause::NoAnswer, Scope::Copy))),
    ("proxy_502_html", Editing, Some((Cause::Unavailable, Scope::Copy))),
    ("rate_limited", Posting, Some((Cause::RateLimited, Scope::Installation))),
    ("rate_limited", Deleting, Some((Cause::RateLimited, Scope::Installation))),
    ("server_busy", Posting, Some((Cause::Unavailable, Scope::Copy))),
    ("token_expired_or_revoked_or_bot_deactivated", Posting, Some((Cause::Unauthorized, Scope::Installation))),
    ("token_expired_or_revoked_or_bot_deactivated", Editing, Some((Cause::Unauthorized, Scope::Installation))),
    ("update_or_patch_post_deleted_or_unknown", Editing, Some((Cause::PermissionDenied, Scope::Copy))),
    ("update_post_app_level_deleted", Editing, None),
    ("update_post_archived_channel", Editing, Some((Cause::ChannelArchived, Scope::Conversation))),
    ("update_post_edit_time_limit", Editing, None),
    ("user_not_found", AskingForUser, Some((Cause::RecipientUnreachable, Scope::Conversation))),
];

fn recorded(case: &Value) -> (u16, Vec<(String, String)>, String) {
    let status = case["status"].as_u64().expect("a status");
    let headers = case["headers"].as_object().expect("headers").iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().expect("a value").to_owned())).collect();
    let body = case["body_text"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned);
    (u16::try_from(status).expect("a status"), headers, body)
}

#[tokio::test]
async fn every_recorded_error_has_its_cause_and_scope() {
    let cases = vector!("rest/errors");
    let cases = cases.as_object().expect("cases");
    for name in cases.keys() {
        assert!(EXPECTED.iter().any(|(expected, ..)| expected == name), "{name} has no expectation");
    }
    for (name, doing, expected) in EXPECTED {
        let (status, headers, body) = recorded(&cases[*name]);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let failure = outcome(*doing, status, &headers, &body).await.err();
        assert_eq!(failure.as_ref().map(|failure| (failure.cause, failure.scope)), *expected, "{name} while {doing:?}");
        // The text is translated; only the id is kept.
        let (id, text) = (cases[*name]["body"]["id"].as_str(), cases[*name]["body"]["message"].as_str());
        if let (Some(failure), Some(id), Some(text)) = (failure, id, text) {
            assert_eq!(failure.error_id.as_deref(), Some(id));
            assert!(!failure.detail.contains(text));
        }
    }
}

#[tokio::test]
async fn the_servers_wait_is_kept() {
    for (status, headers, body, wait) in [
        (429, vec![("Retry-After", "7"), ("X-Ratelimit-Reset", "11")], "limit exceeded\n", Some(7)),
        (429, vec![("X-Ratelimit-Reset", "11")], "limit exceeded\n", Some(11)),
        (429, vec![("Retry-After", "soon")], "limit exceeded\n", None),
        (503, vec![("Retry-After", "3")], "", Some(3)),
        (500, vec![], r#"{"id":"api.post.deduplicate_create_post.pending"}"#, Some(1)),
        (500, vec![], "", None),
    ] {
        let failure = outcome(Posting, status, &headers, body).await.expect_err("an error");
        assert_eq!(failure.retry_after, wait.map(Duration::from_secs), "{status} {headers:?}");
    }
}

#[tokio::test]
async fn answers_that_are_not_mattermosts_are_judged_by_their_status() {
    for (status, cause) in [
        (302, Cause::RedirectRefused),
        (400, Cause::ContentRejected),
        (401, Cause::Unauthorized),
        (403, Cause::PermissionDenied),
        (404, Cause::Unavailable),
        (408, Cause::Unavailable),
        (413, Cause::ContentRejected),
        (425, Cause::Unavailable),
        (500, Cause::NoAnswer),
        (502, Cause::NoAnswer),
        (503, Cause::Unavailable),
        (504, Cause::NoAnswer),
    ] {
        for body in ["", "<html>no</html>", "null", "[]", r#"{"id":5}"#, r#"{"id":"<script>"}"#] {
            let failure = outcome(Posting, status, &[], body).await.expect_err("an error");
            assert_eq!((failure.cause, failure.error_id.as_deref()), (cause, None), "{status} {body}");
            assert!(!failure.detail.contains('<'));
        }
    }
}

#[tokio::test]
async fn a_part_or_receipt_of_another_backend_is_refused_without_a_call() {
    let bench = Bench::with_bot();
    let mut foreign = outgoing();
    foreign.part.payload = json!({"chat_id": 5}).into();
    assert_eq!(delivery().post(&bench.site(), &foreign).await.expect_err("foreign").cause, Cause::ContentRejected);
    let mut foreign = outgoing();
    foreign.address = Address(json!({"v": 1, "channel": format!("{CHANNEL}/../..")}));
    assert_eq!(delivery().post(&bench.site(), &foreign).await.expect_err("foreign").cause, Cause::ChannelNotFound);
    let receipt = Receipt::new("../users");
    let edit = delivery().edit().expect("edit").edit(&bench.site(), &outgoing(), &receipt).await;
    assert_eq!(edit.expect_err("foreign").cause, Cause::ContentRejected);
    assert!(bench.server.seen().is_empty());
}
