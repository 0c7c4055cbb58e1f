//! The behaviours that the host relies on, each played against a backend and its platform.
//! [`examine`] plays them all; [`conformance!`](crate::conformance) makes each a test. What a
//! backend doesn't offer holds by being absent, and a part counts as proven only if each of its
//! behaviours holds.

mod codes;
mod commands;
mod delivery;
mod descriptor;
mod directory;
mod failures;
mod ingress;
mod listen;
mod render;
mod setup;
mod upkeep;

use std::{
    collections::BTreeMap,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
};

use serde::Serialize;

use super::{Fixture, Stage, run};
use crate::{backend::MessagingBackend, content::Content, delivery::Outgoing, identity::Address};

/// What a behaviour belongs to: the backend as a whole, or an optional part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// What every backend has.
    Descriptor,
    /// [`Install`](crate::install::Install).
    Install,
    /// [`Renew`](crate::install::Renew).
    Renew,
    /// [`Verification`](crate::verification::Verification).
    Verification,
    /// [`Delivery`](crate::delivery::Delivery).
    Delivery,
    /// [`Edit`](crate::delivery::Edit).
    Edit,
    /// [`Delete`](crate::delivery::Delete).
    Delete,
    /// [`Find`](crate::delivery::Find).
    Find,
    /// [`Direct`](crate::delivery::Direct).
    Direct,
    /// [`Ingress`](crate::ingress::Ingress).
    Ingress,
    /// [`Listen`](crate::listen::Listen).
    Listen,
    /// [`Directory`](crate::directory::Directory).
    Directory,
    /// [`Commands`](crate::commands::Commands).
    Commands,
}

/// How a behaviour came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The backend does what it must.
    Holds,
    /// The backend doesn't offer it, or the platform has nothing like it; and why.
    Absent(String),
    /// It doesn't; what was seen.
    Broken(String),
}

/// Why a behaviour was not seen to hold.
#[derive(Debug)]
enum Obstacle {
    Absent(&'static str),
    Broken(String),
}

impl From<String> for Obstacle {
    fn from(seen: String) -> Self {
        Self::Broken(seen)
    }
}

type Finding = Result<(), Obstacle>;
type Check = for<'f> fn(&'f dyn Fixture) -> Pin<Box<dyn Future<Output = Finding> + 'f>>;

/// Go on if it is so; else say what was seen.
macro_rules! ensure {
    ($condition:expr, $($seen:tt)+) => {
        if !$condition {
            return Err(Obstacle::Broken(format!($($seen)+)));
        }
    };
}
use ensure;

/// One behaviour.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// Its name, as that of a test.
    pub name: &'static str,
    /// What it belongs to.
    pub part: Part,
    check: Check,
}

impl std::fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Behaviour").field("name", &self.name).field("part", &self.part).finish_non_exhaustive()
    }
}

impl Behaviour {
    /// Play it.
    pub fn play(&self, fixture: &dyn Fixture) -> Verdict {
        let _surroundings = fixture.surroundings();
        match catch_unwind(AssertUnwindSafe(|| run((self.check)(fixture)))) {
            Ok(Ok(())) => Verdict::Holds,
            Ok(Err(Obstacle::Absent(why))) => Verdict::Absent(why.to_owned()),
            Ok(Err(Obstacle::Broken(seen))) => Verdict::Broken(seen),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
                Verdict::Broken(format!("it panicked: {text}"))
            }
        }
    }
}

