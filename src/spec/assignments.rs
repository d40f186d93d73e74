//! Assignments that keep their order.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `column = "expression"` pairs in the order of the spec: MySQL and MariaDB assign from left to
/// right, so the order is part of the meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignments(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Assignments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Assignments;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of column = \"SQL expression\"")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<String, String>()? {
                    pairs.push(pair);
                }
                Ok(Assignments(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

impl Serialize for Assignments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (column, expression) in &self.0 {
            map.serialize_entry(column, expression)?;
        }
        map.end()
    }
}

impl JsonSchema for Assignments {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Assignments".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "Column = SQL expression, in order.",
            "minProperties": 1,
            "additionalProperties": { "type": "string" },
        })
    }
}
