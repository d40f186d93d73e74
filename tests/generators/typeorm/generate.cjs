// Lets `typeorm migration:generate` write a migration for each version of the entities, in TypeScript
// for whoever reads them and in JavaScript to run it, and runs it for real.
//
// usage: generate.cjs URL FOLDER
"use strict"

const fs = require("node:fs")
const path = require("node:path")

const [url, folder] = process.argv.slice(2)
process.env.SHOP_URL = url
const { DataSource } = require("typeorm")
const { MigrationGenerateCommand } = require("typeorm/commands/MigrationGenerateCommand")
const steps = require("./steps.cjs")
const source = path.join(__dirname, "data-source.cjs")

console.log = () => {}

async function generate(name, timestamp, more) {
    // It holds the entities of the version before.
    delete require.cache[source]
    await new MigrationGenerateCommand().handler({
        dataSource: source,
        path: path.join(folder, name),
        timestamp,
        exitProcess: false,
        ...more,
    })
}

async function run(file) {
    const migration = require(file)
    const dataSource = new DataSource({
        ...require("./data-source.cjs").dataSource.options,
        entities: [],
        migrations: [migration],
        migrationsTransactionMode: "each",
    })
    await dataSource.initialize()
    await dataSource.runMigrations()
    await dataSource.destroy()
}

async function main() {
    const kind = url.split(":")[0]
    for (const [at, step] of steps.entries()) {
        if (step.only && !step.only.includes(kind)) continue
        const timestamp = 1700000000000 + at
        const file = path.join(folder, `${timestamp}-${step.name}`)
        if (step.sql) {
            const text = `module.exports = class ${step.name}${timestamp} {
    name = '${step.name}${timestamp}'
    ${step.transaction === false ? "transaction = false\n" : ""}
    async up(queryRunner) {
${step.sql.map((sql) => `        await queryRunner.query(${JSON.stringify(sql)})`).join("\n")}
    }

    async down() {}
}
`
            fs.writeFileSync(`${file}.js`, text)
        } else {
            process.env.SHOP_STEP = String(at)
            await generate(step.name, timestamp, { outputJs: true })
            await generate(step.name, timestamp, {})
        }
        if (step.run !== false) await run(`${file}.js`)
        if (!step.sql) fs.rmSync(`${file}.js`)
    }
}

main().catch((error) => {
    console.error(error)
    process.exit(1)
})