/// Hand the names of all behaviours to a macro, after what it wants to keep.
#[doc(hidden)]
#[macro_export]
macro_rules! each_behaviour {
    ($($apply:ident)::+, $($kept:tt)*) => {
        $($apply)::+! {
            $($kept)* =>
            Descriptor descriptor the_descriptor_is_sane,
            Descriptor descriptor parts_stay_what_they_are,
            Install setup setup_completes_though_each_step_comes_to_another_process,
            Install setup a_field_that_is_missing_is_refused,
            Install setup fields_at_the_wrong_stage_are_refused,
            Install setup a_step_that_is_repeated_does_no_harm,
            Install setup settings_of_any_shape_are_answered,
            Install setup a_platform_that_is_away_doesnt_end_setup,
            Install setup settings_of_earlier_releases_are_understood,
            Install upkeep new_secrets_keep_the_bot,
            Install upkeep a_probe_tells_how_it_is,
            Install upkeep removing_twice_does_no_harm,
            Renew upkeep a_credential_is_renewed,
            Verification codes a_code_is_shown_as_it_is,
            Verification codes a_code_that_is_entered_arrives,
            Delivery delivery an_address_has_one_stream,
            Delivery delivery an_address_of_any_shape_is_answered,
            Delivery render rendering_is_pure,
            Delivery render nothing_makes_rendering_panic,
            Delivery render every_post_is_within_the_limits,
            Delivery render the_link_is_kept,
            Delivery delivery a_post_stands_once,
            Delivery delivery buttons_carry_their_tokens,
            Delivery delivery a_reply_is_a_reply,
            Delivery failures every_refusal_has_its_cause,
            Delivery failures a_wish_to_slow_down_is_passed_on,
            Delivery failures nothing_that_was_not_sent_is_in_doubt,
            Delivery failures what_may_have_been_done_is_in_doubt,
            Delivery failures an_answer_of_no_shape_is_no_success,
            Delivery failures a_redirect_is_not_followed,
            Delivery failures a_post_dropped_at_any_await_is_never_doubled,
            Delivery failures secrets_stay_secret,
            Edit delivery an_edit_changes_the_post,
            Edit delivery an_edit_of_what_is_gone_says_so,
            Delete delivery a_deletion_takes_it_back,
            Find failures what_was_lost_is_found,
            Direct delivery a_person_can_be_written_to,
            Ingress ingress unproven_requests_do_nothing,
            Ingress ingress a_forged_person_is_refused,
            Ingress ingress garbage_does_nothing,
            Ingress ingress a_repetition_has_the_same_id,
            Ingress ingress unknown_slots_look_alike,
            Ingress ingress every_outcome_has_an_answer,
            Ingress ingress a_press_arrives,
            Ingress ingress requests_are_understood_in_any_order,
            Ingress ingress what_is_too_big_does_nothing,
            Ingress ingress what_is_public_is_the_same_each_time,
            Listen listen what_happens_is_heard,
            Listen listen what_was_heard_comes_again_until_the_cursor_moves_on,
            Listen listen an_outage_is_no_silence,
            Listen listen every_outcome_can_be_told,
            Directory directory the_directory_finds_what_is_there,
            Directory directory pages_lead_to_an_end_and_repeat_nothing,
            Directory directory any_query_is_answered,
            Commands commands the_platform_offers_exactly_what_is_declared,
            Commands commands an_outage_leaves_no_half_of_the_commands,
            Commands commands a_command_that_is_used_arrives,
        }
    };
}

macro_rules! table {
    (=> $($part:ident $module:ident $name:ident,)*) => {
        /// All behaviours, in the order in which they are played.
        pub const BEHAVIOURS: &[Behaviour] = &[$(
            Behaviour { name: stringify!($name), part: Part::$part, check: |fixture| Box::pin($module::$name(fixture)) },
        )*];
    };
}
each_behaviour!(table,);

/// Make each behaviour of the conformance suite a test: `conformance!(MyFixture);`, where
/// `MyFixture` is an expression that gives a [`Fixture`](crate::testkit::Fixture), e.g. a unit
/// struct's name.
#[macro_export]
macro_rules! conformance {
    ($fixture:expr) => {
        $crate::each_behaviour!($crate::conformance_tests, $fixture);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:expr => $($part:ident $module:ident $name:ident,)*) => {$(
        #[test]
        fn $name() {
            $crate::testkit::conformance::hold(&$fixture, stringify!($name));
        }
    )*};
}

