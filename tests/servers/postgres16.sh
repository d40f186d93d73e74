# shellcheck shell=bash disable=SC2154 # see common.sh for what is set there
# PostgreSQL 16, which only the gate's predictions are held against: what changed
# between the system's and 18 changed on one side of it or the other.

server postgres16 'PostgreSQL 16' postgres may
need pip3 python3-pip

postgres16_up() {
	start_packaged 16
}
