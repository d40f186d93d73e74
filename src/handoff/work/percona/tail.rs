//! The lines that were added to a file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// More than this without an end is no line: whoever writes it is no tool that is known here.
const LONGEST: usize = 64 * 1024;

/// Reads a file that grows, line by line.
pub(super) struct Tail {
    path: PathBuf,
    read: u64,
    begun: Vec<u8>,
}

impl Tail {
    /// From there on, in bytes.
    pub(super) fn from(path: PathBuf, read: u64) -> Self {
        Self { path, read, begun: Vec::new() }
    }

    /// The lines that have ended since, without what no terminal should get.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let Ok(mut file) = File::open(&self.path) else { return lines };
        if file.metadata().is_ok_and(|about| about.len() < self.read) {
            (self.read, self.begun) = (0, Vec::new());
        }
        if file.seek(SeekFrom::Start(self.read)).is_err() {
            return lines;
        }
        let mut buffer = [0; 8 * 1024];
        while let Ok(count @ 1..) = file.read(&mut buffer) {
            self.read += count as u64;
            for &byte in &buffer[..count] {
                match byte {
                    b'\n' => lines.push(clean(&std::mem::take(&mut self.begun))),
                    _ if self.begun.len() < LONGEST => self.begun.push(byte),
                    _ => {}
                }
            }
        }
        lines
    }

    /// The last line, which nobody ended.
    pub(super) fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.begun);
        (!rest.is_empty()).then(|| clean(&rest))
    }
}

fn clean(line: &[u8]) -> String {
    String::from_utf8_lossy(line).chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn lines_come_once_and_whole_whatever_stands_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut tail = Tail::from(path.clone(), 0);
        assert!(tail.lines().is_empty());
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(tail.lines(), ["one"]);
        file.write_all(b"o\n\xff\x1b[2J\0\n").unwrap();
        assert_eq!(tail.lines(), ["two", "\u{fffd}[2J"]);
        file.write_all(&vec![b'x'; 3 * LONGEST]).unwrap();
        assert!(tail.lines().is_empty());
        assert_eq!(tail.rest().unwrap().len(), LONGEST);
        // Somebody emptied it.
        File::create(&path).unwrap().write_all(b"anew\n").unwrap();
        assert_eq!(tail.lines(), ["anew"]);
        assert_eq!(Tail::from(path, 2).lines(), ["ew"]);
    }
}
