#!/bin/sh
# The tests of the page in a real browser. Ends with a line "N passed, N failed"; SKIPPED and why where they can't run.
# usage: tests/web/run.sh [FILE.test.mjs ...]
set -u
cd "$(dirname "$0")/../.." || exit 1
[ -x /usr/bin/chromium ] || {
	echo "  SKIPPED web: no chromium"
	exit 0
}
[ -d build/www-work/node_modules/playwright-core ] || {
	echo "  SKIPPED web: playwright-core is not in build/www-work: make web"
	exit 0
}
log=build/test-logs/web.log
mkdir -p build/test-logs
# Those that want a station; the others are parts of tests/system, which gives them what they test.
# shellcheck disable=SC2046 # names without spaces
[ $# -gt 0 ] || set -- $(grep -l 'from "./station.mjs"' tests/web/*.test.mjs)
# One file at a time: each has a station and a browser of its own.
passed=0 failed=0
: >"$log"
for file; do
	timeout 900 node --test --test-reporter=tap "$file" >"$log.one" 2>&1
	code=$?
	cat "$log.one" >>"$log"
	p=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$log.one")
	f=$(sed -n 's/^# fail \([0-9]*\)$/\1/p' "$log.one")
	c=$(sed -n 's/^# cancelled \([0-9]*\)$/\1/p' "$log.one")
	bad=$((${f:-1} + ${c:-0}))
	[ "$code" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
	[ "${p:-0}" -gt 0 ] || [ "$bad" -gt 0 ] || bad=1 # a file that asserts nothing is no test
	passed=$((passed + ${p:-0}))
	failed=$((failed + bad))
	if [ "$bad" -gt 0 ]; then
		echo "--- $file"
		tail -n 80 "$log.one"
	else
		echo "  ok    $file ($p)"
	fi
	grep -aE '(SKIPPED|measured:)' "$log.one"
done
rm -f "$log.one"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
