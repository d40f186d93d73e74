# shellcheck shell=bash disable=SC2154 # see common.sh for what is set there
# MySQL, which Debian has in its unstable suite only: unpacked, not installed, and
# started with the C library that it was built for.

server mysql 'MySQL 9.7' mysql may

mysql_up() {
	local root libraries loader=() command=()
	run_as mysql
	fetched mysql fetch_mysql
	root=$fetched/root
	# Its name has the processor's in it.
	loader=("$root"/usr/lib*/ld-linux-*.so.*)
	libraries=$(printf '%s:' "$root"/usr/lib/*-linux-gnu* "$root"/usr/lib/mysql/private)
	command=("${loader[0]}" --library-path "${libraries%:}" "$root/usr/sbin/mysqld" "--defaults-file=$dir/my.cnf")

	configure_mysql "basedir = $root/usr" "lc-messages-dir = $root/usr/share/mysql" \
		"plugin-dir = $root/usr/lib/mysql/plugin" 'secure-file-priv = NULL' 'mysqlx = OFF'
	"${as[@]}" "${command[@]}" --initialize-insecure
	start_mysql MySQL "${command[@]}"
}

fetch_mysql() {
	local archive
	use_unstable
	in_time apt-get -y --no-install-recommends --download-only install mysql-server-core
	for archive in apt/archives/*.deb; do
		in_time dpkg-deb -x "$archive" root
	done
	rm -r apt
	# Half of the rest is never opened by the server.
	rm -rf root/usr/bin root/usr/share/{doc,man,perl,perl5,locale} root/usr/lib/*/{perl,perl-base,gconv}
}
