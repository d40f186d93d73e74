//! Names, spans and lists out of the syntax tree.

use std::ops::Range;

use squawk_syntax::ast::{self, AstNode, Stmt};
use squawk_syntax::{SyntaxKind, SyntaxNode, SyntaxToken};

use crate::sql::statement::{Drop, Expression, Name};

/// Where the tree stands in the script.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// What is added to a place in the tree.
    shift: usize,
    /// Where everything stands, if the tree is of a text that does not stand in the script letter
    /// by letter: a body in quotes, with doubled quotes in it.
    fixed: Option<Range<usize>>,
}

impl Reader {
    /// Of a tree that begins here.
    pub(super) fn at(shift: usize) -> Self {
        Self { shift, fixed: None }
    }

    /// Of a tree whose text stands somewhere within here.
    pub(super) fn within(span: Range<usize>) -> Self {
        Self { shift: 0, fixed: Some(span) }
    }

    /// Where a node stands in the script.
    pub(super) fn span(&self, node: &SyntaxNode) -> Range<usize> {
        if let Some(fixed) = &self.fixed {
            return fixed.clone();
        }
        let range = node.text_range();
        usize::from(range.start()) + self.shift..usize::from(range.end()) + self.shift
    }

    /// An expression as written.
    pub(super) fn expression(&self, node: &SyntaxNode) -> Expression {
        Expression { text: node.text().to_string(), span: self.span(node) }
    }
}

/// The tokens of a node that mean something.
pub(super) fn tokens(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    node.descendants_with_tokens()
        .filter_map(|element| element.as_token().cloned())
        .filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT))
}

/// A name as PostgreSQL folds it: quoted letter by letter, unquoted in lower case.
pub(super) fn folded(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c == '"' || c.is_alphabetic())
}

/// The dotted name that a node is; a database before the schema is left out.
pub(super) fn name(node: &SyntaxNode) -> Name {
    let tokens = tokens(node).filter(|token| is_name(token.text()));
    let mut parts: Vec<String> = tokens.map(|token| folded(token.text())).collect();
    let name = parts.pop().unwrap_or_default();
    Name { schema: parts.pop(), name }
}

/// The name of an optional node.
pub(super) fn name_of<N: AstNode>(node: Option<N>) -> Name {
    node.map(|node| name(node.syntax())).unwrap_or_default()
}

/// The last part of the name of an optional node.
pub(super) fn word_of<N: AstNode>(node: Option<N>) -> String {
    name_of(node).name
}

/// The names in a list of nodes.
pub(super) fn names<N: AstNode>(nodes: impl Iterator<Item = N>) -> Vec<Name> {
    nodes.map(|node| name(node.syntax())).collect()
}

/// The columns in a list in parentheses: of each entry its column, without what follows it and
/// without `PERIOD` before it.
pub(super) fn columns(list: &SyntaxNode) -> Vec<String> {
    let mut columns = Vec::new();
    let mut entry: Vec<String> = Vec::new();
    let mut close = |entry: &mut Vec<String>| {
        let period = entry.len() == 2 && entry[0] == "period";
        if let Some(column) = entry.get(usize::from(period)) {
            columns.push(column.clone());
        }
        entry.clear();
    };
    for token in tokens(list) {
        match token.text() {
            "," => close(&mut entry),
            text if is_name(text) => entry.push(folded(text)),
            _ => {}
        }
    }
    close(&mut entry);
    columns
}

/// The lists in parentheses that are direct children of a node, in order.
pub(super) fn lists(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> {
    node.children().filter(|child| {
        child.first_token().is_some_and(|token| token.kind() == SyntaxKind::L_PAREN)
    })
}

/// What is dropped.
pub(super) fn drop(
    names: Vec<Name>,
    if_exists: Option<&ast::IfExists>,
    behavior: Option<&ast::DropBehavior>,
) -> Drop {
    Drop { names, if_exists: if_exists.is_some(), cascade: cascades(behavior), temporary: false }
}

/// Whether it says `CASCADE`.
pub(super) fn cascades(behavior: Option<&ast::DropBehavior>) -> bool {
    matches!(behavior, Some(ast::DropBehavior::Cascade(_)))
}

/// The relations that a query reads: what stands in its `FROM`s and is no `WITH` of its own.
pub(super) fn reads(query: &SyntaxNode) -> Vec<Name> {
    let mut found = Vec::new();
    let own = own(query);
    for node in query.descendants() {
        if !ast::WithTable::can_cast(node.kind()) {
            let item = ast::RelationFromItem::cast(node.clone());
            // `TABLE x` reads it as `SELECT * FROM x` does.
            let whole = || ast::Table::cast(node)?.relation_name()?.relation_name_ref();
            let Some(relation) = item.and_then(|item| item.relation_name_ref()).or_else(whole)
            else {
                continue;
            };
            let name = name(relation.syntax());
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found.retain(|name| name.schema.is_some() || !own.contains(&name.name));
    found
}

/// The names that a query's `WITH` gives.
pub(super) fn own(query: &SyntaxNode) -> Vec<String> {
    let tables = query.descendants().filter_map(ast::WithTable::cast);
    tables
        .filter_map(|table| tokens(table.syntax()).next().map(|first| folded(first.text())))
        .collect()
}

/// The relations that the statements in a node write.
pub(super) fn writes(node: &SyntaxNode) -> Vec<Name> {
    let written = |statement: Stmt| match statement {
        Stmt::Insert(of) => of.relation_name_ref(),
        Stmt::Update(of) => of.relation_name().and_then(|name| name.relation_name_ref()),
        Stmt::Delete(of) => of.relation_name().and_then(|name| name.relation_name_ref()),
        _ => None,
    };
    names(node.descendants().filter_map(Stmt::cast).filter_map(written))
}

/// Every name in a query, whatever it stands for; and `*`, if it selects all columns.
pub(super) fn mentions(query: &SyntaxNode) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens(query).filter(|token| is_name(token.text())) {
        let word = folded(token.text());
        if !found.contains(&word) {
            found.push(word);
        }
    }
    if query.descendants().filter_map(ast::Target::cast).any(|target| target.star_token().is_some())
    {
        found.push("*".to_owned());
    }
    found
}
