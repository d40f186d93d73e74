//! What is no table: indexes, views, triggers, types, sequences.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, Stmt};

use super::dml::{base, output, query as query_of, written_within};
use super::names::{
    Reader, columns, drop, folded, mentions, name, name_of, names, reads, tokens, word_of,
};
use super::table::type_of;
use crate::sql::statement::{
    CreateIndex, DomainAction, Drop, IndexAction, IndexKind, IndexPart, Name, ObjectAction, Online,
    Reindexed, SequenceAction, TableObject, TypeAction, Verb, What,
};

/// What the statement says, if it is one of these.
pub(super) fn what(reader: &Reader, statement: &Stmt) -> Option<What> {
    index(reader, statement)
        .or_else(|| view(statement))
        .or_else(|| attached(statement))
        .or_else(|| kinds(statement))
        .or_else(|| dropped(statement))
        .or_else(|| super::maintenance::what(statement))
        .or_else(|| super::whole::what(reader, statement))
}

fn index(reader: &Reader, statement: &Stmt) -> Option<What> {
    Some(match statement {
        Stmt::CreateIndex(create) => {
            let relation = create.table_relation_name();
            let only = relation.as_ref().is_some_and(|relation| relation.only_token().is_some());
            let items = create.partition_item_list();
            let parts = items.iter().flat_map(ast::PartitionItemList::partition_items);
            What::CreateIndex(Box::new(CreateIndex {
                name: create.index().map(|index| name(index.syntax())),
                table: name_of(relation.and_then(|relation| relation.table_name_ref())),
                only,
                unique: create.unique_token().is_some(),
                concurrently: create.concurrently_token().is_some(),
                if_not_exists: create.if_not_exists().is_some(),
                parts: parts.filter_map(|part| index_part(reader, &part)).collect(),
                include: create
                    .index_include_clause()
                    .and_then(|clause| clause.partition_item_list())
                    .map(|list| columns(list.syntax()))
                    .unwrap_or_default(),
                predicate: create
                    .where_clause()
                    .and_then(|clause| clause.expr())
                    .map(|expr| reader.expression(expr.syntax())),
                kind: IndexKind::Ordinary,
                online: Online::default(),
            }))
        }
        Stmt::DropIndex(drop_index) => What::DropIndex {
            drop: drop(
                names(drop_index.index_refs()),
                drop_index.if_exists().as_ref(),
                drop_index.drop_behavior().as_ref(),
            ),
            table: None,
            concurrently: drop_index.concurrently_token().is_some(),
            online: Online::default(),
        },
        Stmt::AlterIndex(alter) => match (alter.index_ref(), alter.action()) {
            (Some(index), Some(action)) => What::AlterIndex {
                name: name(index.syntax()),
                action: match action {
                    ast::AlterIndexAction::IndexRenameTo(rename) => {
                        IndexAction::RenameTo(word_of(rename.index()))
                    }
                    ast::AlterIndexAction::AttachIndexPartition(attach) => {
                        IndexAction::Attach(name_of(attach.index_ref()))
                    }
                    ast::AlterIndexAction::SetTablespace(_) => IndexAction::SetTablespace,
                    _ => IndexAction::Set,
                },
            },
            _ => What::Unknown { why: "it names no single index".to_owned() },
        },
        Stmt::Reindex(reindex) => {
            let mut words = tokens(reindex.syntax());
            let concurrently = words.any(|token| token.text().eq_ignore_ascii_case("concurrently"));
            let of = |of, node: Option<&SyntaxNode>| What::Reindex {
                of,
                name: node.map(name),
                concurrently,
            };
            match reindex.reindex_target() {
                Some(ast::ReindexTarget::ReindexTargetIndex(target)) => {
                    of(Reindexed::Index, target.index_ref().as_ref().map(AstNode::syntax))
                }
                Some(ast::ReindexTarget::ReindexTargetTable(target)) => {
                    of(Reindexed::Table, target.table_name_ref().as_ref().map(AstNode::syntax))
                }
                Some(ast::ReindexTarget::ReindexTargetSchema(target)) => {
                    of(Reindexed::Schema, target.schema_ref().as_ref().map(AstNode::syntax))
                }
                _ => of(Reindexed::Database, None),
            }
        }
        _ => return None,
    })
}

