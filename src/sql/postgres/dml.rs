//! Statements that write or read rows.

use std::collections::HashSet;

use squawk_syntax::ast::{self, AstNode, Stmt};
use squawk_syntax::{SyntaxNode, SyntaxToken};

use super::names::{folded, name, name_of, reads, tokens};
use crate::sql::statement::{Call, Dml, Name, Query, Verb, What};

/// Of an `INSERT` with more rows than this, the values are not kept: where each goes then counts
/// for less than the memory that they take.
const ROWS_KEPT: usize = 100;

/// What the statement says, if it is one of these.
pub(super) fn what(statement: &Stmt) -> Option<What> {
    Some(match statement {
        Stmt::Insert(_) | Stmt::Update(_) | Stmt::Delete(_) | Stmt::Merge(_) => {
            let with = written_within(statement.syntax());
            What::Dml(Dml { with, ..written(statement)? })
        }
        Stmt::Copy(copy) => match (copy.copy_table(), copy.copy_direction()) {
            (Some(table), Some(ast::CopyDirection::CopyFrom(_))) => {
                What::Dml(Dml::new(Verb::Load, table.table_name_ref().map(|of| name(of.syntax()))))
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
        | Stmt::Table(_)
        | Stmt::Declare(_) => within_or_query(statement.syntax()),
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

/// The writes that stand in a statement, which is not counted itself.
fn written_within(node: &SyntaxNode) -> Vec<Dml> {
    let statements = node.descendants().skip(1).filter_map(Stmt::cast);
    statements.filter_map(|statement| written(&statement)).collect()
}

/// A `WITH` may hold a write: then that is what the statement is.
fn within_or_query(node: &SyntaxNode) -> What {
    let mut writes = written_within(node).into_iter();
    match writes.next() {
        Some(first) => {
            let query = query(node);
            What::Dml(Dml {
                reads: query.reads,
                calls: query.calls,
                with: writes.collect(),
                ..first
            })
        }
        None => What::Query(query(node)),
    }
}

/// One statement that writes, without what else its `WITH` writes.
fn written(statement: &Stmt) -> Option<Dml> {
    match statement {
        Stmt::Insert(insert) => Some(insert_of(insert)),
        Stmt::Update(update) => Some(update_of(update)),
        Stmt::Delete(delete) => {
            let clause = delete.where_clause_or_current_of();
            let relation = delete.relation_name();
            Some(dml(Verb::Delete, relation.as_ref(), delete.syntax(), clause.as_ref()))
        }
        Stmt::Merge(merge) => Some(merge_of(merge)),
        _ => None,
    }
}

/// What a query reads, locks and calls.
pub(super) fn query(node: &SyntaxNode) -> Query {
    let clauses = node.descendants().filter_map(ast::LockingClause::cast);
    let own = super::names::own(node);
    let mut locked: Vec<Name> = Vec::new();
    let mut locks_rows = false;
    for clause in clauses {
        locks_rows = true;
        for name in locked_by(&clause) {
            let relation = name.schema.is_some() || !own.contains(&name.name);
            if relation && !locked.contains(&name) {
                locked.push(name);
            }
        }
    }
    let items = node.descendants().filter_map(ast::RelationFromItem::cast);
    let only = items.filter(|item| item.only_token().is_some());
    let only = only.map(|item| name_of(item.relation_name_ref())).collect();
    Query { reads: reads(node), only, locks_rows, locked, calls: calls(node) }
}

/// The functions that are called somewhere in a node, each way of calling one once.
fn calls(node: &SyntaxNode) -> Vec<Call> {
    let calls = node.descendants().filter_map(ast::CallExpr::cast).filter_map(|call| {
        let function = call.expr()?.syntax().text().to_string().to_lowercase();
        let arguments = call.arg_list()?;
        let arguments = arguments.args().map(|argument| argument.syntax().text().to_string());
        Some((function, arguments.collect()))
    });
    let mut seen: HashSet<Call> = HashSet::new();
    calls.filter(|call| seen.insert(call.clone())).collect()
}

/// The relations whose rows a `FOR UPDATE` locks: those in the `FROM` beside it, also within its
/// sub-selects, or those that its `OF` names.
fn locked_by(clause: &ast::LockingClause) -> Vec<Name> {
    let Some(owner) = clause.syntax().parent() else { return Vec::new() };
    let from = owner.children().filter_map(ast::FromClause::cast);
    let of = clause.locking_of();
    let wanted: Option<Vec<String>> =
        of.map(|of| of.exprs().map(|expr| name(expr.syntax()).name).collect());
    let is_wanted = |called: &str| match &wanted {
        Some(wanted) => wanted.iter().any(|name| name == called),
        None => true,
    };
    let mut found = Vec::new();
    for node in from.flat_map(|from| from.syntax().descendants().collect::<Vec<_>>()) {
        if let Some(item) = ast::RelationFromItem::cast(node.clone()) {
            let relation = name_of(item.relation_name_ref());
            let called = alias(item.alias()).unwrap_or_else(|| relation.name.clone());
            if is_wanted(&called) {
                found.push(relation);
            }
        } else if let Some(item) = ast::ParenFromItem::cast(node)
            && wanted.is_some()
            && alias(item.syntax().children().find_map(ast::FromAlias::cast))
                .is_some_and(|called| is_wanted(&called))
        {
            found.extend(reads(item.syntax()));
        }
    }
    found
}

fn alias(alias: Option<ast::FromAlias>) -> Option<String> {
    alias?.name().map(|name| super::names::name(name.syntax()).name)
}

fn dml(
    verb: Verb,
    relation: Option<&ast::RelationName>,
    whole: &SyntaxNode,
    clause: Option<&ast::WhereClauseOrCurrentOf>,
) -> Dml {
    let table = relation.and_then(ast::RelationName::relation_name_ref);
    let only = relation.is_some_and(|relation| relation.only_token().is_some());
    let predicate = match clause {
        Some(ast::WhereClauseOrCurrentOf::WhereClause(clause)) => {
            clause.expr().map(|expr| expr.syntax().text().to_string())
        }
        _ => None,
    };
    let dml = of_node(verb, table.as_ref().map(AstNode::syntax), whole);
    Dml { only, bounded: clause.is_some(), predicate, ..dml }
}

/// What all of them have.
fn of_node(verb: Verb, table: Option<&SyntaxNode>, whole: &SyntaxNode) -> Dml {
    let table = table.map(name);
    let mut reads = reads(whole);
    reads.retain(|read| Some(read) != table.as_ref());
    Dml { reads, calls: calls(whole), ..Dml::new(verb, table) }
}

fn insert_of(insert: &ast::Insert) -> Dml {
    let relation = insert.relation_name_ref();
    let mut rows = Vec::new();
    // Only a list of values is a known number of rows.
    let counted = match insert.insert_source() {
        Some(ast::InsertSource::SelectVariant(ast::SelectVariant::Values(values))) => {
            rows = rows_of(&values);
            true
        }
        Some(ast::InsertSource::SelectVariant(source)) => reads(source.syntax()).is_empty(),
        Some(ast::InsertSource::DefaultValues(_)) => true,
        None => false,
    };
    let columns = columns_of(insert.column_target_list());
    let verb = if counted { Verb::Insert } else { Verb::InsertSelect };
    let dml = of_node(verb, relation.as_ref().map(AstNode::syntax), insert.syntax());
    Dml { bounded: counted, columns, rows, set: on_conflict(insert), ..dml }
}

fn columns_of(list: Option<ast::ColumnTargetList>) -> Vec<String> {
    list.map(|list| super::names::columns(list.syntax())).unwrap_or_default()
}

/// The values of each row, as written; none where there are many rows.
fn rows_of(values: &ast::Values) -> Vec<Vec<String>> {
    let Some(list) = values.row_list() else { return Vec::new() };
    let rows: Vec<_> = list.rows().take(ROWS_KEPT + 1).collect();
    if rows.len() > ROWS_KEPT {
        return Vec::new();
    }
    let row = |row: &ast::Row| row.exprs().map(|expr| expr.syntax().text().to_string()).collect();
    rows.iter().map(row).collect()
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

fn update_of(update: &ast::Update) -> Dml {
    let clause = update.where_clause_or_current_of();
    let relation = update.relation_name();
    let dml = dml(Verb::Update, relation.as_ref(), update.syntax(), clause.as_ref());
    Dml { set: assignments(update.set_clause()), ..dml }
}

fn merge_of(merge: &ast::Merge) -> Dml {
    let relation = merge.table_relation_name();
    let only = relation.as_ref().is_some_and(|relation| relation.only_token().is_some());
    let table = relation.and_then(|relation| relation.table_name_ref());
    let dml = of_node(Verb::Merge, table.as_ref().map(AstNode::syntax), merge.syntax());
    let clauses = merge.merge_when_clauses();
    let actions =
        clauses.filter_map(|clause| clause.syntax().children().find_map(ast::MergeAction::cast));
    let branch = |action: ast::MergeAction| {
        let branch = |verb| Dml { only, ..Dml::new(verb, dml.table.clone()) };
        match action {
            ast::MergeAction::MergeDelete(_) => Some(branch(Verb::Delete)),
            ast::MergeAction::MergeUpdate(of) => {
                Some(Dml { set: assignments(of.set_clause()), ..branch(Verb::Update) })
            }
            ast::MergeAction::MergeInsert(of) => Some(Dml {
                columns: columns_of(of.column_target_list()),
                ..branch(Verb::InsertSelect)
            }),
            ast::MergeAction::MergeDoNothing(_) => None,
        }
    };
    let branches = actions.filter_map(branch).collect();
    Dml { only, branches, ..dml }
}

/// A statement of a PL/pgSQL block without the `INTO` that says where its result goes, which is no
/// part of SQL: the target list of `SELECT … INTO [STRICT] a, b`, of `RETURNING … INTO a`.
pub(super) fn without_target(node: &SyntaxNode) -> Option<String> {
    let all: Vec<_> =
        node.descendants_with_tokens().filter_map(|element| element.as_token().cloned()).collect();
    let meant: Vec<_> = tokens(node).collect();
    let is = |at: usize, word: &str| {
        meant.get(at).is_some_and(|token| token.text().eq_ignore_ascii_case(word))
    };
    let into = (1..meant.len())
        .find(|at| is(*at, "into") && !is(at - 1, "insert") && !is(at - 1, "merge"))?;
    let mut end = into + 1;
    if is(end, "strict") {
        end += 1;
    }
    // A name, its parts and subscripts, and more after each comma.
    loop {
        end += 1;
        while is(end, ".") {
            end += 2;
        }
        if is(end, "[") {
            while end < meant.len() && !is(end, "]") {
                end += 1;
            }
            end += 1;
        }
        if !is(end, ",") {
            break;
        }
        end += 1;
    }
    let from = meant[into].text_range().start();
    let to = meant.get(end).map(|token| token.text_range().start())?;
    let kept = all.iter().filter(|token| {
        let start = token.text_range().start();
        start < from || to <= start
    });
    Some(kept.map(SyntaxToken::text).collect())
}

/// The names of a query's columns, in order; none if one of them is not plain from the query.
pub(super) fn output(query: &ast::SelectVariant) -> Vec<String> {
    let ast::SelectVariant::Select(select) = query else { return Vec::new() };
    let list = select.select_clause().and_then(|clause| clause.target_list());
    let Some(list) = list else { return Vec::new() };
    let called = |target: ast::Target| match target.as_name() {
        Some(alias) => alias.name().map(|of| name(of.syntax()).name),
        None => match target.expr()? {
            ast::Expr::NameRef(column) => Some(folded(column.syntax().text().to_string().trim())),
            ast::Expr::FieldExpr(field) => {
                field.field().map(|of| folded(of.syntax().text().to_string().trim()))
            }
            _ => None,
        },
    };
    list.targets().map(called).collect::<Option<Vec<String>>>().unwrap_or_default()
}
