//! The storm guard: first posts that have waited for long in a channel that asks for it become
//! lines of one summary. A copy whose summary is on its way is still in flight; it has ended
//! once the summary is shown, and is due by itself if that isn't.

use std::{collections::BTreeSet, time::Duration};

use chatport_sdk::content::Content;
use uuid::Uuid;

use super::{
    accept::Accepted,
    ledger::Ledger,
    message::{self, PutMessage},
    revise::{change, wake},
    store::{Documents, RowsWanted, StoreError},
    tally,
    units::Units,
    view::{MessageEvent, copy_view},
};
use crate::{
    ids::{OrganizationId, StreamId},
    store::entities::{copies, messages},
};

/// When first posts become a summary.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// So many wait.
    pub waiting: usize,
    /// One of them has been due for so long.
    pub late: Duration,
    /// Most lines of a summary.
    pub most: usize,
}

/// Ten posts fill a screen; a list of ten is read at a glance. A burst that a platform's rate
/// takes is over within half a minute, so what waits longer has fallen behind. Fifty lines
/// are what one post can hold on every platform.
pub const STORM: Storm = Storm { waiting: 10, late: Duration::from_secs(30), most: 50 };

/// Most conversations in which one unit of work folds.
const STREAMS: usize = 10;
/// Most copies that it looks at.
const COPIES: usize = 500;
/// Most characters of a title in a summary, and of all its lines.
const TITLE: usize = 120;
const TEXT: usize = 12_000;
/// How the keys of summaries begin.
const KEY: &str = "chatport.summary.";

impl Units {
    /// Fold what waits into summaries, and end what a summary has shown. The answer is the
    /// number of copies that this has changed.
    ///
    /// # Errors
    /// The store fails.
    pub async fn fold(&self, storm: &Storm) -> Result<usize, StoreError> {
        let (mut unit, mut ledger) = self.begin().await?;
        let late = ledger.now.minus(storm.late);
        let waiting = unit.foldable(storm.waiting, late, STREAMS, COPIES).await?;
        let folded = unit.folded(COPIES).await?;
        if waiting.is_empty() && folded.is_empty() {
            return Ok(0);
        }
        let rows = || waiting.iter().chain(folded.iter().map(|(row, _)| row));
        let stream = |row: &copies::Model| {
            row.stream.map(|stream| (OrganizationId::stored(row.organization.clone()), StreamId(stream)))
        };
        let streams = rows().filter_map(stream).collect();
        ledger.load(unit.load(&RowsWanted { streams, ..RowsWanted::default() }).await?);
        ledger.load_copies(rows().cloned().collect());
        let ids: Vec<Uuid> = rows().map(|row| row.id).collect();
        let documents = self.documents(unit.as_mut(), &mut ledger, ids.into_iter(), &Documents::default()).await?;
        let mut changed = folded.len();
        for (row, was_shown) in &folded {
            settle(&mut ledger, row, *was_shown, &documents);
        }
        for rows in waiting.chunk_by(|one, other| one.stream == other.stream) {
            changed += fold(&mut ledger, rows, &documents, storm);
        }
        unit.commit(ledger.into_changes()).await?;
        Ok(changed)
    }
}

/// Make a summary of the first of these copies of one conversation. The answer is how many it
/// names.
fn fold(ledger: &mut Ledger, rows: &[copies::Model], documents: &Documents, storm: &Storm) -> usize {
    let mut text = String::new();
    let mut named: BTreeSet<Uuid> = BTreeSet::new();
    for row in rows.iter().take(storm.most) {
        let put = row.message.and_then(|message| documents.messages.get(&message)?.body.put());
        // One that can't be read becomes a dead letter in its turn.
        let Some(put) = put else { continue };
        let line = line(&put.content);
        if text.chars().count() + line.chars().count() > TEXT {
            break;
        }
        text += &line;
        named.insert(row.id);
    }
    let Some(first) = rows.iter().find(|row| named.contains(&row.id)).filter(|_| named.len() >= storm.waiting) else {
        return 0;
    };
    let summary = add_summary(ledger, rows, first, &named, text);
    for id in &named {
        let now = ledger.now.as_micros();
        if let Some(copy) = ledger.copy(*id) {
            copy.folded_into = Some(summary);
            copy.due_at = None;
            copy.detail = Some(format!("a line of the summary {KEY}{summary}, which is on its way"));
            copy.updated_at = now;
        }
    }
    named.len()
}