fn index_part(reader: &Reader, item: &ast::PartitionItem) -> Option<IndexPart> {
    match item.expr()? {
        ast::Expr::NameRef(column) => Some(IndexPart::Column(name(column.syntax()).name, None)),
        expression => Some(IndexPart::Expression(reader.expression(expression.syntax()))),
    }
}

fn view(statement: &Stmt) -> Option<What> {
    let of_query = |name, materialized, or_replace, query: Option<ast::SelectVariant>| {
        let columns = query.as_ref().map(output).unwrap_or_default();
        let node = query.as_ref().map(AstNode::syntax);
        let read = node.map(query_of).unwrap_or_default();
        let mentions = node.map(mentions).unwrap_or_default();
        let base = query.as_ref().and_then(base);
        let (reads, calls) = (read.reads, read.calls);
        What::CreateView { name, materialized, or_replace, reads, mentions, columns, calls, base }
    };
    let named = |list: Option<ast::ColumnList>, mut view: What| {
        if let (What::CreateView { columns, .. }, Some(list)) = (&mut view, list) {
            // It may name the first of them only.
            let names = super::names::columns(list.syntax());
            let renamed = names.len().min(columns.len());
            columns.splice(..renamed, names);
        }
        view
    };
    Some(match statement {
        Stmt::CreateView(create) => {
            let or_replace = create.or_replace().is_some();
            let view = of_query(name_of(create.view()), false, or_replace, create.query());
            named(create.column_list(), view)
        }
        Stmt::CreateMaterializedView(create) => {
            let view = of_query(name_of(create.view()), true, false, create.query());
            named(create.column_list(), view)
        }
        Stmt::Refresh(refresh) => What::RefreshView {
            name: name_of(refresh.view_ref()),
            concurrently: refresh.concurrently_token().is_some(),
            with_data: !matches!(refresh.data_option(), Some(ast::DataOption::WithNoData(_))),
        },
        Stmt::DropView(of) => What::DropView {
            drop: drop(names(of.view_refs()), of.if_exists().as_ref(), of.drop_behavior().as_ref()),
            materialized: false,
        },
        Stmt::DropMaterializedView(of) => What::DropView {
            drop: drop(names(of.view_refs()), of.if_exists().as_ref(), of.drop_behavior().as_ref()),
            materialized: true,
        },
        _ => return None,
    })
}

