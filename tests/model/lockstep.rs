//! A sequence of steps, taken by the store in memory and by a real one alike, and judged
//! after each step.

use std::{cell::OnceCell, collections::BTreeSet, sync::Arc, time::Duration};

use chatport_host::{
    delivery::{
        Operation,
        message::{self, LogLine, OnRemoved, PutMessage},
        store::Work,
        targets::{Planned, PlannedPlace},
    },
    events::EventKind,
    ids::{ChannelId, CopyId, InstallationId, OrganizationId, StreamId},
};
use chatport_sdk::{
    content::Content,
    delivery::Urgency,
    identity::{Account, Address},
    time::{Clock, Timestamp},
};
use chatport_tests::{database::Engine, seeded::SetClock, twin::Twin};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde_json::json;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::{
    checker::{Checker, Done},
    databases::Real,
    steps::{End, How, NOWHERE, Put, Revision, Step, step},
    system::{System, recorded_text, work_text},
    view::View,
};

const ORGANIZATION_NAMES: [&str; 2] = ["acme", "bolt"];
const SUBSCRIPTION: &str = "pager";
const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// Between two steps, so that no two happen at once.
const MOMENT: Duration = Duration::from_micros(1);
/// Rounds in which everything must have been sent.
const DRAIN_ROUNDS: usize = 400;

/// Steps need no state of their own to be possible: they mean whatever is there.
pub struct AnySteps;

impl ReferenceStateMachine for AnySteps {
    type State = ();
    type Transition = Step;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<Step> {
        step().boxed()
    }

    fn apply((): (), _: &Step) {}
}

macro_rules! tested_on {
    ($($name:ident => $engine:expr),* $(,)?) => {$(
        pub struct $name;

        impl StateMachineTest for $name {
            type SystemUnderTest = Lockstep;
            type Reference = AnySteps;

            fn init_test((): &()) -> Lockstep {
                Lockstep::start($engine)
            }

            fn apply(mut lockstep: Lockstep, (): &(), step: Step) -> Lockstep {
                lockstep.take(&step);
                lockstep
            }

            fn teardown(mut lockstep: Lockstep, (): ()) {
                lockstep.drain();
            }
        }
    )*};
}

tested_on![OnTwin => None, OnSqlite => Some(Engine::Sqlite), OnPostgres => Some(Engine::Postgres)];

/// What a test's thread keeps from one sequence to the next: each test has a database of its
/// own, and its thread.
struct Stage {
    runtime: Runtime,
    clock: SetClock,
    real: Option<Real>,
}

thread_local! {
    static STAGE: OnceCell<Arc<Stage>> = const { OnceCell::new() };
}

impl Stage {
    fn of(engine: Option<Engine>) -> Arc<Self> {
        let make = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let clock = SetClock::at(START);
            let real = engine.map(|engine| runtime.block_on(Real::open(engine, &clock)));
            Arc::new(Self { runtime, clock, real })
        };
        STAGE.with(|stage| Arc::clone(stage.get_or_init(make)))
    }
}

/// The stores under test, the first of them the twin.
pub struct Lockstep {
    stage: Arc<Stage>,
    twin: Twin,
    systems: Vec<System>,
    checker: Checker,
    view: View,
}

impl Lockstep {
    fn start(engine: Option<Engine>) -> Self {
        let stage = Stage::of(engine);
        stage.clock.set(START);
        let twin = Twin::shared(Arc::new(stage.clock.clone()));
        let world: Vec<(&str, Vec<Uuid>)> =
            vec![("acme", vec![installation(0).0, installation(1).0]), ("bolt", vec![installation(2).0])];
        twin.tables(|tables| {
            for (name, installations) in &world {
                tables.organizations.insert(organization_named(name));
                tables.installations.extend(installations.iter().map(|id| (InstallationId(*id), Default::default())));
            }
            tables.subscriptions.insert(SUBSCRIPTION.into(), vec![EventKind::MessageFailed]);
        });
        let mut systems = vec![System::over(Arc::new(twin.clone()))];
        if let Some(real) = &stage.real {
            stage.runtime.block_on(real.reset(&world, SUBSCRIPTION, "message.failed"));
            systems.push(System::over(real.store()));
        }
        Self { stage, twin, systems, checker: Checker::default(), view: View::default() }
    }

