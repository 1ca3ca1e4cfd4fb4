"""The two forms of an OpenWrt package, written with Python's standard library: .ipk for opkg (24.10), .apk for apk (25.12, its second
format, which needs no tool of its own and is installed by the third). The same tree and time give the same bytes."""
import gzip
import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile

HEAD = "#!/bin/sh\n"
SMALL = 4096  # bytes: below, no program is started for it
slow = {"worth it": True}  # pack.py --quick says no
FUNCTIONS = '[ -s "${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0\n. "${IPKG_INSTROOT}/lib/functions.sh"\n'
NO_SCRIPT = '[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n'


class Entry:
    """One path of a package: a folder, a file, or a link. All belong to root; the service gives to its user what is its."""

    def __init__(self, path, kind, mode=0o755, data=b"", target=""):
        self.path, self.kind, self.mode, self.data, self.target = path, kind, mode, data, target

    def header(self, name, epoch):
        info = tarfile.TarInfo(name)
        info.mode, info.mtime, info.uid, info.gid, info.uname, info.gname = self.mode, epoch, 0, 0, "root", "root"
        if self.kind == "dir":
            info.type = tarfile.DIRTYPE
        elif self.kind == "link":
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, self.target, 0o777
        else:
            info.size = len(self.data)
        return info


def pack(data):
    """gzip'd, by zopfli where it is: a twenty-fifth smaller, read by all that reads gzip."""
    zopfli = shutil.which("zopfli")
    if zopfli and slow["worth it"] and len(data) > SMALL:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return subprocess.run([zopfli, "--i40", "-c", file.name], check=True, capture_output=True).stdout
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as stream:
        stream.write(data)
    return out.getvalue()


def tar(entries, epoch, prefix="", checksums=False, ended=True):
    """entries in their order as a tar. checksums: as apk wants them, with each file and link. ended=False: another tar follows."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT if checksums else tarfile.GNU_FORMAT) as archive:
        for entry in entries:
            info = entry.header(prefix + entry.path, epoch)
            if checksums and entry.kind != "dir":
                content = entry.data if entry.kind == "file" else entry.target.encode()
                info.pax_headers = {"APK-TOOLS.checksum.SHA1": hashlib.sha1(content).hexdigest()}
            archive.addfile(info, io.BytesIO(entry.data) if entry.kind == "file" else None)
        end = archive.offset
    return out.getvalue() if ended else out.getvalue()[:end]


def installed_size(entries):
    return sum(len(e.data) for e in entries if e.kind == "file")


def own(script):
    """A recipe's script as a part of another: without its first line."""
    return "".join(line for line in script.splitlines(True) if not line.startswith("#!"))


def conffiles_there(package, entries):
    files = {"/" + e.path for e in entries if e.kind == "file"}
    return [path for path in package.conffiles if path in files]


def ipk(package, entries, epoch):
    fields = [("Package", package.name), ("Version", package.version), ("Depends", ", ".join(package.depends)),
              ("Recommends", ", ".join(package.recommends)), ("Source", f"rootfs/package/{package.source}"), ("SourceName", package.source),
              ("License", package.license), ("Section", package.section), ("Require-User", package.userid),
              ("SourceDateEpoch", str(epoch)), ("URL", package.url), ("Maintainer", package.maintainer),
              ("Architecture", package.arch or "all"), ("Installed-Size", str(installed_size(entries)))]
    control = "".join(f"{key}: {value}\n" for key, value in fields if value)
    control += "Description: " + "".join(f" {line}\n" for line in package.description.splitlines())
    files = {"control": (control, 0o644),
             "postinst": (HEAD + NO_SCRIPT + FUNCTIONS + "default_postinst $0 $@\n", 0o755),
             "prerm": (HEAD + FUNCTIONS + "default_prerm $0 $@\n", 0o755)}
    conffiles = conffiles_there(package, entries)
    if conffiles:
        files["conffiles"] = ("".join(path + "\n" for path in conffiles), 0o644)
    # What the recipe brings is run by default_postinst and default_prerm, but for these two.
    for name, into in (("postinst", "postinst-pkg"), ("prerm", "prerm-pkg"), ("preinst", "preinst"), ("postrm", "postrm")):
        if package.scripts.get(name):
            files[into] = (package.scripts[name], 0o755)
    root = [Entry("", "dir")]
    members = [Entry(name, "file", mode, text.encode()) for name, (text, mode) in sorted(files.items())]
    inner = [("debian-binary", b"2.0\n"), ("data.tar.gz", pack(tar(root + entries, epoch, "./"))),
             ("control.tar.gz", pack(tar(root + members, epoch, "./")))]
    return pack(tar([Entry(name, "file", 0o644, data) for name, data in inner], epoch, "./"))  # hardly smaller: opkg wants it so