/// What belongs to a table.
fn attached(statement: &Stmt) -> Option<What> {
    let relation = |on: Option<ast::OnRelation>| name_of(on.and_then(|on| on.relation_name_ref()));
    let table = |on: Option<ast::OnTable>| on.map(|on| name_of(on.table_name_ref()));
    let object = |table, of, name, action| What::TableObject {
        table,
        of,
        name,
        action,
        lenient: lenient(statement),
        event: ruled(statement),
        instead: instead(statement),
        reads: reads(statement.syntax()),
        writes: written_within(statement.syntax()),
        mentions: expressions(statement),
    };
    let (policy, rule) = (TableObject::Policy, TableObject::Rule);
    let (create, alter, gone) = (ObjectAction::Create, ObjectAction::Alter, ObjectAction::Drop);
    Some(match statement {
        Stmt::CreateTrigger(create) => What::CreateTrigger {
            name: name_of(create.trigger()),
            table: relation(create.on_relation()),
            mentions: watched(create),
            events: events(create),
            transitions: transitions(create),
            body: None,
            or_replace: create.or_replace().is_some(),
            calls: Some(name_of(create.call_expr().and_then(|call| call.expr()))),
            from: create.from_table().map(|from| name_of(from.table_name_ref())),
        },
        Stmt::DropTrigger(of) => What::DropTrigger {
            name: name_of(of.trigger_ref()),
            table: Some(relation(of.on_relation())),
            if_exists: of.if_exists().is_some(),
        },
        Stmt::AlterTrigger(of) => {
            let table = Some(relation(of.on_relation()));
            object(table, TableObject::Trigger, name_of(of.trigger_ref()), alter)
        }
        Stmt::CreatePolicy(of) => {
            object(table(of.on_table()), policy, name_of(of.policy()), create)
        }
        Stmt::AlterPolicy(of) => {
            object(table(of.on_table()), policy, name_of(of.policy_ref()), alter)
        }
        Stmt::DropPolicy(of) => {
            object(table(of.on_table()), policy, name_of(of.policy_ref()), gone)
        }
        Stmt::CreateRule(of) => {
            let table = of.rule_on().map(|on| name_of(on.relation_name_ref()));
            object(table, rule, name_of(of.rule()), create)
        }
        Stmt::AlterRule(of) => {
            object(Some(relation(of.on_relation())), rule, name_of(of.rule_ref()), alter)
        }
        Stmt::DropRule(of) => {
            object(Some(relation(of.on_relation())), rule, name_of(of.rule_ref()), gone)
        }
        Stmt::CommentOn(comment) => {
            let object = comment.comment_object();
            let part = matches!(
                object,
                Some(
                    ast::CommentObject::ObjectConstraint(_)
                        | ast::CommentObject::ObjectTrigger(_)
                        | ast::CommentObject::ObjectPolicy(_)
                        | ast::CommentObject::ObjectRule(_)
                )
            );
            What::Comment { on: object.and_then(commented), part }
        }
        Stmt::Grant(_) | Stmt::Revoke(_) => {
            let of = statement.syntax();
            let mut relations = names(of.descendants().filter_map(ast::RelationNameRef::cast));
            relations.extend(names(of.descendants().filter_map(ast::SequenceRef::cast)));
            What::Grant(relations)
        }
        Stmt::CreateStatistics(create) => What::CreateStatistics {
            name: name_of(create.statistics()),
            table: create.from_table().map(|from| name_of(from.table_name_ref())),
        },
        Stmt::DropStatistics(of) => What::DropStatistics(drop(
            names(of.statistics_refs()),
            of.if_exists().as_ref(),
            of.drop_behavior().as_ref(),
        )),
        Stmt::CreatePublication(_) | Stmt::AlterPublication(_) => {
            let of = statement.syntax();
            let mut tables = names(of.descendants().filter_map(ast::TableNameRef::cast));
            tables.extend(names(of.descendants().filter_map(ast::RelationNameRef::cast)));
            // The tables of a schema, or all, are not named, and not locked either.
            What::Publication(tables)
        }
        _ => return None,
    })
}

/// `IF EXISTS` or `OR REPLACE` of a policy or rule.
fn lenient(statement: &Stmt) -> bool {
    match statement {
        Stmt::DropPolicy(of) => of.if_exists().is_some(),
        Stmt::DropRule(of) => of.if_exists().is_some(),
        Stmt::CreateRule(of) => of.or_replace().is_some(),
        _ => false,
    }
}

/// The statement that a rule stands for; of one for `SELECT`, which makes a view, none.
fn ruled(statement: &Stmt) -> Option<Verb> {
    let Stmt::CreateRule(rule) = statement else { return None };
    let event = rule.rule_on()?.rule_event()?.syntax().text().to_string();
    match event.trim().to_lowercase().as_str() {
        "insert" => Some(Verb::Insert),
        "update" => Some(Verb::Update),
        "delete" => Some(Verb::Delete),
        _ => None,
    }
}

