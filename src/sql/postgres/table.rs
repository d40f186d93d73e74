//! Tables, columns, types and constraints.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode};

use super::dml::query;
use super::names::{Reader, columns, folded, lists, name_of, names, tokens, word_of};
use crate::sql::statement::{
    Check, Column, Constraint, ConstraintKind, CreateTable, Expression, ForeignKey, Generated,
    Name, Type, What,
};

/// `CREATE TABLE`.
pub(super) fn create(reader: &Reader, create: &ast::CreateTable) -> What {
    let mut table = empty(name_of(create.table_name()));
    table.if_not_exists = create.if_not_exists().is_some();
    table.temporary = matches!(create.persistence(), Some(ast::Persistence::Temp(_)));
    if matches!(create.persistence(), Some(ast::Persistence::Unlogged(_))) {
        table.options.push(("unlogged".to_owned(), String::new()));
    }
    if let Some(ty) = create.of_type().and_then(|of| of.ty()) {
        table.options.push(("of".to_owned(), super::names::name(ty.syntax()).to_string()));
    }
    table.partition_of = partition_of(create.partition_of(), create.partition_type().as_ref());
    table.bounds = create.partition_type().map(|bounds| bounds.syntax().text().to_string());
    table.partition_by = create.partition_by().map(|by| by.syntax().text().to_string());
    table.inherits = parents(create.inherits());
    arguments(reader, create.table_arg_list().as_ref(), &mut table);
    What::CreateTable(Box::new(table))
}

/// `CREATE FOREIGN TABLE`: another server's rows, seen from here.
pub(super) fn create_foreign(reader: &Reader, create: &ast::CreateForeignTable) -> What {
    let mut table = empty(name_of(create.table_name()));
    table.if_not_exists = create.if_not_exists().is_some();
    table.partition_of = partition_of(create.partition_of(), create.partition_type().as_ref());
    table.bounds = create.partition_type().map(|bounds| bounds.syntax().text().to_string());
    table.inherits = parents(create.inherits());
    table.options.push(("foreign".to_owned(), String::new()));
    arguments(reader, create.table_arg_list().as_ref(), &mut table);
    What::CreateTable(Box::new(table))
}

/// `CREATE TABLE … AS`.
pub(super) fn create_as(create: &ast::CreateTableAs) -> What {
    let mut table = empty(name_of(create.table_name()));
    table.if_not_exists = create.if_not_exists().is_some();
    table.temporary = matches!(create.persistence(), Some(ast::Persistence::Temp(_)));
    table.from_query = Some(create.query().map(|of| query(of.syntax())).unwrap_or_default());
    let clauses = create.syntax().children().filter_map(ast::DataOption::cast);
    table.without_data =
        clauses.last().is_some_and(|data| matches!(data, ast::DataOption::WithNoData(_)));
    What::CreateTable(Box::new(table))
}

/// `SELECT … INTO`, which makes a table.
pub(super) fn select_into(select: &ast::SelectInto) -> What {
    let words = select.into_clause().map(|into| into.syntax().clone());
    let words: Vec<_> = words.iter().flat_map(tokens).collect();
    let says = |word: &str| words.iter().any(|token| token.text().eq_ignore_ascii_case(word));
    let noise = ["into", "temp", "temporary", "unlogged", "table", "local", "global", "."];
    let mut parts: Vec<String> = words
        .iter()
        .filter(|token| !noise.contains(&token.text().to_lowercase().as_str()))
        .map(|token| folded(token.text()))
        .collect();
    let name = parts.pop().unwrap_or_default();
    let mut table = empty(Name { schema: parts.pop(), name });
    table.temporary = says("temp") || says("temporary");
    table.from_query = Some(query(select.syntax()));
    What::CreateTable(Box::new(table))
}

fn empty(name: Name) -> CreateTable {
    CreateTable {
        name,
        or_replace: false,
        if_not_exists: false,
        temporary: false,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        partition_of: None,
        partition_by: None,
        inherits: Vec::new(),
        like: Vec::new(),
        bounds: None,
        from_query: None,
        without_data: false,
        options: Vec::new(),
    }
}

