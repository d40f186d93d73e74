# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154 # see common.sh for what is set here and there
# The system's MariaDB; and what MySQL has in common with it.

server mariadb MariaDB mariadb must
need mariadbd mariadb-server
need mariadb-install-db mariadb-server
need mariadb mariadb-client

mariadb_up() {
	run_as mysql
	configure_mysql
	"${as[@]}" "$(locate mariadb-install-db)" --defaults-file=my.cnf --datadir="$dir/data" --skip-test-db
	start_mysql MariaDB "$(locate mariadbd)" "--defaults-file=$dir/my.cnf"
}

# configure_mysql [SETTING...]
configure_mysql() {
	local settings=(
		"datadir = $dir/data"
		"tmpdir = $dir/tmp"
		"socket = $dir/socket"
		"pid-file = $dir/pid"
		'bind-address = 127.0.0.1'
		"port = $port"
		'server-id = 1'
		'log-bin = binlog'
		'binlog-format = ROW'
		'innodb-buffer-pool-size = 256M'
		'max-connections = 80'
		"$@"
	)
	mkdir data tmp
	(
		umask 077
		echo '[mysqld]' >my.cnf
		printf '%s\n' "${settings[@]}" >>my.cnf
		cat >client.cnf <<-CNF
			[client]
			user = $user
			password = "$password"
			host = 127.0.0.1
			port = $port
			protocol = tcp
			connect-timeout = 5
		CNF
		# The password of root too: an empty one is open to every account here.
		cat >users.sql <<-SQL
			ALTER USER root@localhost IDENTIFIED BY '$password';
			CREATE USER $user@localhost IDENTIFIED BY '$password';
			CREATE USER $user@127.0.0.1 IDENTIFIED BY '$password';
			CREATE USER $user@'%' IDENTIFIED BY '$password';
			GRANT ALL PRIVILEGES ON *.* TO $user@localhost WITH GRANT OPTION;
			GRANT ALL PRIVILEGES ON *.* TO $user@127.0.0.1 WITH GRANT OPTION;
			GRANT ALL PRIVILEGES ON *.* TO $user@'%' WITH GRANT OPTION;
			CREATE DATABASE $database;
		SQL
	)
	((EUID != 0)) || chown --reference=. data tmp my.cnf users.sql
}

# start_mysql PRODUCT COMMAND...
start_mysql() {
	local product=$1
	shift
	launch=("${as[@]}" "$@")
	probe=("$(locate mariadb)" "--defaults-file=$dir/client.cnf" --skip-column-names --batch -e 'SELECT 1')
	# Kept out of `launch`: after a crash the server must find its users by itself.
	echo "init-file = $dir/users.sql" >>my.cnf
	start_server
	sed -i '/^init-file/d' my.cnf
	# Of "10.11.14-MariaDB-0+deb12u2-log" the number.
	"${probe[@]::${#probe[@]}-1}" 'SELECT version()' |
		awk -F - -v product="$product" '{ print product, $1 }' >"$run/$name.version"
}
