"""Reads OpenWrt's packages by their formats' own rules, and installs them as opkg and apk do. Independent of what writes them
(rootfs/package): nothing is shared. Whatever is against the rules is a Broken with what and where."""
import gzip
import hashlib
import io
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tarfile
import zlib

EPOCH_MIN = 1_000_000_000
NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*")
# What both take: digits and dots, a letter, and a release.
VERSION = re.compile(r"[0-9]+(\.[0-9]+)*[a-z]?-r[0-9]+")
APK_SCRIPTS = {".pre-install", ".post-install", ".pre-upgrade", ".post-upgrade", ".pre-deinstall", ".post-deinstall"}


class Broken(Exception):
    pass


def rule(holds, text):
    if not holds:
        raise Broken(text)


class File:
    def __init__(self, info, data):
        self.mode, self.kind, self.target, self.data = info.mode, "dir" if info.isdir() else "link" if info.issym() else "file", info.linkname, data
        self.owner = (info.uid, info.gid, info.uname, info.gname)


def read_tar(data, what, dotted):
    """The members by their names without the dot; sorted, owned by root, of one time, each folder before what is in it."""
    files, times, order = {}, set(), []
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for info in archive:
            name = info.name
            rule(info.isdir() or info.isfile() or info.issym(), f"{what}: {name}: neither folder, file nor link")
            if dotted:
                rule(name == "." or name.startswith("./"), f"{what}: {name}: does not begin with ./")
                name = name[2:]
            rule(not name.startswith("/") and ".." not in name.split("/"), f"{what}: {name}: leads out")
            if not name:
                continue
            rule(name not in files, f"{what}: {name}: twice")
            above = name.rpartition("/")[0]
            rule(not above or (above in files and files[above].kind == "dir"), f"{what}: {name}: before its folder")
            rule((info.uid, info.gid) == (0, 0) and info.uname in ("root", "") and info.gname in ("root", ""), f"{what}: {name}: not root's")
            rule(not info.mode & 0o7000, f"{what}: {name}: mode {info.mode:o}")
            rule(info.issym() or not info.mode & 0o022, f"{what}: {name}: others may write")
            data_of = archive.extractfile(info).read() if info.isfile() else b""
            files[name] = File(info, data_of)
            files[name].pax = dict(info.pax_headers)
            times.add(int(info.mtime))
            order.append(name.split("/"))
    rule(len(times) <= 1, f"{what}: files of {len(times)} times")
    rule(not times or min(times) == 0 or min(times) >= EPOCH_MIN, f"{what}: a time of {times}")
    return files, order


def gunzip_first(data, what):
    """The first of concatenated gzip streams: what was in it, its bytes, and what follows."""
    rule(data[:3] == b"\x1f\x8b\x08", f"{what}: not gzip'd")
    rule(not data[3] & 0x08 and data[4:8] == b"\0\0\0\0", f"{what}: names a file or a time: not the same twice")
    stream = zlib.decompressobj(31)
    content = stream.decompress(data) + stream.flush()
    rule(stream.eof, f"{what}: cut off")
    return content, data[:len(data) - len(stream.unused_data)], stream.unused_data


class Read:
    """One package: name, version, arch, depends, recommends, userid, description, files {path: File}, conffiles, scripts {name: text}."""

    def check(self):
        rule(NAME.fullmatch(self.name), f"the name {self.name}")
        rule(VERSION.fullmatch(self.version), f"{self.name}: the version {self.version}")
        rule(self.description.strip(), f"{self.name}: no description")
        for path in self.conffiles:
            rule(path in self.files and self.files[path].kind == "file", f"{self.name}: the conffile {path} is none of its files")
        for name, text in self.scripts.items():
            rule(text.startswith("#!/bin/sh\n"), f"{self.name}: {name} is no shell script")
        return self


