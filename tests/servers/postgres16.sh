# shellcheck shell=bash disable=SC2154 # see common.sh for what is set there
# PostgreSQL 16, which only the gate's predictions are held against: what changed
# between the system's and 18 changed on one side of it or the other.

server postgres16 'PostgreSQL 16' postgres may
need pip3 python3-pip

postgres16_up() {
	# Nobody looks whether it survives anything, and hundreds of schemas are made in it.
	start_packaged 16 'fsync = off' 'full_page_writes = off' 'synchronous_commit = off'
}