    fn now(&self) -> Timestamp {
        self.stage.clock.now()
    }

    fn advance(&self, by: Duration) {
        self.stage.clock.advance(by);
        if let Some(real) = &self.stage.real {
            self.stage.runtime.block_on(real.set_clock(self.now()));
        }
    }

    /// Let each store do something; their answers must be the same in words. The twin's is
    /// the answer.
    fn each<T>(&mut self, mut act: impl AsyncFnMut(&mut System) -> T, in_words: impl Fn(&T) -> String) -> T {
        let runtime = &self.stage.runtime;
        let mut answers = self.systems.iter_mut().map(|system| runtime.block_on(act(system))).collect::<Vec<_>>();
        let first = answers.remove(0);
        for other in &answers {
            assert_eq!(in_words(&first), in_words(other), "the stores answer differently (left: in memory)");
        }
        first
    }

    /// Take a step, and judge it.
    pub fn take(&mut self, step: &Step) {
        self.advance(MOMENT);
        let now = self.now();
        match step {
            Step::Accept { puts, process } => self.accept(puts, *process),
            Step::Lease { process, unheard } => self.lease(*process, *unheard),
            Step::Record(ends) => {
                let texts = |recordings: &Vec<crate::system::Recording>| {
                    recordings.iter().map(|recording| recorded_text(&recording.answer)).collect::<Vec<_>>().join("; ")
                };
                let recordings = self.each(async |system| system.record(ends, now).await, texts);
                self.judge(&Done::Recorded(&recordings));
            }
            Step::Parts { hand } => {
                let held = |parts: &Option<(Work, bool)>| format!("{:?}", parts.as_ref().map(|(_, held)| *held));
                match self.each(async |system| system.parts(*hand).await, held) {
                    Some((work, held)) => self.judge(&Done::Parts(&work, held)),
                    None => self.judge(&Done::Nothing),
                }
            }
            Step::Expire => {
                self.each(async |system| system.expire().await, usize::to_string);
                self.judge(&Done::Expired);
            }
            Step::Fold => {
                self.each(async |system| system.fold().await, usize::to_string);
                self.judge(&Done::Folded);
            }
            Step::Delete { organization, key } => {
                let (organization, key) = (organization_named(ORGANIZATION_NAMES[*organization]), key_name(*key));
                self.each(async |system| system.delete(&organization, &key, now).await, String::clone);
                self.judge(&Done::Deleted(&(organization.to_string(), key)));
            }
            Step::Replay { organization, key } => self.replay(*organization, *key),
            Step::Abandon { process } => {
                self.each(async |system| system.abandon(*process).await, u64::to_string);
                let owner = self.systems[0].processes[*process].owner;
                let held = self.systems[0].held(owner).into_iter().map(|stream| stream.0).collect();
                self.judge(&Done::Abandoned { owner, held: &held });
            }
            Step::Restart { process, frozen } => {
                self.systems.iter_mut().for_each(|system| system.restart(*process, *frozen));
                self.judge(&Done::Nothing);
            }
            Step::Wait(time) => {
                self.advance(*time);
                self.judge(&Done::Nothing);
            }
        }
    }

    fn accept(&mut self, puts: &[Put], process: Option<usize>) {
        let mut operations: Vec<Operation> = Vec::new();
        for put in puts {
            let operation = self.operation(put, &operations);
            operations.extend(operation);
        }
        let words = |answer: &(Vec<Result<_, _>>, Vec<Work>)| {
            format!("{:?} {:?}", answer.0, answer.1.iter().map(work_text).collect::<Vec<_>>())
        };
        let (answers, taken) = self.each(async |system| system.accept(&operations, process).await, words);
        self.judge(&Done::Accepted { operations: &operations, answers: &answers, taken: &taken });
    }

