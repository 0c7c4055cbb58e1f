//! Redeeming verification codes. The place decides what a code may do: a user's code counts
//! only where nobody else can read it, a channel's code connects only the conversation in
//! which it was entered. Unknown, expired, used and foreign codes look alike.

use std::ops::Range;

use chatport_sdk::{
    happening::{CodeRefusal, Outcome, Place},
    identity::{Account, Address, Conversation, ConversationKind},
    secret::Secret,
    time::Timestamp,
    verification::Purpose,
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, Select, sea_query::Expr};

use super::{
    audit::{self, Actor},
    channels,
    codes::{DIGEST_KIND, stored_kind},
    links::{self, Standing},
    sites::Loaded,
    state::InstallationState,
    tokens,
};
use crate::{
    app::App,
    security::{self, codes::Code},
    store::{
        Change,
        entities::tokens::{Column, Entity, Model},
    },
};

/// What codes are for.
const PURPOSES: [Purpose; 2] = [Purpose::User, Purpose::Channel];
/// How much in one text may read as a code and still be looked up.
const MOST_LOOKED_UP: usize = 64;

/// Redeem a code, in the transaction of the happening that brought it. The attempt has been
/// counted before.
///
/// # Errors
/// The database refuses.
pub(crate) async fn redeem(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    entered: &Secret,
    account: &Account,
    place: &Place,
    now: Timestamp,
) -> Result<Outcome, DbErr> {
    // What needs a person links nobody: who enters a code may be whoever took it over.
    let found = match loaded.state() {
        InstallationState::Active => find(transaction, app, loaded, entered, now).await?,
        _ => None,
    };
    let Some((row, purpose)) = found else {
        return Ok(Outcome::CodeRefused(CodeRefusal::NotValid));
    };
    let outcome = match (purpose, Spot::of(place)) {
        (Purpose::User, Spot::Public(_)) => {
            revoke(transaction, loaded, &row, now).await?;
            Outcome::CodeRefused(CodeRefusal::SeenByOthers)
        }
        (Purpose::User, Spot::Private { direct, .. }) => {
            let account = Account { direct: direct.or_else(|| account.direct.clone()), ..account.clone() };
            link_user(transaction, loaded, &row, &account, now).await?
        }
        (Purpose::Channel, Spot::Public(conversation) | Spot::Private { conversation: Some(conversation), .. }) => {
            link_channel(transaction, loaded, &row, account, conversation, now).await?
        }
        (Purpose::Channel, Spot::Private { conversation: None, .. }) => Outcome::CodeRefused(CodeRefusal::NeedsChannel),
    };
    let result = match &outcome {
        Outcome::CodeRefused(CodeRefusal::SeenByOthers) => "seen by others",
        Outcome::CodeRefused(CodeRefusal::NeedsChannel) => "needs a channel",
        Outcome::CodeRefused(CodeRefusal::AlreadyLinked) => "already linked",
        Outcome::CodeRefused(_) => "not valid",
        _ => "done",
    };
    let actor = Actor::account(loaded.backend_id(), &account.id);
    audit::write(transaction, &loaded.organization, &actor, "code.redeem", &loaded.id.to_string(), result, now).await?;
    Ok(outcome)
}

/// Who can read what is entered at a place, and which channel it can mean.
enum Spot<'a> {
    /// The person and the bot alone.
    Private { direct: Option<Address>, conversation: Option<&'a Conversation> },
    /// Others too.
    Public(&'a Conversation),
}

impl<'a> Spot<'a> {
    fn of(place: &'a Place) -> Self {
        match place {
            Place::Direct { address } => Self::Private { direct: address.clone(), conversation: None },
            Place::Command { conversation } => {
                let channel = conversation.as_ref().filter(|place| place.kind != ConversationKind::Direct);
                Self::Private { direct: None, conversation: channel }
            }
            Place::Posted { conversation } if conversation.kind == ConversationKind::Direct => {
                Self::Private { direct: Some(conversation.address.clone()), conversation: None }
            }
            Place::Posted { conversation } => Self::Public(conversation),
            // A place that we don't know yet proves nothing about a channel.
            _ => Self::Private { direct: None, conversation: None },
        }
    }
}

async fn find(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    entered: &Secret,
    now: Timestamp,
) -> Result<Option<(Model, Purpose)>, DbErr> {
    let Some(code) = Code::parse(entered.expose()) else { return Ok(None) };
    let row = live(loaded, digests(app, loaded, &code), now).one(transaction).await?;
    Ok(row.and_then(|row| {
        let purpose = PURPOSES.into_iter().find(|purpose| stored_kind(*purpose) == row.kind)?;
        Some((row, purpose))
    }))
}

/// What a code may be kept as.
fn digests(app: &App, loaded: &Loaded, code: &Code) -> Vec<Vec<u8>> {
    let candidates = loaded.holder().candidates(&app.keyring, DIGEST_KIND, code.secret().expose().as_bytes());
    candidates.iter().map(|candidate| candidate.to_vec()).collect()
}

/// The codes with these digests that can still be redeemed.
fn live(loaded: &Loaded, digests: Vec<Vec<u8>>, now: Timestamp) -> Select<Entity> {
    Entity::find()
        .filter(Column::Organization.eq(loaded.organization.as_str()))
        .filter(Column::Installation.eq(loaded.id.0))
        .filter(Column::Kind.is_in(PURPOSES.map(stored_kind)))
        .filter(Column::Digest.is_in(digests))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.as_micros()))
}