fn partition_of(
    of: Option<ast::PartitionOf>,
    bounds: Option<&ast::PartitionType>,
) -> Option<(Name, bool)> {
    let default = matches!(bounds, Some(ast::PartitionType::PartitionDefault(_)));
    of.map(|of| (name_of(of.table_name_ref()), default))
}

fn parents(inherits: Option<ast::Inherits>) -> Vec<Name> {
    inherits.map(|inherits| names(inherits.table_name_refs())).unwrap_or_default()
}

fn arguments(reader: &Reader, list: Option<&ast::TableArgList>, table: &mut CreateTable) {
    for argument in list.into_iter().flat_map(ast::TableArgList::args) {
        match argument {
            ast::TableArg::Column(column) => {
                table.columns.push(column_of(reader, &column));
            }
            ast::TableArg::LikeClause(like) => table.like.push(name_of(like.relation_name_ref())),
            ast::TableArg::TableConstraint(constraint) => {
                if let Some(constraint) = ast::Constraint::cast(constraint.syntax().clone()) {
                    table.constraints.extend(constraint_of(reader, &constraint));
                }
            }
        }
    }
}

fn column_of(reader: &Reader, column: &ast::Column) -> Column {
    let mut read = Column { name: word_of(column.name()), ..Column::default() };
    read.ty = column.ty().map(|ty| type_of(ty.syntax())).unwrap_or_default();
    for clause in column.clauses() {
        match clause {
            ast::ColumnClause::Collate(collate) => {
                read.collation = Some(word_of(collate.collation_ref()));
            }
            ast::ColumnClause::ColumnConstraint(constraint) => {
                if let Some(constraint) = ast::Constraint::cast(constraint.syntax().clone()) {
                    constrain(reader, &constraint, &mut read);
                }
            }
            _ => {}
        }
    }
    read
}

/// The column of `ADD COLUMN`.
pub(super) fn added_column(reader: &Reader, add: &ast::AddColumn) -> Column {
    let mut column = Column { name: word_of(add.column_name()), ..Column::default() };
    column.ty = add.ty().map(|ty| type_of(ty.syntax())).unwrap_or_default();
    column.collation = add.collate().map(|collate| word_of(collate.collation_ref()));
    for constraint in add.constraints() {
        constrain(reader, &constraint, &mut column);
    }
    column
}

fn constrain(reader: &Reader, constraint: &ast::Constraint, column: &mut Column) {
    match constraint {
        ast::Constraint::NotNullConstraint(_) => column.not_null = true,
        ast::Constraint::NullConstraint(_) => column.null = true,
        ast::Constraint::DefaultConstraint(default) => {
            column.default = default.expr().map(|expr| reader.expression(expr.syntax()));
        }
        ast::Constraint::PrimaryKeyConstraint(key) => {
            column.primary_key = true;
            column.key_names.primary_key = named(key.constraint_name_clause());
        }
        ast::Constraint::UniqueConstraint(key) => {
            column.unique = true;
            column.key_names.unique = named(key.constraint_name_clause());
        }
        ast::Constraint::CheckConstraint(check) => {
            if let Some(expr) = check.expr() {
                column.checks.push(Check {
                    name: named(check.constraint_name_clause()),
                    expression: reader.expression(expr.syntax()),
                    enforced: enforced(check.constraint_options()),
                });
            }
        }
        ast::Constraint::ReferencesConstraint(references) => {
            let mut key = ForeignKey {
                columns: Vec::new(),
                table: name_of(references.table()),
                referenced: references.column().iter().map(|c| word_of(Some(c.clone()))).collect(),
                on_delete: None,
                on_update: None,
            };
            actions(references.referential_actions(), &mut key);
            column.references = Some(key);
            column.key_names.references = named(references.constraint_name_clause());
        }
        ast::Constraint::GeneratedConstraint(generated) => match generated.generated_as() {
            Some(ast::GeneratedAs::GeneratedIdentity(_)) => {
                column.identity = true;
                column.not_null = true;
            }
            Some(ast::GeneratedAs::GeneratedStored(stored)) => {
                let words: Vec<_> = tokens(stored.syntax()).collect();
                let last = words.last().map(|token| token.text().to_lowercase());
                let expr = stored.syntax().children().find_map(ast::Expr::cast);
                column.generated = expr.map(|expr| Generated {
                    expression: reader.expression(expr.syntax()),
                    stored: last.as_deref() == Some("stored"),
                });
            }
            None => {}
        },
        ast::Constraint::ExcludeConstraint(_) | ast::Constraint::ForeignKeyConstraint(_) => {}
    }
}