def read_ipk(path):
    outer, _, rest = gunzip_first(path.read_bytes(), path.name)
    rule(not rest, f"{path.name}: something after its end")
    members, order = read_tar(outer, path.name, True)
    rule([o[0] for o in order] == ["debian-binary", "data.tar.gz", "control.tar.gz"], f"{path.name}: holds {order}")
    rule(members["debian-binary"].data == b"2.0\n", f"{path.name}: form {members['debian-binary'].data}")
    control, order = read_tar(gunzip_first(members["control.tar.gz"].data, "control.tar.gz")[0], "control.tar.gz", True)
    rule(order == sorted(order), "control.tar.gz: not sorted")
    data, order = read_tar(gunzip_first(members["data.tar.gz"].data, "data.tar.gz")[0], "data.tar.gz", True)
    rule(order == sorted(order), "data.tar.gz: not sorted")
    fields, last = {}, None
    for line in control["control"].data.decode().splitlines():
        if line.startswith(" "):
            fields[last] += "\n" + line.strip()
        else:
            last, colon, value = line.partition(":")
            rule(colon and last not in fields, f"control: {line}")
            fields[last] = value.strip()
    read = Read()
    read.form, read.files, read.fields = "ipk", {"/" + k: v for k, v in data.items()}, fields
    read.name, read.version, read.arch, read.description = (fields[k] for k in ("Package", "Version", "Architecture", "Description"))
    read.depends, read.recommends = ([d.strip() for d in fields.get(k, "").split(",") if d.strip()] for k in ("Depends", "Recommends"))
    read.userid = fields.get("Require-User", "")
    read.conffiles = control["conffiles"].data.decode().split() if "conffiles" in control else []
    read.scripts = {k: v.data.decode() for k, v in control.items() if k not in ("control", "conffiles")}
    for name in read.scripts:
        rule(control[name].mode == 0o755, f"control.tar.gz: {name} can't be run")
    rule({"postinst", "prerm"} <= read.scripts.keys(), "control.tar.gz: no postinst or no prerm: OpenWrt's own work would be left out")
    rule(int(fields["Installed-Size"]) == sum(len(f.data) for f in data.values()), "control: Installed-Size is not that of the files")
    rule(path.name == f"{read.name}_{read.version}_{read.arch}.ipk", f"{path.name}: another name than its content's")
    return read.check()


def read_apk(path):
    raw = path.read_bytes()
    head, _, rest = gunzip_first(raw, path.name)
    body, packed, after = gunzip_first(rest, f"{path.name}: data")
    rule(not after, f"{path.name}: something after its end")
    # Cut before its end, so that both together are one tar.
    rule(head[-1024:] != bytes(1024), f"{path.name}: the control part ends an archive")
    control, order = read_tar(head, f"{path.name}: control", False)
    rule(order[0] == [".PKGINFO"], f"{path.name}: begins with {order[0]}")
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(raw))) as whole:
        rule(len(whole.getnames()) > len(order), f"{path.name}: as a whole it is no one archive")
    data, order = read_tar(body, f"{path.name}: data", False)
    rule(order == sorted(order), f"{path.name}: data: not sorted")
    fields, depends = {}, []
    for line in control[".PKGINFO"].data.decode().splitlines():
        key, equals, value = line.partition(" = ")
        rule(equals, f".PKGINFO: {line}")
        if key == "depend":
            depends.append(value)
        else:
            rule(key not in fields, f".PKGINFO: {key} twice")
            fields[key] = value
    rule(fields["datahash"] == hashlib.sha256(packed).hexdigest(), ".PKGINFO: datahash is not that of the data")
    for name, f in data.items():
        if f.kind != "dir":
            want = hashlib.sha1(f.data if f.kind == "file" else f.target.encode()).hexdigest()
            rule(f.pax.get("APK-TOOLS.checksum.SHA1") == want, f"{path.name}: {name}: checksum")
    lists = {k.rpartition(".")[2]: v.data.decode() for k, v in data.items() if k.startswith("lib/apk/packages/")}
    own = {"/" + k: v for k, v in data.items() if not k.startswith("lib/apk/packages/")}
    read = Read()
    read.form, read.files, read.fields = "apk", {"/" + k: v for k, v in data.items()}, fields
    read.name, read.version, read.arch, read.description = (fields[k] for k in ("pkgname", "pkgver", "arch", "pkgdesc"))
    read.depends, read.recommends, read.userid = depends, [], lists.get("rusers", "").strip()
    rule(f"lib/apk/packages/{read.name}.list" in data, f"{path.name}: no {read.name}.list: OpenWrt's own work would be left out")
    rule(set(lists["list"].split()) == {k for k, v in own.items() if v.kind != "dir"}, f"{path.name}: its list is not of its files")
    static = dict(line.split() for line in lists.get("conffiles_static", "").splitlines())
    for name, digest in static.items():
        rule(name in own and hashlib.sha256(own[name].data).hexdigest() == digest, f"{path.name}: conffiles_static: {name}")
    read.conffiles = list(static)
    rule(set(read.conffiles) == {c for c in lists.get("conffiles", "").split() if c in own and own[c].kind == "file"}, f"{path.name}: conffiles")
    read.scripts = {k: v.data.decode() for k, v in control.items() if k != ".PKGINFO"}
    rule(read.scripts.keys() <= APK_SCRIPTS, f"{path.name}: scripts {read.scripts.keys()}")
    rule({".post-install", ".post-upgrade", ".pre-deinstall"} <= read.scripts.keys(), f"{path.name}: scripts {read.scripts.keys()}")
    rule(int(fields["size"]) <= sum(len(f.data) for f in data.values()), ".PKGINFO: size")
    rule(path.name == f"{read.name}-{read.version}.apk", f"{path.name}: another name than its content's")
    return read.check()