    fn lease(&mut self, process: usize, unheard: bool) {
        let owner = self.systems[0].processes[process].owner;
        // A seat that is still taken keeps a process from leasing that stream again.
        let elsewhere: BTreeSet<Uuid> = self.systems[0].held(owner).into_iter().map(|stream| stream.0).collect();
        let words =
            |(more, works): &(bool, Vec<Work>)| format!("{more} {:?}", works.iter().map(work_text).collect::<Vec<_>>());
        let (_, taken) = self.each(async |system| system.lease(process, unheard).await, words);
        self.judge(&Done::Leased { owner, taken: &taken, elsewhere: &elsewhere });
    }

    fn replay(&mut self, organization: usize, key: usize) {
        let (organization, key) = (organization_named(ORGANIZATION_NAMES[organization]), key_name(key));
        let message = self.view.messages.get(&(organization.to_string(), key)).filter(|message| !message.deleted);
        let Some(message) = message.map(|message| message.id) else { return self.judge(&Done::Nothing) };
        let of_it = self.view.copies.values().filter(|copy| copy.message == Some(message));
        let given_up = of_it.filter(|copy| matches!(copy.state.as_str(), "dead" | "expired"));
        let copies: Vec<_> = given_up.filter_map(|copy| Some((CopyId(copy.id), StreamId(copy.stream?)))).collect();
        let now = self.now();
        let replayed =
            self.each(async |system| system.replay(&organization, &copies, now).await, |ids| format!("{ids:?}"));
        let replayed: Vec<Uuid> = replayed.into_iter().map(|id| id.0).collect();
        self.judge(&Done::Replayed(&replayed));
    }

    /// What a put asks for, as the front door would have planned it.
    fn operation(&self, put: &Put, batch: &[Operation]) -> Option<Operation> {
        let organization = organization_named(ORGANIZATION_NAMES[put.organization]);
        let key = key_name(put.key);
        let in_batch = batch.iter().filter(|other| other.organization == organization && other.key == key);
        let asked = self.checker.asked.get(&(organization.to_string(), key.clone())).map(|asked| &asked.operation);
        let last = in_batch.chain(asked).max_by_key(|operation| operation.put.revision);
        let newest = last.map_or(0, |last| last.put.revision);
        let (revision, title) = match (put.revision, last) {
            (Revision::Same, Some(last)) => return Some(Operation { now: self.now(), ..last.clone() }),
            (Revision::OtherContent, Some(_)) => (newest, "other"),
            (Revision::Lower, Some(_)) => (newest - 1, "lower"),
            (Revision::Up(by), _) => (newest + by, "up"),
            (_, None) => (1, "first"),
        };
        let document = PutMessage {
            revision,
            is_final: put.is_final,
            targets: Vec::new(),
            content: Content { title: format!("{title} {revision}"), ..Content::default() },
            log: (0..put.log).map(|id| LogLine { id: id.to_string(), text: "happened".into() }).collect(),
            urgency: [Urgency::Low, Urgency::Normal, Urgency::Urgent][usize::try_from(put.urgency).expect("0 to 2")],
            not_before: None,
            expires_at: None,
            on_unknown: Default::default(),
            on_missing_root: Default::default(),
            fallback: None,
            on_removed: if put.deletes { OnRemoved::Delete } else { OnRemoved::Leave },
        };
        let canonical = document.canonical();
        let now = self.now();
        Some(Operation {
            planned: put.targets.iter().map(|target| self.planned(put, &organization, *target)).collect(),
            fingerprint: message::fingerprint(&canonical),
            canonical,
            organization,
            key,
            put: Arc::new(document.into()),
            expires_at: now.plus(put.lifetime),
            due_at: now.plus(put.delay),
            now,
            quota: 1_000_000,
        })
    }