fn named(clause: Option<ast::ConstraintNameClause>) -> Option<String> {
    clause.map(|clause| word_of(clause.constraint_name()))
}

fn enforced(mut options: impl Iterator<Item = ast::ConstraintOption>) -> bool {
    !options.any(|option| matches!(option, ast::ConstraintOption::NotEnforced(_)))
}

fn actions(actions: impl Iterator<Item = ast::ReferentialAction>, key: &mut ForeignKey) {
    for action in actions {
        let words: Vec<_> =
            tokens(action.syntax()).map(|token| token.text().to_uppercase()).collect();
        // ON DELETE SET NULL (a, b): the columns are no part of the action's name.
        let words: Vec<_> = words.into_iter().skip(2).take_while(|word| word != "(").collect();
        let text = Some(words.join(" "));
        match action {
            ast::ReferentialAction::OnDeleteAction(_) => key.on_delete = text,
            ast::ReferentialAction::OnUpdateAction(_) => key.on_update = text,
        }
    }
}

/// A constraint of a table; of what can only stand with a column, nothing.
pub(super) fn constraint_of(reader: &Reader, constraint: &ast::Constraint) -> Option<Constraint> {
    let index = |parameters: Option<ast::IndexParameters>| -> Vec<String> {
        let list = parameters.and_then(|parameters| parameters.column_list());
        list.map(|list| columns(list.syntax())).unwrap_or_default()
    };
    let include = match constraint {
        ast::Constraint::UniqueConstraint(unique) => unique.index_parameters(),
        ast::Constraint::PrimaryKeyConstraint(primary) => primary.index_parameters(),
        _ => None,
    };
    let include = include.and_then(|parameters| parameters.constraint_include_clause());
    let include = match constraint {
        ast::Constraint::ExcludeConstraint(exclude) => exclude.constraint_include_clause(),
        _ => include,
    };
    let include = include.and_then(|clause| clause.column_ref_list());
    let used = |using: Option<ast::UsingIndexName>| using.map(|using| word_of(using.index_ref()));
    let (clause, options, kind) = match constraint {
        ast::Constraint::CheckConstraint(check) => (
            check.constraint_name_clause(),
            check.constraint_options(),
            ConstraintKind::Check(reader.expression(check.expr()?.syntax())),
        ),
        ast::Constraint::ForeignKeyConstraint(foreign) => {
            let mut lists = lists(foreign.syntax()).map(|list| columns(&list));
            let mut key = ForeignKey {
                columns: lists.next().unwrap_or_default(),
                table: name_of(foreign.table_name_ref()),
                referenced: lists.next().unwrap_or_default(),
                on_delete: None,
                on_update: None,
            };
            actions(foreign.referential_actions(), &mut key);
            let kind = ConstraintKind::ForeignKey(key);
            (foreign.constraint_name_clause(), foreign.constraint_options(), kind)
        }
        ast::Constraint::UniqueConstraint(unique) => {
            let columns = index(unique.index_parameters());
            let kind = ConstraintKind::Unique { columns, using_index: used(unique.using_index()) };
            (unique.constraint_name_clause(), unique.constraint_options(), kind)
        }
        ast::Constraint::PrimaryKeyConstraint(primary) => {
            let columns = index(primary.index_parameters());
            let using_index = used(primary.using_index());
            let kind = ConstraintKind::PrimaryKey { columns, using_index };
            (primary.constraint_name_clause(), primary.constraint_options(), kind)
        }
        ast::Constraint::ExcludeConstraint(exclude) => (
            exclude.constraint_name_clause(),
            exclude.constraint_options(),
            ConstraintKind::Exclude(excluded(reader, exclude)),
        ),
        ast::Constraint::NotNullConstraint(not_null) => (
            not_null.constraint_name_clause(),
            not_null.constraint_options(),
            ConstraintKind::NotNull(word_of(not_null.column_name_ref())),
        ),
        _ => return None,
    };
    let options: Vec<_> = options.collect();
    let has = |wanted: fn(&ast::ConstraintOption) -> bool| options.iter().any(wanted);
    Some(Constraint {
        name: named(clause),
        kind,
        include: include.map(|list| columns(list.syntax())).unwrap_or_default(),
        not_valid: has(|option| matches!(option, ast::ConstraintOption::NotValid(_))),
        enforced: !has(|option| matches!(option, ast::ConstraintOption::NotEnforced(_))),
        no_inherit: has(|option| matches!(option, ast::ConstraintOption::NoInherit(_))),
        deferrable: has(|option| {
            matches!(
                option,
                ast::ConstraintOption::DeferrableConstraintOption(_)
                    | ast::ConstraintOption::InitiallyDeferredConstraintOption(_)
            )
        }),
    })
}

