//! A long report on its way to stdout: printed as it comes, and what belongs to its end kept in a
//! file until then.

use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, Write as _};

use tempfile::SpooledTempFile;

use super::exit::Failure;
use crate::report::findings::{Out, Part, STRANDS};

/// So much, in bytes, is held before it is printed or goes to a file: the report of a pull request
/// fits, so that a file that cannot be read leaves no half of a report, and needs no file.
const HELD: usize = 1024 * 1024;

/// What is written or read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// A report that is being printed.
pub(super) struct Page {
    held: Vec<u8>,
    /// A file each, without a name: it is gone with the process, however that ends.
    kept: [BufWriter<SpooledTempFile>; STRANDS],
}

impl Page {
    pub(super) fn new() -> Self {
        let strand = || BufWriter::with_capacity(CHUNK, SpooledTempFile::new(HELD));
        Self { held: Vec::new(), kept: std::array::from_fn(|_| strand()) }
    }

    /// Takes what a format wrote, and leaves nothing of it.
    ///
    /// # Errors
    ///
    /// It can neither be printed nor kept.
    pub(super) fn take(&mut self, out: &mut Out) -> Result<(), Failure> {
        self.print(out.now.as_bytes())?;
        out.now.clear();
        for (kept, later) in self.kept.iter_mut().zip(&mut out.later) {
            kept.write_all(later.as_bytes()).map_err(|error| unkept(&error))?;
            later.clear();
        }
        Ok(())
    }

    /// Prints the end, part by part, and an end of line.
    ///
    /// # Errors
    ///
    /// It cannot be printed, or what was kept cannot be read again.
    pub(super) fn end(mut self, parts: &[Part]) -> Result<(), Failure> {
        for part in parts {
            match part {
                Part::Text(text) => self.print(text.as_bytes())?,
                Part::Kept(strand) => {
                    let mut kept = self.open(*strand)?;
                    let mut chunk = vec![0; CHUNK];
                    loop {
                        match kept.read(&mut chunk).map_err(|error| unkept(&error))? {
                            0 => break,
                            length => self.print(&chunk[..length])?,
                        }
                    }
                }
                Part::Filled(strand, fill) => {
                    let mut kept = self.open(*strand)?;
                    let mut line = String::new();
                    while 0 < kept.read_line(&mut line).map_err(|error| unkept(&error))? {
                        self.print(fill(&line).as_bytes())?;
                        line.clear();
                    }
                }
            }
        }
        self.print(b"\n")?;
        self.flush()
    }

    /// What was kept of a strand, from its beginning.
    fn open(&mut self, strand: usize) -> Result<BufReader<SpooledTempFile>, Failure> {
        let empty = BufWriter::new(SpooledTempFile::new(HELD));
        let kept = std::mem::replace(&mut self.kept[strand], empty);
        let mut file = kept.into_inner().map_err(|error| unkept(error.error()))?;
        file.rewind().map_err(|error| unkept(&error))?;
        Ok(BufReader::with_capacity(CHUNK, file))
    }

    fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.held.extend_from_slice(bytes);
        if self.held.len() < HELD { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        let printed = out.write_all(&self.held).and_then(|()| out.flush());
        self.held.clear();
        printed.map_err(|error| {
            Failure::usage(format!(
                "the report cannot be printed whole: {error}; what was found may stand in the rest \
                 of it, so do not take what was printed for the answer"
            ))
        })
    }
}

fn unkept(error: &std::io::Error) -> Failure {
    Failure::usage(format!(
        "the end of a long report is kept in `{}` until all files are judged, and cannot be: {error}; \
         name a directory with room in `TMPDIR`",
        std::env::temp_dir().display()
    ))
}
