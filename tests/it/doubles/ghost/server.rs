//! Its socket: one command to a connection, a text in answer.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::flags::load;
use super::say;
use super::state::{Double, Live, limits};

const HINT: &str = "# Note: you may only throttle for as long as your binary logs are not purged\n";

/// Begins to listen.
pub async fn serve(double: &Arc<Double>) {
    let file = double.flags.text("serve-socket-file");
    if double.flags.is("initially-drop-socket-file") {
        let _ = std::fs::remove_file(file);
    }
    let listener = match UnixListener::bind(file) {
        Ok(listener) => listener,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            double.fatal(&format!("listen unix {file}: bind: address already in use"))
        }
        Err(error) => double.fatal(&format!("listen unix {file}: bind: {error}")),
    };
    double.has_socket();
    let double = double.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let double = double.clone();
            tokio::spawn(async move { answer(&double, stream).await });
        }
    });
}

/// What comes after the words of an answer.
enum Then {
    Nothing,
    Status,
    StatusAndHint,
    Panic,
}

async fn answer(double: &Double, stream: UnixStream) {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    if BufReader::new(read).read_line(&mut line).await.is_err() || line.is_empty() {
        return;
    }
    let (mut said, then) = carry_out(double, line.trim_end_matches(['\r', '\n']));
    if matches!(then, Then::Status | Then::StatusAndHint) {
        let mut told = String::new();
        if matches!(then, Then::StatusAndHint) {
            told = double.hint() + "\n";
        }
        told += &double.status();
        // Whatever is asked is said on stdout as well.
        say(&told);
        said = said + &told + "\n";
    }
    let _ = write.write_all(said.as_bytes()).await;
    let _ = write.shutdown().await;
    if matches!(then, Then::Panic) {
        double.fatal(said.trim());
    }
}

/// Sets a whole number, as `strconv.Atoi` reads it.
fn set(argument: &str, mut to: impl FnMut(i64)) -> (String, Then) {
    match argument.parse::<i64>() {
        Ok(number) => {
            to(number);
            (String::new(), Then::StatusAndHint)
        }
        Err(_) => {
            (format!("strconv.Atoi: parsing \"{argument}\": invalid syntax\n"), Then::Nothing)
        }
    }
}

fn set_load(argument: &str, to: &mut Vec<(String, u64)>) -> (String, Then) {
    match load(argument) {
        Ok(read) => {
            *to = read;
            (String::new(), Then::StatusAndHint)
        }
        Err(wrong) => (format!("{wrong}\n"), Then::Nothing),
    }
}

fn number(number: i64, least: u64, most: u64) -> u64 {
    u64::try_from(number).unwrap_or_default().clamp(least, most)
}

fn carry_out(double: &Double, line: &str) -> (String, Then) {
    let (command, argument) = line.split_once('=').unwrap_or((line, ""));
    let (command, argument) = (command.trim(), argument.trim().trim_matches('"'));
    let table = double.table();
    let is_named = ["throttle", "pause", "suspend", "no-throttle", "unthrottle", "resume"]
        .into_iter()
        .chain(["continue", "unpostpone", "no-postpone", "cut-over", "panic"])
        .any(|named| named == command);
    if is_named && !argument.is_empty() && argument != table {
        let said = format!(
            "user commanded '{command}' on {argument}, but migrated table is {table}; ignoring request\n"
        );
        return (said, Then::Nothing);
    }
    let mut live = double.live();
    if argument == "?" {
        return match value(&live, command) {
            Some(value) => (format!("{value}\n"), Then::Nothing),
            None => (format!("unknown command: {command}\n"), Then::Nothing),
        };
    }
    match command {
        "help" => ("available commands:\nstatus\nsup\n".to_owned(), Then::Nothing),
        "sup" => (String::new(), Then::Status),
        "info" | "status" => (String::new(), Then::StatusAndHint),
        "coordinates" => (format!("{}\n", live.streamer), Then::Nothing),
        "chunk-size" => set(argument, |to| live.chunk_size = number(to, 10, 100_000)),
        "dml-batch-size" => set(argument, |to| live.batch_size = number(to, 1, 1000)),
        "max-lag-millis" => set(argument, |to| live.max_lag = number(to, 100, u64::MAX)),
        "nice-ratio" => match argument.parse::<f64>() {
            Ok(ratio) => {
                live.nice = ratio.clamp(0.0, 100.0);
                (String::new(), Then::StatusAndHint)
            }
            Err(_) => {
                let said =
                    format!("strconv.ParseFloat: parsing \"{argument}\": invalid syntax\n");
                (said, Then::Nothing)
            }
        },
        "max-load" => set_load(argument, &mut live.max_load),
        "critical-load" => set_load(argument, &mut live.critical_load),
        "throttle-query" => {
            argument.clone_into(&mut live.throttle_query);
            (HINT.to_owned(), Then::StatusAndHint)
        }
        "throttle-http" => {
            argument.clone_into(&mut live.throttle_http);
            (HINT.to_owned(), Then::StatusAndHint)
        }
        "throttle-control-replicas" => {
            argument.clone_into(&mut live.throttle_replicas);
            (format!("{argument}\n"), Then::StatusAndHint)
        }
        "throttle" | "pause" | "suspend" => {
            live.commanded = true;
            (HINT.to_owned(), Then::StatusAndHint)
        }
        "no-throttle" | "unthrottle" | "resume" | "continue" => {
            live.commanded = false;
            (String::new(), Then::StatusAndHint)
        }
        "unpostpone" | "no-postpone" | "cut-over" if live.postponing => {
            live.unpostpone = true;
            ("Unpostponed\n".to_owned(), Then::StatusAndHint)
        }
        "unpostpone" | "no-postpone" | "cut-over" => (
            "You may only invoke this when gh-ost is actively postponing migration. At this time it is not.\n"
                .to_owned(),
            Then::Nothing,
        ),
        "panic" => (
            "user commanded 'panic'. The migration will be aborted without cleanup. Please drop the gh-ost \
             tables before trying again\n"
                .to_owned(),
            Then::Panic,
        ),
        other => (format!("unknown command: {other}\n"), Then::Nothing),
    }
}

fn value(live: &Live, command: &str) -> Option<String> {
    Some(match command {
        "chunk-size" => live.chunk_size.to_string(),
        "dml-batch-size" => live.batch_size.to_string(),
        "max-lag-millis" => live.max_lag.to_string(),
        "nice-ratio" => live.nice.to_string(),
        "max-load" => limits(&live.max_load),
        "critical-load" => limits(&live.critical_load),
        "throttle-query" => live.throttle_query.clone(),
        "throttle-http" => live.throttle_http.clone(),
        "throttle-control-replicas" => live.throttle_replicas.clone(),
        _ => return None,
    })
}