/// What an exclusion compares, each without its operator, and its condition: the columns that it
/// depends on stand in these.
fn excluded(reader: &Reader, exclude: &ast::ExcludeConstraint) -> Vec<Expression> {
    let list = exclude.constraint_exclusion_list();
    let parts = list.iter().flat_map(ast::ConstraintExclusionList::constraint_exclusions);
    let mut compared: Vec<Expression> =
        parts.filter_map(|part| part.expr().map(|expr| reader.expression(expr.syntax()))).collect();
    let condition = exclude.where_condition_clause();
    compared.extend(condition.map(|condition| reader.expression(condition.syntax())));
    compared
}

/// A type, under the one name that PostgreSQL itself shows for it.
pub(super) fn type_of(node: &SyntaxNode) -> Type {
    let mut ty = Type { text: node.text().to_string(), ..Type::default() };
    let mut words: Vec<String> = Vec::new();
    let mut depth = 0;
    let mut after_dot = false;
    for token in tokens(node) {
        match token.text() {
            "(" => {
                depth += 1;
                ty.modifiers.push(String::new());
            }
            ")" => depth -= 1,
            "," if depth > 0 => ty.modifiers.push(String::new()),
            text if depth > 0 => {
                if let Some(modifier) = ty.modifiers.last_mut() {
                    modifier.push_str(text);
                }
            }
            "[" => ty.array = true,
            "]" => {}
            "." => after_dot = true,
            text if text.starts_with(|c: char| c.is_ascii_digit()) => {}
            text => {
                if std::mem::take(&mut after_dot) {
                    ty.schema = words.pop();
                }
                words.push(if text == "\"char\"" { text.to_owned() } else { folded(text) });
            }
        }
    }
    if words.last().is_some_and(|word| word == "array") {
        ty.array = true;
        words.pop();
    }
    if ty.schema.as_deref() == Some("pg_catalog") {
        ty.schema = None;
    }
    let written = words.join(" ");
    ty.name = known_as(&written);
    // `char` and `bit` alone are of one letter; `bpchar` alone is of any length.
    if matches!(ty.name.as_str(), "char" | "bit") && written != "bpchar" && ty.modifiers.is_empty()
    {
        ty.modifiers.push("1".to_owned());
    }
    ty
}

/// PostgreSQL's aliases of its own types.
fn known_as(name: &str) -> String {
    let known = match name {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "serial4" => "serial",
        "serial8" => "bigserial",
        "serial2" => "smallserial",
        "bool" => "boolean",
        "decimal" | "dec" => "numeric",
        "float8" | "float" => "double precision",
        "float4" => "real",
        "character varying"
        | "char varying"
        | "national character varying"
        | "national char varying"
        | "nchar varying" => "varchar",
        "character" | "bpchar" | "nchar" | "national character" | "national char" => "char",
        "bit varying" => "varbit",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        "time with time zone" => "timetz",
        other => other,
    };
    known.to_owned()
}