/// Whether a rule takes the place of its statement, whatever the rows.
fn instead(statement: &Stmt) -> bool {
    let Stmt::CreateRule(rule) = statement else { return false };
    let always = rule.rule_on().is_some_and(|on| on.where_clause().is_none());
    always && rule.rule_do().is_some_and(|action| action.instead_token().is_some())
}

/// The names behind `REFERENCING OLD TABLE AS`.
fn transitions(create: &ast::CreateTrigger) -> Vec<String> {
    let referencing = create.referencing().map(|of| of.syntax().clone());
    let words: Vec<String> =
        referencing.iter().flat_map(tokens).map(|token| folded(token.text())).collect();
    let named = words.windows(2).filter(|pair| pair[0] == "table" || pair[0] == "as");
    named.map(|pair| pair[1].clone()).filter(|name| name != "as").collect()
}

/// What fires a trigger.
fn events(create: &ast::CreateTrigger) -> Vec<(Verb, Vec<String>)> {
    let list = create.trigger_event_list();
    let events = list.iter().flat_map(ast::TriggerEventList::trigger_events);
    let event = |event: ast::TriggerEvent| match event {
        ast::TriggerEvent::TriggerEventDelete(_) => (Verb::Delete, Vec::new()),
        ast::TriggerEvent::TriggerEventInsert(_) => (Verb::Insert, Vec::new()),
        ast::TriggerEvent::TriggerEventTruncate(_) => (Verb::Truncate, Vec::new()),
        ast::TriggerEvent::TriggerEventUpdate(update) => {
            let columns = update.column_name_refs().map(|column| word_of(Some(column)));
            (Verb::Update, columns.collect())
        }
    };
    events.map(event).collect()
}

/// The names in a trigger's `UPDATE OF` and `WHEN`.
fn watched(create: &ast::CreateTrigger) -> Vec<String> {
    let events = create.trigger_event_list().map(|list| list.syntax().clone());
    let when = create.when_condition().map(|when| when.syntax().clone());
    events.iter().chain(&when).flat_map(mentions).collect()
}

/// The relation that a comment is on.
pub(super) fn commented(object: ast::CommentObject) -> Option<Name> {
    use ast::CommentObject as On;
    match object {
        On::ObjectTable(of) => Some(name_of(of.table_name_ref())),
        On::ObjectColumn(of) => {
            // table.column, or schema.table.column
            let mut parts: Vec<String> = tokens(of.name()?.syntax())
                .filter(|token| token.text() != ".")
                .map(|token| folded(token.text()))
                .collect();
            parts.pop();
            let name = parts.pop()?;
            Some(Name { schema: parts.pop(), name })
        }
        On::ObjectConstraint(of) => of.table_name_ref().map(|table| name(table.syntax())),
        On::ObjectTrigger(of) => of.relation_name_ref().map(|table| name(table.syntax())),
        On::ObjectPolicy(of) => of.table_name_ref().map(|table| name(table.syntax())),
        On::ObjectRule(of) => of.relation_name_ref().map(|table| name(table.syntax())),
        On::ObjectIndex(of) => of.syntax().children().next().map(|index| name(&index)),
        On::ObjectView(of) => of.syntax().children().next().map(|view| name(&view)),
        On::ObjectMaterializedView(of) => of.syntax().children().next().map(|view| name(&view)),
        On::ObjectSequence(of) => of.syntax().children().next().map(|one| name(&one)),
        On::ObjectForeignTable(of) => of.syntax().children().next().map(|one| name(&one)),
        _ => None,
    }
}

