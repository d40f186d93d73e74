"""Runs the rounds of benches/latency/run, and prints what the application felt."""

import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

CLIENTS = 4
# The application is at work before the backfill begins.
WARM_UP = 2.0

# Four reads and a write: each its own transaction, on a row of the whole table.
SCRIPTS = {
    "select.sql@4": "\\set aid random(1, {rows})\n"
    "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n",
    "update.sql@1": "\\set aid random(1, {rows})\n"
    "UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :aid;\n",
}

EXPRESSION = "'row ' || aid"

LOOP = """
CREATE PROCEDURE fill(batch int) LANGUAGE plpgsql AS $$
DECLARE
    after int := 0;
    upto int;
BEGIN
    LOOP
        SELECT aid INTO upto FROM
            (SELECT aid FROM pgbench_accounts WHERE aid > after ORDER BY aid LIMIT batch) AS next
        ORDER BY aid DESC LIMIT 1;
        EXIT WHEN upto IS NULL;
        UPDATE pgbench_accounts SET filler = 'row ' || aid WHERE aid > after AND aid <= upto;
        COMMIT;
        after := upto;
    END LOOP;
END
$$
"""

SPEC = f"""
[job]
name = "latency"

[target]
url_env = "LATENCY_URL"

[update]
table = "pgbench_accounts"
set   = {{ filler = "{EXPRESSION}" }}
"""

CONTENDERS = {
    "none": "no backfill",
    "update": "one plain UPDATE",
    "loop": "the hand-written loop",
    "backstop": "backstop run, the default spec",
}


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = pathlib.Path(options.work)

    def psql(self, database, *statements):
        command = [self.options.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]
        for statement in statements:
            command += ["-c", statement]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def load(self):
        scale = self.options.rows // 100000
        self.psql("postgres", "CREATE DATABASE latency_loaded")
        subprocess.run(
            [self.options.pgbench, "--initialize", "--quiet", f"--scale={scale}", "latency_loaded"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        self.psql("latency_loaded", LOOP, "VACUUM (FREEZE, ANALYZE) pgbench_accounts")
        for name, text in SCRIPTS.items():
            path = self.work / name.split("@")[0]
            path.write_text(text.format(rows=self.options.rows))
        (self.work / "job.toml").write_text(SPEC)

    def restore(self):
        self.psql(
            "postgres",
            # The loop may still be at work in it: its server process goes on when psql has ended.
            "DROP DATABASE IF EXISTS latency WITH (FORCE)",
            "CREATE DATABASE latency TEMPLATE latency_loaded",
            "CHECKPOINT",
        )
        self.psql("latency", "SELECT sum(abalance) FROM pgbench_accounts")
        shutil.rmtree(self.work / "state", ignore_errors=True)

    def backfill(self, contender):
        """Starts it, or nothing."""
        psql = [self.options.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "latency", "-c"]
        commands = {
            "update": psql + [f"UPDATE pgbench_accounts SET filler = {EXPRESSION}"],
            "loop": psql + [f"CALL fill({self.options.batch})"],
            "backstop": [
                self.work / "backstop",
                "run",
                self.work / "job.toml",
                "--state",
                self.work / "state" / "journal.db",
                "--progress",
                "none",
            ],
        }
        if contender not in commands:
            return None
        return subprocess.Popen(
            commands[contender], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def run(self, contender):
        """The latencies in milliseconds while the backfill ran, and how long it took."""
        self.restore()
        for old in self.work.glob("felt.*"):
            old.unlink()
        length = self.options.seconds + WARM_UP
        command = [
            self.options.pgbench,
            f"--client={CLIENTS}",
            "--jobs=1",
            "--no-vacuum",
            f"--rate={self.options.rate}",
            f"--time={int(length)}",
            "--log",
            "--log-prefix=felt",
            f"--random-seed={random.randrange(1 << 30)}",
        ]
        command += [f"--file={name}" for name in SCRIPTS]
        application = subprocess.Popen(
            command + ["latency"],
            cwd=self.work,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(WARM_UP)
        begun = time.time()
        backfill = self.backfill(contender)
        ended = begun + self.options.seconds
        if backfill is not None:
            try:
                if backfill.wait(self.options.seconds) != 0:
                    sys.exit(f"benches/latency: {contender} failed")
                ended = time.time()
            except subprocess.TimeoutExpired:
                pass
        if application.wait() != 0:
            sys.exit("benches/latency: pgbench failed")
        if backfill is not None and backfill.poll() is None:
            backfill.terminate()
            backfill.wait()
        felt = []
        for log in self.work.glob("felt.*"):
            for line in log.read_text().splitlines():
                fields = line.split()
                at = int(fields[4]) + int(fields[5]) / 1e6
                # With a rate, the latency is from the moment at which it should have begun.
                if begun <= at <= ended:
                    felt.append(int(fields[2]) / 1000)
        return sorted(felt), ended - begun


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def spread(values, digits=1):
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser()
    for name in ("work", "psql", "pgbench"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("rows", "rounds", "seconds", "rate", "batch"):
        parser.add_argument(f"--{name}", type=int, required=True)
    bench = Bench(parser.parse_args())
    bench.load()
    order = list(CONTENDERS)
    felt = {contender: [] for contender in order}
    took = {contender: [] for contender in order}
    for number in range(bench.options.rounds):
        # Who is first changes with every round.
        for contender in order[number % 4 :] + order[: number % 4]:
            load = os.getloadavg()[0]
            latencies, seconds = bench.run(contender)
            figures = [percentile(latencies, share) for share in (0.5, 0.95, 0.99)]
            felt[contender].append(figures)
            took[contender].append(seconds)
            shown = ", ".join(f"{figure:.1f}" for figure in figures)
            print(
                f"round {number + 1}, {CONTENDERS[contender]}: {len(latencies)} transactions in "
                f"{seconds:.1f} s, p50, p95, p99 {shown} ms (load {load:.1f})",
                file=sys.stderr,
            )
    version = bench.psql("postgres", "SHOW server_version").split()[0]
    print(
        f"PostgreSQL {version}, {bench.options.rows} rows, {bench.options.rate} transactions a "
        f"second (four reads to a write), {bench.options.rounds} rounds; milliseconds, median "
        "(least to greatest)\n"
    )
    print("| while | p50 | p95 | p99 | it took, s |\n| --- | --- | --- | --- | --- |")
    for contender, title in CONTENDERS.items():
        columns = [spread([figures[at] for figures in felt[contender]]) for at in range(3)]
        print(f"| {title} | {' | '.join(columns)} | {spread(took[contender])} |")
    print("\n| p99 of | goal | ratio | round by round |\n| --- | --- | --- | --- |")
    for title, other, goal in (
        ("backstop ÷ no backfill", "none", "1.5"),
        ("backstop ÷ the loop", "loop", "1.0"),
    ):
        ratios = [
            ours[2] / theirs[2] for ours, theirs in zip(felt["backstop"], felt[other])
        ]
        rounds = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"| {title} | at most {goal} | {spread(ratios, 2)} | {rounds} |")


if __name__ == "__main__":
    main()