def apk_lists(package, entries):
    """What OpenWrt's scripts look for beside the package's own files: lib/apk/packages/NAME.*"""
    there = conffiles_there(package, entries)
    hashes = {"/" + e.path: hashlib.sha256(e.data).hexdigest() for e in entries if e.kind == "file"}
    texts = {"list": "".join(f"/{e.path}\n" for e in entries if e.kind != "dir")}
    if package.userid:
        texts["rusers"] = package.userid + "\n"
    # What is in a folder of the list needs no line of its own: sysupgrade keeps the folder, and apk by itself whatever was edited in /etc.
    folders = tuple(path for path in package.conffiles if path.endswith("/"))
    listed = [path for path in package.conffiles if path in folders or not path.startswith(folders)]
    if listed:
        texts["conffiles"] = "".join(path + "\n" for path in listed)
        texts["conffiles_static"] = "".join(f"{path} {hashes[path]}\n" for path in listed if path in there)
    return [Entry(f"lib/apk/packages/{package.name}.{kind}", "file", 0o644, text.encode()) for kind, text in texts.items()]


def apk(package, entries, epoch):
    entries = with_folders(entries + apk_lists(package, entries))
    data = pack(tar(entries, epoch, checksums=True))
    fields = [("pkgname", package.name), ("pkgver", package.version), ("pkgdesc", " ".join(package.description.split())),
              ("url", package.url), ("builddate", str(epoch)), ("size", str(installed_size(entries))), ("arch", package.arch or "noarch"),
              ("origin", package.source), ("maintainer", package.maintainer), ("license", package.license)]
    info = "".join(f"{key} = {value}\n" for key, value in fields if value)
    info += "".join(f"depend = {name}\n" for name in package.depends)
    info += f"datahash = {hashlib.sha256(data).hexdigest()}\n"
    known = f'export root="${{IPKG_INSTROOT}}"\nexport pkgname="{package.name}"\n'
    upgrade = "export PKG_UPGRADE=1\n"
    own_script = {name: own(text) for name, text in package.scripts.items() if text}
    after = NO_SCRIPT + FUNCTIONS + known + "add_group_and_user\ndefault_postinst\n" + own_script.get("postinst", "")
    scripts = {".post-install": after, ".post-upgrade": upgrade + after,
               ".pre-deinstall": FUNCTIONS + known + "default_prerm\n" + own_script.get("prerm", "")}
    if "preinst" in own_script:
        scripts.update({".pre-install": own_script["preinst"], ".pre-upgrade": upgrade + own_script["preinst"]})
    if "postrm" in own_script:
        scripts[".post-deinstall"] = own_script["postrm"]
    control = [Entry(".PKGINFO", "file", 0o644, info.encode())]
    control += [Entry(name, "file", 0o755, (HEAD + text).encode()) for name, text in sorted(scripts.items())]
    return pack(tar(control, epoch, ended=False)) + data


def with_folders(entries):
    """All entries and the folders above them, sorted so that a folder is before what is in it."""
    found = {e.path: e for e in entries}
    for path in list(found):
        while "/" in path:
            path = path.rpartition("/")[0]
            found.setdefault(path, Entry(path, "dir"))
    return [found[path] for path in sorted(found, key=lambda p: p.split("/"))]
