#!/bin/sh
# All tests that need no extra hardware. Ends with "N passed, N failed" over all suites; non-zero on any failure.
# A suite that can't run says SKIPPED and why, and is not counted as passed.
#
# usage: tests/run.sh [unit|asan|fuzz|tsan|boards|system|web|arm|arm-all|faults ...]   (default: all but arm-all and faults)
# faults: tests/faults, as long as FORECOURT_FAULT_S says (its README).
# arm, arm-all: the unit tests as the boxes run them, on musl, by QEMU's user mode; the compiler and the libraries are built first
# (boards/cross.sh). arm: of armv7 what may differ by machine or by C library; arm-all: all of armv7, and that choice of aarch64.
set -u
cd "$(dirname "$0")/.." || exit 1
suites=${*:-unit asan fuzz tsan boards system web arm}
jobs=$(nproc)
# Tests at a time: they wait most of it (a system test keeps a tenth of a core busy), so more than there are cores; test runs have 25 blocks of ports (harness.py).
side=$((2 * jobs < 8 ? 2 * jobs : 8))
passed=0 failed=0 broken=
logs=build/test-logs
mkdir -p "$logs"

fail() { # NAME COUNT
	failed=$((failed + $2))
	broken="$broken $1"
}

# What one cmocka program said; its own closing lines are what counts.
judge_unit() { # PROGRAM LOG
	code=$(cat "$2.code" 2>/dev/null || echo 255)
	p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\..*/\1/p' "$2" | awk '{s+=$1} END {print s+0}')
	f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p' "$2" | awk '{s+=$1} END {print s+0}')
	passed=$((passed + p))
	if [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi # crashed, leaked, or ran out of time
	if [ "$code" -eq 0 ] && [ "$p" -eq 0 ]; then f=1; fi # a program that asserts nothing is no test
	if [ "$f" -gt 0 ]; then
		fail "$1" "$f"
		echo "--- $1 (exit $code)"
		grep -v '^\[ RUN  \|^\[       OK' "$2" | tail -n 60
	else
		echo "  ok    $1 ($p)"
		sed -n 's/^SKIPPED: /  SKIPPED of it: /p' "$2"
	fi
}

unit_suite() { # BOARD [FILTER [EMULATOR]]; a filter is a pattern: "bus*"
	sources=
	for source in tests/unit/test_*.c; do
		name=$(basename "$source" .c)
		set -f # what the filter says is matched with names of tests, not of files here
		for pattern in ${2:-*}; do
			# shellcheck disable=SC2254 # a pattern
			case ${name#test_} in $pattern) sources="$sources $name" && break ;; esac
		done
		set +f
	done
	# shellcheck disable=SC2046,SC2086 # one word a program is meant
	if ! make --no-print-directory -j"$jobs" BOARD="$1" $(printf "build/$1/unit/%s " $sources) >"$logs/$1-build.log" 2>&1; then
		tail -n 40 "$logs/$1-build.log"
		fail "build-$1" 1
		return
	fi
	# Several at a time.
	# shellcheck disable=SC2016,SC2086 # the inner shell is to expand it; one word a program
	printf '%s\n' $sources | xargs -P "$side" -I NAME sh -c \
		'rm -f "$2/$1-$0.log.code"; timeout 600 $3 "build/$1/unit/$0" >"$2/$1-$0.log" 2>&1; echo $? >"$2/$1-$0.log.code"' \
		NAME "$1" "$logs" "${3:-}"
	for name in $sources; do
		judge_unit "build/$1/unit/$name" "$logs/$1-$name.log"
	done
}

# Every seed and every crash that was ever found, once, without libFuzzer (tests/fuzz/README.md).
fuzz_suite() { # BOARD
	if ! make --no-print-directory -j"$jobs" BOARD="$1" fuzzers >"$logs/fuzz-build.log" 2>&1; then
		tail -n 40 "$logs/fuzz-build.log"
		fail "build-fuzz" 1
		return
	fi
	for source in tests/fuzz/fuzz_*.c; do
		name=$(basename "$source" .c)
		log=$logs/$name.log
		inputs=tests/fuzz/corpus/${name#fuzz_}
		[ ! -d "tests/fuzz/crashes/${name#fuzz_}" ] || inputs="$inputs tests/fuzz/crashes/${name#fuzz_}"
		# shellcheck disable=SC2086 # folders are words
		if timeout 600 "build/$1/fuzz/$name" $inputs >"$log" 2>&1 && ! grep -q '^0 inputs$' "$log"; then
			passed=$((passed + 1))
			echo "  ok    $name ($(tail -n 1 "$log"))"
		else
			fail "$name" 1
			echo "--- $name"
			tail -n 60 "$log"
		fi
	done
}

# What differs by machine or by C library: the size of a word and of time, signs, alignment, how numbers are printed, processes, files, TLS.
by_machine='audit backup* base bus can codec config config_edit config_schema control_socket dlt645 energy envelope events framing gbt gbt_words
	icomm j1939 journal journal_list lookup message order patch policy privileges record rescue retain samples scrypt self_signed shelf store tables tls
	token trace versions watch'

export FORECOURT_LUA=lua
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=0 exitcode=66"

for suite in $suites; do
	echo "== $suite"
	case $suite in
	unit) unit_suite host ;;
	asan) unit_suite host-asan ;;
	fuzz) fuzz_suite host-asan ;;
	tsan)
		unit_suite host-tsan 'bus* can* shelf* reload*'
		;;
	boards)
		# Every defconfig must compile, also with the other compiler.
		for variant in host-minimal:gcc host-clang:clang; do
			board=${variant%%:*} cc=${variant##*:} out=build/${variant%%:*}
			[ "$board" = host-clang ] && board=host
			if make --no-print-directory -j"$jobs" BOARD="$board" out="$out" ${cc:+CC="$cc"} objects >"$logs/$board-$cc.log" 2>&1; then
				passed=$((passed + 1))
				echo "  ok    objects of $board ${cc:+with $cc}"
			else
				fail "$board-$cc" 1
				tail -n 30 "$logs/$board-$cc.log"
			fi
		done
		;;
	arm | arm-all)
		boards=beaglebone
		[ "$suite" = arm ] || boards="beaglebone qemu-armv8"
		for board in $boards; do
			make --no-print-directory BOARD="$board" deps >"$logs/$board-deps.log" 2>&1 || {
				tail -n 40 "$logs/$board-deps.log"
				fail "deps-$board" 1
				continue 2
			}
		done
		if [ "$suite" = arm ]; then
			unit_suite beaglebone "$by_machine" qemu-arm-static
		else
			unit_suite beaglebone '*' qemu-arm-static
			unit_suite qemu-armv8 "$by_machine" qemu-aarch64-static
		fi
		;;
	system)
		log=$logs/system.log
		if ! make --no-print-directory -j"$jobs" tools benches >"$logs/tools.log" 2>&1; then
			tail -n 40 "$logs/tools.log"
			fail tools 1
			continue
		fi
		# They wait most of the time: several at a time, each with ports of its own (harness.py).
		timeout 3600 /usr/bin/python3 -B -m pytest -q -n "$side" -p no:cacheprovider --tb=short -r fEs tests/system >"$log" 2>&1
		code=$?
		closing=$(grep -E '^[0-9]+ (passed|failed|error|skipped)|^=.* in [0-9.]+s' "$log" | tail -n 1)
		p=$(echo "$closing" | grep -oE '[0-9]+ passed' | cut -d' ' -f1)
		f=$(echo "$closing" | grep -oE '[0-9]+ failed' | cut -d' ' -f1)
		e=$(echo "$closing" | grep -oE '[0-9]+ error' | cut -d' ' -f1)
		passed=$((passed + ${p:-0}))
		bad=$((${f:-0} + ${e:-0}))
		if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
		[ "$bad" -gt 0 ] && fail system "$bad"
		grep -E '^(SKIPPED|FAILED|ERROR)' "$log"
		[ "$bad" -gt 0 ] && tail -n 120 "$log"
		echo "  $closing"
		;;
	faults)
		if ! make --no-print-directory -j"$jobs" tools >"$logs/tools.log" 2>&1; then
			tail -n 40 "$logs/tools.log"
			fail tools 1
			continue
		fi
		/usr/bin/python3 -B -m pytest -q -s -p no:cacheprovider --tb=short tests/faults >"$logs/faults.log" 2>&1
		code=$?
		p=$(grep -oE '[0-9]+ passed' "$logs/faults.log" | tail -n 1 | cut -d' ' -f1)
		f=$(grep -oE '[0-9]+ (failed|error)' "$logs/faults.log" | tail -n 1 | cut -d' ' -f1)
		if [ "$code" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then f=1; fi
		passed=$((passed + ${p:-0}))
		[ "${f:-0}" -gt 0 ] && fail faults "$f"
		grep -vE '^20[0-9-]*T' "$logs/faults.log" | cut -c1-300 | tail -n 200
		;;
	web)
		# A whole station and a browser a file: one after the other.
		if ! make --no-print-directory -j"$jobs" tools >"$logs/tools.log" 2>&1; then
			tail -n 40 "$logs/tools.log"
			fail tools 1
			continue
		fi
		sh tests/web/run.sh >"$logs/web-suite.log" 2>&1
		code=$?
		cat "$logs/web-suite.log"
		closing=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$logs/web-suite.log" | tail -n 1)
		p=$(echo "$closing" | cut -d' ' -f1)
		bad=$(echo "$closing" | cut -d' ' -f3)
		if [ "$code" -ne 0 ] && [ "${bad:-0}" -eq 0 ]; then bad=1; fi
		passed=$((passed + ${p:-0}))
		[ "${bad:-0}" -gt 0 ] && fail web "$bad"
		;;
	*)
		echo "unknown suite $suite"
		exit 2
		;;
	esac
done
[ -z "$broken" ] || echo "failed:$broken"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
