#!/usr/bin/python3
"""make demo: a simulated station (Modbus TCP and RTU chargers), a simulated platform, and the gateway between them.

Runs until Ctrl-C, or for --seconds N and then ends with 0 only if a whole charge went through: plugged, charging, finished,
unplugged, each seen by the platform."""
import argparse
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness  # noqa: E402


def closing_table(stats, summary):
    polls, platform = stats["polls"], stats["platforms"][0]
    errors = polls["timeouts"] + polls["exceptions"] + polls["bad"]
    rows = [
        ("polls made", polls["polls"]),
        ("poll errors", errors),
        ("polls missed", polls["missed"]),
        ("status pushes accepted by the platform", summary["accepted"]),
        ("questions answered (platform's count)", f"{summary['answered_ok']} of {summary['asked']}"),
        ("answer time seen by the platform, mean", f"{summary['answer_mean_us'] / 1000:.2f} ms"),
        ("answer time seen by the platform, 99th percentile", f"{summary['answer_p99_us'] / 1000:.2f} ms"),
        ("answer time inside the gateway, mean", f"{platform['answer_mean_us'] / 1000:.3f} ms"),
        ("answer time inside the gateway, 99th percentile", f"{platform['answer_p99_us'] / 1000:.3f} ms"),
        ("whole charges that the platform saw", summary["charges"]),
        ("gateway's memory (RSS)", f"{stats['rss_kb'] / 1024:.1f} MB"),
    ]
    width = max(len(name) for name, _ in rows)
    print()
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
    print()


def verdict(stats, summary):
    """What must hold for exit 0; the sentences of what does not."""
    problems = []
    if not summary["charges"]:
        problems.append("no whole charge went through")
    if not summary["accepted"]:
        problems.append("the platform accepted no status push")
    if not summary["answered_ok"] or summary["answered_ok"] != summary["asked"]:
        problems.append(f"{summary['asked'] - summary['answered_ok']} question(s) of the platform were not answered well")
    if summary.get("errors"):
        problems.append(f"the platform found {summary['errors']} error(s) in what it got")
    if not stats["polls"]["ok"]:
        problems.append("no poll was answered")
    return problems


def introduce(station, password):
    print(f"""
Forecourt is running: {station.charger_count()} simulated chargers ({station.tcp} on Modbus TCP, the rest on a serial line), a simulated platform.

  admin page   https://localhost:{station.admin_port}/   (its certificate is the demo's own: the browser will ask)
  log-in       admin / {password}
  command line {station.build / 'forecourt'} --socket {station.control_socket} status

  Change something: the messages to the platform are shaped by a file that you may edit now:
      {station.lua / 'operators' / (station.mapping + '.lua')}
  and what the platform gets, you watch with:
      tail -f {station.platform_log}
  The configuration is {station.config_file}, the gateway's log {station.gateway.err_path}
""", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/host")
    parser.add_argument("--seconds", type=float, help="end after so long")
    parser.add_argument("--mapping", default="base")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    with harness.Station(args.build, tcp=4, line_units=(4,), connectors=1, mapping=args.mapping) as station:
        station.start_chargers("--auto", "--speed", "60", "--seed", "1")
        station.start_platform()
        gateway = station.start_gateway()
        password = gateway.wait_for(r"one-time password for user \S+: (\S+)").group(1)
        introduce(station, password)
        end = time.monotonic() + args.seconds if args.seconds else None
        interrupted = False
        try:
            while end is None or time.monotonic() < end:
                time.sleep(0.2)
                dead = [p.name for p in station.processes if not p.running()]
                if dead:
                    print(f"demo: {', '.join(dead)} ended by itself:\n" + gateway.output()[-2000:])
                    return 1
        except KeyboardInterrupt:
            interrupted = True
        stats, summary = station.stats(), station.summary()
        closing_table(stats, summary)
        problems = verdict(stats, summary)
        for problem in problems:
            print(f"demo: {problem}")
        return 0 if interrupted or not problems else 1


sys.exit(main())
