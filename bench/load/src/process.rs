//! What the kernel knows of a process: CPU time and memory, from `/proc`.

use std::fs;

use anyhow::Context;

/// Clock ticks a second: fixed by Linux's interface to programs on every common architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds that a process has used, user and kernel together.
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let text = read(pid, "stat")?;
    // The name, in parentheses, may hold anything; fields are counted after it.
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |index: usize| -> anyhow::Result<f64> {
        Ok(fields.get(index).context("a short stat line")?.parse::<u64>()? as f64)
    };
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// A line of `/proc/PID/status` in bytes, such as `VmHWM` or `RssAnon`.
pub(crate) fn memory_bytes(pid: u32, name: &str) -> anyhow::Result<u64> {
    let text = read(pid, "status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line
        .with_context(|| format!("no {name} of process {pid}"))?
        .trim()
        .trim_end_matches(" kB");
    Ok(kib.parse::<u64>()? * 1024)
}

fn read(pid: u32, file: &str) -> anyhow::Result<String> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).with_context(|| format!("process {pid} cannot be looked at"))
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, memory_bytes};

    #[test]
    fn the_own_process_has_used_memory_and_its_peak_is_not_below() {
        let pid = std::process::id();
        let (anonymous, peak) = (
            memory_bytes(pid, "RssAnon").expect("known"),
            memory_bytes(pid, "VmHWM").expect("known"),
        );
        assert!(anonymous > 0 && peak >= anonymous);
        assert!(cpu_seconds(pid).expect("known") < 3600.0);
        assert!(memory_bytes(pid, "Nonsense").is_err());
    }
}
