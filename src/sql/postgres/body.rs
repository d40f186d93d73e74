//! Code that runs statements: `DO`, functions, procedures.

use std::ops::Range;

use squawk_syntax::ast::{self, AstNode, Stmt};
use squawk_syntax::plpgsql::Plpgsql;
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::dml::query;
use super::names::{Reader, mentions, name_of};
use super::since::since;
use super::{kind, what};
use crate::sql::statement::{Body, PREPARED, Signature, Statement, What};

/// `DO`.
pub(super) fn block(reader: &Reader, block: &ast::Do) -> Body {
    let whole = reader.span(block.syntax());
    match block.plpgsql() {
        Some(body) => plpgsql(&body, whole),
        None => Body {
            language: "another".to_owned(),
            statements: Vec::new(),
            unread: vec!["its language is not one that is read here".to_owned()],
            text: block.syntax().text().to_string(),
        },
    }
}

/// `CALL`.
pub(super) fn call(call: &ast::Call) -> Body {
    let name = name_of(call.procedure_name_ref()).to_string();
    let arguments = call.arg_list();
    let arguments = arguments.iter().flat_map(ast::ArgList::args);
    let arguments = arguments.map(|argument| argument.syntax().text().to_string()).collect();
    let mut query = query(call.syntax());
    query.calls.push((name, arguments));
    Body {
        language: "sql".to_owned(),
        statements: vec![Statement {
            span: 0..0,
            kind: "CALL".to_owned(),
            what: What::Query(query),
            since: None,
        }],
        unread: Vec::new(),
        text: call.syntax().text().to_string(),
    }
}

/// `PREPARE`, `EXECUTE`.
pub(super) fn prepared(node: &SyntaxNode) -> Body {
    let inner = node.children().find_map(Stmt::cast);
    let statements = inner.map(|inner| Statement {
        span: 0..0,
        kind: kind(&inner),
        what: what(&Reader::within(0..0), &inner),
        since: since(inner.syntax()),
    });
    let unread = match &statements {
        Some(_) => Vec::new(),
        None => vec!["what was prepared stands elsewhere".to_owned()],
    };
    Body {
        language: PREPARED.to_owned(),
        statements: statements.into_iter().collect(),
        unread,
        text: node.text().to_string(),
    }
}

/// `CREATE FUNCTION`.
pub(super) fn function(reader: &Reader, create: &ast::CreateFunction) -> What {
    let whole = reader.span(create.syntax());
    let body = match (create.plpgsql(), create.sql_body()) {
        (Some(body), _) => Some(plpgsql(&body, whole)),
        (None, Some(body)) => Some(sql(&body.syntax(), body.text(), whole)),
        (None, None) => Some(other(create.syntax(), create.body())),
    };
    let returns = create.ret_type().map(|of| of.syntax().text().to_string().to_lowercase());
    let returns = returns.as_deref().and_then(|text| text.strip_prefix("returns"));
    let signature = Signature {
        parameters: written(create.param_list()),
        returns: returns.map(|text| text.trim().to_owned()).unwrap_or_default(),
        mentions: create.body().map(|body| mentions(body.syntax())),
    };
    What::CreateRoutine { name: name_of(create.name()), body, signature }
}

fn written(parameters: Option<ast::ParamList>) -> String {
    parameters.map(|list| list.syntax().text().to_string()).unwrap_or_default()
}

/// `CREATE PROCEDURE`.
pub(super) fn procedure(reader: &Reader, create: &ast::CreateProcedure) -> What {
    let whole = reader.span(create.syntax());
    let body = match (create.plpgsql(), create.sql_body()) {
        (Some(body), _) => Some(plpgsql(&body, whole)),
        (None, Some(body)) => Some(sql(&body.syntax(), body.text(), whole)),
        (None, None) => Some(other(create.syntax(), create.body())),
    };
    let signature = Signature {
        parameters: written(create.param_list()),
        returns: String::new(),
        mentions: create.body().map(|body| mentions(body.syntax())),
    };
    What::CreateRoutine { name: name_of(create.name()), body, signature }
}

/// A body that is a statement of its own (`BEGIN ATOMIC`, `RETURN`), or of a language that is not
/// read.
fn other(node: &SyntaxNode, body: Option<ast::RoutineBody>) -> Body {
    let text = node.text().to_string();
    let Some(body) = body else {
        let unread = vec!["its language is not one that is read here".to_owned()];
        return Body { language: "another".to_owned(), unread, text, ..Body::default() };
    };
    let reader = Reader::within(0..0);
    let read = |statement: Stmt| Statement {
        span: 0..0,
        kind: kind(&statement),
        what: what(&reader, &statement),
        since: since(statement.syntax()),
    };
    let within = |node: &SyntaxNode| !node.ancestors().skip(1).any(|of| is_inner(&of));
    let inner = body.syntax().descendants().filter(within).filter_map(Stmt::cast);
    let mut statements: Vec<Statement> = inner.map(read).collect();
    if statements.is_empty() {
        statements.push(Statement {
            span: 0..0,
            kind: "SELECT".to_owned(),
            what: What::Query(query(body.syntax())),
            since: None,
        });
    }
    Body { language: "sql".to_owned(), statements, unread: Vec::new(), text }
}

