// The shop's history: entities as they are after each step, or SQL that somebody wrote by hand.
"use strict"

const id = { type: Number, primary: true, generated: true }
const text = (length, more) => ({ type: "varchar", length, ...more })

let customer = { name: "customer", columns: { id, name: text(100), email: text(100) } }
let order = {
    name: "order",
    tableName: "orders",
    columns: { id, number: text(20), total: { type: "int" }, note: { type: "text", nullable: true } },
}
let tag = { name: "tag", columns: { id, word: text(20, { unique: true }) } }

const steps = []
const step = (name, more) => steps.push({ name, entities: [customer, order, tag], ...more })
const columns = (entity, more) => ({ ...entity, columns: { ...entity.columns, ...more } })
const without = (entity, name) => {
    const { [name]: _, ...rest } = entity.columns
    return { ...entity, columns: rest }
}

step("Initial")

order = columns(order, { remark: text(100, { nullable: true }) })
step("NullableColumn")

order = columns(order, { priority: { type: "int", default: 0 } })
step("ColumnWithDefault")

order = columns(order, { weight: { type: "int" } })
step("NotNullWithoutDefault")

order = { ...order, indices: [{ name: "orders_number", columns: ["number"] }] }
step("AddIndex")

customer = { ...customer, uniques: [{ name: "customer_email", columns: ["email"] }] }
step("AddUnique")

order = { ...order, checks: [{ name: "orders_total", expression: "total >= 0" }] }
step("AddCheck", { only: ["postgres", "sqlite"] })

order = columns(order, { remark: text(200, { nullable: true }) })
step("Widen")

order = columns(order, { total: { type: "bigint" } })
step("ChangeType")

order = columns(order, { remark: text(200, { default: "" }) })
step("NotNull")

order = {
    ...order,
    relations: {
        customer: { type: "many-to-one", target: "customer", nullable: true },
        tags: { type: "many-to-many", target: "tag", joinTable: true },
    },
}
step("AddRelations")

order = columns(without(order, "note"), { comment: { type: "text", nullable: true } })
step("RenameByDropAndAdd")

order = columns(order, { state: { type: "simple-enum", enum: ["new", "paid"], default: "new" } })
step("AddEnum")

order = columns(order, { state: { type: "simple-enum", enum: ["new", "paid", "sent"], default: "new" } })
step("ExtendEnum")

order = without(order, "weight")
step("DropColumn")

step("Concurrently", {
    only: ["postgres"],
    transaction: false,
    sql: ['CREATE INDEX CONCURRENTLY "orders_remark" ON "orders" ("remark")'],
})
// The server refuses it; it is never run for real.
step("ConcurrentlyInTransaction", {
    only: ["postgres"],
    run: false,
    sql: ['CREATE INDEX CONCURRENTLY "orders_again" ON "orders" ("remark")'],
})
step("Fill", { sql: ["UPDATE orders SET remark = 'it''s old' WHERE remark = ''"] })
step("DropTable", { sql: ["DROP TABLE orders_tags_tag"] })

module.exports = steps
