#!/usr/bin/python3
"""The bill of materials of one build, as CycloneDX 1.5 (JSON): what is in the program and in the page, of which version, under which licence,
from which source, and what made it. Nothing is told from memory but licences and CPE names: files come from the linker's map and from the
program's own list of shared libraries, their versions from dpkg or from what boards/sources.sh has unpacked, the page's packages from the
bundler's own account and the lock file. What can't be found out ends this with an error: a bill that guesses is worth nothing.
CycloneDX and not SPDX: it says how a library is changed (pedigree) and what built the whole (formulation), and OpenWrt's build writes the same."""
import argparse
import base64
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse
import uuid

HERE = pathlib.Path(__file__).resolve().parent

# By Debian's source package: licence (SPDX) and, where the vulnerability lists have one, vendor:product. Held against Debian's copyright
# files by tests/system/test_bom.py.
KNOWN = {
    "glibc": ("LGPL-2.1-or-later", "gnu:glibc"),
    "musl": ("MIT", "musl-libc:musl"),
    "gcc": ("GPL-3.0-or-later WITH GCC-exception-3.1", ""),  # its own start files and arithmetic, which each program has
    "wolfssl": ("GPL-2.0-or-later", "wolfssl:wolfssl"),
    "libwebsockets": ("MIT", "libwebsockets:libwebsockets"),
    "libmodbus": ("LGPL-2.1-or-later", "libmodbus:libmodbus"),
    "lua5.4": ("MIT", "lua:lua"),
    "sqlite3": ("blessing", "sqlite:sqlite"),
    "zlib": ("Zlib", "zlib:zlib"),
}
# What boards/sources.sh changes in a source, by its own words there.
CHANGED = {"libwebsockets": "A request whose body came in one piece with the request before it is read to its end once (lib/roles/http/server/server.c); "
                            "the upper half of a WebSocket frame's 64-bit length counts (lib/roles/ws/ops-ws.c, lib/roles/ws/client-parser-ws.c); "
                            "a connection without memory leaves its host's list (lib/core-net/connect.c); "
                            "a request that could not be written is told as gone (lib/roles/http/client/client-http.c); "
                            "a connection that rests is found by its address (lib/roles/http/client/client-handshake.c), and only one that rests is taken, "
                            "and a listener without memory is none (lib/core-net/vhost.c). boards/sources.sh"}
# Where a library's own build file is not the Debian package's: archives that boards/cross.mk and boards/deps.sh make, by the source.
ARCHIVES = {"libwebsockets": "libwebsockets", "libwolfssl": "wolfssl", "liblua5.4": "lua5.4", "libmodbus": "libmodbus",
            "libsqlite3": "sqlite3", "libz": "zlib", "libc": "musl", "crt1": "musl", "crti": "musl", "crtn": "musl", "Scrt1": "musl"}


def refuse(text):
    sys.exit(f"bom: {text}")


