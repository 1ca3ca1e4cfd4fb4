"""Stand-in of ours for procd, from its documentation: process 1 of a box. It mounts the box's /proc and /dev, enters its root, and then runs
services as "ubus call service" tells: respawn, signals, sandbox, users, triggers on changes of a configuration; and it owns the watchdog.
Every message that it gets is a line of /var/log/procd.jsonl.

usage: unshare --mount --pid --fork --kill-child python3 procd.py ROOT"""
import ctypes
import json
import os
import pathlib
import pwd
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
lock = threading.RLock()
services = {}
watchdog = {"status": "running", "magicclose": False}


def mount(source, target, kind, flags=0):
    if LIBC.mount(str(source).encode(), str(target).encode(), kind.encode(), flags, None):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def enter(root):
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    for place in ("usr/lib", "dev", "proc"):
        (root / place).mkdir(parents=True, exist_ok=True)
    mount("/usr/lib", root / "usr/lib", "", MS_BIND | MS_REC)
    mount("none", root / "usr/lib", "", MS_BIND | MS_REMOUNT | MS_RDONLY)
    mount("proc", root / "proc", "proc")
    mount("dev", root / "dev", "tmpfs")
    os.umask(0)
    # The last two are /dev/null by other names: what counts is that they are devices.
    for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9), ("watchdog", 3), ("ttyS1", 3), ("ttyUSB0", 3)):
        os.mknod(root / "dev" / name, stat.S_IFCHR | (0o600 if name[:3] in ("wat", "tty") else 0o666), os.makedev(1, minor))
    os.umask(0o022)
    os.chroot(root)
    os.chdir("/")


class Instance:
    """One process that is kept running."""

    def __init__(self, service, name, told):
        self.service, self.name, self.told = service, name, told
        self.process, self.starts, self.wanted, self.code = None, 0, True, None
        threading.Thread(target=self.keep, daemon=True).start()

    def keep(self):
        while self.wanted:
            with lock:
                if not self.wanted:
                    return
                self.start()
            self.code = self.process.wait()
            if not self.wanted or "respawn" not in self.told:
                return
            time.sleep(int(self.told["respawn"][1]))

    def start(self):
        command, jail = self.told["command"], self.told.get("jail")
        jailed = jail and os.access("/sbin/ujail", os.X_OK)
        if jailed:
            more = ["-n", jail["name"]]
            for key, switch in (("user", "-U"), ("group", "-G"), ("capabilities", "-C")):
                more += [switch, self.told[key]] if key in self.told else []
            more += ["-c"] if self.told.get("no_new_privs") == "1" else []
            more += [{"log": "-l", "procfs": "-p", "ubus": "-u"}[flag] for flag in jail["flags"]]
            for place, write in jail["mount"].items():
                more += ["-w" if write == "1" else "-r", place]
            command = ["/sbin/ujail", *more, "--", *command]

        def before():
            for name, value in self.told.get("limits", {}).items():
                values = [int(v) for v in value.split()]
                resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (values[0], values[-1]))
            if "user" in self.told and not jailed:
                user = pwd.getpwnam(self.told["user"])
                os.initgroups(user.pw_name, user.pw_gid)
                os.setgid(user.pw_gid)
                os.setuid(user.pw_uid)

        with open("/var/log/messages", "ab") as log:
            # pylint: disable=subprocess-popen-preexec-fn # nothing here allocates between fork and exec that a thread could hold
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=before, env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        self.starts += 1

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        self.wanted = False
        if self.running():
            self.process.terminate()
            threading.Thread(target=self.insist, daemon=True).start()

    def insist(self):
        try:
            self.process.wait(int(self.told.get("term_timeout", 5)))
        except subprocess.TimeoutExpired:
            self.process.kill()


def set_service(told):
    old = services.get(told["name"], {"instances": {}})
    instances = {}
    for name, instance in told["instances"].items():
        before = old["instances"].pop(name, None)
        if before and before.wanted and before.told == instance:
            instances[name] = before
            continue
        if before:
            before.stop()
            before.process.wait()
        instances[name] = Instance(told["name"], name, instance)
    for gone in old["instances"].values():
        gone.stop()
    services[told["name"]] = {"instances": instances, "triggers": told["triggers"], "script": told.get("script")}
    return {}


def listed(name):
    if name not in services:
        return {}
    return {name: {"instances": {key: {"running": i.running(), "pid": i.process.pid if i.process else None, "starts": i.starts,
                                       "exit_code": i.code, **i.told}
                                 for key, i in services[name]["instances"].items() if i.wanted or i.running()}}}


def event(kind, data):
    """What changed, to every service that asked for it."""
    for service in list(services.values()):
        for trigger, what, action in service["triggers"]:
            if trigger == kind and what == (data.get("package") or data.get("target")):
                threading.Timer(1, subprocess.run, [[service["script"], action]]).start()
    return {}


def call(path, method, message):
    with lock:
        with open("/var/log/procd.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps([path, method, message]) + "\n")
        if (path, method) == ("system", "watchdog"):
            watchdog["magicclose"] = message.get("magicclose", watchdog["magicclose"])
            if "stop" in message:
                watchdog["status"] = "stopped" if message["stop"] else "running"
            return watchdog
        if path != "service":
            return None
        if method == "set":
            return set_service(message)
        if method == "list":
            return listed(message["name"])
        if method == "event":
            return event(message["type"], message["data"])
        if message["name"] not in services:
            return None
        if method == "delete":
            for instance in services[message["name"]]["instances"].values():
                instance.stop()
            services[message["name"]]["triggers"] = []
            return {}
        if method == "signal":
            for instance in services[message["name"]]["instances"].values():
                instance.process.send_signal(message["signal"])
            return {}
    return None


def serve(link):
    with link, link.makefile("rw", encoding="utf-8") as lines:
        for line in lines:
            lines.write(json.dumps(call(*json.loads(line))) + "\n")
            lines.flush()


def main():
    enter(pathlib.Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # process 1: all others end with it
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("/var/run/ubus.sock")
        listener.listen(16)
        print("ready", flush=True)
        while True:
            threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()


main()