/// Types, domains, schemas, sequences.
fn kinds(statement: &Stmt) -> Option<What> {
    Some(match statement {
        Stmt::CreateType(create) => {
            let labels = match create.kind() {
                Some(ast::CreateTypeKind::EnumType(of)) => Some(labels(of.syntax())),
                _ => None,
            };
            What::CreateType { name: name_of(create.type_name()), labels }
        }
        Stmt::AlterType(alter) => What::AlterType {
            name: name_of(alter.type_name_ref()),
            action: match alter.action() {
                Some(ast::AlterTypeAction::AddValue(add)) => TypeAction::AddValue(
                    labels(add.syntax()).into_iter().next().unwrap_or_default(),
                ),
                Some(ast::AlterTypeAction::RenameValue(rename)) => {
                    let mut words = labels(rename.syntax()).into_iter();
                    TypeAction::RenameValue {
                        from: words.next().unwrap_or_default(),
                        to: words.next().unwrap_or_default(),
                    }
                }
                Some(ast::AlterTypeAction::TypeRenameTo(rename)) => {
                    TypeAction::RenameTo(word_of(rename.type_name()))
                }
                Some(ast::AlterTypeAction::AlterTypeAttributeActionList(list)) => {
                    let alters =
                        |one| matches!(one, ast::AlterTypeAttributeAction::AlterAttribute(_));
                    TypeAction::Attributes { retyped: list.actions().any(alters) }
                }
                Some(ast::AlterTypeAction::RenameAttribute(_)) => {
                    TypeAction::Attributes { retyped: false }
                }
                _ => TypeAction::Other,
            },
        },
        Stmt::CreateDomain(create) => What::CreateDomain {
            name: name_of(create.domain()),
            base: create.ty().map(|ty| type_of(ty.syntax())).unwrap_or_default(),
            constrained: create.domain_qualifiers().any(|qualifier| {
                ast::CheckConstraint::can_cast(qualifier.syntax().kind())
                    || ast::NotNullConstraint::can_cast(qualifier.syntax().kind())
            }),
        },
        Stmt::AlterDomain(alter) => What::AlterDomain {
            name: name_of(alter.domain_ref()),
            action: match alter.action() {
                Some(ast::AlterDomainAction::AddConstraint(add)) => {
                    let text = add.syntax().text().to_string().to_lowercase();
                    DomainAction::AddConstraint { not_valid: text.contains("not valid") }
                }
                Some(ast::AlterDomainAction::SetNotNull(_)) => DomainAction::SetNotNull,
                Some(ast::AlterDomainAction::ValidateConstraint(_)) => DomainAction::Validate,
                _ => DomainAction::Other,
            },
        },
        Stmt::AlterSchema(alter) => match alter.action() {
            Some(ast::AlterSchemaAction::SchemaRenameTo(rename)) => What::RenameSchema {
                from: word_of(alter.schema_ref()),
                to: word_of(rename.schema()),
            },
            _ => What::Other,
        },
        Stmt::CreateSequence(create) => What::Sequence {
            drop: drop(names(create.sequence().into_iter()), None, None),
            action: SequenceAction::Create { owner: owned_by(create.syntax()) },
        },
        Stmt::AlterSequence(alter) => What::Sequence {
            drop: drop(names(alter.sequence_ref().into_iter()), alter.if_exists().as_ref(), None),
            action: sequence_action(alter),
        },
        Stmt::DropSequence(of) => What::Sequence {
            drop: drop(
                names(of.sequence_refs()),
                of.if_exists().as_ref(),
                of.drop_behavior().as_ref(),
            ),
            action: SequenceAction::Drop,
        },
        _ => return None,
    })
}

fn sequence_action(alter: &ast::AlterSequence) -> SequenceAction {
    use ast::AlterSequenceAction as Of;
    match alter.actions().next() {
        Some(Of::SequenceRenameTo(rename)) => SequenceAction::RenameTo(word_of(rename.sequence())),
        Some(Of::SetSchema(set)) => SequenceAction::SetSchema(word_of(set.schema_ref())),
        Some(Of::OwnerTo(_) | Of::SetLogged(_) | Of::SetUnlogged(_)) => SequenceAction::Whole,
        _ if alter.syntax().descendants().any(|of| ast::OptionOwnedBy::can_cast(of.kind())) => {
            SequenceAction::OwnedBy(owned_by(alter.syntax()))
        }
        _ => SequenceAction::Alter,
    }
}

