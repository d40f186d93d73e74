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

# With lists and a cache of apt's own, so that the system's stay as they are; the
# mirror and how to reach it are what the system's own sources say.
fetch_mysql() {
	local mirror archive
	type -P apt-get >/dev/null || cannot 'this system has no apt-get'
	# shellcheck disable=SC2016 # for apt-get to expand
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
		'Label: Debian' 'Component: main' | head -n 1)
	[[ $mirror ]] || cannot "the system's package sources name no mirror of Debian"

	mkdir -p apt/etc/{apt.conf.d,preferences.d,sources.list.d,trusted.gpg.d} \
		apt/{state/lists,cache/archives,archives}/partial
	: >apt/state/status
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >apt/sources.list
	{
		apt-config dump | grep -E '^Acquire::(https?|Check-Valid-Until|Check-Date|Retries)\b' || true
		cat <<-CONF
			Dir::Etc "$PWD/apt/etc/";
			Dir::Etc::sourcelist "$PWD/apt/sources.list";
			Dir::State "$PWD/apt/state/";
			Dir::State::status "$PWD/apt/state/status";
			Dir::Cache "$PWD/apt/cache/";
			Dir::Cache::archives "$PWD/apt/archives/";
			Acquire::Languages "none";
			Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
			APT::Sandbox::User "root";
		CONF
	} >apt/apt.conf
	export APT_CONFIG=$PWD/apt/apt.conf
	in_time apt-get update
	in_time apt-get -y --no-install-recommends --download-only install mysql-server-core
	for archive in apt/archives/*.deb; do
		in_time dpkg-deb -x "$archive" root
	done
	rm -r apt
	# Half of the rest is never opened by the server.
	rm -rf root/usr/bin root/usr/share/{doc,man,perl,perl5,locale} root/usr/lib/*/{perl,perl-base,gconv}
}
