# shellcheck shell=bash disable=SC2034,SC2154 # see run for what is set here and there
# PostgreSQL: the accounts of pgbench.

postgres_load() {
	local address=${BACKSTOP_TEST_POSTGRES_URL##*@}
	address=${address%%/*}
	export PGHOST=${address%:*} PGPORT=${address##*:} PGUSER=backstop
	export PGPASSFILE=$BACKSTOP_TEST_POSTGRES_DIR/pgpass
	export THROUGHPUT_URL=${BACKSTOP_TEST_POSTGRES_URL%/*}/throughput
	server=$(<"$BACKSTOP_TEST_POSTGRES_PID_FILE")
	version="PostgreSQL $(psql_in postgres -c 'SHOW server_version' | cut -d ' ' -f 1)"
	table=pgbench_accounts
	case $column in
	integer) target=abalance expression='aid % 1000 + 1' ;;
	text) target=filler expression="'row ' || aid" ;;
	esac

	psql_in postgres -c 'CREATE DATABASE throughput_loaded'
	"$BACKSTOP_TEST_PGBENCH" --initialize --quiet --scale=$((rows / 100000)) throughput_loaded
	# What a good DBA writes. autovacuum would come in some of the runs.
	psql_in throughput_loaded <<-SQL
		CREATE PROCEDURE fill(batch int) LANGUAGE plpgsql AS \$\$
		DECLARE
			after int := 0;
			upto int;
		BEGIN
			LOOP
				SELECT max(aid) INTO upto FROM
					(SELECT aid FROM pgbench_accounts WHERE aid > after ORDER BY aid LIMIT batch) AS next;
				EXIT WHEN upto IS NULL;
				UPDATE pgbench_accounts SET $target = $expression WHERE aid > after AND aid <= upto;
				COMMIT;
				after := upto;
			END LOOP;
		END
		\$\$;
		ALTER TABLE pgbench_accounts SET (autovacuum_enabled = off);
		VACUUM (FREEZE, ANALYZE) pgbench_accounts;
	SQL
}

# A copy of the database, byte by byte: no dead rows, no fence. The checkpoint makes
# every run log as many full pages.
postgres_restore() {
	psql_in postgres -c 'DROP DATABASE IF EXISTS throughput' \
		-c 'CREATE DATABASE throughput TEMPLATE throughput_loaded' -c 'CHECKPOINT'
	psql_in throughput -c 'SELECT sum(abalance) FROM pgbench_accounts'
}

postgres_update() {
	psql_in throughput -c "UPDATE pgbench_accounts SET $target = $expression"
}

postgres_loop() {
	psql_in throughput -c "CALL fill($batch)"
}

postgres_wrong() {
	psql_in throughput -c "SELECT $rows - count(*) FROM pgbench_accounts WHERE $target = $expression"
}

postgres_unload() {
	psql_in postgres -c 'DROP DATABASE throughput' -c 'DROP DATABASE throughput_loaded'
}

# psql_in DATABASE ARGUMENT...
psql_in() {
	"$BACKSTOP_TEST_PSQL" -XqAt -v ON_ERROR_STOP=1 -d "$@"
}