/// Play one behaviour by its name, as a test.
///
/// # Panics
/// It doesn't hold.
pub fn hold(fixture: &dyn Fixture, name: &str) {
    let behaviour = BEHAVIOURS.iter().find(|behaviour| behaviour.name == name).expect("a behaviour of this name");
    if let Verdict::Broken(seen) = behaviour.play(fixture) {
        panic!("{seen}");
    }
}

/// What the suite found of a backend.
#[derive(Debug)]
pub struct Report {
    /// The backend's id.
    pub backend: String,
    /// Each behaviour and how it came out.
    pub rows: Vec<(Behaviour, Verdict)>,
}

impl Report {
    /// What was seen of behaviours that don't hold.
    pub fn broken(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.rows.iter().filter_map(|(behaviour, verdict)| match verdict {
            Verdict::Broken(seen) => Some((behaviour.name, seen.as_str())),
            _ => None,
        })
    }

    /// Each part, and whether it is proven: something of it was seen, and nothing of it is broken.
    pub fn proven(&self) -> BTreeMap<Part, bool> {
        let mut proven: BTreeMap<Part, (bool, bool)> = BTreeMap::new();
        for (behaviour, verdict) in &self.rows {
            let (holds, broken) = proven.entry(behaviour.part).or_default();
            *holds |= *verdict == Verdict::Holds;
            *broken |= matches!(verdict, Verdict::Broken(_));
        }
        proven.into_iter().map(|(part, (holds, broken))| (part, holds && !broken)).collect()
    }
}

/// Play every behaviour.
pub fn examine(fixture: &dyn Fixture) -> Report {
    let rows = BEHAVIOURS.iter().map(|behaviour| (*behaviour, behaviour.play(fixture))).collect();
    Report { backend: fixture.backend().descriptor().id.to_owned(), rows }
}

/// A backend that is set up, for a behaviour to be played with.
struct Ready {
    stage: Stage,
    backend: Arc<dyn MessagingBackend>,
}

impl Ready {
    /// Set up on a new platform.
    async fn new(fixture: &dyn Fixture) -> Result<Self, Obstacle> {
        let backend = fixture.backend();
        let stage = Stage::of(fixture, backend.descriptor());
        stage.install(fixture).await?;
        Ok(Self { stage, backend })
    }

    /// The same for what needs delivery.
    async fn to_deliver(fixture: &dyn Fixture) -> Result<Self, Obstacle> {
        let ready = Self::new(fixture).await?;
        match ready.backend.delivery() {
            Some(_) => Ok(ready),
            None => Err(Obstacle::Absent("the backend doesn't deliver")),
        }
    }

    fn delivery(&self) -> Result<&dyn crate::delivery::Delivery, Obstacle> {
        self.backend.delivery().ok_or(Obstacle::Absent("the backend doesn't deliver"))
    }

    /// A document as it goes out to the place under this copy's id, with tokens.
    fn outgoing(&self, copy: &str, content: &Content) -> Result<Vec<Outgoing>, Obstacle> {
        self.outgoing_to(copy, content, &self.stage.platform.place().address)
    }

    fn outgoing_to(&self, copy: &str, content: &Content, address: &Address) -> Result<Vec<Outgoing>, Obstacle> {
        render::outgoing(self.delivery()?, &self.backend.descriptor().limits, copy, content, address)
    }

    /// The only part of a short message.
    fn short(&self, copy: &str, title: &str) -> Result<Outgoing, Obstacle> {
        let content = Content { title: title.into(), ..Content::default() };
        let mut parts = self.outgoing(copy, &content)?;
        match parts.pop() {
            Some(part) if parts.is_empty() => Ok(part),
            _ => Err(Obstacle::Broken(format!("a short title became {} parts", parts.len() + 1))),
        }
    }
}
