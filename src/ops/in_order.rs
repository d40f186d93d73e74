//! Many things worked on by all cores, and the results in the order of the things.

use std::sync::mpsc::{Receiver, sync_channel};

use super::Error;

/// The stack of a worker, in bytes. A tree of PostgreSQL's statements is gone down into as deep as
/// it nests.
const STACK: usize = 64 * 1024 * 1024;

/// How many results of one worker may wait to be taken. Whoever takes them needs longer for one than
/// for another; a few dozen keep everybody busy, and what is held does not grow with the things.
const AHEAD: usize = 32;

/// Does `work` on every thing, and gives each result to `take` in the order of the things, on the
/// thread that called. Of the results at most [`AHEAD`] and one more for each core are held.
///
/// Every worker has every nth thing, and a queue of its own that is never longer than that: a shared
/// queue would have to be sorted again, and a slow thing at its head would let it grow.
///
/// # Errors
///
/// The first that `take` gives, after which nothing more is begun; or no thread can be started.
pub(super) fn in_order<T: Sync, R: Send, E: From<Error>>(
    things: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = cores.min(things.len());
    let work = &work;
    std::thread::scope(|scope| {
        let mut queues: Vec<Receiver<R>> = Vec::with_capacity(workers);
        for first in 0..workers {
            let (put, queue) = sync_channel(AHEAD);
            let own = things.iter().skip(first).step_by(workers);
            let share = move || {
                for thing in own {
                    // Nobody takes any more: the check has failed.
                    if put.send(work(thing)).is_err() {
                        return;
                    }
                }
            };
            let builder = std::thread::Builder::new().stack_size(STACK);
            builder.spawn_scoped(scope, share).map_err(|error| {
                Error::Gate(format!("no thread can be started to read the files: {error}"))
            })?;
            queues.push(queue);
        }
        for queue in queues.iter().cycle().take(things.len()) {
            // A worker that ends too early has panicked, and the scope panics with it.
            let Ok(result) = queue.recv() else { break };
            take(result)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_however_long_each_takes() {
        let things: Vec<usize> = (0..500).collect();
        let slow_now_and_then = |thing: &usize| {
            if thing.is_multiple_of(97) {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            thing * 2
        };
        let mut taken = Vec::new();
        let done = in_order(&things, slow_now_and_then, |result| {
            taken.push(result);
            Ok::<_, Error>(())
        });
        assert!(done.is_ok());
        assert_eq!(taken, things.iter().map(|thing| thing * 2).collect::<Vec<_>>());
        assert!(
            in_order(&[], slow_now_and_then, |_| Ok::<_, Error>(())).is_ok(),
            "nothing is nothing to do"
        );
    }

    #[test]
    fn what_is_held_does_not_grow_with_the_things() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let things: Vec<usize> = (0..100 * AHEAD * cores).collect();
        let (begun, mut taken, mut most) = (AtomicUsize::new(0), 0, 0);
        let count = |_: &usize| begun.fetch_add(1, Ordering::SeqCst);
        let done = in_order(&things, count, |_| {
            std::thread::yield_now();
            most = most.max(begun.load(Ordering::SeqCst) - taken);
            taken += 1;
            Ok::<_, Error>(())
        });
        assert!(done.is_ok() && taken == things.len());
        // In each queue AHEAD, one that waits to be put there, and the one that was just taken.
        assert!(most <= (AHEAD + 1) * cores + 1, "{most} are held");
    }

    #[test]
    fn an_error_ends_it() {
        let things: Vec<usize> = (0..100_000).collect();
        let begun = AtomicUsize::new(0);
        let count = |_: &usize| begun.fetch_add(1, Ordering::SeqCst);
        let done = in_order(&things, count, |_| Err(Error::Gate("no".to_owned())));
        assert!(matches!(done, Err(Error::Gate(_))));
        assert!(begun.load(Ordering::SeqCst) < things.len());
    }
}
