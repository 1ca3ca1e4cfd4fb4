#!/bin/busybox sh
# shellcheck shell=dash
# In the guest: takes shell scripts from the virtio-serial port (one a line: a number and the script in base64), runs each by itself and
# answers number, exit code and what it printed in base64. The other end is machine.py.
while read -r number script; do
	printf %s "$script" | base64 -d >/tmp/agent.script
	sh /tmp/agent.script >/tmp/agent.said 2>&1 </dev/null
	code=$?
	printf '%s %s %s\n' "$number" "$code" "$(base64 /tmp/agent.said | tr -d '\n')"
done
