"""A box: OpenWrt's root file system as far as our scripts need it, with our files on it, the real daemon, busybox's shell, and stand-ins of
ours for procd, ujail, uci, ubus (peers/openwrt/box). It needs root: a mount and a process namespace of its own, and chroot.
Everything that runs in the box ends with it."""
import glob
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import time

import harness
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT / "tests/peers/openwrt/box"
USER, GROUP = 4711, 4712
PATIENCE = float(os.environ.get("FORECOURT_PATIENCE_S", "90"))
# What OpenWrt's busybox has; Debian's has more (stat, mountpoint, realpath ...), which the scripts must not use.
APPLETS = """ash awk basename cat chgrp chmod chown cmp cp cut date df dirname du echo egrep env expr false find flock grep gunzip gzip head id kill
 ln ls mkdir mknod mktemp mount mv nice printf ps pwd readlink rm rmdir sed seq sh sleep sort sync tail tar tee test touch tr true umount
 uname uniq wc which xargs [""".split()
FOLDERS = """bin dev etc/config etc/rc.d etc/ssl lib64 mnt proc root sbin srv sys tmp tmp/run tmp/lock tmp/log tmp/lib tmp/sysinfo
 tmp/resolv.conf.d usr/bin usr/lib usr/sbin www""".split()


class Box:
    """jail: with ujail. files: also those of the package that a test is not about (Lua, page)."""

    def __init__(self, build, jail=True, board="generic,box"):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="forecourt-box-"))
        self.root, self.procd, self.build = self.top / "root", None, pathlib.Path(build)
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True)
        self.root.chmod(0o755)
        (self.root / "tmp").chmod(0o1777)
        (self.root / "var").symlink_to("tmp")
        busybox = shutil.which("busybox")
        if not busybox:
            pytest.skip("no busybox")
        shutil.copy(busybox, self.root / "bin/busybox")
        for name in APPLETS:
            (self.root / "bin" / name).symlink_to("busybox")
        for loader in glob.glob("/lib*/ld-*"):
            self.put(loader, loader)
        self.put(os.path.realpath("/usr/bin/python3"), "/usr/bin/python3")
        shutil.copytree(PEERS / "root", self.root, dirs_exist_ok=True)
        for folder in ("etc/init.d", "etc/uci-defaults", "etc/hotplug.d", "etc/capabilities", "lib/upgrade", "usr/share/forecourt"):
            shutil.copytree(ROOT / "rootfs" / folder, self.root / folder)
        self.boards = self.root / "usr/share/forecourt/boards"
        self.boards.mkdir(exist_ok=True)
        for defaults in (ROOT / "boards").glob("*/defaults"):
            self.put(defaults, f"/usr/share/forecourt/boards/{defaults.parent.name}")
        for program, folder in (("forecourtd", "usr/sbin"), ("forecourt", "usr/bin")):
            self.put(self.build / program, f"/{folder}/{program}")
        if jail:
            self.put(PEERS / "ujail.py", "/sbin/ujail")
        self.write("etc/passwd", f"root:x:0:0:root:/root:/bin/ash\nforecourt:x:{USER}:{GROUP}:forecourt:/var:/bin/false\n")
        self.write("etc/group", f"root:x:0:\nforecourt:x:{GROUP}:\n")
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        self.write("tmp/resolv.conf.d/resolv.conf.auto", "")
        (self.root / "etc/resolv.conf").symlink_to("/tmp/resolv.conf.d/resolv.conf.auto")
        self.write("tmp/sysinfo/board_name", board + "\n")
        self.write("etc/config/system", "config system\n\toption hostname 'OpenWrt'\n")
        self.write("etc/config/fstab", "")
        

    def put(self, source, place):
        target = self.root / str(place).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)

    def write(self, place, text, mode=0o644):
        target = self.root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)

    def install(self, text, lua=ROOT / "lua"):
        """As a package's installation: configuration and Lua are root's."""
        self.write("etc/config/forecourt", text, 0o600)
        shutil.copytree(lua, self.root / "etc/forecourt/lua", dirs_exist_ok=True)
        if (self.build / "www").exists():
            shutil.copytree(self.build / "www", self.root / "usr/share/forecourt/www", dirs_exist_ok=True)

    def boot(self):
        """Process 1, which starts nothing by itself."""
        self.procd = harness.Process(["unshare", "--mount", "--pid", "--fork", "--kill-child", "/usr/bin/python3", "-B", PEERS / "procd.py",
                                      self.root], self.top, "procd")
        try:
            self.procd.wait_for("(?m)^ready")
        except RuntimeError as error:
            if "Operation not permitted" in str(error):
                pytest.skip("no namespaces of its own here")
            raise
        children = pathlib.Path(f"/proc/{self.procd.popen.pid}/task/{self.procd.popen.pid}/children").read_text(encoding="ascii")
        self.init = int(children.split()[0])
        return self

    def run(self, *command, check=True, **environment):
        """A command in the box; its finished process."""
        done = subprocess.run(["nsenter", "--target", str(self.init), "--mount", "--pid", f"--root=/proc/{self.init}/root", "--wd=/",
                               "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *(f"{k}={v}" for k, v in environment.items()), *command],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120)
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr, self.log())
        return done

    def sh(self, text, check=True, **environment):
        return self.run("/bin/sh", "-c", text, check=check, **environment)

    def service(self, *words, check=True):
        return self.run("/etc/init.d/forecourt", *words, check=check)

    def ubus(self, path, method, message=None):
        text = self.run("/bin/ubus", "call", path, method, json.dumps(message or {}), check=False).stdout
        return json.loads(text) if text else {}

    def instance(self):
        return self.ubus("service", "list", {"name": "forecourt"}).get("forecourt", {}).get("instances", {}).get("instance1", {})

    def told(self, path, method):
        """Every such message to procd."""
        lines = (self.root / "tmp/log/procd.jsonl").read_text(encoding="utf-8").splitlines()
        return [m for p, n, m in map(json.loads, lines) if (p, n) == (path, method)]

    def log(self):
        path = self.root / "tmp/log/messages"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def until(self, condition, what, patience=PATIENCE):
        end = time.monotonic() + patience
        while not (result := condition()):
            assert time.monotonic() < end, (what, self.log()[-3000:])
            time.sleep(0.05)
        return result

    def wait_log(self, text, patience=PATIENCE):
        self.until(lambda: text in self.log(), text, patience)

    def daemon(self):
        """The daemon's process as the machine sees it; None: there is none. In the sandbox it is a child of ujail."""
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                if status.read_text(encoding="ascii").split()[1] == "forecourtd" and \
                        os.stat(status.parent / "ns/pid").st_ino == os.stat(f"/proc/{self.init}/ns/pid").st_ino:
                    return status.parent
            except (OSError, IndexError):
                continue
        return None

    def facts(self, place):
        """kind and mode as "drwxr-xr-x", owner and group."""
        st = os.lstat(self.root / place.lstrip("/"))
        return stat.filemode(st.st_mode), st.st_uid, st.st_gid

    def stop(self):
        if self.procd:
            # unshare takes no TERM while it waits; with its KILL all of the box's processes end.
            self.procd.popen.kill()
            self.procd.popen.wait()
        shutil.rmtree(self.top, ignore_errors=True)
