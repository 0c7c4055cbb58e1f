//! How much may be sent. What the real ones are isn't published; these are what Telegram's
//! questions and answers promise: one message a second in a chat with a few at once, 20 a minute
//! in a group, 30 a second in all.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use crate::reply::Refusal;

/// At most `most` within `window`.
struct Rule {
    most: usize,
    window: Duration,
}

const IN_CHAT: Rule = Rule { most: 4, window: Duration::from_millis(1_500) };
const IN_GROUP: Rule = Rule { most: 20, window: Duration::from_secs(60) };
const IN_ALL: Rule = Rule { most: 30, window: Duration::from_secs(1) };

/// What has been sent lately.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    chats: BTreeMap<(i64, i64), VecDeque<Instant>>,
    bots: BTreeMap<i64, VecDeque<Instant>>,
}

impl Limits {
    /// Count one more, or say how long to wait.
    pub(crate) fn take(&mut self, bot: i64, chat: i64, now: Instant) -> Result<(), Refusal> {
        let in_chat = self.chats.entry((bot, chat)).or_default();
        let mut wait = wait_of(in_chat, &IN_CHAT, now);
        if chat < 0 {
            wait = wait.max(wait_of(in_chat, &IN_GROUP, now));
        }
        let in_all = self.bots.entry(bot).or_default();
        wait = wait.max(wait_of(in_all, &IN_ALL, now));
        if let Some(wait) = wait {
            return Err(Refusal::too_many(wait.as_secs() + 1));
        }
        for sent in [in_chat, in_all] {
            sent.push_back(now);
            while sent.front().is_some_and(|at| now.duration_since(*at) > IN_GROUP.window) {
                sent.pop_front();
            }
        }
        Ok(())
    }
}

fn wait_of(sent: &VecDeque<Instant>, rule: &Rule, now: Instant) -> Option<Duration> {
    let first = sent.len().checked_sub(rule.most).and_then(|index| sent.get(index))?;
    let free = *first + rule.window;
    (free > now).then(|| free - now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_takes_twenty_a_minute_and_then_says_how_long_to_wait() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        for number in 0..20 {
            assert!(limits.take(1, -7, start + Duration::from_secs(number)).is_ok());
        }
        assert!(limits.take(1, -7, start + Duration::from_secs(21)).is_err());
        assert!(limits.take(1, -7, start + Duration::from_secs(61)).is_ok());
        assert!(limits.take(1, 7, start + Duration::from_secs(21)).is_ok());
    }

    #[test]
    fn a_bot_sends_thirty_a_second() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        let sent = (1..=40).filter(|chat| limits.take(1, *chat, start).is_ok()).count();
        assert_eq!(sent, 30);
    }
}
