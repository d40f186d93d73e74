//! Statements that write or read rows.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, Stmt};

use super::names::{name, name_of, reads, tokens};
use crate::sql::statement::{Dml, Name, Query, Verb, What};

/// What the statement says, if it is one of these.
pub(super) fn what(statement: &Stmt) -> Option<What> {
    Some(match statement {
        Stmt::Insert(insert) => insert_of(insert),
        Stmt::Update(update) => update_of(update),
        Stmt::Delete(delete) => {
            let relation = delete.relation_name().and_then(|name| name.relation_name_ref());
            let clause = delete.where_clause_or_current_of();
            dml(
                Verb::Delete,
                relation.as_ref().map(AstNode::syntax),
                delete.syntax(),
                clause.as_ref(),
            )
        }
        Stmt::Merge(merge) => {
            let relation = merge.table_relation_name().and_then(|name| name.table_name_ref());
            dml(Verb::Merge, relation.as_ref().map(AstNode::syntax), merge.syntax(), None)
        }
        Stmt::Copy(copy) => match (copy.copy_table(), copy.copy_direction()) {
            (Some(table), Some(ast::CopyDirection::CopyFrom(_))) => {
                let table = table.table_name_ref();
                dml(Verb::Load, table.as_ref().map(AstNode::syntax), copy.syntax(), None)
            }
            (Some(table), _) => What::Query(Query {
                reads: vec![name_of(table.table_name_ref())],
                ..Query::default()
            }),
            (None, _) => within_or_query(copy.syntax()),
        },
        Stmt::Select(_)
        | Stmt::CompoundSelect(_)
        | Stmt::ParenSelect(_)
        | Stmt::Values(_)
        | Stmt::Declare(_) => within_or_query(statement.syntax()),
        Stmt::Table(_) => {
            let last = tokens(statement.syntax()).last();
            let table = last.map(|token| Name::plain(super::names::folded(token.text())));
            What::Query(Query { reads: table.into_iter().collect(), ..Query::default() })
        }
        Stmt::Explain(explain) => {
            let text = explain.syntax().text().to_string().to_lowercase();
            match explain.explain_stmt() {
                // Only ANALYZE runs what it explains.
                Some(explained) if text.contains("analyze") => {
                    let inner = explained.syntax().clone();
                    Stmt::cast(inner.clone())
                        .and_then(|statement| what(&statement))
                        .unwrap_or_else(|| within_or_query(&inner))
                }
                Some(explained) => within_or_query(explained.syntax()),
                None => return None,
            }
        }
        _ => return None,
    })
}

/// A `WITH` may hold a write: then that is what the statement is.
fn within_or_query(node: &SyntaxNode) -> What {
    let writes = node.descendants().skip(1).find_map(|node| {
        let statement = Stmt::cast(node)?;
        matches!(statement, Stmt::Insert(_) | Stmt::Update(_) | Stmt::Delete(_) | Stmt::Merge(_))
            .then(|| what(&statement))
            .flatten()
    });
    writes.unwrap_or_else(|| What::Query(query(node)))
}

/// What a query reads and calls.
pub(super) fn query(node: &SyntaxNode) -> Query {
    let calls = node.descendants().filter_map(ast::CallExpr::cast).filter_map(|call| {
        let function = call.expr()?.syntax().text().to_string().to_lowercase();
        let arguments = call.arg_list()?;
        let arguments = arguments.args().map(|argument| argument.syntax().text().to_string());
        Some((function, arguments.collect()))
    });
    let locks_rows = node.descendants().any(|node| ast::LockingClause::can_cast(node.kind()));
    Query { reads: reads(node), locks_rows, calls: calls.collect() }
}

fn dml(
    verb: Verb,
    table: Option<&SyntaxNode>,
    whole: &SyntaxNode,
    clause: Option<&ast::WhereClauseOrCurrentOf>,
) -> What {
    let table = table.map(name);
    let predicate = match clause {
        Some(ast::WhereClauseOrCurrentOf::WhereClause(clause)) => {
            clause.expr().map(|expr| expr.syntax().text().to_string())
        }
        _ => None,
    };
    let mut reads = reads(whole);
    reads.retain(|read| Some(read) != table.as_ref());
    let bounded = clause.is_some();
    What::Dml(Dml { verb, table, reads, bounded, columns: Vec::new(), set: Vec::new(), predicate })
}

fn insert_of(insert: &ast::Insert) -> What {
    let relation = insert.relation_name_ref();
    // Only a list of values is a known number of rows.
    let counted = match insert.insert_source() {
        Some(ast::InsertSource::SelectVariant(source)) => {
            matches!(source, ast::SelectVariant::Values(_)) || reads(source.syntax()).is_empty()
        }
        Some(ast::InsertSource::DefaultValues(_)) => true,
        None => false,
    };
    let columns = insert.column_target_list();
    let columns = columns.map(|list| super::names::columns(list.syntax())).unwrap_or_default();
    let verb = if counted { Verb::Insert } else { Verb::InsertSelect };
    let read = dml(verb, relation.as_ref().map(AstNode::syntax), insert.syntax(), None);
    match read {
        What::Dml(dml) => {
            What::Dml(Dml { bounded: counted, columns, set: on_conflict(insert), ..dml })
        }
        other => other,
    }
}

/// The assignments of `ON CONFLICT DO UPDATE`.
fn on_conflict(insert: &ast::Insert) -> Vec<(String, String)> {
    match insert.on_conflict_clause().and_then(|clause| clause.conflict_action()) {
        Some(ast::ConflictAction::ConflictDoUpdateSet(update)) => assignments(update.set_clause()),
        _ => Vec::new(),
    }
}

/// Column and expression of each assignment, as written.
fn assignments(clause: Option<ast::SetClause>) -> Vec<(String, String)> {
    let columns = clause.and_then(|set| set.set_column_list());
    let columns = columns.iter().flat_map(ast::SetColumnList::set_columns);
    let assignment = |column: ast::SetColumn| {
        let text = column.syntax().text().to_string();
        let (name, value) = text.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    columns.filter_map(assignment).collect()
}

fn update_of(update: &ast::Update) -> What {
    let relation = update.relation_name().and_then(|name| name.relation_name_ref());
    let clause = update.where_clause_or_current_of();
    let read =
        dml(Verb::Update, relation.as_ref().map(AstNode::syntax), update.syntax(), clause.as_ref());
    let set = assignments(update.set_clause());
    match read {
        What::Dml(dml) => What::Dml(Dml { set, ..dml }),
        other => other,
    }
}
