#!/usr/bin/python3
"""make package: the recipes' own install sections, run by stand-ins for OpenWrt's makefiles (standin/) over what was built for a board, and
of each package an .ipk and an .apk. Written beside them: contents.txt, every path with its mode, size and owner, and NAME.cdx.json, the bill of
materials of the program and the page (bom.py)."""
import argparse
import gzip
import pathlib
import platform
import shutil
import stat
import subprocess
import sys

import bom
import forms

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECIPES = ("forecourt", "luci-app-forecourt")
# OpenWrt's name of what a board's packages run on; --arch says another.
ARCH = {"cm4": "aarch64_cortex-a72", "beaglebone": "arm_cortex-a8_vfpv3"}
MACHINES = {62: "x86_64", 183: "aarch64", 40: "arm"}  # ELF's e_machine


def refuse(text):
    sys.exit(f"package: {text}")


def make(recipe, target, **variables):
    words = ["make", "--no-print-directory", "-s", "-C", HERE / recipe, f"TOPDIR={HERE / 'standin'}"]
    words += [f"{key}={value}" for key, value in variables.items()] + [target]
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    if done.returncode:
        refuse(f"{recipe}: {target}: {done.stderr.strip()}")
    return done.stdout


class Package:
    """What a recipe says about a package."""

    def __init__(self, name, recipe, said, arch, static):
        def text(key):
            path = said / name / key
            return path.read_text().strip("\n") if path.exists() else ""

        self.name, self.recipe = name, recipe
        self.version, self.license, self.maintainer, self.section = (text(k) for k in ("version", "license", "maintainer", "section"))
        self.source, self.url, self.userid, self.description = (text(k) for k in ("source", "url", "userid", "description"))
        self.conffiles = text("conffiles").split()
        self.scripts = {k: text(k) + "\n" for k in ("preinst", "postinst", "prerm", "postrm") if text(k)}
        self.arch = None if text("pkgarch") == "all" else arch
        # "+SYMBOL:package" is chosen in the SDK; here it is a recommendation. "+lib..." is what a program that is not static asks for.
        words = [word.lstrip("+") for word in text("depends").split() if not word.startswith("@")]
        self.recommends = [word.partition(":")[2] for word in words if ":" in word]
        self.depends = [word for word in words if ":" not in word and not (static and self.arch and is_library(word))]

    def file_name(self, form):
        return f"{self.name}_{self.version}_{self.arch or 'all'}.ipk" if form == "ipk" else f"{self.name}-{self.version}.apk"


def is_library(name):
    return name.startswith("lib") or name == "zlib"


def machine_of(program):
    head = program.read_bytes()[:20]
    if head[:4] != b"\x7fELF":
        refuse(f"{program} is no program")
    return MACHINES.get(int.from_bytes(head[18:20], "little"), "another machine")


def libraries_of(program):
    said = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    return [line.split("[")[1].rstrip("]") for line in said.splitlines() if "(NEEDED)" in line]


def read_tree(root):
    entries = []
    for path in root.rglob("*"):
        name, mode = str(path.relative_to(root)), stat.S_IMODE(path.lstat().st_mode)
        if path.is_symlink():
            entries.append(forms.Entry(name, "link", 0o777, target=str(path.readlink())))
        elif path.is_dir():
            entries.append(forms.Entry(name, "dir", mode))
        else:
            entries.append(forms.Entry(name, "file", mode, path.read_bytes()))
    return forms.with_folders(entries)


def keep(package, entries):
    """As OpenWrt does it: what a package calls a conffile and does not bring itself is kept by sysupgrade through keep.d."""
    files = {"/" + e.path for e in entries if e.kind == "file"}
    lines = "".join(path + "\n" for path in package.conffiles if path not in files)
    name = f"lib/upgrade/keep.d/{package.name}"
    entry = next((e for e in entries if e.path == name), None)
    if not lines:
        return entries
    if not entry:
        return forms.with_folders(entries + [forms.Entry(name, "file", 0o644, lines.encode())])
    known = set(entry.data.decode().splitlines())
    entry.data += "".join(line + "\n" for line in lines.split() if line not in known).encode()
    return entries