/// The table and its column after `OWNED BY`; none for `NONE`.
fn owned_by(node: &SyntaxNode) -> Option<(Name, String)> {
    let option = node.descendants().find_map(ast::OptionOwnedBy::cast)?;
    let words = tokens(option.syntax()).filter(|token| token.text() != ".").skip(2);
    let mut parts: Vec<String> = words.map(|token| folded(token.text())).collect();
    let column = parts.pop()?;
    let name = parts.pop()?;
    Some((Name { schema: parts.pop(), name }, column))
}

/// The literals in a node, without their quotes.
fn labels(node: &SyntaxNode) -> Vec<String> {
    let literals = node.descendants().filter_map(ast::Literal::cast);
    let text = |literal: ast::Literal| {
        let text = literal.syntax().text().to_string();
        text.trim_matches('\'').replace("''", "'")
    };
    let found: Vec<String> = literals.map(text).collect();
    if found.is_empty() { vec![String::new()] } else { found }
}

fn dropped(statement: &Stmt) -> Option<What> {
    let routines = |node: &SyntaxNode| {
        // f(int), g(text): the first token of each signature.
        let mut found = Vec::new();
        let mut depth = 0;
        let mut parts: Vec<String> = Vec::new();
        let words = tokens(node).skip(2);
        let skip = ["if", "exists", "cascade", "restrict", ";"];
        for token in words {
            match token.text() {
                "(" => depth += 1,
                ")" => depth -= 1,
                "," if depth == 0 => found.push(std::mem::take(&mut parts)),
                "." => {}
                text if depth == 0 && !skip.contains(&text.to_lowercase().as_str()) => {
                    parts.push(folded(text));
                }
                _ => {}
            }
        }
        found.push(parts);
        let name = |mut parts: Vec<String>| {
            let name = parts.pop()?;
            Some(Name { schema: parts.pop(), name })
        };
        let names = found.into_iter().filter_map(name).collect();
        let text = node.text().to_string().to_lowercase();
        What::DropRoutine(Drop {
            names,
            if_exists: text.contains("if exists"),
            cascade: text.trim_end_matches(';').trim_end().ends_with("cascade"),
            temporary: false,
        })
    };
    Some(match statement {
        Stmt::DropTable(of) => What::DropTable(drop(
            names(of.table_name_refs()),
            of.if_exists().as_ref(),
            of.drop_behavior().as_ref(),
        )),
        Stmt::DropForeignTable(of) => What::DropTable(drop(
            names(of.table_name_refs()),
            of.if_exists().as_ref(),
            of.drop_behavior().as_ref(),
        )),
        Stmt::DropType(of) => What::DropType(drop(
            names(of.type_name_refs()),
            of.if_exists().as_ref(),
            of.drop_behavior().as_ref(),
        )),
        Stmt::DropDomain(of) => What::DropType(drop(
            names(of.domain_refs()),
            of.if_exists().as_ref(),
            of.drop_behavior().as_ref(),
        )),
        Stmt::DropSchema(of) => What::DropSchema(drop(
            names(of.schema_refs()),
            of.if_exists().as_ref(),
            of.drop_behavior().as_ref(),
        )),
        Stmt::DropFunction(_)
        | Stmt::DropProcedure(_)
        | Stmt::DropRoutine(_)
        | Stmt::DropAggregate(_) => routines(statement.syntax()),
        _ => return None,
    })
}

/// The names in the expressions of a policy, and in what a rule does.
fn expressions(statement: &Stmt) -> Vec<String> {
    let parts = match statement {
        Stmt::CreatePolicy(of) => vec![
            of.using_expr_clause().map(|clause| clause.syntax().clone()),
            of.with_check_expr_clause().map(|clause| clause.syntax().clone()),
        ],
        Stmt::CreateRule(of) => vec![of.rule_do().map(|action| action.syntax().clone())],
        _ => Vec::new(),
    };
    parts.iter().flatten().flat_map(mentions).collect()
}
