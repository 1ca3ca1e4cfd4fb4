"""The bill of materials (rootfs/package/bom.py): its form against CycloneDX 1.5's rules, written here by hand from the standard's schema, and its
content against what is really there: what the loader loads, what dpkg says, what the linker took, what the page imports."""
import base64
import copy
import hashlib
import json
import pathlib
import re
import subprocess
import sys

import harness
import pytest

sys.path.insert(0, str(harness.ROOT / "tests/peers/openwrt"))
import packages  # noqa: E402

HOST = harness.ROOT / "build/host"
SCRIPT = harness.ROOT / "rootfs/package/bom.py"

# ---- the form: CycloneDX 1.5, of each object its fields and which of them it must have

TYPES = {"application", "framework", "library", "container", "platform", "operating-system", "device", "device-driver", "firmware", "file",
         "machine-learning-model", "data"}
REFERENCES = {"vcs", "issue-tracker", "website", "advisories", "bom", "mailing-list", "social", "chat", "documentation", "support", "distribution",
              "distribution-intake", "license", "build-meta", "build-system", "release-notes", "security-contact", "model-card", "attestation",
              "threat-model", "vulnerability-assertion", "exploitability-statement", "pentest-report", "static-analysis-report",
              "dynamic-analysis-report", "runtime-analysis-report", "component-analysis-report", "maturity-report", "certification-report",
              "codified-infrastructure", "quality-metrics", "other"}
HASHES = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128}
# Of SPDX's list what may come: another one is looked up there before it goes in.
LICENCES = {"MIT", "Zlib", "blessing", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-or-later", "LGPL-2.1-or-later", "Apache-2.0", "BSD-3-Clause",
            "ISC", "0BSD"}