def read_package(path):
    path = pathlib.Path(path)
    return read_ipk(path) if path.suffix == ".ipk" else read_apk(path)


def put(root, path, f):
    place = root / path.lstrip("/")
    if f.kind == "dir":
        if not place.is_dir():
            place.mkdir()
            place.chmod(f.mode)
        return
    new = place.with_name(place.name + ".new-of-package")
    if f.kind == "link":
        new.symlink_to(f.target)
    else:
        new.write_bytes(f.data)
        new.chmod(f.mode)
    os.replace(new, place)


class Manager:
    """What a package manager knows of one root. run(script path in the root, words, environment) runs a script there; None: none are run."""

    def __init__(self, root, arch, run=None, provided=()):
        self.root, self.arch, self.run, self.provided, self.installed = pathlib.Path(root), arch, run, set(provided), {}
        self.said = ""

    def script(self, text, name, words=(), **environment):
        if not self.run:
            return
        place = self.root / name.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(0o755)
        self.said += self.run(name, words, environment)

    def accept(self, package):
        rule(package.arch in (self.arch, "all", "noarch"), f"{package.name} is for {package.arch}, this is {self.arch}")
        missing = [d for d in package.depends if d not in self.installed and d not in self.provided]
        rule(not missing, f"{package.name}: nothing here provides {', '.join(missing)}")
        for name, other in self.installed.items():
            both = {p for p, f in package.files.items() if f.kind != "dir"} & {p for p, f in other.files.items() if f.kind != "dir"}
            rule(name == package.name or not both, f"{package.name} and {name} both have {sorted(both)[:3]}")

    def changed(self, old, path):
        """Whether a file is other than the installed package brought it."""
        place = self.root / path.lstrip("/")
        before = old and old.files.get(path)
        return place.exists() and (not before or place.read_bytes() != before.data)

    def drop(self, path):
        (self.root / path.lstrip("/")).unlink(missing_ok=True)

    def drop_empty(self, package):
        for path in sorted((p for p, f in package.files.items() if f.kind == "dir"), reverse=True):
            place = self.root / path.lstrip("/")
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()


class Opkg(Manager):
    """24.10: conffiles that were edited stay, the new text is NAME-opkg."""

    def info(self, name):
        return f"/usr/lib/opkg/info/{name}"

    def install(self, package):
        self.accept(package)
        old, upgrade = self.installed.get(package.name), "1" if package.name in self.installed else "0"
        if old:
            self.script(old.scripts["prerm"], self.info(f"{package.name}.prerm"), ("upgrade", package.version), PKG_UPGRADE="1")
        if "preinst" in package.scripts:
            self.script(package.scripts["preinst"], self.info(f"{package.name}.preinst"), ("upgrade" if old else "install",), PKG_UPGRADE=upgrade)
        kept = {p for p in package.conffiles if self.changed(old, p)}
        for path, f in package.files.items():
            if path not in kept:
                put(self.root, path, f)
            elif not old or old.files.get(path) is None or old.files[path].data != f.data:
                put(self.root, path + "-opkg", f)
        if old:
            for path in set(old.files) - set(package.files):
                if old.files[path].kind != "dir" and not (path in old.conffiles and self.changed(old, path)):
                    self.drop(path)
            self.drop_empty(old)
        folder = self.root / "usr/lib/opkg/info"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{package.name}.list").write_text("".join(p + "\n" for p, f in package.files.items() if f.kind != "dir"))
        (folder / f"{package.name}.control").write_text("".join(f"{k}: {v.splitlines()[0] if v else ''}\n" for k, v in package.fields.items()))
        for name in ("postinst-pkg", "prerm-pkg"):
            if name in package.scripts:
                (folder / f"{package.name}.{name}").write_text(package.scripts[name])
        self.installed[package.name] = package
        self.script(package.scripts["postinst"], self.info(f"{package.name}.postinst"), ("configure",), PKG_UPGRADE=upgrade)

    def remove(self, name):
        package = self.installed[name]
        self.script(package.scripts["prerm"], self.info(f"{name}.prerm"), ("remove",), PKG_UPGRADE="0")
        for path, f in package.files.items():
            if f.kind != "dir" and not (path in package.conffiles and self.changed(package, path)):
                self.drop(path)
        self.drop_empty(package)
        if "postrm" in package.scripts:
            self.script(package.scripts["postrm"], self.info(f"{name}.postrm"), ("remove",), PKG_UPGRADE="0")
        for path in (self.root / "usr/lib/opkg/info").glob(f"{name}.*"):
            path.unlink()
        del self.installed[name]


