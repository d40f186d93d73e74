# shellcheck shell=bash disable=SC2034,SC2154 # see run for what is set here and there
# MariaDB: the table of sysbench.

mariadb_load() {
	local address=${BACKSTOP_TEST_MARIADB_URL##*@} settings=$work/sysbench.conf
	address=${address%%/*}
	export THROUGHPUT_URL=${BACKSTOP_TEST_MARIADB_URL%/*}/throughput
	server=$(<"$BACKSTOP_TEST_MARIADB_PID_FILE")
	version="MariaDB $(mariadb_sql -e 'SELECT version()' | cut -d - -f 1)"
	table=sbtest1
	case $column in
	integer) target=filled expression='id % 1000 + 1' ;;
	text) target=pad expression="concat('row ', id)" ;;
	esac

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
}

# A table made anew; then all that would still be done in the background of a run is
# waited for: its pages are on disk, and nothing is left to purge.
mariadb_restore() {
	mariadb_sql <<-SQL
		SET SESSION sql_log_bin = 0, unique_checks = 0, foreign_key_checks = 0;
		DROP DATABASE IF EXISTS throughput;
		CREATE DATABASE throughput;
		USE throughput;
		CREATE TABLE sbtest1 LIKE throughput_loaded.sbtest1;
		INSERT INTO sbtest1 SELECT * FROM throughput_loaded.sbtest1;
		ANALYZE TABLE sbtest1;
		DELIMITER //
		CREATE PROCEDURE fill(batch int)
		BEGIN
			DECLARE after int DEFAULT 0;
			DECLARE upto int;
			batches: LOOP
				SELECT max(id) INTO upto FROM
					(SELECT id FROM sbtest1 WHERE id > after ORDER BY id LIMIT batch) AS next;
				IF upto IS NULL THEN
					LEAVE batches;
				END IF;
				START TRANSACTION;
				UPDATE sbtest1 SET $target = $expression WHERE id > after AND id <= upto;
				COMMIT;
				SET after = upto;
			END LOOP;
		END //
		DELIMITER ;
		FLUSH TABLES sbtest1 FOR EXPORT;
		UNLOCK TABLES;
		RESET MASTER;
	SQL
	local tries history
	for ((tries = 0; tries < 600; tries++)); do
		history=$(mariadb_sql -e "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'" | cut -f 2)
		((history > 100)) || break
		sleep 0.1
	done
	mariadb_sql throughput -e "SELECT sum(filled) FROM sbtest1"
}

mariadb_update() {
	mariadb_sql throughput -e "UPDATE sbtest1 SET $target = $expression"
}

mariadb_loop() {
	mariadb_sql throughput -e "CALL fill($batch)"
}

mariadb_wrong() {
	mariadb_sql throughput -e "SELECT $rows - count(*) FROM sbtest1 WHERE $target = $expression"
}

mariadb_unload() {
	mariadb_sql -e 'DROP DATABASE throughput; DROP DATABASE throughput_loaded'
}

mariadb_sql() {
	"$BACKSTOP_TEST_MYSQL_CLIENT" --defaults-file="$BACKSTOP_TEST_MARIADB_DIR/client.cnf" \
		--batch --skip-column-names "$@"
}
