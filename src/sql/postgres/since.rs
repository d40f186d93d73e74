//! What a version of PostgreSQL brought, by the parts of the syntax tree that nobody could write
//! before it.
//!
//! Each is from the release notes of the version that is named (appendix E of the manual), and of the
//! versions at hand the servers were asked: `tests/effects/postgres-boundaries.sql` holds both sides of
//! each.

use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

use crate::sql::statement::Since;

/// By a node of the tree: the version that brought it, and how it is written.
fn brought(node: SyntaxKind) -> Option<(u16, &'static str)> {
    Some(match node {
        SyntaxKind::CREATE_PROCEDURE => (11, "CREATE PROCEDURE"),
        SyntaxKind::ALTER_PROCEDURE => (11, "ALTER PROCEDURE"),
        SyntaxKind::DROP_PROCEDURE => (11, "DROP PROCEDURE"),
        SyntaxKind::CALL => (11, "CALL"),
        SyntaxKind::INDEX_INCLUDE_CLAUSE | SyntaxKind::CONSTRAINT_INCLUDE_CLAUSE => (11, "INCLUDE"),
        SyntaxKind::PARTITION_DEFAULT => (11, "a DEFAULT partition"),
        SyntaxKind::PARTITION_FOR_VALUES_WITH => (11, "a partition by hash"),
        SyntaxKind::ATTACH_INDEX_PARTITION => (11, "ALTER INDEX … ATTACH PARTITION"),
        SyntaxKind::MATERIALIZED => (12, "WITH … AS MATERIALIZED"),
        SyntaxKind::NOT_MATERIALIZED => (12, "WITH … AS NOT MATERIALIZED"),
        SyntaxKind::DROP_EXPRESSION => (13, "DROP EXPRESSION"),
        SyntaxKind::DROP_DATABASE_FORCE_CLAUSE => (13, "DROP DATABASE … FORCE"),
        SyntaxKind::WITH_TIES => (13, "FETCH … WITH TIES"),
        SyntaxKind::ATOMIC_BODY => (14, "BEGIN ATOMIC"),
        SyntaxKind::COMPRESSION_METHOD => (14, "COMPRESSION"),
        SyntaxKind::SET_COMPRESSION => (14, "SET COMPRESSION"),
        SyntaxKind::DETACH_CONCURRENTLY => (14, "DETACH PARTITION … CONCURRENTLY"),
        SyntaxKind::DETACH_FINALIZE => (14, "DETACH PARTITION … FINALIZE"),
        SyntaxKind::REINDEX_OPTION_CONCURRENTLY => (14, "REINDEX (CONCURRENTLY)"),
        SyntaxKind::REINDEX_OPTION_TABLESPACE => (14, "REINDEX (TABLESPACE)"),
        SyntaxKind::SEARCH_CLAUSE => (14, "WITH … SEARCH"),
        SyntaxKind::CYCLE_CLAUSE => (14, "WITH … CYCLE"),
        SyntaxKind::MERGE => (15, "MERGE"),
        SyntaxKind::NULLS_NOT_DISTINCT => (15, "NULLS NOT DISTINCT"),
        SyntaxKind::NULLS_DISTINCT => (15, "NULLS DISTINCT"),
        SyntaxKind::SET_ACCESS_METHOD => (15, "SET ACCESS METHOD"),
        SyntaxKind::IS_JSON => (16, "IS JSON"),
        SyntaxKind::SET_EXPRESSION => (17, "SET EXPRESSION"),
        SyntaxKind::MERGE_WHEN_NOT_MATCHED_SOURCE => (17, "WHEN NOT MATCHED BY SOURCE"),
        SyntaxKind::JSON_TABLE => (17, "JSON_TABLE"),
        SyntaxKind::ENFORCED => (18, "ENFORCED"),
        SyntaxKind::NOT_ENFORCED => (18, "NOT ENFORCED"),
        SyntaxKind::WITHOUT_OVERLAPS => (18, "WITHOUT OVERLAPS"),
        SyntaxKind::PERIOD_COLUMN => (18, "a foreign key with PERIOD"),
        SyntaxKind::RETURNING_OPTION_LIST => (18, "RETURNING WITH"),
        SyntaxKind::SPLIT_PARTITION => (19, "SPLIT PARTITION"),
        SyntaxKind::MERGE_PARTITIONS => (19, "MERGE PARTITIONS"),
        SyntaxKind::REPACK => (19, "REPACK"),
        SyntaxKind::FOR_PORTION_OF => (19, "FOR PORTION OF"),
        SyntaxKind::CREATE_PROPERTY_GRAPH => (19, "CREATE PROPERTY GRAPH"),
        _ => return None,
    })
}

