//! What processes have used, as the kernel counts it.

use std::{fs, time::Duration};

use crate::Problem;

/// The kernel's unit of processor time towards programs: a hundredth of a second.
const TICK: Duration = Duration::from_millis(10);

/// What the kernel says of one process.
struct Counted {
    parent: u32,
    own: u64,
    /// Of children that have ended.
    ended: u64,
}

/// The processor time of one process so far, user and system.
pub(crate) fn processor_time(process: u32) -> Result<Duration, Problem> {
    Ok(ticks(counted(process)?.own))
}

/// The processor time of a process and its children, those that have ended too: a database
/// server with its workers.
pub(crate) fn processor_time_of_family(process: u32) -> Result<Duration, Problem> {
    let head = counted(process)?;
    let mut total = head.own + head.ended;
    let entries = fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?;
    let others = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // One that ends in between is counted with its parent at the next look.
    total += others.filter_map(|other| counted(other).ok()).filter(|c| c.parent == process).map(|c| c.own).sum::<u64>();
    Ok(ticks(total))
}

fn ticks(number: u64) -> Duration {
    TICK * u32::try_from(number).unwrap_or(u32::MAX)
}

fn counted(process: u32) -> Result<Counted, Problem> {
    let file = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    read(&text).ok_or_else(|| format!("{file} can't be read"))
}

fn read(stat: &str) -> Option<Counted> {
    // The name stands in parentheses and may hold anything; the third field follows it.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Counted {
        parent: u32::try_from(number(4)?).ok()?,
        own: number(14)? + number(15)?,
        ended: number(16)? + number(17)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_moves_no_field() {
        let stat = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5";
        let counted = read(stat).expect("well-formed");
        assert_eq!((counted.parent, counted.own, counted.ended), (7, 120, 7));
    }
}
