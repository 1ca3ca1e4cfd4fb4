#!/usr/bin/python3
"""A whole simulated station for the tests of the page: chargers, a platform that does no business of its own, the gateway.

Prints one JSON line when it is ready (where the page is, who may log in), then takes one JSON line a command on standard input and
answers each with one line. At the end of standard input everything ends. The tests in this folder start it (station.mjs)."""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
import business  # noqa: E402
import harness  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]


class WebStation:
    def __init__(self, options):
        self.station = harness.Station(options.build, tcp=options.tcp, line_units=(options.line,) if options.line else (),
                                       connectors=options.connectors, poll_ms=500)

    def empty(self):
        """A new box: the configuration that is installed, with the page; chargers and the platform are there all the same."""
        s = self.station
        keys = s.folder / "keys"
        keys.mkdir()
        text = (ROOT / "rootfs/etc/config/forecourt").read_text()
        own = dict(data_dir=s.folder / "data", key_dir=keys, lua_dir=s.lua, control_socket=s.control_socket)
        text = text.replace("config gateway 'gateway'\n", "config gateway 'gateway'\n" + "".join(f"\toption {k} '{v}'\n" for k, v in own.items()))
        text = text.replace("option address '::'", "option address '127.0.0.1'").replace("'8443'", f"'{s.admin_port}'\n\toption www '{s.build / 'www'}'")
        s.config_text = lambda: text

    def start(self, options):
        s = self.station
        if options.empty:
            self.empty()
        s.platform_options.update(iserv=1, policy="test")
        s.station_options.update(policy="test")
        s.write_policy("test", business.PRICES.format(name="test", elec="1.0", service="0.5"))
        s.start_chargers("--speed", str(options.speed), *(("--auto",) if options.auto else ()))
        s.start_platform()
        s.start_gateway()
        password = s.one_time_password()
        return dict(url=f"https://localhost:{s.admin_port}/", user="admin", password=password, folder=str(s.folder),
                    build=str(s.build), site=self.site(), connectors=[s.connector_id(c, n + 1) for c in range(s.charger_count())
                                                    for n in range(options.connectors)])

    def site(self):
        """What a person knows who sets it up: by contract, and by a look around."""
        s = self.station
        return dict(operator_id=harness.STATION_OPERATOR, platform_id=harness.PLATFORM_OPERATOR, theirs=harness.THEIRS,
                    platform_url=f"https://localhost:{s.platform_port}/evcs/v20160701", charger_port=s.charger_port,
                    connector_id=s.connector_id(0))

    # What a test may order; each answers something that JSON can say.

    def chargers(self, line):
        return self.station.ask_chargers(line)

    def platform(self, line):
        return self.station.ask_platform(line)

    def cli(self, words):
        done = self.station.cli(*words)
        return dict(code=done.returncode, out=done.stdout, err=done.stderr)

    def stats(self):
        return self.station.stats()

    def config(self):
        return self.station.config_file.read_text()

    def log(self):
        return self.station.gateway.output()

    def freeze(self):
        """The gateway hangs: it answers nothing, and its connections stay."""
        self.station.gateway.popen.send_signal(signal.SIGSTOP)
        return True

    def thaw(self):
        self.station.gateway.popen.send_signal(signal.SIGCONT)
        return True

    def kill(self):
        self.station.gateway.popen.kill()
        self.station.gateway.popen.wait(20)
        return True

    def restart(self):
        """A new start, with the configuration as it is on the disk now."""
        s = self.station
        s.gateway.stop()
        s.gateway = s.add(harness.Process([s.build / "forecourtd", "-c", s.config_file, "--stats-file", s.stats_file], s.folder,
                                          "gateway", r"admin: listens on"))
        return True

    def spoil_config(self, spoilt=True):
        """By hand: a line that nobody knows; then, taken out again."""
        line = "\toption nonsense '1'\n"
        text = self.station.config_file.read_text().replace(line, "")
        self.station.config_file.write_text(text.rstrip() + "\n" + line if spoilt else text)
        self.station.gateway.popen.send_signal(signal.SIGHUP)
        return True

    def stop_platform(self):
        self.station.platform.stop()
        return True

    def start_platform(self, options=()):
        """options: words for sim-platform, such as --charges 1."""
        self.station.start_platform(*options)
        return True


COMMANDS = ("chargers", "platform", "cli", "stats", "config", "log", "freeze", "thaw", "kill", "restart", "stop_platform",
            "start_platform", "spoil_config")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.environ.get("FORECOURT_BUILD", "build/host"))
    parser.add_argument("--tcp", type=int, default=2)
    parser.add_argument("--line", type=int, default=2)
    parser.add_argument("--connectors", type=int, default=2)
    parser.add_argument("--speed", type=int, default=30)
    parser.add_argument("--empty", action="store_true", help="nothing is configured, as on a new box")
    parser.add_argument("--auto", action="store_true", help="cars come and go by themselves")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.chdir(ROOT)
    web = WebStation(options)
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.callback(web.station.stop)
        print(json.dumps(web.start(options)), flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            name = order.pop("do")
            try:
                answer = dict(answer=getattr(web, name)(**order)) if name in COMMANDS else dict(problem=f"no command {name}")
            except Exception as problem:  # noqa: BLE001 - a test is told of everything
                answer = dict(problem=f"{type(problem).__name__}: {problem}")
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
