//! Work on tables that changes no value, and locks by name.

use squawk_syntax::ast::{self, AstNode, Stmt};

use super::names::{name, name_of};
use crate::sql::statement::{LockMode, Maintenance, Name, What};

/// What the statement says, if it is one of these.
pub(super) fn what(statement: &Stmt) -> Option<What> {
    let tables = |list: Option<ast::TableAndColumnsList>| -> Vec<Name> {
        let entries = list.iter().flat_map(ast::TableAndColumnsList::table_and_columnss);
        let of = |entry: ast::TableAndColumns| {
            entry.table_relation_name().map(|relation| name_of(relation.table_name_ref()))
        };
        entries.filter_map(of).collect()
    };
    let of = |of, tables| What::Maintenance { of, tables };
    Some(match statement {
        Stmt::Truncate(truncate) => {
            let list = truncate.table_list();
            let relations: Vec<_> =
                list.iter().flat_map(ast::TableList::table_relation_names).collect();
            let all = relations.iter().map(|of| name_of(of.table_name_ref()));
            let only = relations.iter().filter(|of| of.only_token().is_some());
            What::Truncate {
                tables: all.collect(),
                only: only.map(|of| name_of(of.table_name_ref())).collect(),
                cascade: super::names::cascades(truncate.drop_behavior().as_ref()),
                restart: matches!(
                    truncate.identity_action(),
                    Some(ast::IdentityAction::RestartIdentity(_))
                ),
            }
        }
        Stmt::Cluster(cluster) => {
            let legacy = cluster.cluster_legacy().and_then(|legacy| legacy.on_path());
            // `CLUSTER index ON table`: the node holds the word ON as well.
            let legacy = legacy.and_then(|on| on.syntax().children().next());
            let legacy = legacy.map(|table| name(&table));
            let named = cluster.table_name_ref().map(|table| name(table.syntax()));
            let by_index = legacy.is_some()
                || cluster
                    .syntax()
                    .children()
                    .any(|of| ast::ClusterUsingIndex::can_cast(of.kind()));
            let tables = named.or(legacy).into_iter().collect();
            of(Maintenance::Cluster { named: by_index }, tables)
        }
        Stmt::Vacuum(vacuum) => {
            let options = vacuum.vacuum_option_list();
            let options = options.map(|list| list.syntax().text().to_string().to_lowercase());
            let full = vacuum.full_token().is_some()
                || options.is_some_and(|text| {
                    text.contains("full")
                        && !text.contains("full false")
                        && !text.contains("full off")
                });
            let kind = if full { Maintenance::VacuumFull } else { Maintenance::Vacuum };
            of(kind, tables(vacuum.table_and_columns_list()))
        }
        Stmt::Analyze(analyze) => {
            of(Maintenance::Analyze, tables(analyze.table_and_columns_list()))
        }
        Stmt::Repack(repack) => {
            let text = repack.syntax().text().to_string().to_lowercase();
            let concurrently = text.contains("concurrently");
            of(Maintenance::Repack { concurrently }, tables(repack.table_and_columns_list()))
        }
        Stmt::Lock(lock) => {
            let mode = match lock.lock_mode_clause().and_then(|clause| clause.lock_mode()) {
                None | Some(ast::LockMode::AccessExclusive(_)) => LockMode::AccessExclusive,
                Some(ast::LockMode::AccessShare(_)) => LockMode::AccessShare,
                Some(ast::LockMode::Exclusive(_)) => LockMode::Exclusive,
                Some(ast::LockMode::RowExclusive(_)) => LockMode::RowExclusive,
                Some(ast::LockMode::RowShare(_)) => LockMode::RowShare,
                Some(ast::LockMode::Share(_)) => LockMode::Share,
                Some(ast::LockMode::ShareRowExclusive(_)) => LockMode::ShareRowExclusive,
                Some(ast::LockMode::ShareUpdateExclusive(_)) => LockMode::ShareUpdateExclusive,
            };
            let list = lock.relation_list();
            let relations: Vec<_> =
                list.iter().flat_map(ast::RelationList::relation_names).collect();
            let all = relations.iter().map(|of| (name_of(of.relation_name_ref()), mode));
            let only = relations.iter().filter(|of| of.only_token().is_some());
            What::LockTables {
                tables: all.collect(),
                only: only.map(|of| name_of(of.relation_name_ref())).collect(),
            }
        }
        _ => return None,
    })
}
