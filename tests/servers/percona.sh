# shellcheck shell=bash disable=SC2154 # see common.sh for what is set there
# pt-online-schema-change, the system's: the tests run the commands that are
# planned for it. gh-ost has no package.

need pt-online-schema-change percona-toolkit

# And a newer one, with hooks and a history, which Debian has in its unstable suite:
# a script, which runs on the system's Perl.
tool pt_osc_37 'pt-online-schema-change 3.7'

pt_osc_37_up() {
	local fetched
	fetched percona-toolkit fetch_percona_toolkit
	ln -s "$fetched/root/usr/bin/pt-online-schema-change" .
	./pt-online-schema-change --version >"$run/$name.version"
}

fetch_percona_toolkit() {
	use_unstable
	in_time apt-get download percona-toolkit
	in_time dpkg-deb -x percona-toolkit_*.deb root
	rm -r apt percona-toolkit_*.deb
	# The rest of 40 tools, of which some are big.
	find root -type f ! -name pt-online-schema-change -delete
}