    /// Targets 0 and 1 are conversations of the first installation, 2 of the second, 3 a
    /// person, 4 a person named in a thread; 5 can't be resolved.
    fn planned(&self, put: &Put, organization: &OrganizationId, target: usize) -> Planned {
        let stored = json!({ "channel": ChannelId(Uuid::from_u128(target as u128)) }).to_string();
        if target == NOWHERE {
            let place = Err(("channel_not_found", "there is no such channel".to_owned()));
            return Planned { target: stored, is_fallback: false, place, notes: Vec::new() };
        }
        let id = match (organization.as_str(), target) {
            ("acme", 2) => installation(1),
            ("acme", _) => installation(0),
            _ => installation(2),
        };
        let is_person = target >= 3;
        let other = key_name((put.key + 1) % crate::steps::KEYS);
        let is_root = |copy: &&chatport_host::store::entities::copies::Model| {
            copy.log_id.is_none() && copy.account.is_none() && copy.installation == Some(id.0)
        };
        let root = self.view.messages.get(&(organization.to_string(), other)).and_then(|message| {
            self.view.copies.values().filter(|copy| copy.message == Some(message.id)).find(is_root)
        });
        let root = root.filter(|_| put.reply && target == 4);
        let stream = match (target, root) {
            (4, Some(_)) => "hall".to_owned(),
            (3 | 4, _) => "account:ada".to_owned(),
            (1, _) => "roof".to_owned(),
            _ => "hall".to_owned(),
        };
        let account = Account { id: "ada".into(), username: "ada".into(), display_name: "Ada".into(), direct: None };
        let place = PlannedPlace {
            installation: id,
            address: (!is_person).then(|| Address(json!({ "loft": stream }))),
            stream,
            rate: "loft".into(),
            account: is_person.then_some(account),
            root: root.map(|copy| CopyId(copy.id)),
            storm_guard: target <= 1,
        };
        Planned { target: stored, is_fallback: false, place: Ok(place), notes: Vec::new() }
    }

    /// Look at the rows: they must be the same in all stores, and the judge must agree.
    fn judge(&mut self, done: &Done<'_>) {
        let now = self.now().as_micros();
        let view = self.twin.tables(|tables| View::of_twin(tables, now));
        if let Some(real) = &self.stage.real {
            let other = self.stage.runtime.block_on(View::of_database(real.database.read(), now));
            same(&view, &other);
        }
        self.checker.check(done, &self.view, &view);
        self.view = view;
    }

    /// Every process dies, and another one sends everything that is left.
    fn drain(&mut self) {
        for process in 0..2 {
            self.take(&Step::Restart { process, frozen: false });
        }
        for _ in 0..DRAIN_ROUNDS {
            let is_open = |view: &View| view.copies.values().any(|copy| copy.is_open);
            let is_awake = |view: &View| view.streams.values().any(|row| row.owner.is_some() || row.due_at.is_some());
            if !is_open(&self.view) && !is_awake(&self.view) && self.systems[0].hands.is_empty() {
                break;
            }
            let end = |hand| End { hand, how: How::Delivered, go_on: true, unheard: false };
            match self.systems[0].hands.len() {
                0 => {
                    self.take(&Step::Wait(Duration::from_secs(3_601)));
                    self.take(&Step::Fold);
                    self.take(&Step::Lease { process: 0, unheard: false });
                }
                hands => self.take(&Step::Record((0..hands).map(end).collect())),
            }
        }
        self.checker.check_drained(&self.view);
        let copies: Vec<(OrganizationId, CopyId)> =
            self.view.copies.values().map(|copy| (organization_named(&copy.organization), CopyId(copy.id))).collect();
        for (organization, copy) in copies.iter().filter(|(_, copy)| !copy.0.is_nil()) {
            if self.view.copies[&copy.0].event.is_none() {
                self.each(
                    async |system| system.store.root(organization, *copy).await.expect("read"),
                    |root| format!("{root:?}"),
                );
            }
        }
    }
}

fn same(twin: &View, real: &View) {
    if twin.normal() == real.normal() {
        return;
    }
    let (twin, real) = (twin.lines(), real.lines());
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|line| !those.contains(line)).cloned().collect()
    };
    let (twin, real) = (only(&twin, &real), only(&real, &twin));
    panic!("the stores hold different rows\nin memory: {twin:#?}\nin the database: {real:#?}");
}

fn installation(number: u128) -> InstallationId {
    InstallationId(Uuid::from_u128(0x1000 + number))
}

fn organization_named(name: &str) -> OrganizationId {
    OrganizationId::parse(name).expect("a name")
}

fn key_name(key: usize) -> String {
    format!("k{key}")
}
