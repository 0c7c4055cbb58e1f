//! Presses that share a commit.

use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::{
    ids::EventId,
    ingress::{
        outcome,
        press::Press,
        recorder::{Conclusion, Recorder, Task, Written},
    },
};

/// A press under this id, of this action.
async fn press_of(shown: &Shown, id: &str, action: &str) -> Press {
    let happening = Happening::new(id, pressed(shown.token(action, None)));
    let loaded = shown.world.load(shown.id).await;
    Press::of(&shown.world.app, &loaded, &happening).unwrap()
}

/// Write these in one batch.
async fn together(shown: &Shown, presses: Vec<Press>, conclusions: Vec<Conclusion>) -> Vec<Written> {
    let app = &shown.world.app;
    let mut task = Task { database: app.database.clone(), delivery: app.delivery.clone(), unwritten: conclusions };
    let (mut jobs, mut answers) = (Vec::new(), Vec::new());
    for press in presses {
        let (reply, answer) = oneshot::channel();
        jobs.push((Box::new(press), reply));
        answers.push(answer);
    }
    task.write(jobs, true).await;
    let mut written = Vec::new();
    for answer in answers {
        written.push(answer.await.unwrap());
    }
    written
}

fn is_asked(written: &Written) -> bool {
    matches!(written, Written::Ask(_))
}

fn event_of(written: &Written) -> EventId {
    let Written::Ask(pressed) = written else { panic!("{written:?}") };
    pressed.event.id
}

async fn conclusion(shown: &Shown, id: &str, taken: Option<(EventId, String)>) -> Conclusion {
    let said = Outcome::Pressed(PressAnswer::notice(Some("It is yours".into())));
    Conclusion {
        organization: shown.world.organization.clone(),
        installation: shown.id,
        id: id.into(),
        outcome: outcome::store(&said),
        taken,
        at: shown.world.app.clock.now(),
    }
}

#[tokio::test]
async fn each_press_of_a_batch_is_told() {
    let shown = Shown::new().await;
    let presses = vec![press_of(&shown, "h1", "ack").await, press_of(&shown, "h2", "look").await];
    let written = together(&shown, presses, vec![]).await;
    assert!(written.iter().all(is_asked), "{written:?}");
    let told: Vec<_> = shown.presses().await.into_iter().map(|data| data["action"].clone()).collect();
    assert_eq!(told, [json!("ack"), json!("look")]);
    assert_eq!(shown.world.count("FROM audit WHERE action = 'action.press'").await, 2);
}

#[tokio::test]
async fn the_same_press_twice_in_a_batch_takes_effect_once() {
    let shown = Shown::new().await;
    let press = press_of(&shown, "h", "ack").await;
    let written = together(&shown, vec![press.clone(), press], vec![]).await;
    assert!(is_asked(&written[0]), "{written:?}");
    let second = &written[1];
    let is_known = matches!(second, Written::Answer(Outcome::Duplicate { same_content: true, first: None }));
    assert!(is_known, "{second:?}");
    assert_eq!(shown.presses().await.len(), 1);
}

#[tokio::test]
async fn another_content_under_the_id_of_a_neighbour_is_refused_and_audited() {
    let shown = Shown::new().await;
    let presses = vec![press_of(&shown, "h", "ack").await, press_of(&shown, "h", "look").await];
    let written = together(&shown, presses, vec![]).await;
    assert!(is_asked(&written[0]), "{written:?}");
    let forged = &written[1];
    assert!(matches!(forged, Written::Answer(Outcome::Duplicate { same_content: false, .. })), "{forged:?}");
    assert_eq!(shown.world.count("FROM audit WHERE action = 'happening.repeat'").await, 1);
    assert_eq!(shown.presses().await.len(), 1);
}

#[tokio::test]
async fn a_twin_of_what_was_answered_at_once_gets_that_answer() {
    let shown = Shown::new().await;
    let mut stranger = press_of(&shown, "h", "ack").await;
    stranger.account = Account::new("stranger");
    let written = together(&shown, vec![stranger.clone(), stranger], vec![]).await;
    let [Written::Answer(Outcome::NotLinked), Written::Answer(Outcome::Duplicate { first, .. })] = &written[..] else {
        panic!("{written:?}");
    };
    assert!(matches!(first.as_deref(), Some(Outcome::NotLinked)), "{first:?}");
}

#[tokio::test]
async fn a_press_that_can_not_be_stored_does_not_fail_its_neighbours() {
    let shown = Shown::new().await;
    let mut bad = press_of(&shown, "h2", "ack").await;
    // As if it had been deleted a moment ago.
    bad.loaded.id = InstallationId::new();
    let presses = vec![press_of(&shown, "h1", "ack").await, bad, press_of(&shown, "h3", "ack").await];
    let written = together(&shown, presses, vec![]).await;
    assert!(matches!(written[1], Written::Answer(Outcome::Unavailable)), "{written:?}");
    assert!(is_asked(&written[0]) && is_asked(&written[2]), "{written:?}");
    assert_eq!(shown.presses().await.len(), 2);
    assert_eq!(shown.world.count("FROM happenings").await, 2);
}