/// Whether what stands in it is a part of it, and no statement of the body itself.
fn is_inner(node: &SyntaxNode) -> bool {
    let kind = node.kind();
    let whole = ast::CreateFunction::can_cast(kind) || ast::CreateProcedure::can_cast(kind);
    !whole && !ast::CreateSchema::can_cast(kind) && Stmt::can_cast(kind)
}

fn sql(tree: &SyntaxNode, text: &str, whole: Range<usize>) -> Body {
    let reader = Reader::within(whole.clone());
    let read = |statement: Stmt| Statement {
        span: whole.clone(),
        kind: kind(&statement),
        what: what(&reader, &statement),
        since: since(statement.syntax()),
    };
    let statements = tree.children().filter_map(Stmt::cast).map(read).collect();
    Body { language: "sql".to_owned(), statements, unread: Vec::new(), text: text.to_owned() }
}

/// The statements of a PL/pgSQL block that stand there as text, whatever branch they stand in; and
/// dynamic SQL, which is read where it is one literal.
fn plpgsql(parsed: &Plpgsql, whole: Range<usize>) -> Body {
    let tree = parsed.syntax();
    let reader = Reader::within(whole.clone());
    let mut body =
        Body { language: "plpgsql".to_owned(), text: parsed.text().to_owned(), ..Body::default() };
    let mut add = |statement: &Stmt| {
        body.statements.push(Statement {
            span: whole.clone(),
            kind: kind(statement),
            what: what(&reader, statement),
            since: since(statement.syntax()),
        });
    };
    let mut unread = Vec::new();
    let mut conditions = Vec::new();
    let mut settled = Vec::new();
    for node in tree.descendants() {
        if Stmt::can_cast(node.kind()) {
            // Whatever stands within another is a part of that.
            let within = |above: SyntaxNode| {
                Stmt::can_cast(above.kind()) || ast::PlpgsqlExpr::can_cast(above.kind())
            };
            if !node.ancestors().skip(1).any(within) {
                Stmt::cast(node).iter().for_each(&mut add);
            }
        } else if node.kind() == SyntaxKind::ERROR {
            // The parser does not know where PL/pgSQL says where a result goes.
            let text = super::dml::without_target(&node);
            let inner = text.map(|text| SourceFile::parse(&text));
            if let Some(inner) = inner.filter(|inner| inner.errors().is_empty()) {
                settled.push(parsed.source_range(node.text_range()));
                inner.tree().stmts().for_each(|statement| add(&statement));
            }
        } else if let Some(exec) = ast::PlpgsqlExecSqlStmt::cast(node.clone()) {
            if exec.stmt().is_none() {
                unread.push(format!("`{}` cannot be parsed", node.text()));
            }
        } else if let Some(dynamic) = ast::PlpgsqlDynExecuteStmt::cast(node.clone()) {
            let literal = dynamic.query().and_then(|query| only_literal(query.syntax()));
            match literal.map(|text| SourceFile::parse(&text)) {
                Some(parsed) if parsed.errors().is_empty() => {
                    parsed.tree().stmts().for_each(|statement| add(&statement));
                }
                _ => unread.push("it runs SQL that is put together when it runs".to_owned()),
            }
        } else if ast::PlpgsqlExpr::can_cast(node.kind()) {
            // A condition may read tables, and call what does anything.
            let query = query(&node);
            if !(query.reads.is_empty() && query.calls.is_empty()) {
                conditions.push(Statement {
                    span: whole.clone(),
                    kind: "SELECT".to_owned(),
                    what: What::Query(query),
                    since: None,
                });
            }
        } else if is_dynamic(&node) {
            unread.push("it runs SQL that is put together when it runs".to_owned());
        }
    }
    unread.dedup();
    // A body that cannot be parsed to its end hides what follows.
    let errors = parsed.errors();
    let mut open = errors.iter().filter(|error| {
        !settled.iter().any(|range| range.contains_inclusive(error.range().start()))
    });
    let error = open.next().map(|error| format!("it cannot be parsed: {}", error.message()));
    unread.extend(error);
    body.unread = unread;
    body.statements.append(&mut conditions);
    body
}

fn is_dynamic(node: &SyntaxNode) -> bool {
    ast::PlpgsqlForDynStmt::can_cast(node.kind())
        || ast::PlpgsqlReturnQueryExecuteStmt::can_cast(node.kind())
        || ast::PlpgsqlOpenExecute::can_cast(node.kind())
}

/// The value of an expression that is one literal and nothing else.
fn only_literal(node: &SyntaxNode) -> Option<String> {
    let literal = node.descendants().find_map(ast::Literal::cast)?;
    let same = literal.syntax().text().to_string().trim() == node.text().to_string().trim();
    same.then(|| literal.decoded_value()).flatten().map(|text| text.text().to_owned())
}
