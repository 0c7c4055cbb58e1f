//! A simulated chat platform: what stands on it, and how it answers. Like real ones it is
//! sometimes down, slow, asks to wait, or does what it is asked without saying so.

use std::{collections::BTreeMap, time::Duration};

use chatport_sdk::time::Timestamp;
use chatport_tests::seeded::Dice;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::truth::{Deed, DeedKind, Truth};

/// What a courier asks of a platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The number of the call in the notes.
    pub call: usize,
    pub copy: Uuid,
    pub revision: i64,
    pub what: Wanted,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Wanted {
    Post,
    Edit(u64),
    Delete(u64),
    Find,
}

/// What it answers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Reply {
    Done(u64),
    Found(Option<u64>),
    /// There is nothing to edit any more.
    Gone,
    /// Wait so many seconds; the whole installation, or this conversation.
    SlowDown {
        seconds: u64,
        whole: bool,
    },
    Down,
    Never,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    Well,
    Refuses(Reply),
    LosesRequest,
    LosesAnswer,
    Slow(Duration),
}

/// A post.
#[derive(Clone, Debug)]
pub struct Post {
    pub copy: Uuid,
    pub shows: i64,
    pub deleted: bool,
}

/// The platform.
#[derive(Debug)]
pub struct Platform {
    pub posts: BTreeMap<u64, Post>,
    next: u64,
    truth: Truth,
    dice: Dice,
    /// How many requests in a thousand meet something else than a good day.
    trouble: u64,
    longest_wait: u64,
}

impl Platform {
    pub fn new(number: u64, truth: Truth, dice: Dice, trouble: u64, longest_wait: u64) -> Self {
        Self { posts: BTreeMap::new(), next: number * 1_000_000, truth, dice, trouble, longest_wait }
    }

    /// From now on all is well.
    pub fn calm_down(&mut self) {
        self.trouble = 0;
    }

    /// What becomes of the next request.
    pub fn mood(&mut self) -> Mood {
        if !self.dice.chance(self.trouble) {
            return Mood::Well;
        }
        let seconds = 1 + self.dice.below(self.longest_wait);
        match self.dice.below(16) {
            0..3 => Mood::Refuses(Reply::SlowDown { seconds, whole: self.dice.chance(500) }),
            3..6 => Mood::Refuses(Reply::Down),
            6..9 => Mood::LosesRequest,
            9..12 => Mood::LosesAnswer,
            12..15 => Mood::Slow(Duration::from_millis(self.dice.below(25_000))),
            _ => Mood::Refuses(Reply::Never),
        }
    }

    /// Do what is asked.
    pub fn act(&mut self, request: &Request, at: Timestamp) -> Reply {
        let (post, kind) = match request.what {
            Wanted::Find => {
                let standing = self.posts.iter().find(|(_, post)| post.copy == request.copy && !post.deleted);
                return Reply::Found(standing.map(|(id, _)| *id));
            }
            Wanted::Post => {
                self.next += 1;
                let post = Post { copy: request.copy, shows: request.revision, deleted: false };
                self.posts.insert(self.next, post);
                (self.next, DeedKind::Posted)
            }
            Wanted::Edit(id) => {
                let standing = self.posts.get_mut(&id).filter(|post| !post.deleted);
                let Some(post) = standing else { return Reply::Gone };
                post.shows = request.revision;
                (id, DeedKind::Edited)
            }
            Wanted::Delete(id) => {
                let Some(post) = self.posts.get_mut(&id) else { return Reply::Never };
                post.deleted = true;
                (id, DeedKind::Deleted)
            }
        };
        let (copy, revision) = (request.copy, request.revision);
        self.truth.deed(Deed { at, call: request.call, copy, post, revision, kind });
        Reply::Done(post)
    }
}