/// A text that is passed on, without the codes in it that can still be redeemed: the
/// application keeps what it hears.
///
/// # Errors
/// The database refuses.
pub(crate) async fn without_codes(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    text: &str,
    now: Timestamp,
) -> Result<String, DbErr> {
    let codes = codes_in(text);
    let digests = codes.iter().map(|(_, code)| digests(app, loaded, code)).collect::<Vec<_>>();
    let known: Vec<Vec<u8>> = match codes.len() {
        0 => return Ok(text.to_owned()),
        // Nobody writes so many: then all of them go.
        number if MOST_LOOKED_UP < number => digests.iter().flatten().cloned().collect(),
        _ => {
            let rows = live(loaded, digests.concat(), now).all(transaction).await?;
            rows.into_iter().filter_map(|row| row.digest).collect()
        }
    };
    let (mut concealed, mut rest) = (text.to_owned(), text.len());
    for ((range, _), digests) in codes.into_iter().zip(digests).rev() {
        if range.end <= rest && digests.iter().any(|digest| known.contains(digest)) {
            rest = range.start;
            concealed.replace_range(range, "…");
        }
    }
    Ok(concealed)
}

/// Whatever in a text reads as a code: alone, in groups, or between punctuation.
fn codes_in(text: &str) -> Vec<(Range<usize>, Code)> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, character) in text.char_indices().filter(|(_, character)| character.is_alphanumeric()) {
        let end = at + character.len_utf8();
        match words.last_mut().filter(|word| word.end == at) {
            Some(word) => word.end = end,
            None => words.push(at..end),
        }
    }
    let from_word = |(first, word): (usize, &Range<usize>)| {
        let mut length = 0;
        let last = words[first..].iter().find(|word| {
            length += word.len();
            length >= security::codes::LENGTH
        })?;
        let range = word.start..last.end;
        Code::parse(&text[range.clone()]).map(|code| (range, code))
    };
    words.iter().enumerate().filter_map(from_word).collect()
}

/// Use a code up: of however many that try, one succeeds.
async fn use_up(transaction: &Change, loaded: &Loaded, row: &Model, now: Timestamp) -> Result<bool, DbErr> {
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.as_micros()))
        .filter(Column::Organization.eq(loaded.organization.as_str()))
        .filter(Column::Id.eq(row.id))
        .filter(Column::UsedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.as_micros()))
        .exec(transaction)
        .await?;
    Ok(used.rows_affected == 1)
}

async fn revoke(transaction: &Change, loaded: &Loaded, row: &Model, now: Timestamp) -> Result<(), DbErr> {
    let query = tokens::revoke_query(&loaded.organization, loaded.id, now);
    query.filter(Column::Id.eq(row.id)).exec(transaction).await?;
    Ok(())
}

async fn link_user(
    transaction: &Change,
    loaded: &Loaded,
    row: &Model,
    account: &Account,
    now: Timestamp,
) -> Result<Outcome, DbErr> {
    let linked = Outcome::Linked { purpose: Purpose::User, name: row.subject.clone() };
    match links::standing(transaction, loaded, &row.subject, &account.id).await? {
        Standing::Taken => return Ok(Outcome::CodeRefused(CodeRefusal::AlreadyLinked)),
        _ if !use_up(transaction, loaded, row, now).await? => {
            return Ok(Outcome::CodeRefused(CodeRefusal::NotValid));
        }
        Standing::Same => {
            links::refresh(transaction, loaded, account, now).await?;
        }
        Standing::Free => {
            let link = links::insert(transaction, loaded, &row.subject, account, now).await?;
            if link.is_none() {
                return Ok(Outcome::CodeRefused(CodeRefusal::AlreadyLinked));
            }
        }
    }
    Ok(linked)
}

async fn link_channel(
    transaction: &Change,
    loaded: &Loaded,
    row: &Model,
    account: &Account,
    conversation: &Conversation,
    now: Timestamp,
) -> Result<Outcome, DbErr> {
    if !use_up(transaction, loaded, row, now).await? {
        return Ok(Outcome::CodeRefused(CodeRefusal::NotValid));
    }
    let actor = Actor::account(loaded.backend_id(), &account.id);
    let channel = channels::connect(transaction, loaded, conversation, &actor, now).await?;
    let name = [channel.display_name, channel.name, conversation.id.clone()].into_iter().find(|name| !name.is_empty());
    Ok(Outcome::Linked { purpose: Purpose::Channel, name: name.unwrap_or_default() })
}
