//! What activities mean: who, where, what.

use chatport_fake_msteams::Reply;
use chatport_sdk::{prelude::*, testkit::Fault};
use http::StatusCode;
use serde_json::{Value, json};

use crate::bench::{Bench, PLACE, content, reason};

const CODE: &str = "K7QX-2M4P-9ZRT";

/// The code among what happened, and where it was entered.
fn entered(happenings: &[Happening]) -> (&str, &Account, &Place) {
    match &happenings[0].kind {
        HappeningKind::CodeEntered { code, account, place } => (code.expose(), account, place),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_is_read_however_it_is_typed() {
    let bench = Bench::ready();
    let said = |text: &str| bench.happened(&bench.teams.says("Ada", text));
    for text in [
        CODE,
        "K7QX2M4P9ZRT",
        &format!("link {CODE}"),
        &format!("  LINK\u{a0}{CODE}\n"),
        &format!("&nbsp;link {CODE}"),
        &format!("linkUser {CODE}"),
    ] {
        let happenings = said(text);
        let (code, account, place) = entered(&happenings);
        assert_eq!(code.replace('-', ""), CODE.replace('-', ""), "{text}");
        assert_eq!((account.display_name.as_str(), account.username.as_str()), ("Ada", "ada@contoso.example"));
        assert!(matches!(place, Place::Direct { address: Some(_) }), "{place:?}");
    }
    for text in ["hello there", "K7QX-2M4P", "link-up", "unlinked", "acknowledged"] {
        assert!(matches!(said(text)[0].kind, HappeningKind::Commanded { .. }), "{text}");
    }
    assert!(matches!(said("Unlink")[0].kind, HappeningKind::UnlinkAsked { .. }));
}

#[test]
fn a_mention_is_cut_in_whatever_form_its_name_stands() {
    let bench = Bench::ready();
    for (shown, entity) in [
        ("<at>Cafe\u{301} & Co</at>", "<at>Caf\u{e9} &amp; Co</at>"),
        ("<at id=\"0\">\u{202e}OnCall</at>", "<at>OnCall</at>"),
        ("<at>OnCall</at>", ""),
    ] {
        let mut activity = bench.teams.mentions("Ada", PLACE, None, "");
        activity["text"] = format!(" {shown}&nbsp;linkTeam {CODE}").into();
        activity["entities"][1]["text"] = entity.into();
        let happenings = bench.happened(&activity);
        assert_eq!(entered(&happenings).0, CODE, "{shown}");
    }
}

#[test]
fn help_is_said_and_told_to_nobody() {
    let bench = Bench::ready();
    for text in ["", "help", "link"] {
        let received = bench.receive(&bench.teams.says("Ada", text));
        assert!(matches!(received, Received::Answer(_)), "{text}: {received:?}");
    }
    assert_eq!(bench.teams.posts(&bench.teams.personal_chat("Ada")).len(), 3);
}

#[test]
fn a_channels_code_names_the_channel_and_not_its_thread() {
    let bench = Bench::ready();
    let activity = bench.teams.mentions("Ada", PLACE, Some("1700000000000"), &format!("link {CODE}"));
    let happenings = bench.happened(&activity);
    let (code, _, place) = entered(&happenings);
    let Place::Posted { conversation } = place else { panic!("{place:?}") };
    assert_eq!((code, conversation.id.as_str()), (CODE, bench.channel().as_str()));
    assert_eq!((conversation.team.as_str(), conversation.name.as_str()), PLACE);
    assert_eq!(conversation.kind, ConversationKind::Channel);
    let key = bench.delivery().stream(&conversation.address).expect("a stream").key;
    assert_eq!(key, conversation.id);

    bench.teams.add_chat("War", &["Ada"]);
    let happenings = bench.happened(&bench.teams.mentions_in_chat("Ada", "War", &format!("link {CODE}")));
    let (_, _, Place::Posted { conversation }) = entered(&happenings) else { panic!("{happenings:?}") };
    assert_eq!(conversation.kind, ConversationKind::Group);
}

#[test]
fn below_a_post_somebody_replies_to_it() {
    let bench = Bench::ready();
    let root = bench.post(&content(json!({ "title": "x" })));
    let happenings = bench.happened(&bench.teams.mentions("Ada", PLACE, Some(&root.id), "on my way"));
    let HappeningKind::SaidInThread { root: part, conversation, text, .. } = &happenings[0].kind else {
        panic!("{happenings:?}");
    };
    assert_eq!((part, conversation.id.as_str(), text.as_str()), (&root, bench.channel().as_str(), "on my way"));
}

#[test]
fn the_installations_tenant_and_services_alone_are_heard() {
    let bench = Bench::ready();
    let (foreign, calls) = ("00000000-0000-4000-8000-000000000001", bench.stage.line.calls());
    let mut cases = Vec::new();
    for (conversation, data) in [(foreign, None), ("", Some(foreign)), ("", None)] {
        let mut activity = bench.teams.says("Ada", CODE);
        activity["conversation"]["tenantId"] = conversation.into();
        activity["channelData"] = data.map_or(Value::Null, |tenant| json!({ "tenant": { "id": tenant } }));
        cases.push((activity, "activity-tenant"));
    }
    // Two tenants in one activity are none.
    let mut torn = bench.teams.says("Ada", CODE);
    torn["channelData"]["tenant"]["id"] = foreign.into();
    cases.push((torn, "activity-tenant"));
    for (activity, expected) in cases {
        let received = bench.receive(&activity);
        assert_eq!(reason(&received), Some(expected), "{activity}");
    }
    // A genuine call from a service that isn't listed: the access token must not go there.
    let (mut claims, mut activity) = (bench.teams.claims(), bench.teams.says("Ada", CODE));
    for (value, name) in [(&mut claims, "serviceurl"), (&mut activity, "serviceUrl")] {
        value[name] = "https://smba.evil.example/emea/".into();
    }
    let token = format!("Bearer {}", bench.teams.token(&claims, &Value::Null));
    let received = bench.receive_request(&bench.request(&token, activity.to_string()));
    assert_eq!(reason(&received), Some("service-url-not-allowed"));
    assert_eq!(bench.stage.line.calls() - calls, 2, "the issuer's keys were read, and nothing else was asked");
}

#[test]
fn whoever_isnt_in_the_roster_did_nothing() {
    let bench = Bench::ready();
    let said = format!("link {CODE}");
    let mut nobody = bench.teams.says("Ada", &said);
    nobody["from"]["id"] = bench.teams.person_id("Bob").into();
    assert_eq!(reason(&bench.receive(&nobody)), Some("not-a-member"), "Bob isn't in Ada's chat");
    let mut torn = bench.teams.says("Ada", &said);
    torn["from"]["aadObjectId"] = "00000009-0000-4000-8000-000000000000".into();
    assert_eq!(reason(&bench.receive(&torn)), Some("not-a-member"), "another directory entry");
    // The roster is away: the sender may try again.
    let fresh = Bench::ready();
    fresh.teams.fail_next("/members/", Reply { status: 503, body: json!({}), retry_after: None });
    let Received::Answer(response) = fresh.receive(&fresh.teams.says("Ada", &said)) else { panic!("it had an effect") };
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(matches!(fresh.receive(&fresh.teams.says("Ada", &said)), Received::Happenings(_)));
}

#[test]
fn the_roster_is_asked_once_in_a_while() {
    let bench = Bench::ready();
    let asked = || bench.teams.asked().iter().filter(|(_, path)| path.contains("/members/")).count();
    for _ in 0..5 {
        bench.happened(&bench.teams.says("Ada", "hello"));
    }
    assert_eq!(asked(), 1);
    bench.stage.clock.pass(std::time::Duration::from_secs(601));
    bench.happened(&bench.teams.says("Ada", "hello"));
    assert_eq!(asked(), 2);
}

#[test]
fn bots_arent_listened_to() {
    let bench = Bench::ready();
    let mut own = bench.teams.says("Ada", CODE);
    own["from"]["id"] = own["recipient"]["id"].clone();
    assert!(matches!(bench.receive(&own), Received::Answer(_)));
}

#[test]
fn a_service_that_moved_is_told_once_it_is_stored() {
    let bench = Bench::ready();
    let mention = || bench.teams.mentions("Ada", PLACE, None, "hello");
    let moved = |happenings: &[Happening]| {
        happenings.iter().find_map(|happening| match &happening.kind {
            HappeningKind::ConversationMoved { to, .. } => Some(to.address.0["service_url"].clone()),
            _ => None,
        })
    };
    let first = bench.happened(&mention());
    assert_eq!(moved(&first), Some(json!("https://teams.example.com/emea")));
    assert!(moved(&bench.happened(&mention())).is_some(), "nobody has said that it is stored");
    bench.answer(&first, Outcome::Recorded);
    assert_eq!(moved(&bench.happened(&mention())), None);
    bench.teams.move_to("amer");
    assert_eq!(moved(&bench.happened(&mention())), Some(json!("https://teams.example.com/amer")));

    let personal = bench.happened(&bench.teams.says("Ada", "hello"));
    let HappeningKind::AccountChanged { account } = &personal[1].kind else { panic!("{personal:?}") };
    assert_eq!(account.direct.as_ref().expect("an address").0["service_url"], "https://teams.example.com/amer");
}

#[test]
fn what_is_taken_away_is_lost_and_what_is_renamed_is_moved() {
    let bench = Bench::ready();
    let lost = |activity: &Value| {
        let happenings = bench.happened(activity);
        match &happenings[0].kind {
            HappeningKind::ConversationLost { conversation } => conversation.clone(),
            other => panic!("{other:?}"),
        }
    };
    let general = bench.teams.channel_id(PLACE.0, "General");
    assert_eq!(lost(&bench.teams.installs("Ada", false)), bench.teams.personal_chat("Ada"));
    assert_eq!(lost(&bench.teams.installs_in_team("Ada", PLACE.0, false)), general);
    let mut renamed = bench.teams.deletes_channel("Ada", PLACE.0, PLACE.1);
    let incidents = renamed["channelData"]["channel"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(lost(&renamed), incidents);
    renamed["channelData"]["eventType"] = "channelRenamed".into();
    renamed["channelData"]["channel"]["name"] = "Alerts".into();
    let happenings = bench.happened(&renamed);
    let HappeningKind::ConversationMoved { from, to } = &happenings[0].kind else { panic!("{happenings:?}") };
    assert_eq!((from, &to.id, to.name.as_str()), (&incidents, &incidents, "Alerts"));
    // The app is upgraded, or somebody else leaves a team: nothing is lost.
    let mut upgraded = bench.teams.installs("Ada", true);
    upgraded["action"] = "remove-upgrade".into();
    assert!(matches!(bench.receive(&upgraded), Received::Answer(_)));
    let mut other = bench.teams.installs_in_team("Ada", PLACE.0, true);
    other["membersRemoved"] = json!([{ "id": bench.teams.person_id("Bob") }]);
    assert!(!matches!(bench.happened(&other)[0].kind, HappeningKind::ConversationLost { .. }));
}

#[test]
fn a_reply_that_cant_be_said_changes_nothing() {
    let bench = Bench::ready();
    let happenings = bench.happened(&bench.teams.says("Ada", CODE));
    bench.stage.line.always(Some(Fault::Silent));
    let linked = Outcome::Linked { purpose: Purpose::User, name: "u-ada".into() };
    assert_eq!(bench.answer(&happenings, linked).status, StatusCode::OK);
    assert_eq!(bench.answer(&happenings, Outcome::Unavailable).status, StatusCode::SERVICE_UNAVAILABLE);
}
