//! Resident memory of this process, as the kernel tells it.

/// Megabytes (10^6 bytes) resident now and at most so far; None where the system has no /proc.
pub(super) fn resident_mb() -> Option<[f64; 2]> {
    read(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn read(status: &str) -> Option<[f64; 2]> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1024.0 / 1e6)
    };
    Some([field("VmRSS:")?, field("VmHWM:")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_by_name() {
        let found = read("Name:\theescope\nVmHWM:\t  2000 kB\nVmRSS:\t  1000 kB\n");
        assert_eq!(found, Some([1.024, 2.048]));
        assert_eq!(read("Name:\theescope\n"), None);
    }
}