class Apk(Manager):
    """25.12: all of /etc is protected: what was edited there stays, the new text is NAME.apk-new. An upgrade runs no script of the old package."""

    def scripts_of(self, package, name):
        if name in package.scripts:
            self.script(package.scripts[name], f"/lib/apk/exec/{package.name}-{package.version}{name}", (package.version,))

    def install(self, package):
        self.accept(package)
        old = self.installed.get(package.name)
        self.scripts_of(package, ".pre-upgrade" if old else ".pre-install")
        for path, f in package.files.items():
            before = old and old.files.get(path)
            if path.startswith("/etc/") and f.kind == "file" and self.changed(old, path):
                if not before or before.data != f.data:
                    put(self.root, path + ".apk-new", f)
            else:
                put(self.root, path, f)
        if old:
            for path in set(old.files) - set(package.files):
                if old.files[path].kind != "dir" and not (path.startswith("/etc/") and self.changed(old, path)):
                    self.drop(path)
            self.drop_empty(old)
        self.installed[package.name] = package
        self.scripts_of(package, ".post-upgrade" if old else ".post-install")

    def remove(self, name):
        package = self.installed[name]
        self.scripts_of(package, ".pre-deinstall")
        for path, f in package.files.items():
            if f.kind != "dir" and not (path.startswith("/etc/") and f.kind == "file" and self.changed(package, path)):
                self.drop(path)
        self.drop_empty(package)
        self.scripts_of(package, ".post-deinstall")
        del self.installed[name]


# A root that its scripts can run in ----------------------------------------------------------------------------------

TOOLS = ("sh cat sed grep awk cut tr head sort rm ln ls mkdir mv cp chmod chown basename dirname readlink touch sleep cmp env id kill "
         "hostname date wc test stat").split()


def copy_program(root, program):
    """A program of this machine, with the libraries that it asks for."""
    found = shutil.which(program) if "/" not in str(program) else str(program)
    place = root / "bin" / pathlib.Path(found).name if "/" not in str(program) else root / str(program).lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        shutil.copy2(os.path.realpath(found), place)
    libraries(root, found)


def libraries(root, program):
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for path in re.findall(r"(/\S+) \(0x", said):
        place = root / path.lstrip("/")
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(os.path.realpath(path), place)


def make_root(root):
    """A box before anything is installed: a shell, what OpenWrt's scripts find there, root as the only user."""
    root = pathlib.Path(root)
    for folder in ("bin", "sbin", "etc/init.d", "etc/rc.d", "etc/config", "lib", "usr/bin", "usr/sbin", "usr/lib", "usr/share", "tmp/sysinfo", "var/run",
                   "dev", "proc"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for tool in TOOLS:
        copy_program(root, tool)
    shutil.copytree(pathlib.Path(__file__).parent / "plain", root, dirs_exist_ok=True)
    for script in [*(root / "bin").iterdir(), root / "sbin/ujail", root / "etc/rc.common"]:
        script.chmod(0o755)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\ndialout:x:20:\n")
    (root / "proc/mounts").write_text("overlayfs:/overlay / overlay rw 0 0\n")
    for name, minor in (("null", 3), ("urandom", 9), ("random", 8)):
        os.mknod(root / "dev" / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        (root / "dev" / name).chmod(0o666)
    return root


def chroot_runner(root):
    """Runs scripts inside of the root; what they say is given back, what they fail with is raised."""
    def run(name, words, environment):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment}
        done = subprocess.run(["chroot", root, "/bin/sh", name, *words], env=env, capture_output=True, text=True, check=False, timeout=300)
        rule(done.returncode == 0, f"{name} {' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr
    return run