def stage(build, strip, work):
    """What FORECOURT_OUT is for the recipe: the program without its symbols, the page."""
    program = build / "forecourtd"
    if not program.exists():
        refuse(f"{program} is missing: make package builds it")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    subprocess.run([strip, "-o", work / "forecourtd", program], check=True)
    if (build / "www" / "index.html.gz").exists():
        shutil.copytree(build / "www", work / "www", ignore=shutil.ignore_patterns(".*"))
        # Compressed once, as it is served: here as well as can be.
        for path in (work / "www").rglob("*.gz"):
            path.write_bytes(min(path.read_bytes(), forms.pack(gzip.decompress(path.read_bytes())), key=len))
    return work / "forecourtd"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build/BOARD, with forecourtd and www/")
    parser.add_argument("--board", required=True)
    parser.add_argument("--arch", default="", help="OpenWrt's name of the architecture, instead of the board's")
    parser.add_argument("--strip", default="strip")
    parser.add_argument("--version", default="", help="instead of version.sh's: digits and dots")
    parser.add_argument("--output", type=pathlib.Path, help="default BUILD/packages")
    parser.add_argument("--quick", action="store_true", help="larger and sooner: for tests")
    args = parser.parse_args()
    forms.slow["worth it"] = not args.quick
    build = args.build.resolve()
    output = (args.output or build / "packages").resolve()
    work = output / "work"
    program = stage(build, args.strip, work)
    machine = machine_of(program)
    arch = args.arch or ARCH.get(args.board) or {"x86_64": platform.machine(), "aarch64": "aarch64_generic"}.get(machine)
    if not arch:
        refuse(f"the board {args.board} has no architecture: say PKG_ARCH=")
    if not arch.startswith(machine):
        refuse(f"the program is for {machine}, the package would be for {arch}")
    static = not libraries_of(program)
    epoch = int(subprocess.run(["sh", HERE / "version.sh", "--epoch"], capture_output=True, text=True, check=True).stdout)
    version = {"PKG_VERSION": args.version} if args.version else {}
    for old in [*output.glob("*.ipk"), *output.glob("*.apk"), *output.glob("*.cdx.json"), output / "contents.txt"]:
        old.unlink(missing_ok=True)
    contents = []
    for recipe in RECIPES:
        make(recipe, "standin-meta", META=work / "said", **version)
        for name in make(recipe, "standin-names", **version).split():
            package = Package(name, recipe, work / "said", arch, static)
            root = work / "root" / name
            root.mkdir(parents=True)
            make(recipe, f"standin-install-{name}", DESTDIR=root, FORECOURT_OUT=work, PKG_BUILD_DIR=work, **version)
            entries = keep(package, read_tree(root))
            if package.arch:
                path = output / f"{package.name}_{package.version}_{package.arch}.cdx.json"
                print(f"package: {bom.write(path, bom.of_build(build, args.board, program, package.version)):8} {path.name}")
            for form in ("ipk", "apk"):
                path = output / package.file_name(form)
                path.write_bytes(getattr(forms, form)(package, entries, epoch))
                print(f"package: {path.stat().st_size:8} {path.name}")
            for e in entries:
                size = len(e.data) if e.kind == "file" else 0
                tail = {"dir": "/", "link": f" -> {e.target}"}.get(e.kind, "")
                contents.append(f"{name} {e.mode:04o} {size:8} 0/0 /{e.path}{tail}\n")
            print(f"package: {forms.installed_size(entries):8} bytes installed, {sum(e.kind != 'dir' for e in entries)} files")
    (output / "contents.txt").write_text("".join(contents))
    shutil.rmtree(work)


main()
