//! `ALTER TABLE`, and `ALTER VIEW`, which shares its actions.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AlterColumnOption, AlterTableAction, AstNode};

use super::names::{Reader, cascades, name, name_of, tokens, word_of};
use super::table::{added_column, constraint_of, type_of};
use crate::sql::statement::{Action, AlterTable, Name, Online, PartitionOperation, What};

/// `ALTER TABLE`.
pub(super) fn table(reader: &Reader, alter: &ast::AlterTable) -> What {
    if alter.all_in_tablespace().is_some() {
        return What::Unknown { why: "it moves all tables of a tablespace".to_owned() };
    }
    What::AlterTable(read(
        reader,
        alter.table_relation_name(),
        alter.if_exists().is_some(),
        alter.actions(),
    ))
}

/// `ALTER FOREIGN TABLE`.
pub(super) fn foreign_table(reader: &Reader, alter: &ast::AlterForeignTable) -> What {
    What::AlterTable(read(
        reader,
        alter.table_relation_name(),
        alter.if_exists().is_some(),
        alter.actions(),
    ))
}

fn read(
    reader: &Reader,
    relation: Option<ast::TableRelationName>,
    if_exists: bool,
    actions: impl Iterator<Item = AlterTableAction>,
) -> AlterTable {
    let only = relation.as_ref().is_some_and(|relation| relation.only_token().is_some());
    let name = name_of(relation.and_then(|relation| relation.table_name_ref()));
    let read = |read: AlterTableAction| (action(reader, &read), reader.span(read.syntax()));
    let actions = actions.map(read).collect();
    AlterTable { name, if_exists, only, actions, online: Online::default() }
}

/// `ALTER VIEW`.
pub(super) fn view(reader: &Reader, alter: &ast::AlterView) -> What {
    let action = alter.action().map(|action| {
        let read = match &action {
            ast::AlterViewAction::RenameColumn(rename) => rename_column(rename),
            ast::AlterViewAction::ViewRenameTo(rename) => Action::RenameTo(name_of(rename.view())),
            ast::AlterViewAction::SetSchema(set) => Action::SetSchema(word_of(set.schema_ref())),
            ast::AlterViewAction::OwnerTo(_) => Action::OwnerTo,
            ast::AlterViewAction::SetOptions(_) | ast::AlterViewAction::ResetOptions(_) => {
                Action::SetOptions(option_names(action.syntax()))
            }
            ast::AlterViewAction::AlterViewColumn(column) => {
                Action::DropDefault { column: word_of(column.name()) }
            }
        };
        (read, reader.span(action.syntax()))
    });
    What::AlterView(of_view(alter.view_ref(), alter.if_exists().is_some(), action.into_iter()))
}

/// `ALTER MATERIALIZED VIEW`.
pub(super) fn materialized_view(reader: &Reader, alter: &ast::AlterMaterializedView) -> What {
    use ast::AlterMaterializedViewAction as Of;
    let actions = alter.action().map(|one| {
        let read = match &one {
            Of::RenameColumn(rename) => rename_column(rename),
            Of::ViewRenameTo(rename) => Action::RenameTo(name_of(rename.view())),
            Of::SetSchema(set) => Action::SetSchema(word_of(set.schema_ref())),
            Of::AlterTableAction(of) => action(reader, of),
            Of::DependsOnExtension(_) | Of::NoDependsOnExtension(_) => Action::OwnerTo,
        };
        (read, reader.span(one.syntax()))
    });
    What::AlterView(of_view(alter.view_ref(), alter.if_exists().is_some(), actions))
}

fn of_view(
    view: Option<ast::ViewRef>,
    if_exists: bool,
    actions: impl Iterator<Item = (Action, std::ops::Range<usize>)>,
) -> AlterTable {
    AlterTable {
        name: name_of(view),
        if_exists,
        only: false,
        actions: actions.collect(),
        online: Online::default(),
    }
}

fn rename_column(rename: &ast::RenameColumn) -> Action {
    Action::RenameColumn {
        from: word_of(rename.column_name_ref()),
        to: word_of(rename.column_name()),
    }
}

fn unread(node: &SyntaxNode) -> Action {
    Action::Unknown { text: node.text().to_string() }
}

