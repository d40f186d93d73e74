# shellcheck shell=bash disable=SC2154 # see common.sh for what is set there
# pt-online-schema-change, the system's: the tests run the commands that are
# planned for it. gh-ost has no package.

need pt-online-schema-change percona-toolkit
