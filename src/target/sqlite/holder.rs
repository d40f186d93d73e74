//! The processes that use the file, as Linux tells of them. Elsewhere nothing is known.

use std::path::Path;

/// Whether the process is gone. One that its parent has not looked after yet is.
pub(super) fn has_ended(process: &str) -> bool {
    let processes = Path::new("/proc");
    if !processes.join("self").exists() {
        return false;
    }
    // After the name, which may hold anything, stands the state.
    match std::fs::read_to_string(processes.join(process).join("stat")) {
        Ok(stat) => stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
        Err(_) => true,
    }
}

/// The process that has locked the file for writing, in parentheses, where that can be told: on the
/// file itself, or in WAL mode on the memory that its users share.
pub(super) fn of_lock(database: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let mut shared = database.as_os_str().to_owned();
    shared.push("-shm");
    let files = [database, Path::new(&shared)];
    let files: Vec<_> =
        files.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|m| m.ino()).collect();
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let ours = std::process::id();
    let mut found = locks.lines().filter_map(read).filter(|(_, inode)| files.contains(inode));
    match found.find(|(process, _)| *process != ours) {
        Some((process, _)) => format!(
            " (process {process} on this machine; if it is frozen, only its end frees the lock: \
             `kill -9 {process}`)"
        ),
        None => String::new(),
    }
}

/// Process and inode of a line like `1: POSIX  ADVISORY  WRITE 1234 08:01:5678 0 EOF`. One that
/// waits for a lock has an arrow after its number.
fn read(line: &str) -> Option<(u32, u64)> {
    let mut words = line.split_whitespace().skip(1);
    if words.next()? == "->" || words.nth(1)? != "WRITE" {
        return None;
    }
    let process = words.next()?.parse().ok()?;
    let inode = words.next()?.rsplit(':').next()?.parse().ok()?;
    Some((process, inode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let held = "1: POSIX  ADVISORY  WRITE 1234 fe:00:5678 1073741824 1073742335";
        assert_eq!(read(held), Some((1234, 5678)));
        assert_eq!(read(&held.replace("WRITE", "READ ")), None);
        assert_eq!(read("1: -> POSIX  ADVISORY  WRITE 99 fe:00:5678 0 EOF"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn this_process_lives() {
        assert!(!has_ended(&std::process::id().to_string()));
    }
}