fn action(reader: &Reader, action: &AlterTableAction) -> Action {
    match action {
        AlterTableAction::AddColumn(add) => Action::AddColumn {
            column: Box::new(added_column(reader, add)),
            if_not_exists: add.if_not_exists().is_some(),
            place: None,
        },
        AlterTableAction::DropColumn(drop) => Action::DropColumn {
            name: word_of(drop.column_name_ref()),
            if_exists: drop.if_exists().is_some(),
            cascade: cascades(drop.drop_behavior().as_ref()),
        },
        AlterTableAction::AlterColumn(alter) => {
            let column = word_of(alter.column_name_ref());
            match alter.option() {
                Some(option) => column_action(reader, column, &option),
                None => unread(alter.syntax()),
            }
        }
        AlterTableAction::AddConstraint(add) => {
            let constraint =
                add.constraint().and_then(|constraint| constraint_of(reader, &constraint));
            match constraint {
                Some(constraint) => Action::AddConstraint { constraint, if_not_exists: false },
                None => unread(add.syntax()),
            }
        }
        AlterTableAction::DropConstraint(drop) => Action::DropConstraint {
            name: word_of(drop.constraint_name_ref()),
            if_exists: drop.if_exists().is_some(),
            cascade: cascades(drop.drop_behavior().as_ref()),
        },
        AlterTableAction::ValidateConstraint(validate) => {
            Action::ValidateConstraint { name: word_of(validate.constraint_name_ref()) }
        }
        AlterTableAction::AlterConstraint(alter) => {
            let enforced = alter.constraint_options().find_map(|option| match option {
                ast::ConstraintOption::Enforced(_) => Some(true),
                ast::ConstraintOption::NotEnforced(_) => Some(false),
                _ => None,
            });
            Action::AlterConstraint { name: word_of(alter.constraint_name_ref()), enforced }
        }
        AlterTableAction::RenameConstraint(rename) => Action::RenameConstraint {
            from: word_of(rename.constraint_name_ref()),
            to: word_of(rename.constraint_name()),
        },
        AlterTableAction::RenameColumn(rename) => rename_column(rename),
        AlterTableAction::TableRenameTo(rename) => Action::RenameTo(name_of(rename.table_name())),
        AlterTableAction::SetSchema(set) => Action::SetSchema(word_of(set.schema_ref())),
        AlterTableAction::AttachPartition(attach) => Action::AttachPartition {
            child: name_of(attach.table_name_ref()),
            default: matches!(
                attach.partition_type(),
                Some(ast::PartitionType::PartitionDefault(_))
            ),
            bounds: attach
                .partition_type()
                .map(|bounds| bounds.syntax().text().to_string())
                .unwrap_or_default(),
        },
        AlterTableAction::DetachPartition(detach) => {
            let how = detach.detach_partition_option();
            Action::DetachPartition {
                child: name_of(detach.table_name_ref()),
                concurrently: matches!(
                    how,
                    Some(ast::DetachPartitionOption::DetachConcurrently(_))
                ),
                finalize: matches!(how, Some(ast::DetachPartitionOption::DetachFinalize(_))),
            }
        }
        AlterTableAction::SplitPartition(_) | AlterTableAction::MergePartitions(_) => {
            Action::Partition(PartitionOperation::Split)
        }
        AlterTableAction::EnableTrigger(_)
        | AlterTableAction::EnableAlwaysTrigger(_)
        | AlterTableAction::EnableReplicaTrigger(_)
        | AlterTableAction::DisableTrigger(_) => {
            let named = action.syntax().descendants().find_map(ast::TriggerRef::cast);
            Action::Triggers {
                enable: !matches!(action, AlterTableAction::DisableTrigger(_)),
                name: named.map(|named| word_of(Some(named))),
            }
        }
        AlterTableAction::EnableRule(_)
        | AlterTableAction::EnableAlwaysRule(_)
        | AlterTableAction::EnableReplicaRule(_)
        | AlterTableAction::DisableRule(_) => {
            let named = action.syntax().descendants().find_map(ast::RuleRef::cast);
            Action::Rules { name: word_of(named) }
        }
        AlterTableAction::EnableRls(_)
        | AlterTableAction::DisableRls(_)
        | AlterTableAction::ForceRls(_)
        | AlterTableAction::NoForceRls(_) => Action::RowSecurity,
        AlterTableAction::ClusterOn(on) => Action::ClusterOn {
            index: on.syntax().children().next().map(|index| name(&index).name),
        },
        AlterTableAction::SetWithoutCluster(_) => Action::ClusterOn { index: None },
        AlterTableAction::SetLogged(_) => Action::SetLogged { logged: true },
        AlterTableAction::SetUnlogged(_) => Action::SetLogged { logged: false },
        AlterTableAction::SetTablespace(_) => Action::SetTablespace,
        AlterTableAction::SetAccessMethod(_) => Action::SetAccessMethod,
        AlterTableAction::SetOptions(set) => Action::SetOptions(option_names(set.syntax())),
        AlterTableAction::ResetOptions(reset) => Action::SetOptions(option_names(reset.syntax())),
        AlterTableAction::OptionItemList(_) | AlterTableAction::AlterOptionList(_) => {
            Action::SetOptions(Vec::new())
        }
        // Rows have had no OIDs since PostgreSQL 12; it does nothing any more, under its old lock.
        AlterTableAction::SetWithoutOids(_) => Action::SetOptions(vec!["oids".to_owned()]),
        AlterTableAction::InheritTable(inherit) => {
            Action::Inherit(name_of(inherit.table_name_ref()))
        }
        AlterTableAction::NoInheritTable(inherit) => {
            let parent = inherit.syntax().children().find_map(ast::TableNameRef::cast);
            Action::NoInherit(parent.map_or_else(Name::default, |parent| name_of(Some(parent))))
        }
        AlterTableAction::OfType(_) | AlterTableAction::NotOf(_) => Action::OfType,
        AlterTableAction::ReplicaIdentity(of) => Action::ReplicaIdentity {
            index: match of.replica_identity_option() {
                Some(ast::ReplicaIdentityOption::UsingIndexName(using)) => {
                    Some(word_of(using.index_ref()))
                }
                _ => None,
            },
        },
        AlterTableAction::OwnerTo(_) => Action::OwnerTo,
    }
}

