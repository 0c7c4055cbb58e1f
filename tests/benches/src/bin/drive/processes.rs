//! What processes have used, as the kernel counts it: to the nanosecond for those that run,
//! since a short run of a thrifty program is a few hundredths of a second.

use std::{fs, time::Duration};

use chatport_bench::connection::Problem;
use clap::Args;
use nix::{
    time::{ClockId, clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};

use crate::volley::say;

/// The kernel's unit for what ended children have used: a hundredth of a second.
const TICK: Duration = Duration::from_millis(10);

/// Whose processor time is measured.
#[derive(Debug, Args)]
pub(crate) struct Meter {
    /// The server's process, to measure its processor time
    #[arg(long)]
    process: Option<i32>,
    /// The head process of its database, if it has one
    #[arg(long)]
    database_process: Option<i32>,
    /// The platform's process
    #[arg(long)]
    platform_process: Option<i32>,
}

/// What had been used at one moment.
pub(crate) struct Used {
    program: Option<Duration>,
    database: Option<Duration>,
    platform: Option<Duration>,
    driver: Duration,
}

impl Meter {
    pub(crate) fn read(&self) -> Result<Used, Problem> {
        let driver = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_err(|error| format!("own time: {error}"))?;
        Ok(Used {
            program: self.process.map(processor_time).transpose()?,
            database: self.database_process.map(processor_time_of_family).transpose()?,
            platform: self.platform_process.map(processor_time).transpose()?,
            driver: driver.into(),
        })
    }

    /// Say what was used since then, in seconds per 1,000 of `count`.
    pub(crate) fn say_since(&self, lines: &mut String, before: &Used, count: usize) -> Result<(), Problem> {
        let after = self.read()?;
        let per_thousand =
            |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1_000.0 / count.max(1) as f64;
        let of = |from: Option<Duration>, to: Option<Duration>| Some(per_thousand(from?, to?));
        let program = of(before.program, after.program);
        let database = of(before.database, after.database);
        let parts = [
            ("program_cpu_s", program),
            ("database_cpu_s", database),
            ("platform_cpu_s", of(before.platform, after.platform)),
            ("driver_cpu_s", Some(per_thousand(before.driver, after.driver))),
            ("cpu_s", program.map(|program| program + database.unwrap_or_default())),
        ];
        for (name, value) in parts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            say(lines, name, value);
        }
        Ok(())
    }
}

/// The processor time of one process so far, user and system.
fn processor_time(process: i32) -> Result<Duration, Problem> {
    let clock = clock_getcpuclockid(Pid::from_raw(process));
    let time = clock.and_then(clock_gettime).map_err(|error| format!("process {process}: {error}"))?;
    Ok(time.into())
}

/// The processor time of a process and its children, those that have ended too: a database
/// server with its workers.
fn processor_time_of_family(process: i32) -> Result<Duration, Problem> {
    let ended = relations(process)?.ended;
    let entries = fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?;
    let others = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = others.filter(|other| relations(*other).is_ok_and(|found| found.parent == process));
    // One that ends in between is counted with its parent at the next look.
    let living: Duration = children.filter_map(|child| processor_time(child).ok()).sum();
    Ok(processor_time(process)? + TICK * u32::try_from(ended).unwrap_or(u32::MAX) + living)
}

/// What the kernel says of a process's family.
struct Relations {
    parent: i32,
    /// What children that have ended had used, in ticks.
    ended: u64,
}

fn relations(process: i32) -> Result<Relations, Problem> {
    let file = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    read(&text).ok_or_else(|| format!("{file} can't be read"))
}

fn read(stat: &str) -> Option<Relations> {
    // The name stands in parentheses and may hold anything; the third field follows it.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Relations { parent: i32::try_from(number(4)?).ok()?, ended: number(16)? + number(17)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_moves_no_field() {
        let stat = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5";
        let relations = read(stat).expect("well-formed");
        assert_eq!((relations.parent, relations.ended), (7, 7));
    }
}
