# shellcheck shell=bash disable=SC2034,SC2154 # see run for what is set here and there
# PostgreSQL: the accounts of pgbench, or the same rows under another key.

postgres_load() {
	local address=${BACKSTOP_TEST_POSTGRES_URL##*@}
	address=${address%%/*}
	export PGHOST=${address%:*} PGPORT=${address##*:} PGUSER=backstop
	export PGPASSFILE=$BACKSTOP_TEST_POSTGRES_DIR/pgpass
	export THROUGHPUT_URL=${BACKSTOP_TEST_POSTGRES_URL%/*}/throughput
	server=$(<"$BACKSTOP_TEST_POSTGRES_PID_FILE")
	version="PostgreSQL $(psql_in postgres -c 'SHOW server_version' | cut -d ' ' -f 1)"
	case $column in
	integer) target=abalance expression='aid % 1000 + 1' ;;
	text) target=filler expression="'row ' || aid" ;;
	esac
	table=accounts columns=id
	# The key's definition, its value, the variable of the loop, and one before all.
	local define value type first gap=1
	[[ $spread == dense ]] || gap=50
	case $key in
	integer) define='id int PRIMARY KEY' value="aid * $gap" type=int first=0 ;;
	uuid)
		define='id uuid PRIMARY KEY' value='md5(aid::text)::uuid' type=uuid
		first="'00000000-0000-0000-0000-000000000000'"
		;;
	composite)
		columns='tenant, code'
		define='tenant int, code varchar(20), PRIMARY KEY (tenant, code)'
		value="aid / 5000 * $gap, 'code ' || aid"
		;;
	esac
	if [[ $key$spread == integerdense ]]; then
		table=pgbench_accounts columns=aid
	fi

	psql_in postgres -c 'CREATE DATABASE throughput_loaded'
	"$BACKSTOP_TEST_PGBENCH" --initialize --quiet --scale=$((rows / 100000)) throughput_loaded
	if [[ $table == accounts ]]; then
		psql_in throughput_loaded <<-SQL
			CREATE TABLE accounts ($define, aid int, bid int, abalance int, filler char(84));
			INSERT INTO accounts SELECT $value, aid, bid, abalance, filler
				FROM pgbench_accounts ORDER BY aid;
			DROP TABLE pgbench_accounts;
		SQL
	fi
	# What a good DBA writes. autovacuum would come in some of the runs.
	if [[ $key == composite ]]; then
		psql_in throughput_loaded <<-SQL
			CREATE PROCEDURE fill(batch int) LANGUAGE plpgsql AS \$\$
			DECLARE
				t0 int := -1;
				c0 text := '';
				t1 int;
				c1 text;
			BEGIN
				LOOP
					SELECT tenant, code INTO t1, c1 FROM
						(SELECT tenant, code FROM accounts WHERE (tenant, code) > (t0, c0)
						ORDER BY tenant, code LIMIT batch) AS next
					ORDER BY tenant DESC, code DESC LIMIT 1;
					EXIT WHEN t1 IS NULL;
					UPDATE accounts SET $target = $expression
						WHERE (tenant, code) > (t0, c0) AND (tenant, code) <= (t1, c1);
					COMMIT;
					t0 := t1;
					c0 := c1;
				END LOOP;
			END
			\$\$;
		SQL
	else
		psql_in throughput_loaded <<-SQL
			CREATE PROCEDURE fill(batch int) LANGUAGE plpgsql AS \$\$
			DECLARE
				after $type := $first;
				upto $type;
			BEGIN
				LOOP
					SELECT $columns INTO upto FROM
						(SELECT $columns FROM $table WHERE $columns > after
						ORDER BY $columns LIMIT batch) AS next
					ORDER BY $columns DESC LIMIT 1;
					EXIT WHEN upto IS NULL;
					UPDATE $table SET $target = $expression WHERE $columns > after AND $columns <= upto;
					COMMIT;
					after := upto;
				END LOOP;
			END
			\$\$;
		SQL
	fi
	psql_in throughput_loaded <<-SQL
		ALTER TABLE $table SET (autovacuum_enabled = off);
		VACUUM (FREEZE, ANALYZE) $table;
	SQL
}

# A copy of the database, byte by byte: no dead rows, no fence. The checkpoint makes
# every run log as many full pages.
postgres_restore() {
	psql_in postgres -c 'DROP DATABASE IF EXISTS throughput' \
		-c 'CREATE DATABASE throughput TEMPLATE throughput_loaded' -c 'CHECKPOINT'
	psql_in throughput -c "SELECT sum(abalance) FROM $table"
}

postgres_update() {
	psql_in throughput -c "UPDATE $table SET $target = $expression"
}

postgres_loop() {
	psql_in throughput -c "CALL fill($batch)"
}

postgres_script() {
	script --database postgres
}

postgres_wrong() {
	psql_in throughput -c "SELECT $rows - count(*) FROM $table WHERE $target = $expression"
}

postgres_unload() {
	psql_in postgres -c 'DROP DATABASE throughput' -c 'DROP DATABASE throughput_loaded'
}

# psql_in DATABASE ARGUMENT...
psql_in() {
	"$BACKSTOP_TEST_PSQL" -XqAt -v ON_ERROR_STOP=1 -d "$@"
}
