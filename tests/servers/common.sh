# shellcheck shell=bash
# Sourced by tests/run: all that the servers share.
#
# A server is one file beside this one. It calls `server` and `need` when it is
# sourced, and defines NAME_up, which runs in a subshell of its own, in parallel
# with the others, in the empty directory $dir. NAME_up sets
#   launch       the command that becomes the server
#   probe        a command that succeeds once the server lets a client in
#   stop_signal  the signal that ends it soonest without leaving a trace
# and calls start_server. The server must have $dir/data as its working
# directory, listen on 127.0.0.1:$port only, and write its process id to
# $dir/pid. What it says goes to $dir/log. Afterwards NAME_up writes what it is,
# with its version, to $run/NAME.version.

began=$EPOCHREALTIME
marker=.backstop-tests
cache=$(realpath -m -- "${BACKSTOP_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/backstop-tests}")
download_seconds=180
user=backstop
database=backstop_test

# Each of the first characters breaks a URL that is put together carelessly. The
# rest is chosen anew for each run: whoever else has an account on this machine
# must not become a superuser by reading this file.
password="p@ss:w/rd%$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')"

servers=()
tools=()
declare -A label scheme ports=() jobs=() version=() lacking=()
needs=()
unsteady=()
may_lack=' '
child='' policy_is_ours='' tests_ran=''

# server NAME LABEL SCHEME must|may: a server that the tests use; the variables
# for it begin BACKSTOP_TEST_NAME_. One that `may` lack is left out, and named in
# the last line, where it cannot be had.
server() {
	servers+=("$1")
	label[$1]=$2
	scheme[$1]=$3
	[[ $4 == must ]] || may_lack+="$1 "
}

# tool NAME LABEL: a program that is fetched, no server: NAME_up puts what the tests call into $dir,
# starts nothing, and writes $run/NAME.version. One that cannot be had is left out, and named in the
# last line; its tests are ignored then, and say so.
tool() {
	tools+=("$1")
	label[$1]=$2
	may_lack+="$1 "
}

# need COMMAND PACKAGE
need() {
	needs+=("$1 $2")
}

need cc build-essential
need sysbench sysbench
need promtool prometheus
need pgbouncer pgbouncer
need sqlite3 sqlite3

seconds_since() {
	awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'
}

# The newest PostgreSQL comes first: what Debian has on the PATH are wrappers,
# which choose a version by clusters that are not ours.
locate() {
	local newest
	newest=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	PATH=$newest:$PATH:/usr/sbin:/sbin type -P "$1"
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo -n "$@"
	fi
}

