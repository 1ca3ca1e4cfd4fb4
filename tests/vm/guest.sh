#!/bin/busybox sh
# shellcheck shell=dash
# Runs in the machine: every test, one line each, and the sum at the end.
passed=0 failed=0 about=

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
	timeout 700 "$1" >/tmp/unit.log 2>&1
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

# For a script about a running gateway, which names itself in about, and begins with broken empty.
# Waits for a command to succeed, with a patience that no machine reaches; little when something is broken already.
wait_for() { # COMMAND...
	for _ in $(seq "${broken:-240}"); do
		"$@" && return 0
		sleep 0.5
	done
	return 1
}
check() { # WHAT COMMAND...
	what=$1
	shift
	if wait_for "$@"; then
		ok "$about: $what"
	else
		bad "$about: $what"
		broken=10
	fi
}
once() { # WHAT COMMAND...
	what=$1
	shift
	if "$@"; then ok "$about: $what"; else bad "$about: $what" && broken=10; fi
}

# One part alone: VM_ONLY=socketcan or VM_ONLY=daemon for tests/vm/run.sh.
only=$(sed -n 's/.*forecourt_only=\([a-z]*\).*/\1/p' /proc/cmdline)
for program in /bin/test_*; do
	name=$(basename "$program")
	[ "${only:-${name#test_}}" != "${name#test_}" ] || unit "$name"
done
for script in /test/guest_*.sh; do
	name=$(basename "$script" .sh)
	# shellcheck disable=SC1090 # each uses what stands above
	[ "${only:-${name#guest_}}" != "${name#guest_}" ] || . "$script"
done
echo "guest: $passed passed, $failed failed"