/// `- [title](link)`, with what CommonMark would read as more than text escaped.
fn line(content: &Content) -> String {
    let title = if content.title.is_empty() { &content.text } else { &content.title };
    let plain = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::new();
    for character in plain.chars().take(TITLE) {
        if character.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    match &content.link {
        Some(link) => format!("- [{escaped}](<{}>)\n", link.url),
        None => format!("- {escaped}\n"),
    }
}

/// A message of its own with one copy, in the place of the first that it names.
fn add_summary(
    ledger: &mut Ledger,
    rows: &[copies::Model],
    first: &copies::Model,
    named: &BTreeSet<Uuid>,
    text: String,
) -> Uuid {
    let (now, message, id) = (ledger.now.as_micros(), ledger.new_id(), ledger.new_id());
    let title = format!("{} messages that had to wait", named.len());
    let put = PutMessage::of(1, Content { title, text, ..Content::default() });
    let last = rows.iter().filter(|row| named.contains(&row.id)).map(|row| row.expires_at).max();
    let copy = copies::Model {
        id,
        message: Some(message),
        may_fold: false,
        revision: 1,
        code: None,
        detail: None,
        due_at: Some(now),
        crashes: 0,
        first_tried_at: None,
        expires_at: last.unwrap_or(first.expires_at),
        created_at: now,
        updated_at: now,
        ..first.clone()
    };
    let (key, canonical) = (format!("{KEY}{message}"), put.canonical());
    let accepted =
        Accepted { key: key.clone(), revision: 1, copies: vec![copy_view(&copy)], changed: true, is_older: false };
    ledger.add_message(messages::Model {
        organization: first.organization.clone(),
        id: message,
        key,
        revision: 1,
        is_final: false,
        deleted: false,
        fingerprint: message::fingerprint(&canonical).to_vec(),
        body: canonical,
        // Serializing plain data into memory can't fail.
        answer: serde_json::to_string(&accepted).expect("plain data"),
        pinned: None,
        created_at: now,
        updated_at: now,
    });
    let organization = OrganizationId::stored(first.organization.clone());
    ledger.changes.tallies.add(&organization, tally::ACCEPTED, 1);
    wake(ledger, &copy, now);
    ledger.add_copy(copy);
    message
}

/// The summary of a copy has ended.
fn settle(ledger: &mut Ledger, row: &copies::Model, was_shown: bool, documents: &Documents) {
    let now = ledger.now.as_micros();
    let Some(summary) = row.folded_into else { return };
    if !was_shown {
        let row = copies::Model {
            may_fold: false,
            folded_into: None,
            due_at: Some(now),
            detail: None,
            updated_at: now,
            ..row.clone()
        };
        wake(ledger, &row, now);
        return change(ledger, row);
    }
    let row = copies::Model {
        is_open: false,
        may_fold: false,
        state: "folded".to_owned(),
        detail: Some(format!("shown as a line of the summary {KEY}{summary}")),
        updated_at: now,
        ..row.clone()
    };
    change(ledger, row.clone());
    ledger.changes.tallies.add(&OrganizationId::stored(row.organization.clone()), tally::DELIVERED, 1);
    if let Some(document) = row.message.and_then(|message| documents.messages.get(&message)) {
        let (message, revision) = (document.key.clone(), row.revision);
        ledger.tell(&row.organization, &MessageEvent { message, revision, copy: copy_view(&row), failure: None });
    }
}
