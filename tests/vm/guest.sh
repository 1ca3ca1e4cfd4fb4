#!/bin/busybox sh
# shellcheck shell=dash
# Runs in the machine: every test, one line each, and the sum at the end.
passed=0 failed=0

ok() {
	echo "  ok    $1"
	passed=$((passed + ${2:-1}))
}
bad() {
	echo "  FAILED $1"
	failed=$((failed + ${2:-1}))
}

# A cmocka program: its own closing lines are what counts.
unit() { # PROGRAM
	timeout 600 "$1" >/tmp/unit.log 2>&1
	code=$?
	p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\..*/\1/p' /tmp/unit.log)
	f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p' /tmp/unit.log)
	passed=$((passed + ${p:-0}))
	[ "$code" -ne 0 ] && [ "${f:-0}" -eq 0 ] && f=1
	[ "$code" -eq 0 ] && [ "${p:-0}" -eq 0 ] && f=1
	sed -n 's/^figure: /  figure /p; s/^SKIPPED /  SKIPPED /p' /tmp/unit.log
	if [ "${f:-0}" -gt 0 ]; then
		bad "$1 (exit $code)" "$f"
		cat /tmp/unit.log
	else
		ok "$1 ($p)" 0
	fi
}

unit test_socketcan
for script in /test/guest_*.sh; do
	# shellcheck disable=SC1090 # each uses what stands above
	[ ! -e "$script" ] || . "$script"
done
echo "guest: $passed passed, $failed failed"
