# shellcheck shell=bash disable=SC2034,SC2154 # see common.sh for what is set here and there
# The system's PostgreSQL; and what PostgreSQL 18 has in common with it.

server postgres PostgreSQL postgres must
need initdb postgresql
need psql postgresql-client
need pgbench postgresql-contrib

postgres_up() {
	run_as postgres
	start_postgres "$(dirname "$(readlink -f "$(locate initdb)")")"
}

# start_postgres BIN [SETTING...]
start_postgres() {
	local bin=$1 settings
	(
		umask 077
		echo "$password" >password
		echo "127.0.0.1:$port:*:$user:${password//:/\\:}" >pgpass
	)
	mkdir -m 700 data
	((EUID != 0)) || chown --reference=. password data
	# Out of the reach of a signal to this run: an initdb that is killed leaves shared
	# memory in the kernel. Where it works, it is waited for like the server.
	(cd data && setsid --wait "${as[@]}" "$bin/initdb" --pgdata="$dir/data" --no-sync \
		--username="$user" --pwfile="$dir/password" --auth=scram-sha-256 \
		--encoding=UTF8 --locale=C.UTF-8)

	settings=(
		"listen_addresses = '127.0.0.1'"
		"port = $port"
		"unix_socket_directories = ''"
		"external_pid_file = '$dir/pid'"
		'max_connections = 60'
		'shared_buffers = 128MB'
		'wal_level = logical'
		# A checkpoint that a test's own writes bring about makes its timing chance.
		'max_wal_size = 4GB'
		# In files, which go with the directory, even when a test kills the server.
		'dynamic_shared_memory_type = mmap'
		"timezone = 'UTC'"
		"log_timezone = 'UTC'"
		"log_line_prefix = '%m [%p] %q%u@%d '"
	)
	printf '%s\n' "${settings[@]}" "${@:2}" >>data/postgresql.conf

	launch=("${as[@]}" "$bin/postgres" -D "$dir/data")
	probe=(env "PGPASSFILE=$dir/pgpass" PGCONNECT_TIMEOUT=5 "$(locate psql)" -XqAt
		-h 127.0.0.1 -p "$port" -U "$user" -d postgres -c 'SELECT 1')
	# Immediate shutdown: it frees the shared memory, and writes nothing.
	stop_signal=QUIT
	start_server
	"${probe[@]}" -c "CREATE DATABASE $database"
	# Of "15.20 (Debian 15.20-0+deb12u1)" the number.
	"${probe[@]::${#probe[@]}-1}" 'SHOW server_version' |
		awk '{ print "PostgreSQL", $1 }' >"$run/$name.version"
}
