# shellcheck shell=bash disable=SC2034,SC2154 # see run for what is set here and there
# MariaDB: the table of sysbench, or the same rows under another key.

mariadb_load() {
	local address=${BACKSTOP_TEST_MARIADB_URL##*@} settings=$work/sysbench.conf
	address=${address%%/*}
	export THROUGHPUT_URL=${BACKSTOP_TEST_MARIADB_URL%/*}/throughput
	server=$(<"$BACKSTOP_TEST_MARIADB_PID_FILE")
	version="MariaDB $(mariadb_sql -e 'SELECT version()' | cut -d - -f 1)"
	case $column in
	integer) target=filled expression='number % 1000 + 1' ;;
	text) target=pad expression="concat('row ', number)" ;;
	esac
	table=accounts columns=id
	local define value gap=1
	[[ $spread == dense ]] || gap=50
	case $key in
	integer) define='id int PRIMARY KEY' value="id * $gap" ;;
	# Version 4, variant 1, or MariaDB takes it for none.
	uuid)
		define='id uuid PRIMARY KEY'
		value="concat(left(md5(id), 12), '4', mid(md5(id), 14, 3), '8', mid(md5(id), 18))"
		;;
	composite)
		columns='tenant, code'
		define='tenant int, code varchar(20), PRIMARY KEY (tenant, code)'
		value="id DIV 5000 * $gap, concat('code ', id)"
		;;
	esac
	if [[ $key$spread == integerdense ]]; then
		table=sbtest1 expression=${expression//number/id}
	fi

	# A file, because everybody on the machine may read a command line.
	(
		umask 077
		printf 'mysql-%s=%s\n' db throughput_loaded user backstop \
			host "${address%:*}" port "${address##*:}" password \
			"$(sed -n 's/^password = "\(.*\)"$/\1/p' "$BACKSTOP_TEST_MARIADB_DIR/client.cnf")" \
			>"$settings"
	)
	mariadb_sql -e 'CREATE DATABASE throughput_loaded'
	"$BACKSTOP_TEST_SYSBENCH" --config-file="$settings" \
		"$BACKSTOP_TEST_SYSBENCH_LUA/oltp_update_index.lua" --table-size="$rows" prepare
	mariadb_sql throughput_loaded -e 'ALTER TABLE sbtest1 ADD filled int NOT NULL DEFAULT 0'
	[[ $table == sbtest1 ]] || mariadb_sql throughput_loaded <<-SQL
		CREATE TABLE accounts ($define, number int, k int, c char(120), pad char(60), filled int,
			KEY k_1 (k));
		INSERT INTO accounts SELECT $value, id, k, c, pad, filled FROM sbtest1;
		DROP TABLE sbtest1;
	SQL
}

# What a good DBA writes.
mariadb_procedure() {
	if [[ $key == composite ]]; then
		cat <<-SQL
			CREATE PROCEDURE fill(batch int)
			BEGIN
				DECLARE t0, t1 int DEFAULT -1;
				DECLARE c0, c1 varchar(20) DEFAULT '';
				DECLARE done bool DEFAULT false;
				DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = true;
				batches: LOOP
					SELECT tenant, code INTO t1, c1 FROM
						(SELECT tenant, code FROM accounts
						WHERE tenant > t0 OR (tenant = t0 AND code > c0)
						ORDER BY tenant, code LIMIT batch) AS next
					ORDER BY tenant DESC, code DESC LIMIT 1;
					IF done THEN
						LEAVE batches;
					END IF;
					START TRANSACTION;
					UPDATE accounts SET $target = $expression
						WHERE (tenant > t0 OR (tenant = t0 AND code > c0))
						AND (tenant < t1 OR (tenant = t1 AND code <= c1));
					COMMIT;
					SET t0 = t1, c0 = c1;
				END LOOP;
			END //
		SQL
		return
	fi
	local type=int first=0
	[[ $key == integer ]] || type=uuid first="'00000000-0000-0000-0000-000000000000'"
	cat <<-SQL
		CREATE PROCEDURE fill(batch int)
		BEGIN
			DECLARE after $type DEFAULT $first;
			DECLARE upto $type;
			batches: LOOP
				SELECT max(id) INTO upto FROM
					(SELECT id FROM $table WHERE id > after ORDER BY id LIMIT batch) AS next;
				IF upto IS NULL THEN
					LEAVE batches;
				END IF;
				START TRANSACTION;
				UPDATE $table SET $target = $expression WHERE id > after AND id <= upto;
				COMMIT;
				SET after = upto;
			END LOOP;
		END //
	SQL
}

# A table made anew; then all that would still be done in the background of a run is
# waited for: its pages are on disk, and nothing is left to purge.
mariadb_restore() {
	mariadb_sql <<-SQL
		SET SESSION sql_log_bin = 0, unique_checks = 0, foreign_key_checks = 0;
		DROP DATABASE IF EXISTS throughput;
		CREATE DATABASE throughput;
		USE throughput;
		CREATE TABLE $table LIKE throughput_loaded.$table;
		INSERT INTO $table SELECT * FROM throughput_loaded.$table;
		ANALYZE TABLE $table;
		DELIMITER //
		$(mariadb_procedure)
		DELIMITER ;
		FLUSH TABLES $table FOR EXPORT;
		UNLOCK TABLES;
		RESET MASTER;
	SQL
	local tries history
	for ((tries = 0; tries < 600; tries++)); do
		history=$(mariadb_sql -e "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'" | cut -f 2)
		((history > 100)) || break
		sleep 0.1
	done
	mariadb_sql throughput -e "SELECT sum(filled) FROM $table"
}

mariadb_update() {
	mariadb_sql throughput -e "UPDATE $table SET $target = $expression"
}

mariadb_loop() {
	mariadb_sql throughput -e "CALL fill($batch)"
}

mariadb_script() {
	script --database mariadb
}

mariadb_wrong() {
	mariadb_sql throughput -e "SELECT $rows - count(*) FROM $table WHERE $target = $expression"
}

mariadb_unload() {
	mariadb_sql -e 'DROP DATABASE throughput; DROP DATABASE throughput_loaded'
}

mariadb_sql() {
	"$BACKSTOP_TEST_MYSQL_CLIENT" --defaults-file="$BACKSTOP_TEST_MARIADB_DIR/client.cnf" \
		--batch --skip-column-names "$@"
}