EXCEPTIONS = {"GCC-exception-3.1", "LLVM-exception"}
TEXT = (str, None)
FORMS = {
    "bom": {"bomFormat": (str, {"CycloneDX"}), "specVersion": (str, {"1.5"}), "version": (int, None), "metadata": "metadata", "components": ["component"],
            "dependencies": ["dependency"], "formulation": ["formula"], "must": ["bomFormat", "specVersion", "version"],
            "serialNumber": (str, r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")},
    "metadata": {"timestamp": (str, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "tools": "tools", "component": "component", "must": []},
    "tools": {"components": ["component"], "must": []},
    "component": {"type": (str, TYPES), "name": TEXT, "bom-ref": TEXT, "group": TEXT, "version": TEXT, "description": TEXT,
                  "scope": (str, {"required", "optional", "excluded"}), "hashes": ["hash"], "licenses": ["licence choice"],
                  "cpe": (str, r"cpe:2\.3:a:[a-z0-9.-]+:[a-z0-9.-]+:[0-9][0-9a-z.]*(:\*){7}"),
                  "purl": (str, r"pkg:(deb/debian|npm(/%40[a-z0-9.-]+)?)/[a-z0-9.+-]+@[A-Za-z0-9.%~_-]+(\?[a-z]+=[A-Za-z0-9.%_-]+(&[a-z]+=[A-Za-z0-9.%_-]+)*)?"),
                  "externalReferences": ["reference"], "components": ["component"], "pedigree": "pedigree", "properties": ["property"],
                  "must": ["type", "name"]},
    "hash": {"alg": (str, set(HASHES)), "content": (str, "[0-9a-f]+"), "must": ["alg", "content"]},
    "licence choice": {"license": "licence", "expression": TEXT, "must": [], "one of": ["license", "expression"]},
    "licence": {"id": (str, LICENCES), "name": TEXT, "must": [], "one of": ["id", "name"]},
    "pedigree": {"patches": ["patch"], "notes": TEXT, "must": []},
    "patch": {"type": (str, {"unofficial", "monkey", "backport", "cherry-pick"}), "must": ["type"]},
    "reference": {"url": TEXT, "type": (str, REFERENCES), "comment": TEXT, "hashes": ["hash"], "must": ["url", "type"]},
    "property": {"name": TEXT, "value": TEXT, "must": []},
    "dependency": {"ref": TEXT, "dependsOn": [TEXT], "must": ["ref"]},
    "formula": {"bom-ref": TEXT, "components": ["component"], "must": []},
}


def mistakes_of_form(value, form, where="bom"):
    """What of value is not as form says, each as a line."""
    if isinstance(form, tuple):
        kind, allowed = form
        if not isinstance(value, kind) or isinstance(value, bool):
            yield f"{where}: {value!r} is no {kind.__name__}"
        elif isinstance(allowed, set) and value not in allowed:
            yield f"{where}: {value!r} is not one of the standard's"
        elif isinstance(allowed, str) and not re.fullmatch(allowed, value):
            yield f"{where}: {value!r} has not the form {allowed}"
        return
    if isinstance(form, list):
        if not isinstance(value, list):
            yield f"{where}: no list"
            return
        if len({json.dumps(one, sort_keys=True) for one in value}) != len(value):
            yield f"{where}: two that are the same"
        for number, one in enumerate(value):
            yield from mistakes_of_form(one, form[0], f"{where}[{number}]")
        return
    fields = FORMS[form]
    if not isinstance(value, dict):
        yield f"{where}: no object"
        return
    for name in fields["must"]:
        if name not in value:
            yield f"{where}: {name} is missing"
    if "one of" in fields and sum(name in value for name in fields["one of"]) != 1:
        yield f"{where}: not exactly one of {fields['one of']}"
    for name, one in value.items():
        if name not in fields or name in ("must", "one of"):
            yield f"{where}: {name} is no field of it"
        else:
            yield from mistakes_of_form(one, fields[name], f"{where}.{name}")
    if form == "hash" and len(str(value.get("content"))) != HASHES.get(value.get("alg")):
        yield f"{where}: a {value.get('alg')} of {len(str(value.get('content')))} digits"
    if form == "licence choice" and "expression" in value:
        if not all(word in LICENCES | EXCEPTIONS | {"WITH", "AND", "OR"} for word in re.findall(r"[^\s()]+", value["expression"])):
            yield f"{where}: {value['expression']} is not of SPDX's words"


def components_of(value):
    """All components, also those within others and those of metadata and formulation."""
    if isinstance(value, dict):
        if "type" in value and "name" in value:
            yield value
        for one in value.values():
            yield from components_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from components_of(one)


def mistakes_of_references(bom):
    refs = [c["bom-ref"] for c in components_of(bom) if "bom-ref" in c] + [f["bom-ref"] for f in bom["formulation"] if "bom-ref" in f]
    for ref in {r for r in refs if refs.count(r) > 1}:
        yield f"bom-ref {ref} twice"
    told = [d["ref"] for d in bom["dependencies"]]
    for ref in [*told, *(r for d in bom["dependencies"] for r in d.get("dependsOn", []))]:
        if ref not in refs:
            yield f"{ref} is nothing's bom-ref"
    if len(set(told)) != len(told):
        yield "a component's dependencies twice"


# ---- the content

def command(*words):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True).stdout


def property_of(component, name):
    return [p["value"] for p in component.get("properties", []) if p["name"] == name]


def libraries_of(bom, linkage):
    return [c for c in bom["components"] if property_of(c, "forecourt:linkage") == [linkage]]


def mistakes_of_shared(bom, program):
    """What the loader loads for the program, held against the bill: file, hash, package, version, each as dpkg says."""
    files = {one["name"]: (c, one["hashes"][0]["content"]) for c in libraries_of(bom, "shared") for one in c["components"]}
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", command("readelf", "-d", program))
    if not needed:
        yield f"{program}: no shared library at all"
    loaded = dict(re.findall(r"^\s*(\S+) => (/\S+)", command("ldd", program), re.M))
    for soname in {*needed, *loaded}:
        path = pathlib.Path(loaded[soname]).resolve()
        if path.name not in files:
            yield f"{soname} is not in the bill"
            continue
        component, digest = files[path.name]
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield f"{soname}: another file"
        owner = command("sh", "-c", 'dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "${1#/usr}"', "sh", path).partition(":")[0]
        if owner != component["name"]:
            yield f"{soname} is of {owner}, the bill says {component['name']}"
            continue
        said = command("dpkg-query", "-W", "-f", "${Version}|${source:Package} ${source:Version}", owner)
        if said != "|".join([component["version"], *property_of(component, "forecourt:source")]):
            yield f"{owner}: {said}, the bill says {component['version']}"


def mistakes_of_static(bom, build, sysroot):
    """What the linker took of archives, by its map; versions of what was built here by what was unpacked for it."""
    listed = {one["name"]: (c, one["hashes"][0]["content"]) for c in libraries_of(bom, "static") for one in c["components"]}
    head = (build / "forecourtd.map").read_text().partition("\nDiscarded input sections")[0]
    for name in {line.partition("(")[0] for line in head.splitlines() if re.match(r"\S+\.a\(", line)}:
        path = (build.parents[1] / name).resolve()
        if path.is_relative_to(build.resolve()):
            continue
        if path.name not in listed:
            yield f"{path.name} is not in the bill"
        elif listed[path.name][1] != hashlib.sha256(path.read_bytes()).hexdigest():
            yield f"{path.name}: another file"
    unpacked = "".join(p.read_text() for p in sysroot.glob("sources*.txt"))
    for component in libraries_of(bom, "static"):
        if "arch=source" not in component["purl"]:
            version = command("dpkg-query", "-W", "-f", "${Version}", component["name"])
            if version != component["version"]:
                yield f"{component['name']}: {version}, the bill says {component['version']}"
        elif f"{component['name']} {component['version']} {component['externalReferences'][0]['hashes'][0]['content']}\n" not in unpacked:
            yield f"{component['name']} {component['version']}: no such source was unpacked"


def mistakes_of_age(bom):
    """What was built here, of a source older than what Debian has given this machine: a correction for safety's sake that boxes would lack."""
    installed = dict(line.split() for line in command("dpkg-query", "-W", "-f", "${source:Package} ${source:Version}\n").splitlines())
    for component in libraries_of(bom, "static"):
        newest = installed.get(component["name"])
        if "arch=source" in component["purl"] and newest and subprocess.run(
                ["dpkg", "--compare-versions", component["version"], "lt", newest], check=False).returncode == 0:
            yield f"{component['name']} {component['version']} is in it, Debian has {newest}: remove build/deps or build/cross and build anew"


def imported(folder):
    """npm's packages that the page's source imports for more than types."""
    found = set()
    for path in [*folder.rglob("*.ts"), *folder.rglob("*.tsx")]:
        text = path.read_text()
        for kind, name in re.findall(r'^(?:import|export)\s+(type\s)?(?:[^"\';]*?\sfrom\s+)?["\']([^"\'.][^"\']*)["\']', text, re.M):
            if not kind:
                found.add("/".join(name.split("/")[:2 if name.startswith("@") else 1]))
        found |= {"/".join(n.split("/")[:2 if n.startswith("@") else 1]) for n in re.findall(r'import\(["\']([^"\'.][^"\']*)["\']\)', text)}
    return found


def mistakes_of_page(bom, build):
    """npm's packages: what the source imports, what these want, what was installed; and what the bundler says that it took."""
    lock = json.loads((harness.ROOT / "rootfs/www/package-lock.json").read_text())["packages"]
    listed = {c["bom-ref"].removeprefix("npm:"): c for c in libraries_of(bom, "bundled")}
    direct = imported(harness.ROOT / "rootfs/www/src")
    reach, waiting = set(), sorted(direct)
    while waiting:
        name = waiting.pop()
        if name not in reach:
            reach.add(name)
            waiting += lock[f"node_modules/{name}"].get("dependencies", {})
    for name in sorted(direct - set(listed)):
        yield f"{name} is imported and not in the bill"
    for name in sorted(set(listed) - reach):
        yield f"{name} is in the bill and nobody imports it"
    meta = json.loads((build / "www/.meta.json").read_text())
    taken = {n for o in meta["outputs"].values() for n, share in o["inputs"].items() if "node_modules/" in n and share["bytesInOutput"]}
    for name in sorted(taken):
        if not any(f"node_modules/{one}/" in name for one in listed):
            yield f"{name} is in the page and its package not in the bill"
    for name, component in listed.items():
        installed = json.loads((harness.ROOT / "build/www-work/node_modules" / name / "package.json").read_text())
        digest = base64.b64encode(bytes.fromhex(component["hashes"][0]["content"])).decode()
        if (component["version"], component["licenses"]) != (installed["version"], [{"license": {"id": installed["license"]}}]):
            yield f"{name}: {installed['version']}, {installed['license']} is installed"
        if lock[f"node_modules/{name}"]["integrity"] != f"sha512-{digest}":
            yield f"{name}: another hash than the lock file's"


@pytest.fixture(scope="module")
def bom(tmp_path_factory):
    output = tmp_path_factory.mktemp("bom") / "forecourt.cdx.json"
    said = command("/usr/bin/python3", "-B", SCRIPT, "--build", HOST, "--board", "host", "--output", output)
    assert "components" in said
    again = output.with_name("again.cdx.json")
    command("/usr/bin/python3", "-B", SCRIPT, "--build", HOST, "--board", "host", "--output", again)
    assert again.read_bytes() == output.read_bytes(), "the same build makes the same bill"
    assert str(harness.ROOT) not in output.read_text(), "no path of this machine"
    return json.loads(output.read_text())


def test_form_is_cyclonedx(bom):
    assert list(mistakes_of_form(bom, "bom")) == []
    assert list(mistakes_of_references(bom)) == []
    for one in [*bom["components"], *bom["formulation"][0]["components"]]:
        assert one.get("version") and one.get("licenses") and one.get("bom-ref"), one["name"]


def test_every_kind_of_mistake_is_found(bom):
    """The checks above can fail: each mistake is put in, one at a time."""
    def with_mistake(change):
        worse = copy.deepcopy(bom)
        change(worse)
        return [*mistakes_of_form(worse, "bom"), *mistakes_of_references(worse)]

    one = {"type": "library", "name": "x", "bom-ref": "x"}
    for change in (lambda b: b.pop("specVersion"), lambda b: b.update(colour="red"), lambda b: b["components"][0].pop("name"),
                   lambda b: b["components"][0].update(type="lib"), lambda b: b["components"][0].update(licenses=[{"license": {"id": "MIT License"}}]),
                   lambda b: b["components"][0].update(licenses=[{"license": {"id": "MIT"}, "expression": "MIT"}]),
                   lambda b: b["components"][0]["components"][0]["hashes"][0].update(content="ab"),
                   lambda b: b["components"][0].update(purl="deb/x"), lambda b: b["components"].extend([one, dict(one, name="y")]),
                   lambda b: b["dependencies"][0]["dependsOn"].append("nobody"), lambda b: b.update(serialNumber="1"), lambda b: b.update(version=True)):
        assert with_mistake(change), change
    without = copy.deepcopy(bom)
    without["components"] = [c for c in without["components"] if c["name"] not in ("libwolfssl35", "preact", "libwebsockets")]
    assert any("libwolfssl" in line for line in mistakes_of_shared(without, HOST / "forecourtd"))
    assert any("preact" in line for line in mistakes_of_page(without, HOST))
    assert any("libwebsockets.a" in line for line in mistakes_of_static(without, HOST, harness.ROOT / "build/deps"))
    for c in (older := copy.deepcopy(bom))["components"]:
        c["version"] = "0.1"
    older["components"].append({"name": "wolfssl", "version": "5.5.4-2+deb12u0", "purl": "pkg:deb/debian/wolfssl@5?arch=source",
                                "properties": [{"name": "forecourt:linkage", "value": "static"}]})
    assert any("wolfssl 5.5.4-2+deb12u0 is in it" in line for line in mistakes_of_age(older))
    older["components"].pop()
    for found in (mistakes_of_shared(older, HOST / "forecourtd"), mistakes_of_page(older, HOST),
                  mistakes_of_static(older, HOST, harness.ROOT / "build/deps")):
        assert list(found)


def test_program_and_libraries_are_those_that_run(bom):
    assert bom["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256((HOST / "forecourtd").read_bytes()).hexdigest()}]
    assert list(mistakes_of_shared(bom, HOST / "forecourtd")) == []
    assert list(mistakes_of_static(bom, HOST, harness.ROOT / "build/deps")) == []
    assert list(mistakes_of_age(bom)) == []
    lws = next(c for c in bom["components"] if c["name"] == "libwebsockets")
    header = (harness.ROOT / "build/deps/include/lws_config.h").read_text()
    number = ".".join(re.search(rf"#define LWS_LIBRARY_VERSION_{part} (\d+)", header).group(1) for part in ("MAJOR", "MINOR", "PATCH"))
    assert lws["version"].partition("-")[0] == number and lws["cpe"].split(":")[5] == number
    changed = set(re.findall(r"libwebsockets/(lib/[\w/-]+\.c)", (harness.ROOT / "boards/sources.sh").read_text()))
    assert len(changed) >= 7 and all(file in lws["pedigree"]["notes"] for file in changed), changed


def test_page_is_what_its_source_imports(bom):
    assert len(libraries_of(bom, "bundled")) > 10
    assert list(mistakes_of_page(bom, HOST)) == []


# What Debian's copyright file of a package must say for the licence that the bill gives it.
SAYS = {"MIT": r"Expat|MIT", "Zlib": r"freely, subject to the following restrictions", "blessing": r"public-domain|public domain",
        "GPL-2.0-or-later": r"GPL-2\+", "LGPL-2.1-or-later": r"LGPL-2\.1\+|Lesser General Public\s+License.*version 2\.1|LGPL-2\.1"}


def test_licences_are_debians(bom):
    seen = 0
    for component in libraries_of(bom, "shared"):
        text = pathlib.Path(f"/usr/share/doc/{component['name']}/copyright").read_text(errors="replace")
        licence = component["licenses"][0]["license"]["id"]
        assert re.search(SAYS[licence], text, re.S), (component["name"], licence)
        seen += 1
    assert seen >= 6


def test_what_built_it_is_named(bom):
    tools = {c["bom-ref"]: c for c in bom["formulation"][0]["components"]}
    assert {"tool:compiler", "tool:linker", "tool:make", "tool:kconfig-conf", "tool:node", "tool:esbuild"} <= set(tools)
    for one in tools.values():
        assert one["scope"] == "excluded"
        if one.get("purl", "").startswith("pkg:deb/"):
            assert command("dpkg-query", "-W", "-f", "${Version}", one["name"]) == one["version"]
    assert command("gcc", "-dumpfullversion").strip() in tools["tool:compiler"]["version"]
    assert command("node", "--version").strip().lstrip("v") in tools["tool:node"]["version"]


def box_builds():
    """Packages of cross builds that are there."""
    return sorted(p for p in harness.ROOT.glob("build/*/packages") if list(p.glob("*.cdx.json")) and not p.parent.name.startswith("host"))


def test_package_has_its_bill(tmp_path):
    """make package writes it beside the packages, of the very program that is in them."""
    command("/usr/bin/python3", "-B", SCRIPT.with_name("pack.py"), "--build", HOST, "--board", "host", "--output", tmp_path, "--quick", "--version", "1.0.9")
    for folder in [tmp_path, *box_builds()]:
        (path,) = folder.glob("*.cdx.json")
        bill = json.loads(path.read_text())
        assert [*mistakes_of_form(bill, "bom"), *mistakes_of_references(bill)] == []
        box = packages.read_package(next(p for p in folder.glob("forecourt_*.ipk")))
        own = bill["metadata"]["component"]
        assert f"{own['version']}" == box.version, folder
        assert own["hashes"][0]["content"] == hashlib.sha256(box.files["/usr/sbin/forecourtd"].data).hexdigest(), folder


@pytest.mark.parametrize("board", ["qemu-armv8", "cm4", "rockchip", "beaglebone"])
def test_a_cross_build_is_one_file_with_all_in_it(board, tmp_path):
    """Of a board's build: everything static, built from Debian's sources or Debian's cross compiler's own."""
    build = harness.ROOT / "build" / board
    if not (build / "forecourtd.map").exists():
        pytest.skip(f"SKIPPED: {board} was not built here")
    output = tmp_path / "forecourt.cdx.json"
    command("/usr/bin/python3", "-B", SCRIPT, "--build", build, "--board", board, "--output", output)
    bill = json.loads(output.read_text())
    assert [*mistakes_of_form(bill, "bom"), *mistakes_of_references(bill)] == []
    assert not libraries_of(bill, "shared") and not re.search(r"\(NEEDED\)", command("readelf", "-d", build / "forecourtd"))
    names = {c["name"] for c in libraries_of(bill, "static")}
    assert {"musl", "wolfssl", "libwebsockets", "lua5.4", "libmodbus", "sqlite3"} <= names
    arch = re.search(r"^arch := (\S+)", (harness.ROOT / "boards" / board / "toolchain.mk").read_text(), re.M).group(1)
    assert list(mistakes_of_static(bill, build, harness.ROOT / "build/cross" / arch)) == []
    assert list(mistakes_of_age(bill)) == []
