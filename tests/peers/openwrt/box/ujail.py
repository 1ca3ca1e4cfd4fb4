#!/usr/bin/python3 -B
"""Stand-in of ours for ujail, from its usage text and documentation: runs a program where only what is mounted can be seen, as its user, with
the capabilities of a file (-C, the lists of an OCI description) and no way to more (-c). Signals are handed on.
Real ujail finds the libraries that a program needs; this one mounts all of /usr/lib."""
import ctypes
import getopt
import grp
import json
import os
import pathlib
import pwd
import signal
import stat
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC = 1, 32, 4096, 16384
PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 8, 24, 38, 47
CLONE_NEWNS = 0x20000
NUMBERS = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_NET_BIND_SERVICE": 10, "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}


def must(result, what):
    if result:
        raise OSError(ctypes.get_errno(), what)


def bind(place, root, writable):
    """A file or folder at its place in the sandbox; where a link leads to, too."""
    target = pathlib.Path(str(root) + place)
    real = os.path.realpath(place)
    target.parent.mkdir(parents=True, exist_ok=True)
    if real != place:
        bind(real, root, writable)
        if not target.exists() and not target.is_symlink():
            target.symlink_to(real)
        return
    if os.path.isdir(place):
        target.mkdir(exist_ok=True)
    elif not target.exists():
        target.touch()
    must(LIBC.mount(place.encode(), str(target).encode(), b"", MS_BIND | MS_REC, None), f"mount {place}")
    if not writable:
        must(LIBC.mount(b"none", str(target).encode(), b"", MS_BIND | MS_REMOUNT | MS_RDONLY, None), f"mount {place}")


def limit(user, group, capabilities, no_new_privs):
    names = json.loads(pathlib.Path(capabilities).read_text(encoding="utf-8")) if capabilities else {}
    sets = {key: [NUMBERS[name] for name in value] for key, value in names.items()}
    for number in range(41):
        if number not in sets.get("bounding", []):
            LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    must(LIBC.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.initgroups(user, group)
    os.setgid(group)
    os.setuid(pwd.getpwnam(user).pw_uid)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    words = [sum(1 << n for n in sets.get(key, [])) for key in ("effective", "permitted", "inheritable")]
    must(LIBC.capset(header, (ctypes.c_uint32 * 6)(*words, 0, 0, 0)), "capset")
    for number in sets.get("ambient", []):
        must(LIBC.prctl(PR_CAP_AMBIENT, 2, number, 0, 0), "ambient")
    if no_new_privs:
        must(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def inside(options, command):
    given = dict(options)
    must(LIBC.unshare(CLONE_NEWNS), "unshare")
    root = pathlib.Path("/tmp/.jail")
    root.mkdir(exist_ok=True)
    must(LIBC.mount(b"jail", str(root).encode(), b"tmpfs", 0, b"mode=755"), "tmpfs")
    dev = root / "dev"
    dev.mkdir()
    os.umask(0)
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        os.mknod(dev / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    os.umask(0o022)
    for place in [command[0], *(str(p) for p in pathlib.Path("/").glob("lib*/ld-*")), "/usr/lib", *(["/proc"] if "-p" in given else [])]:
        bind(place, root, False)
    for switch, place in options:
        if switch in ("-r", "-w"):
            bind(place, root, switch == "-w")
    user = given["-U"]
    group = grp.getgrnam(given["-G"]).gr_gid if "-G" in given else pwd.getpwnam(user).pw_gid
    capabilities = pathlib.Path(given["-C"]).read_text(encoding="utf-8") if "-C" in given else None
    if capabilities:
        kept = root / "capabilities.json"
        kept.write_text(capabilities, encoding="utf-8")
    os.initgroups(user, group)
    os.chroot(root)
    os.chdir("/")
    try:
        limit(user, group, "/capabilities.json" if capabilities else None, "-c" in given)
    except KeyError as error:
        raise SystemExit(f"ujail: {error}") from error
    os.execv(command[0], command)


def main():
    options, command = getopt.getopt(sys.argv[1:], "n:U:G:C:cplur:w:")
    child = os.fork()
    if not child:
        inside(options, command)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, lambda n, _: os.kill(child, n))
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 255)


main()
