# shellcheck shell=bash disable=SC2034,SC2154 # see run for what is set here and there
# SQLite: accounts like those of pgbench, in WAL mode. (a) and (b) are done by
# sqlite3, whose version may be another than that of the runner.

sqlite_load() {
	server=
	version="SQLite $(sqlite3 --version | cut -d ' ' -f 1)"
	export THROUGHPUT_URL=sqlite:$work/throughput.db
	table=accounts
	case $column in
	integer) target=balance expression='id % 1000 + 1' ;;
	text) target=filler expression="'row ' || id" ;;
	esac

	sqlite3 -bail "$work/loaded.db" <<-SQL
		PRAGMA journal_mode = WAL;
		CREATE TABLE accounts (
			id INTEGER PRIMARY KEY,
			branch INTEGER NOT NULL,
			balance INTEGER NOT NULL,
			filler TEXT NOT NULL
		);
		WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT $rows)
		INSERT INTO accounts SELECT n, n / 100000, 0, printf('%84s', '') FROM number;
		ANALYZE;
	SQL

	# SQLite has no procedures: the loop is written out. It asks the table for the end of
	# each batch, because keys have gaps, and is in one process, which a shell's is not.
	{
		echo 'CREATE TEMP TABLE walk AS SELECT 0 AS after, 0 AS upto;'
		local first
		for ((first = 0; first < rows; first += batch)); do
			cat <<-SQL
				BEGIN IMMEDIATE;
				UPDATE walk SET after = upto, upto = (SELECT max(id) FROM
				  (SELECT id FROM accounts WHERE id > walk.upto ORDER BY id LIMIT $batch));
				UPDATE accounts SET $target = $expression
				  WHERE id > (SELECT after FROM walk) AND id <= (SELECT upto FROM walk);
				COMMIT;
			SQL
		done
	} >"$work/loop.sql"
}

sqlite_restore() {
	rm -f -- "$work"/throughput.db*
	cp -- "$work/loaded.db" "$work/throughput.db"
	sync -- "$work/throughput.db"
}

sqlite_update() {
	sqlite3 -bail "$work/throughput.db" "UPDATE accounts SET $target = $expression"
}

sqlite_loop() {
	sqlite3 -bail "$work/throughput.db" <"$work/loop.sql"
}

sqlite_wrong() {
	sqlite3 -bail "$work/throughput.db" \
		"SELECT $rows - count(*) FROM accounts WHERE $target = $expression"
}

sqlite_unload() {
	rm -f -- "$work"/throughput.db* "$work"/loaded.db*
}
