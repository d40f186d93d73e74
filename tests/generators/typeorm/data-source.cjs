// The shop's data source: the server in SHOP_URL, the entities of the step SHOP_STEP.
"use strict"

const { DataSource, EntitySchema } = require("typeorm")
const steps = require("./steps.cjs")

const url = process.env.SHOP_URL
const kind = url.split(":")[0]
const sqlite = { type: "sqljs", location: url.replace("sqlite:", ""), autoSave: true }
const { entities } = steps[Number(process.env.SHOP_STEP ?? 0)]

module.exports.dataSource = new DataSource({
    ...(kind === "sqlite" ? sqlite : { type: kind, url }),
    entities: entities.map((entity) => new EntitySchema(entity)),
})