install_what_is_missing() {
	local entry packages=()
	for entry in "${needs[@]}"; do
		locate "${entry% *}" >/dev/null || packages+=("${entry#* }")
	done
	((${#packages[@]})) || return 0
	mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
	if ! type -P apt-get >/dev/null; then
		echo "tests/run: this system has no apt-get; please install what Debian calls ${packages[*]}" >&2
		exit 2
	fi
	if ! as_root true 2>/dev/null; then
		echo "tests/run: not root, and sudo asks for a password; please run: sudo apt-get install ${packages[*]}" >&2
		exit 2
	fi
	echo "installing ${packages[*]}"
	# The tests need the programs; a database that starts now, and owns the
	# default port, is not what anybody asked for.
	if [[ ! -e /usr/sbin/policy-rc.d ]]; then
		policy_is_ours=1
		printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
		as_root chmod 755 /usr/sbin/policy-rc.d
	fi
	# --no-remove: a MySQL server of the system's must not make room for MariaDB.
	# Not in_own_group: apt-get, interrupted, leaves no package half installed.
	if ! install_packages "${packages[@]}" >"$run/apt.log" 2>&1; then
		tail -n 20 "$run/apt.log" >&2
		echo "tests/run: cannot install ${packages[*]}" >&2
		exit 2
	fi
	remove_our_policy
	for entry in "${needs[@]}"; do
		if ! locate "${entry% *}" >/dev/null; then
			echo "tests/run: ${entry#* } is installed, but there is no ${entry% *}" >&2
			exit 2
		fi
	done
}

install_packages() {
	as_root apt-get -o DPkg::Lock::Timeout=300 update &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 \
			--no-install-recommends --no-remove install "$@"
}

remove_our_policy() {
	[[ ! $policy_is_ours ]] || as_root rm -f /usr/sbin/policy-rc.d
	policy_is_ours=''
}

# In a process group of its own, and waited for: a signal to this script alone is
# then handled at once, not after the last test, and reaches all of the group.
in_own_group() {
	local status=0
	set -m
	"$@" </dev/null &
	child=$!
	set +m
	wait "$child" || status=$?
	child=''
	return "$status"
}

# Below the range that the kernel gives to outgoing connections, so that none of
# those takes the port while a server is down.
choose_ports() {
	local name port
	for name in "${servers[@]}"; do
		while port=$((20000 + RANDOM % 12000)); do
			[[ " ${ports[*]} " != *" $port "* ]] || continue
			(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
		done
		ports[$name]=$port
	done
}

given() {
	local url=BACKSTOP_TEST_${1^^}_URL
	[[ ${!url-} ]]
}

bring_up_servers() {
	local name
	choose_ports
	for name in "${servers[@]}" "${tools[@]}"; do
		given "$name" && continue
		mkdir "$run/$name"
		set -m
		set_up "$name" >"$run/$name.setup" 2>&1 </dev/null &
		jobs[$name]=$!
		set +m
	done
	for name in "${servers[@]}" "${tools[@]}"; do
		if given "$name"; then
			version[$name]="${label[$name]} as given"
			echo "${version[$name]}"
		elif wait "${jobs[$name]}"; then
			unset "jobs[$name]"
			version[$name]=$(<"$run/$name.version")
			echo "${version[$name]}: ready${ports[$name]+ on port ${ports[$name]}} after $(<"$run/$name.seconds") s"
		else
			kill_group KILL "${jobs[$name]}" || true
			unset "jobs[$name]"
			lacking[$name]=$(why_not "$name")
			echo "${label[$name]}: ${lacking[$name]}" >&2
			[[ -e $run/$name.cannot ]] || show_end_of "$run/$name.setup" "$run/$name/log" >&2
			[[ $may_lack == *" $name "* ]] || exit 1
			kill_servers "$run/$name" || true
		fi
	done
}

why_not() {
	if [[ -e $run/$1.cannot ]]; then
		cat "$run/$1.cannot"
	else
		echo "does not start: $(last_line "$run/$1.setup")"
	fi
}

last_line() {
	awk 'NF { line = $0 } END { print substr(line, 1, 200) }' "$1"
}

# cannot REASON: ends the set-up of a server that cannot be had here.
cannot() {
	echo "$1" >"$run/$name.cannot"
	exit 1
}

set_up() {
	local name=$1 dir=$run/$1 port=${ports[$1]-} began=$EPOCHREALTIME
	local as=() launch=() probe=() stop_signal=KILL
	cd "$dir" || exit
	"${name}_up"
	seconds_since "$began" >"$run/$name.seconds"
}

# run_as USER...: `as` becomes the words that run a command as the first of these
# users that exists, and $dir becomes theirs. Both families of servers refuse to
# run as root; somebody who is not root runs them as themselves.
run_as() {
	local user
	((EUID == 0)) || return 0
	for user in "$@" nobody; do
		id -u "$user" >/dev/null 2>&1 && break
	done
	as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --init-groups)
	chown "$user:" "$dir"
	chmod 700 "$dir"
	"${as[@]}" test -w "$dir" || cannot "$user cannot get to $dir; set TMPDIR to a directory open to all"
}

start_server() {
	echo "$stop_signal" >"$dir/stop-signal"
	(
		umask 077
		{
			echo '#!/usr/bin/env bash'
			echo '# Starts this server, again after a crash; returns once it lets a client in.'
			echo 'set -euo pipefail'
			printf 'cd %q\n' "$dir"
			declare -p launch probe
			cat <<'SCRIPT'
patience=${1:-60}
pid=$(cat pid 2>/dev/null || true) # of one that may still be dying
launched=''
until "${probe[@]}" >/dev/null 2>&1; do
	if ! kill -0 "${pid:-none}" 2>/dev/null; then
		# The first may fail: PostgreSQL waits for the children of the killed one,
		# which end with their statements.
		if [[ $launched ]] && ((SECONDS >= patience)); then
			echo "the server does not start: $(tail -n 1 log)" >&2
			exit 1
		fi
		# The shell that stays is the server's parent. In a container the first
		# process often reaps nobody, and a killed server that nobody reaps still
		# counts as running, for the next one too.
		(cd data && exec setsid bash -c '"$@"; echo "the server ended with status $?"' - \
			"${launch[@]}") </dev/null >>log 2>&1 &
		pid=$!
		launched=1
		sleep 0.15
	elif ((SECONDS >= patience + 60)); then
		echo "the server runs, but lets nobody in: $(tail -n 1 log)" >&2
		exit 1
	fi
	sleep 0.05
done
SCRIPT
		} >"$dir/start"
	)
	chmod 700 "$dir/start"
	# What fails the first time is not the remains of a crash.
	"$dir/start" 0
}

# fetched NAME FUNCTION: `fetched` becomes the directory that FUNCTION, called in
# it while it is empty, has filled: once for this machine.
fetched() {
	# Two servers may need the same at once: each fills a directory of its own.
	local from=$cache/$1 filling=$cache/.$1.$name.${run##*/}
	if [[ ! -d $from ]]; then
		mkdir -p "$filling"
		deadline=$((SECONDS + download_seconds))
		(cd "$filling" && "$2")
		chmod -R go+rX "$filling"
		# Whoever else fetched it meanwhile has the same.
		mv -T "$filling" "$from" 2>/dev/null || rm -rf "$filling"
	fi
	fetched=$from
	# A cache in root's home is closed to the server's user. Links cost nothing.
	if ((${#as[@]})) && ! "${as[@]}" test -r "$from" 2>/dev/null; then
		fetched=$dir/programs
		cp -al "$from" "$fetched" 2>/dev/null || {
			rm -rf "$fetched"
			cp -a "$from" "$fetched"
		}
	fi
}

# in_time COMMAND...: for the steps of a download; what it says last is the reason.
in_time() {
	local left=$((deadline - SECONDS)) status=0
	# In the foreground: else it leaves the process group that is ended with this run.
	timeout --foreground --kill-after=5 "$((left > 0 ? left : 1))" "$@" >>"$run/$name.fetch" 2>&1 || status=$?
	((status != 124)) || cannot "not downloaded within $download_seconds s"
	((status == 0)) || cannot "download failed: $(last_line "$run/$name.fetch")"
}

# use_unstable: apt-get, in this subshell, has Debian's unstable suite, with lists and a cache of its own in
# ./apt, so that the system's stay as they are; the mirror and how to reach it are what the system's own
# sources say.
use_unstable() {
	local mirror
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
}

url() {
	local character i encoded=''
	for ((i = 0; i < ${#password}; i++)); do
		character=${password:i:1}
		[[ $character == [a-zA-Z0-9._~-] ]] || printf -v character '%%%02X' "'$character"
		encoded+=$character
	done
	echo "${scheme[$1]}://$user:$encoded@127.0.0.1:${ports[$1]}/$database"
}

write_env() {
	local name
	(
		umask 077
		{
			for name in "${servers[@]}"; do
				if given "$name"; then
					export_as "${name}_url" "$(url=BACKSTOP_TEST_${name^^}_URL && echo "${!url}")"
				elif [[ ! ${lacking[$name]-} ]]; then
					export_as "${name}_url" "$(url "$name")"
					export_as "${name}_pid_file" "$run/$name/pid"
					export_as "${name}_dir" "$run/$name"
					export_as "${name}_start" "$run/$name/start"
				fi
			done
			for name in "${tools[@]}"; do
				if [[ ${lacking[$name]-} ]]; then
					export_as "${name}_lacking" "${lacking[$name]}"
				else
					export_as "${name}_dir" "$run/$name"
				fi
			done
			export_as run_dir "$run"
			export_as psql "$(locate psql)"
			export_as pgbench "$(locate pgbench)"
			export_as pgbouncer "$(locate pgbouncer)"
			export_as mysql_client "$(locate mariadb)"
			export_as promtool "$(locate promtool)"
			export_as sysbench "$(locate sysbench)"
			export_as sysbench_lua "$(sysbench_lua)"
		} >"$run/env"
	)
}

export_as() {
	printf 'export BACKSTOP_TEST_%s=%q\n' "${1^^}" "$2"
}

sysbench_lua() {
	local prefix
	prefix=$(dirname "$(dirname "$(readlink -f "$(locate sysbench)")")")
	if [[ ! -e $prefix/share/sysbench/oltp_common.lua ]]; then
		echo "tests/run: no oltp_common.lua in $prefix/share/sysbench" >&2
		return 1
	fi
	echo "$prefix/share/sysbench"
}

say_how_to_use() {
	printf 'to use them:  source %q\n' "$run/env"
	printf 'to stop them: tests/run --stop %q\n' "$run"
}

# The processes of a server: those that work in its data directory. This finds one
# that has not written its pid yet, and a postgres whose parent was killed.
processes_of() {
	local process
	for process in /proc/[0-9]*; do
		[[ $process/cwd -ef $1/data ]] && echo "${process#/proc/}"
	done
	return 0
}

# kill_servers DIR...: without regard for their data, which is deleted next.
kill_servers() {
	local dir pid pids signal tries
	for dir in "$@"; do
		mapfile -t pids < <(processes_of "$dir")
		signal=$(cat "$dir/stop-signal" 2>/dev/null)
		if [[ $signal == KILL ]]; then
			kill -KILL "${pids[@]}" 2>/dev/null
		elif pid=$(cat "$dir/pid" 2>/dev/null) && [[ $signal && " ${pids[*]} " == *" $pid "* ]]; then
			kill "-$signal" "$pid" 2>/dev/null
		fi
	done
	for dir in "$@"; do
		for ((tries = 0; tries < 100; tries++)); do
			mapfile -t pids < <(processes_of "$dir")
			((${#pids[@]})) || break
			((tries < 50)) || kill -KILL "${pids[@]}" 2>/dev/null
			sleep 0.1
		done
		# PostgreSQL killed without a chance to clean up leaves this in the kernel.
		if [[ -e $dir/data/postmaster.pid ]]; then
			ipcrm -m "$(awk 'NR == 7 { print $2 }' "$dir/data/postmaster.pid")" 2>/dev/null
		fi
	done
	return 0
}

# remove_run DIR: stops what runs there, and removes it.
remove_run() {
	local run
	run=$(realpath -- "$1")
	if [[ ! -e $run/$marker ]]; then
		echo "tests/run: $1 is not a directory that tests/run made" >&2
		return 1
	fi
	# And the servers that a test had to itself, if it could not stop them any more.
	kill_servers "$run"/*/ "$run"/backstop-tests.*/*/ || true
	rm -rf -- "$run"
}

kill_group() {
	kill "-$1" -- "-$2" 2>/dev/null
}

# end_tests GROUP: asked first, so that tests may clean up; then forced.
end_tests() {
	local tries
	kill_group INT "$1"
	kill_group TERM "$1"
	for ((tries = 0; tries < 50; tries++)); do
		kill_group 0 "$1" || return 0
		sleep 0.1
	done
	kill_group KILL "$1"
}

show_end_of() {
	local file
	for file in "$@"; do
		[[ -s $file ]] || continue
		printf -- '---- the end of %s\n' "${file#"$run"/}"
		tail -n 40 "$file"
	done
}

# Servers that tests crash on purpose say so too; this is shown upon failure only.
show_logs_with_trouble() {
	local name
	for name in "${servers[@]}"; do
		if grep -qsE 'FATAL|PANIC|\[ERROR\]|got signal|terminated by signal|the server ended' "$run/$name/log"; then
			show_end_of "$run/$name/log"
		fi
	done
}

# all_pass_alone: whether each test that failed passes when it is run again with nothing beside it.
#
# Hundreds of tests that stop, freeze and kill what runs share two cores here with whoever else is
# on the machine; about one whole run in two had one failure that nobody could repeat. A failure that
# does not come back must not refuse the work of a day, and must not be forgotten either: it is
# a race, in the test or in the product, and the last lines name it. More than three failures are
# none, and neither is one that comes back.
all_pass_alone() {
	local name names failures
	mapfile -t names < <(sed -nE 's/^test (.*[^ ]) +\.\.\. FAILED$/\1/p' "$run/said" | sort -u)
	((${#names[@]} > 0 && ${#names[@]} <= 3)) || return 1
	# One that aborted tells no result, and has tests that never began.
	failures=$(awk -F'[ ;]+' '/^test result: FAILED/ { sum += $6 } END { print sum + 0 }' "$run/said")
	((failures == ${#names[@]})) || return 1
	for name in "${names[@]}"; do
		echo "once more, alone: $name"
		in_own_group tests --test it -- --exact "$name" >"$run/alone" || return 1
		grep -q '^test result: ok. 1 passed' "$run/alone" || return 1
		unsteady+=("$name")
	done
}

# Behind all logs, where whoever sees only the end of the output finds it: each
# test that failed, and how it did.
say_what_failed() {
	[[ -e $run/said ]] || return 0
	grep -aE '^test .* (\.\.\. )?FAILED$' "$run/said"
	grep -aE -A12 '^---- ' "$run/said" | cut -c1-600 | tail -n 60
}

# The last line of a run in which nothing failed.
say_what_was_tested() {
	local name on='' not=''
	for name in "${servers[@]}" "${tools[@]}"; do
		if [[ ${lacking[$name]-} ]]; then
			not+="; ${label[$name]} (${lacking[$name]})"
		else
			on+=", ${version[$name]}"
		fi
	done
	echo "tested on: ${on#, }"
	[[ ! $not ]] || echo "not tested here: ${not#; }"
	((${#unsteady[@]} == 0)) || printf 'failed at first, passed alone: %s\n' "${unsteady[@]}"
}

finish() {
	local status=$1 group failed=''
	trap - EXIT
	# A second Ctrl-C would leave behind what this removes.
	trap '' INT TERM HUP
	set +e
	{
		for group in "${jobs[@]}"; do
			kill_group KILL "$group"
		done
		((${#jobs[@]} == 0)) || wait "${jobs[@]}"
	} 2>/dev/null # else bash says "Killed" of each
	[[ ! $child ]] || end_tests "$child"
	remove_our_policy
	if ((status != 0 && status < 128)); then
		show_logs_with_trouble
	fi
	if ((status != 0 && status < 128)) || ((${#unsteady[@]})); then
		failed=$(say_what_failed)
	fi
	if [[ ! $keep ]] || ((status >= 128)); then
		remove_run "$run"
	fi
	rm -rf "$cache"/.*."${run##*/}"
	[[ ! $tests_ran ]] || say_what_was_tested
	[[ ! $failed ]] || printf '%s\n' "$failed"
	exit "$status"
}
