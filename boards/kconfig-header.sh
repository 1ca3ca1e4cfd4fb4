#!/bin/sh
# Turns a Kconfig .config into a C header and a make fragment; writes each only when it changed.
# usage: kconfig-header.sh CONFIG HEADER MAKEFILE
set -eu
config=$1 header=$2 fragment=$3
mkdir -p "$(dirname "$header")" "$(dirname "$fragment")"
put() {
	if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}
sed -n -e 's/^\(CONFIG_[A-Z0-9_]*\)=y$/#define \1 1/p' \
	-e 's/^\(CONFIG_[A-Z0-9_]*\)=\([^y].*\)$/#define \1 \2/p' "$config" >"$header.new"
sed -n 's/^\(CONFIG_[A-Z0-9_]*\)=\(.*\)$/\1 := \2/p' "$config" >"$fragment.new"
put "$header"
put "$fragment"
touch "$header" "$fragment"
