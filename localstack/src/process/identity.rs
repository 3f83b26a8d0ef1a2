//! Identifies a process by its start time, because its pid may later be reused.

use std::fs;

/// Returns the start time of a live process, as text to compare, or `None` if it does not exist or is a zombie.
#[cfg(target_os = "linux")]
pub(crate) fn started(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks = start_ticks(&stat)?;
    // Ticks are counted from the boot, so they are unique only together with it.
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{ticks}@{}", boot.trim()))
}

/// The second field is the program's name in parentheses and may itself contain parentheses and spaces, so fields are counted
/// after its end.
#[cfg(any(target_os = "linux", test))]
fn start_ticks(stat: &str) -> Option<&str> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X") { None } else { fields.nth(18) }
}

/// Returns the start time of a live process, as text to compare, or `None` if it does not exist or is a zombie.
#[cfg(not(target_os = "linux"))]
pub(crate) fn started(pid: i32) -> Option<String> {
    let output =
        std::process::Command::new("ps").args(["-o", "stat=,lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (state, start) = text.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_found_behind_a_name_with_brackets() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 424242 1000 200\n";
        assert_eq!(start_ticks(stat), Some("424242"));
        assert_eq!(start_ticks(&stat.replace(" S ", " Z ")), None);
    }

    #[test]
    fn our_own_start_is_known_and_steady() {
        let me = std::process::id().cast_signed();
        assert!(started(me).is_some());
        assert_eq!(started(me), started(me));
        assert_eq!(started(i32::MAX), None);
    }
}