def run(*words, ok=True):
    try:
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    except OSError as error:
        return "" if not ok else refuse(f"{words[0]}: {error.strerror}")
    if done.returncode and ok:
        refuse(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout if done.returncode == 0 else ""


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree_of(build):
    """The source that this build is of: the linker ran there, and its map names files from there."""
    return build.parents[1]


# ---- what is in the program

def members(text):
    """Archives of which the linker has taken something, and object files that are not ours, from its map."""
    taken = text.partition("Archive member included")[2].partition("\nDiscarded input sections")[0]
    archives = re.findall(r"^(\S+\.a)\(", taken, re.M)
    objects = re.findall(r"^LOAD (\S+\.o)$", text, re.M)
    return list(dict.fromkeys(archives + objects))


def loaded_shared(text, tree):
    """Shared libraries that the linker looked into: soname to file. Scripts such as libc.so are passed over, what they name is there by itself."""
    found = {}
    for name in dict.fromkeys(re.findall(r"^LOAD (\S+\.so[.\d]*)$", text, re.M)):
        path = tree / name
        if path.read_bytes()[:4] == b"\x7fELF":
            soname = re.search(r"\(SONAME\).*\[(.*)\]", run("readelf", "-d", path))
            found[soname.group(1) if soname else path.name] = path.resolve()
    return found


def needed(path):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", path))


def shared_closure(program, loaded):
    """What the program asks for, and what that asks for: soname to file."""
    found, waiting = {}, list(needed(program))
    while waiting:
        soname = waiting.pop(0)
        if soname in found:
            continue
        places = [loaded[soname]] if soname in loaded else [p.parent / soname for p in found.values() if (p.parent / soname).exists()]
        if not places:
            refuse(f"{program.name} asks for {soname}, which the linker's map does not have")
        found[soname] = places[0].resolve()
        waiting += needed(found[soname])
    return found


# ---- whose a file is

def dpkg_owner(path):
    """The Debian package of a file of this machine: name, version, architecture, source, source's version; None when it has none."""
    for name in dict.fromkeys([str(path), str(path).removeprefix("/usr"), "/usr" + str(path)]):
        said = run("dpkg-query", "-S", name, ok=False)
        if said:
            package = said.splitlines()[0].partition(": ")[0].split(",")[0].strip()
            form = "${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n"
            return run("dpkg-query", "-W", "-f", form, package).split()
    return None


def known_as(source):
    """A Debian source package as KNOWN has it: gcc-12, gcc-12-cross are gcc."""
    name = re.sub(r"^(gcc)-\d+.*", r"\1", source)
    if name not in KNOWN:
        refuse(f"the source package {source} has no licence in KNOWN")
    return name


def sources_of(folder, linkage):
    """What boards/sources.sh said of the sources that were unpacked for this folder: name to version and hash."""
    names = ["sources.txt", "sources-static.txt"] + (["sources-shared.txt"] if linkage == "shared" else [])
    texts = [(folder / name).read_text() for name in names if (folder / name).exists()]
    if not texts:
        refuse(f"{folder} does not say which sources it was built from: make deps")
    return {line.split()[0]: line.split()[1:] for text in texts for line in text.splitlines()}


def licence(text):
    return [{"expression": text}] if " " in text else [{"license": {"id": text}}]


def upstream(version):
    """A Debian version without epoch and revision, and without what Debian says of its own repacking."""
    return re.sub(r"[+.]dfsg.*$", "", re.sub(r"-[^-]*$", "", version.partition(":")[2] if ":" in version else version))


def purl(kind, name, version, **qualifiers):
    more = "&".join(f"{k}={urllib.parse.quote(v, safe='')}" for k, v in sorted(qualifiers.items()))
    return f"pkg:{kind}/{name}@{urllib.parse.quote(version, safe='')}" + (f"?{more}" if more else "")


def component(source, files, linkage, linked, owner=None, dsc=None):
    """One library. owner: the Debian package that its files are of; dsc: version and hash of the Debian source that it was built from here."""
    known = known_as(source)
    text, cpe = KNOWN[known]
    name, version = (owner[0], owner[1]) if owner else (source, dsc[0])
    source_version = owner[4] if owner else dsc[0]
    one = {"type": "library", "bom-ref": f"{linkage}:{name}", "name": name, "version": version, "scope": "required", "licenses": licence(text)}
    if cpe:
        one["cpe"] = f"cpe:2.3:a:{cpe}:{upstream(source_version)}:*:*:*:*:*:*:*"
    if owner:
        one["purl"] = purl("deb", f"debian/{owner[0]}", owner[1], arch=owner[2])
    else:
        one["purl"] = purl("deb", f"debian/{source}", dsc[0], arch="source")
        one["externalReferences"] = [{"type": "distribution", "url": f"{source}_{dsc[0].partition(':')[2] or dsc[0]}.dsc",
                                      "comment": "Debian's source package, unpacked by boards/sources.sh",
                                      "hashes": [{"alg": "SHA-256", "content": dsc[1]}]}]
        if source in CHANGED:
            one["pedigree"] = {"patches": [{"type": "unofficial"}], "notes": CHANGED[source]}
    one["properties"] = [{"name": "forecourt:linkage", "value": linkage}, {"name": "forecourt:in", "value": "box" if linked else "program"},
                         {"name": "forecourt:source", "value": f"{owner[3] if owner else source} {source_version}"}]
    one["components"] = [{"type": "file", "bom-ref": f"file:{linkage}:{path.name}", "name": path.name,
                          "hashes": [{"alg": "SHA-256", "content": sha256(path)}]} for path in sorted(files)]
    return one


def libraries(build, program, sysroot):
    """Every library of the program, one component a package and kind of linkage."""
    tree, map_file = tree_of(build), build / "forecourtd.map"
    if not map_file.exists():
        refuse(f"{map_file} is missing: it is written when the program is linked")
    text = map_file.read_text()
    ours = build.resolve()
    groups = {}  # (linkage, name) -> [source, owner, dsc, files]
    static = [(tree / name).resolve() for name in members(text)]
    files = [("static", p) for p in static if not p.is_relative_to(ours)]
    files += [("shared", p) for p in shared_closure(program, loaded_shared(text, tree)).values()]
    for linkage, path in files:
        if path.is_relative_to(sysroot):
            source = ARCHIVES.get(re.sub(r"\.(a|o|so.*)$", "", path.name)) or refuse(f"{path.name}: which source is it from?")
            said = sources_of(sysroot, linkage)
            group = groups.setdefault((linkage, source), [source, None, said.get(source) or refuse(f"{source}: no version is known"), []])
        else:
            owner = dpkg_owner(path) or refuse(f"{path} belongs to no Debian package")
            group = groups.setdefault((linkage, owner[0]), [owner[3], owner, None, []])
        group[3].append(path)
    # With the box's own libraries: what is linked here is what they look like, what runs is the box's.
    foreign = sysroot.name != "deps"
    return [component(source, set(found), linkage, foreign and linkage == "shared", owner, dsc)
            for (linkage, _), (source, owner, dsc, found) in sorted(groups.items())]


# ---- what is in the page

def lock_of(build):
    return json.loads((tree_of(build) / "rootfs/www/package-lock.json").read_text())["packages"]


def packages_of_page(build):
    """npm's packages of which the bundle holds at least a byte; what they want of each other."""
    meta = build / "www/.meta.json"
    if not meta.exists():
        return []
    used = set()
    for output in json.loads(meta.read_text())["outputs"].values():
        for name, share in output["inputs"].items():
            inside = re.match(r"(?:.*/)?(node_modules/(?:@[^/]+/)?[^/]+)", name)
            if inside and share["bytesInOutput"]:
                used.add(inside.group(1))
    lock, found = lock_of(build), []
    for path in sorted(used):
        about, name = lock.get(path) or refuse(f"{path} is in the page and not in package-lock.json"), path.removeprefix("node_modules/")
        kind, _, digest = about["integrity"].partition("-")
        group, _, short = name.rpartition("/")
        one = {"type": "library", "bom-ref": f"npm:{name}", "name": short, "version": about["version"], "scope": "required",
               "purl": purl("npm", urllib.parse.quote(name, safe="/"), about["version"]), "licenses": licence(about["license"]),
               "hashes": [{"alg": {"sha512": "SHA-512", "sha1": "SHA-1"}[kind], "content": base64.b64decode(digest).hex()}],
               "properties": [{"name": "forecourt:linkage", "value": "bundled"}, {"name": "forecourt:in", "value": "page"}]}
        if group:
            one["group"] = group
        found.append((one, sorted(f"npm:{d}" for d in about.get("dependencies", {}) if f"node_modules/{d}" in used)))
    return found


# ---- what built it

def tool(name, path, licensed, version=""):
    """A program that took part. Of a Debian package where it is one."""
    owner = dpkg_owner(pathlib.Path(os.path.realpath(path)))
    one = {"type": "application", "bom-ref": f"tool:{name}", "name": owner[0] if owner else name, "version": owner[1] if owner else version,
           "scope": "excluded", "licenses": licence(licensed)}
    if owner:
        one["purl"] = purl("deb", f"debian/{owner[0]}", owner[1], arch=owner[2])
    return one


def which(name):
    return run("sh", "-c", 'command -v "$1"', "sh", name, ok=False).strip()


def tools(build, compiler, with_page):
    # The compiler itself: a cross build's cc is a script of boards/cross.sh around Debian's.
    asked, linker = (run(compiler, f"-print-prog-name={name}").strip() for name in ("cc1", "ld"))
    found = [tool("compiler", asked, "GPL-3.0-or-later") if "/" in asked else tool("compiler", which(compiler), "Apache-2.0 WITH LLVM-exception"),
             tool("linker", linker if "/" in linker else which(linker), "GPL-3.0-or-later")]
    for name, licensed in (("make", "GPL-3.0-or-later"), ("kconfig-conf", "GPL-2.0-only"), ("zopfli", "Apache-2.0")):
        if which(name):
            found.append(tool(name, which(name), licensed))
    if with_page:
        found.append(tool("node", which("node"), "MIT", run("node", "--version").strip().lstrip("v")))
        lock = lock_of(build)["node_modules/esbuild"]
        found.append({"type": "application", "bom-ref": "tool:esbuild", "name": "esbuild", "version": lock["version"], "scope": "excluded",
                      "licenses": licence(lock["license"]), "purl": purl("npm", "esbuild", lock["version"]),
                      "hashes": [{"alg": "SHA-512", "content": base64.b64decode(lock["integrity"].partition("-")[2]).hex()}]})
    return found


# ---- the whole

def bill(build, board, program, version, compiler, sysroot):
    """program: the file as it is delivered; build/forecourtd is the one that the map is of."""
    epoch = int(run("sh", HERE / "version.sh", "--epoch"))
    described = build / "version.txt"
    found = libraries(build, build / "forecourtd", sysroot)
    page = packages_of_page(build)
    own = {"type": "application", "bom-ref": "forecourt", "name": "forecourt", "version": version, "description": "Gateway of an EV-charging station",
           "licenses": licence("MIT"), "hashes": [{"alg": "SHA-256", "content": sha256(program)}],
           "externalReferences": [{"type": "threat-model", "url": "core/THREATS.md", "comment": "in the source"}],
           "properties": [{"name": "forecourt:board", "value": board},
                          {"name": "forecourt:source", "value": described.read_text().strip() if described.exists() else "unknown"},
                          {"name": "forecourt:licence-of-the-whole",
                           "value": "Our files are MIT. The program is linked with wolfSSL: as a whole it falls under wolfSSL's GPL unless a commercial "
                                    "licence is held (README.md)."}]}
    whole = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
             "metadata": {"timestamp": datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                          "tools": {"components": [{"type": "application", "name": "rootfs/package/bom.py", "version": version}]}, "component": own},
             "components": found + [one for one, _ in page],
             "dependencies": [{"ref": "forecourt", "dependsOn": [one["bom-ref"] for one in found] + [one["bom-ref"] for one, _ in page]}] +
                             [{"ref": one["bom-ref"], "dependsOn": wants} for one, wants in page],
             "formulation": [{"bom-ref": "build", "components": tools(build, compiler, bool(page))}]}
    # The same build has the same number, another one another.
    whole["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(whole, sort_keys=True))}"
    return whole


def write(path, whole):
    text = json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return len(text)


def sysroot_of(build, board):
    """build/deps, or the folder of the cross compiler that the board's toolchain.mk names."""
    toolchain = tree_of(build) / "boards" / board / "toolchain.mk"
    arch = re.search(r"^arch\s*:?=\s*(\S+)", toolchain.read_text(), re.M) if toolchain.exists() else None
    return (tree_of(build) / "build" / (f"cross/{arch.group(1)}" if arch else "deps")).resolve()


def of_build(build, board, program=None, version="", compiler=""):
    build = build.resolve()
    sysroot = sysroot_of(build, board)
    compiler = compiler or (sysroot / "bin/cc" if sysroot.name != "deps" else "gcc")
    version = version or run("sh", HERE / "version.sh").strip()
    return bill(build, board, program or build / "forecourtd", version, compiler, sysroot)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build/BOARD, with forecourtd and its map")
    parser.add_argument("--board", required=True)
    parser.add_argument("--cc", default="", help="the compiler, where it is not the board's")
    parser.add_argument("--output", type=pathlib.Path, help="default BUILD/forecourt.cdx.json")
    args = parser.parse_args()
    output = args.output or args.build / "forecourt.cdx.json"
    whole = of_build(args.build, args.board, compiler=args.cc)
    size = write(output, whole)
    print(f"bom: {size:8} {output.name}: {len(whole['components'])} components, {len(whole['formulation'][0]['components'])} tools")


if __name__ == "__main__":
    main()