/// By a node and one right above it.
const INSIDE: &[(SyntaxKind, SyntaxKind, u16, &str)] = &[
    (SyntaxKind::CREATE_TABLE, SyntaxKind::USING_METHOD, 12, "CREATE TABLE … USING"),
    (SyntaxKind::CREATE_TRIGGER, SyntaxKind::OR_REPLACE, 14, "CREATE OR REPLACE TRIGGER"),
    (SyntaxKind::MERGE, SyntaxKind::RETURNING_CLAUSE, 17, "MERGE … RETURNING"),
    (SyntaxKind::TABLE_ARG_LIST, SyntaxKind::NOT_NULL_CONSTRAINT, 18, "a NOT NULL of its own"),
    (SyntaxKind::ADD_CONSTRAINT, SyntaxKind::NOT_NULL_CONSTRAINT, 18, "ADD … NOT NULL"),
];

/// By a node and a word within it, one of the server's own.
const WORDS: &[(SyntaxKind, &str, u16, &str)] = &[
    (SyntaxKind::REINDEX, "concurrently", 12, "REINDEX … CONCURRENTLY"),
    (SyntaxKind::CREATE_SEQUENCE, "unlogged", 15, "CREATE UNLOGGED SEQUENCE"),
    (SyntaxKind::GRANT, "maintain", 17, "GRANT MAINTAIN"),
    (SyntaxKind::REVOKE, "maintain", 17, "REVOKE MAINTAIN"),
];

/// The newest part of a statement.
pub(super) fn since(tree: &SyntaxNode) -> Option<Since> {
    let mut newest: Option<Since> = None;
    let mut note = |version: u16, what: &'static str| {
        if newest.is_none_or(|newest| newest.version < version) {
            newest = Some(Since { version, what });
        }
    };
    let mut open = vec![tree.clone()];
    while let Some(node) = open.pop() {
        let kind = node.kind();
        // Rows that are written out are thousands of nodes, and as old as SQL.
        if kind == SyntaxKind::VALUES {
            continue;
        }
        open.extend(node.children());
        if let Some((version, what)) = brought(kind) {
            note(version, what);
        }
        let above = node.parent().map(|parent| parent.kind());
        let inside = INSIDE.iter().find(|(outer, of, ..)| *of == kind && Some(*outer) == above);
        if let Some((_, _, version, what)) = inside
            // A domain has had them since 17, and as a constraint of a column they are as old as SQL.
            && tree.kind() != SyntaxKind::ALTER_DOMAIN
        {
            note(*version, what);
        }
        for (_, word, version, what) in WORDS.iter().filter(|(of, ..)| *of == kind) {
            if has_word(&node, word) {
                note(*version, what);
            }
        }
        if kind == SyntaxKind::GENERATED_STORED {
            // What is not stored is virtual, also where the word is left out.
            let stored = has_word(&node, "stored");
            note(if stored { 12 } else { 18 }, if stored { "STORED" } else { "VIRTUAL" });
        }
    }
    newest
}

fn has_word(node: &SyntaxNode, word: &str) -> bool {
    let tokens = node.descendants_with_tokens().filter_map(SyntaxElement::into_token);
    tokens.into_iter().any(|token| token.text().eq_ignore_ascii_case(word))
}