/// The names of the storage parameters between the parentheses.
fn option_names(node: &SyntaxNode) -> Vec<String> {
    let mut names = Vec::new();
    let mut expected = false;
    for token in tokens(node) {
        match token.text() {
            "(" | "," => {
                expected = true;
                names.push(String::new());
            }
            "=" | ")" => expected = false,
            text if expected => names.iter_mut().last().into_iter().for_each(|name| {
                name.push_str(&text.to_lowercase());
            }),
            _ => {}
        }
    }
    names
}

fn column_action(reader: &Reader, column: String, option: &AlterColumnOption) -> Action {
    match option {
        AlterColumnOption::SetType(set) => Action::ChangeType {
            column,
            to: set.ty().map(|ty| type_of(ty.syntax())).unwrap_or_default(),
            collation: set.collate().map(|collate| word_of(collate.collation_ref())),
            using: set
                .using_expr()
                .and_then(|using| using.expr())
                .map(|expr| reader.expression(expr.syntax())),
        },
        AlterColumnOption::SetDefault(set) => match set.expr() {
            Some(expr) => Action::SetDefault { column, to: reader.expression(expr.syntax()) },
            None => unread(set.syntax()),
        },
        AlterColumnOption::DropDefault(_) => Action::DropDefault { column },
        AlterColumnOption::SetNotNull(_) => Action::SetNotNull { column },
        AlterColumnOption::DropNotNull(_) => Action::DropNotNull { column },
        AlterColumnOption::SetExpression(set) => match set.expr() {
            Some(expr) => Action::SetExpression { column, to: reader.expression(expr.syntax()) },
            None => unread(set.syntax()),
        },
        AlterColumnOption::DropExpression(drop) => {
            Action::DropExpression { column, if_exists: drop.if_exists().is_some() }
        }
        AlterColumnOption::AddGenerated(_) => Action::AddIdentity { column },
        AlterColumnOption::SetGenerated(_)
        | AlterColumnOption::SetGeneratedOptions(_)
        | AlterColumnOption::SetSequenceOption(_)
        | AlterColumnOption::Restart(_) => Action::AlterIdentity { column },
        AlterColumnOption::DropIdentity(drop) => {
            Action::DropIdentity { column, if_exists: drop.if_exists().is_some() }
        }
        AlterColumnOption::SetStatistics(_) => Action::SetStatistics { column },
        AlterColumnOption::SetStorage(_) => Action::SetStorage { column },
        AlterColumnOption::SetCompression(_) => Action::SetCompression { column },
        AlterColumnOption::SetOptions(_)
        | AlterColumnOption::SetOptionsList(_)
        | AlterColumnOption::ResetOptions(_) => Action::ColumnOptions { column },
        AlterColumnOption::Inherit(_) | AlterColumnOption::NoInherit(_) => unread(option.syntax()),
    }
}
