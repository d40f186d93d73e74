//! Code that runs statements: `DO`, functions, procedures.

use std::ops::Range;

use squawk_syntax::ast::{self, AstNode, Stmt};
use squawk_syntax::{SourceFile, SyntaxNode};

use super::dml::query;
use super::names::{Reader, name_of};
use super::since::since;
use super::{kind, what};
use crate::sql::statement::{Body, Statement, What};

/// `DO`.
pub(super) fn block(reader: &Reader, block: &ast::Do) -> Body {
    let whole = reader.span(block.syntax());
    match block.plpgsql() {
        Some(body) => {
            let errors: Vec<String> =
                body.errors().iter().map(|error| error.message().to_owned()).collect();
            let mut read = plpgsql(&body.syntax(), body.text(), whole);
            // A body that cannot be parsed to its end hides what follows.
            read.unread.extend(errors.first().map(|error| format!("it cannot be parsed: {error}")));
            read
        }
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
    let name = name_of(call.procedure_name_ref());
    Body {
        language: "sql".to_owned(),
        statements: Vec::new(),
        unread: vec![format!("what the procedure `{name}` does stands elsewhere")],
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
        language: "sql".to_owned(),
        statements: statements.into_iter().collect(),
        unread,
        text: node.text().to_string(),
    }
}

/// `CREATE FUNCTION`.
pub(super) fn function(reader: &Reader, create: &ast::CreateFunction) -> What {
    let whole = reader.span(create.syntax());
    let body = match (create.plpgsql(), create.sql_body()) {
        (Some(body), _) => Some(plpgsql(&body.syntax(), body.text(), whole)),
        (None, Some(body)) => Some(sql(&body.syntax(), body.text(), whole)),
        (None, None) => Some(other(create.syntax())),
    };
    What::CreateRoutine { name: name_of(create.name()), body }
}

/// `CREATE PROCEDURE`.
pub(super) fn procedure(reader: &Reader, create: &ast::CreateProcedure) -> What {
    let whole = reader.span(create.syntax());
    let body = match (create.plpgsql(), create.sql_body()) {
        (Some(body), _) => Some(plpgsql(&body.syntax(), body.text(), whole)),
        (None, Some(body)) => Some(sql(&body.syntax(), body.text(), whole)),
        (None, None) => Some(other(create.syntax())),
    };
    What::CreateRoutine { name: name_of(create.name()), body }
}

/// A body that is a statement of its own (`BEGIN ATOMIC`), or of a language that is not read.
fn other(node: &SyntaxNode) -> Body {
    let reader = Reader::within(0..0);
    let read = |statement: Stmt| Statement {
        span: 0..0,
        kind: kind(&statement),
        what: what(&reader, &statement),
        since: since(statement.syntax()),
    };
    let inner = node.descendants().skip(1).filter_map(Stmt::cast);
    let statements: Vec<Statement> = inner.map(read).collect();
    Body {
        language: if statements.is_empty() { "another" } else { "sql" }.to_owned(),
        statements,
        unread: Vec::new(),
        text: node.text().to_string(),
    }
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
fn plpgsql(tree: &SyntaxNode, text: &str, whole: Range<usize>) -> Body {
    let reader = Reader::within(whole.clone());
    let mut body = Body {
        language: "plpgsql".to_owned(),
        statements: Vec::new(),
        unread: Vec::new(),
        text: text.to_owned(),
    };
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
    for node in tree.descendants() {
        if let Some(exec) = ast::PlpgsqlExecSqlStmt::cast(node.clone()) {
            match exec.stmt() {
                Some(statement) => add(&statement),
                None => unread.push(format!("`{}` cannot be parsed", node.text())),
            }
        } else if let Some(perform) = ast::PlpgsqlPerformStmt::cast(node.clone()) {
            body_of_perform(perform.syntax()).iter().for_each(&mut add);
        } else if let Some(call) = ast::PlpgsqlCallStmt::cast(node.clone()) {
            let name = name_of(call.call().and_then(|call| call.procedure_name_ref()));
            unread.push(format!("what the procedure `{name}` does stands elsewhere"));
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
    body.unread = unread;
    body.statements.append(&mut conditions);
    body
}

fn body_of_perform(node: &SyntaxNode) -> Option<Stmt> {
    node.children().find_map(Stmt::cast)
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
