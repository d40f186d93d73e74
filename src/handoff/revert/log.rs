//! Where gh-ost's cut-over stands in the binary log: from there on, what was written can be brought to the old
//! table. Source: `go/logic/applier.go` of gh-ost 1.1.10, which writes a checkpoint of its own behind the cut-over.

use crate::target::{self, Bind, Dialect, Place, Session, Statement};

/// "Table doesn't exist".
const NO_SUCH_TABLE: &str = "1146";

/// "Unknown column": the table was written by a gh-ost that cannot go back.
const NO_SUCH_COLUMN: &str = "1054";

/// What is known of a cut-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CutOver {
    /// There is no table of checkpoints.
    NoCheckpoints,
    /// The newest checkpoint is one of the copy before it.
    OfACopy,
    /// What was written since is all in the log.
    Logged,
    /// The log from there on is not on the server any more: where it was, and what the server says.
    Purged(String, String),
    /// Whether the log is there cannot be told, and why.
    Unknown(String),
}

/// Looks at the newest checkpoint, and for its place in the log.
pub(super) async fn cut_over(
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    checkpoints: &Place,
) -> target::Result<CutOver> {
    let newest = Statement::plain(format!(
        "SELECT CAST(gh_ost_chk_coords AS CHAR), CAST(gh_ost_is_cutover AS CHAR) FROM {}.{} ORDER BY \
         gh_ost_chk_id DESC LIMIT 1",
        dialect.quote(&checkpoints.schema),
        dialect.quote(&checkpoints.name)
    ));
    let found = match session.query(&newest).await {
        Ok(found) => found,
        Err(error) => {
            return match error.code.as_deref() {
                Some(NO_SUCH_TABLE) => Ok(CutOver::NoCheckpoints),
                Some(NO_SUCH_COLUMN) => Ok(CutOver::OfACopy),
                _ => unread(error),
            };
        }
    };
    match found.first().map(Vec::as_slice) {
        Some([Some(at), Some(is_cut_over)]) if is_cut_over == "1" => match file_of(at) {
            Some(file) => by_file(session, at, file).await,
            None => by_gtids(session, at).await,
        },
        _ => Ok(CutOver::OfACopy),
    }
}

/// The file of a place such as `binlog.000007:4711`; none of a set of GTIDs.
fn file_of(at: &str) -> Option<&str> {
    let (file, position) = at.rsplit_once(':')?;
    let (_, number) = file.rsplit_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(number) && digits(position)).then_some(file)
}

async fn by_file(session: &mut dyn Session, at: &str, file: &str) -> target::Result<CutOver> {
    let show = Statement::plain("SHOW BINARY LOGS");
    let files: Vec<String> = match session.query_columns(&show, &["Log_name"]).await {
        Ok(rows) => rows.into_iter().flatten().flatten().collect(),
        Err(error) => return unread(error),
    };
    if files.iter().any(|one| one == file) {
        return Ok(CutOver::Logged);
    }
    let left = match files.first() {
        Some(oldest) => format!("its oldest file is `{oldest}`"),
        None => "it has no file of a log".to_owned(),
    };
    Ok(CutOver::Purged(at.to_owned(), left))
}

/// What is gone from the log must have been written before the cut-over. MariaDB has no such set.
async fn by_gtids(session: &mut dyn Session, at: &str) -> target::Result<CutOver> {
    let asked = Statement {
        sql: "SELECT CAST(GTID_SUBSET(@@GLOBAL.gtid_purged, ?) AS CHAR), @@GLOBAL.gtid_purged"
            .to_owned(),
        binds: vec![Bind::Text(Some(at.to_owned()))],
    };
    let found = match session.query(&asked).await {
        Ok(found) => found,
        Err(error) => return unread(error),
    };
    Ok(match found.first().map(Vec::as_slice) {
        Some([Some(is_before), _]) if is_before == "1" => CutOver::Logged,
        Some([_, Some(purged)]) => CutOver::Purged(at.to_owned(), format!("`{purged}` is gone")),
        _ => CutOver::Unknown(format!("the server does not say whether `{at}` is gone")),
    })
}

fn unread(error: target::Error) -> target::Result<CutOver> {
    if error.is_lost() { Err(error) } else { Ok(CutOver::Unknown(error.to_string())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_file_is_told_from_gtids() {
        assert_eq!(file_of("binlog.000007:4711"), Some("binlog.000007"));
        assert_eq!(file_of("my.host-bin.000007:4"), Some("my.host-bin.000007"));
        for gtids in [
            "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5",
            "3E11FA47-71CA-11E1-9E33-C80AA9429562:23",
            "",
        ] {
            assert_eq!(file_of(gtids), None, "{gtids}");
        }
    }
}
