//! Which types PostgreSQL casts to one another by itself, and which it keeps apart.

use crate::gate::Surroundings;
use crate::sql::schema::plain;
use crate::sql::statement::{Name, Type};

/// Groups of types. Between two groups there is no cast that an assignment would use, and no
/// operator that compares; within one there mostly is. What is missing here (`money`, `oid`, types
/// of extensions) is never said to be kept apart.
const GROUPS: &[(&str, &[&str])] = &[
    ("number", &["smallint", "integer", "bigint", "numeric", "real", "double precision"]),
    ("truth", &["boolean"]),
    ("time", &["date", "time", "timetz", "timestamp", "timestamptz", "interval"]),
    ("uuid", &["uuid"]),
    ("json", &["json", "jsonb"]),
    ("bytes", &["bytea"]),
    ("address", &["inet", "cidr"]),
    ("xml", &["xml"]),
    ("text", TEXT),
];

/// Every value can be assigned to one of these, but none of them to anything else.
const TEXT: &[&str] = &["text", "varchar", "char"];

/// The group of a type; an enum is one of its own.
fn group(ty: &Type, around: &Surroundings) -> Option<String> {
    if ty.array {
        return None;
    }
    let name = plain(&Name { schema: ty.schema.clone(), name: ty.name.clone() });
    if let Some(Some(_)) = around.schema.types.get(&name) {
        return Some(format!("enum {name}"));
    }
    let (group, _) = GROUPS.iter().find(|(_, types)| types.contains(&ty.name.as_str()))?;
    Some((*group).to_owned())
}

/// Whether no cast from one type to another is used without being written out.
pub(super) fn is_refused(from: &Type, to: &Type, around: &Surroundings) -> bool {
    !TEXT.contains(&to.name.as_str()) && are_apart(from, to, around)
}

/// Whether no operator compares the two types.
pub(super) fn are_apart(one: &Type, other: &Type, around: &Surroundings) -> bool {
    let (one, other) = (super::types::base(one, around).0, super::types::base(other, around).0);
    match (group(&one, around), group(&other, around)) {
        (Some(one), Some(other)) => one != other,
        _ => false,
    }
}

/// The operator class that an index uses for a type unless it names one, which is what decides
/// whether an index fits the new type as it is.
pub(super) fn class_of(ty: &Type) -> &str {
    match ty.name.as_str() {
        "varchar" | "text" => "text",
        "cidr" | "inet" => "inet",
        name if name.starts_with("interval") => "interval",
        name if name.starts_with("reg") => "oid",
        name => name,
    }
}