#[tokio::test]
async fn what_became_of_a_press_is_known_to_a_repetition_in_the_same_batch() {
    let shown = Shown::new().await;
    let press = press_of(&shown, "h", "ack").await;
    assert!(together(&shown, vec![press.clone()], vec![]).await.iter().all(is_asked));
    let concluded = conclusion(&shown, "h", None).await;
    let written = together(&shown, vec![press], vec![concluded]).await;
    let Written::Answer(Outcome::Duplicate { same_content: true, first: Some(first) }) = &written[0] else {
        panic!("{written:?}");
    };
    assert!(matches!(&**first, Outcome::Pressed(answer) if answer.notice.as_deref() == Some("It is yours")));
}

#[tokio::test]
async fn an_event_that_was_taken_is_not_sent_there_again() {
    let shown = Shown::new().await;
    application(&shown.world, json!({})).await;
    let presses = vec![press_of(&shown, "h1", "ack").await, press_of(&shown, "h2", "ack").await];
    let written = together(&shown, presses, vec![]).await;
    assert_eq!(shown.world.count("FROM copies WHERE event IS NOT NULL AND is_open").await, 2);
    let taken = Some((event_of(&written[0]), "app".into()));
    together(&shown, vec![], vec![conclusion(&shown, "h1", taken).await]).await;
    assert_eq!(shown.world.count("FROM copies WHERE event IS NOT NULL AND state = 'delivered'").await, 1);
    assert_eq!(shown.world.count("FROM copies WHERE event IS NOT NULL AND due_at IS NOT NULL").await, 1);
}

#[tokio::test]
async fn a_presser_who_was_renamed_is_known_by_the_new_name() {
    let shown = Shown::new().await;
    let mut press = press_of(&shown, "h", "ack").await;
    press.account.username = "ann-2".into();
    assert!(together(&shown, vec![press], vec![]).await.iter().all(is_asked));
    assert_eq!(shown.world.count("FROM account_links WHERE username = 'ann-2'").await, 1);
    assert!(shown.world.event_kinds().await.contains(&"account.changed".to_owned()));
}

/// From now on, whatever writes to the audit fails when it is committed.
async fn break_commits(world: &World) {
    let on = world.app.database.write_uncached();
    let statements: &[&str] = match world.app.database.engine() {
        sea_orm::DbBackend::Postgres => &[
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
            "CREATE CONSTRAINT TRIGGER broken AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION refuse()",
        ],
        _ => &[
            "CREATE TABLE kept (id INTEGER PRIMARY KEY)",
            "CREATE TABLE promised (id INTEGER REFERENCES kept (id) DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TRIGGER broken AFTER INSERT ON audit BEGIN INSERT INTO promised VALUES (1); END",
        ],
    };
    for statement in statements {
        on.execute_unprepared(statement).await.unwrap();
    }
}

#[tokio::test]
async fn if_the_commit_fails_the_presser_is_told_to_repeat_and_nothing_has_happened() {
    let shown = Shown::new().await;
    break_commits(&shown.world).await;
    let (one, other) = tokio::join!(
        shown.press("h1", shown.token("ack", None), |_| {}),
        shown.press("h2", shown.token("look", None), |_| {})
    );
    assert!(matches!((&one, &other), (Outcome::Unavailable, Outcome::Unavailable)), "{one:?} {other:?}");
    assert!(shown.presses().await.is_empty());
    assert_eq!(shown.world.count("FROM happenings").await, 0);
    let drop = match shown.world.app.database.engine() {
        sea_orm::DbBackend::Postgres => "DROP TRIGGER broken ON audit",
        _ => "DROP TRIGGER broken",
    };
    shown.world.app.database.write_uncached().execute_unprepared(drop).await.unwrap();
    let repeated = shown.press("h1", shown.token("ack", None), |_| {}).await;
    assert!(matches!(repeated, Outcome::Pressed(_)), "{repeated:?}");
}

#[tokio::test]
async fn a_press_that_would_have_to_wait_long_is_refused_at_once() {
    let shown = Shown::new().await;
    // Nobody takes anything out.
    let (sender, queue) = mpsc::channel(1);
    let recorder = Recorder(sender);
    let waiting = recorder.record(Box::new(press_of(&shown, "h1", "ack").await));
    let refused = recorder.record(Box::new(press_of(&shown, "h2", "ack").await));
    tokio::select! {
        biased;
        written = waiting => panic!("nobody wrote it: {written:?}"),
        written = refused => assert!(matches!(written, Written::Answer(Outcome::Unavailable)), "{written:?}"),
    }
    drop(queue);
}
