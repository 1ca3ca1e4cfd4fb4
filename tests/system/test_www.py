"""The page's files: what the build makes of them, both languages, and that a phone can read the QR codes."""
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess

import harness
import pytest

WWW = harness.ROOT / "rootfs/www"
SRC = WWW / "src"
MODULES = harness.ROOT / "build/www-work/node_modules"


def bundle(source, to, *more):
    esbuild = MODULES / ".bin/esbuild"
    if not shutil.which("node") or not esbuild.exists():
        pytest.skip("SKIPPED: node or esbuild (make web) is not here")
    subprocess.run([esbuild, source, "--bundle", "--format=esm", f"--outfile={to}", "--jsx=automatic", "--jsx-import-source=preact",
                    "--log-level=warning", *more], check=True, env={**os.environ, "NODE_PATH": str(MODULES)})


def test_arithmetic_and_addresses(tmp_path):
    entry = tmp_path / "parts.ts"
    entry.write_text("".join(f'export * as {name} from "{SRC / name}";\n' for name in ("format", "router", "text")))
    bundle(entry, tmp_path / "parts.mjs")
    done = subprocess.run(["node", "--test", harness.ROOT / "tests/web/unit_parts.mjs"], capture_output=True, text=True, check=False,
                          env={**os.environ, "PARTS": str(tmp_path / "parts.mjs"), "TZ": "Asia/Shanghai"})
    assert done.returncode == 0, done.stdout[-4000:]
    assert "# pass 0" not in done.stdout


def test_both_languages_take_the_same_arguments():
    """That no key is missing, the type checker sees; here: that no argument is lost in translation."""
    seen = 0
    for path in sorted((SRC / "text").glob("*.ts")):
        found = {}
        for key, words in re.findall(r'(?<![\w"])"?([\w.]+)"?: "((?:[^"\\]|\\.)*)"', path.read_text()):
            found.setdefault(key, []).append(words)
        for key, both in found.items():
            if len(both) != 2:
                continue
            en, zh = both
            seen += 1
            assert en and zh, f"{path.name}: {key} is empty"
            names = [set(re.findall(r"\{(\w+)\}", words)) for words in both]
            assert names[0] == names[1], f"{path.name}: {key}: {en!r} and {zh!r}"
    assert seen > 200


def test_nothing_that_the_policy_would_stop():
    """No style or script in HTML, and nobody else is asked for anything."""
    for path in sorted([*SRC.rglob("*.ts"), *SRC.rglob("*.tsx"), *SRC.rglob("*.html"), *SRC.rglob("*.css")]):
        text = path.read_text()
        for bad in (r"dangerouslySetInnerHTML", r"\.innerHTML\s*=", r"insertAdjacentHTML", r"document\.write", r"\beval\(", r"new Function\(",
                    r"style=\"", r"<style", r"\son\w+=\"", r"url\(\s*['\"]?https?:", r"@import\s+(url\()?['\"]https?:"):
            assert not re.search(bad, text), f"{path.name}: {bad}"
        for address in re.findall(r"https?://[^\s\"'`)]+", text):
            # The last three are shapes that a text shows, no addresses.
            assert address.startswith(("http://www.w3.org/", "https://box", "${", "https://host[", "https://主机[", "http://…")), f"{path.name} names {address}"


def test_the_lock_names_no_registry():
    lock = json.loads((WWW / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"].startswith("sha512-"), name
    for kind in ("dependencies", "devDependencies"):
        for name, version in json.loads((WWW / "package.json").read_text())[kind].items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} {version} is no one version"


def test_the_build_hangs_together():
    www = pathlib.Path(os.environ.get("FORECOURT_BUILD", harness.ROOT / "build/host")) / "www"
    if not (www / "index.html.gz").exists():
        pytest.skip("SKIPPED: the page is not built (make web)")
    index = gzip.decompress((www / "index.html.gz").read_bytes()).decode()
    named = re.findall(r'(?:href|src)="([^"]+)"', index)
    assert [name[:7] for name in named if name.endswith(".js")] == ["assets/"], "the first view is one script"
    for name in named:
        assert name.startswith("api/") or (www / f"{name}.gz").exists(), name
    assert "<script>" not in index and "<style" not in index
    scripts = {p.name: gzip.decompress(p.read_bytes()).decode() for p in (www / "assets").glob("*.js.gz")}
    for name, script in scripts.items():
        for other in re.findall(r'"\./([\w.-]+\.js)"', script):
            assert f"{other}.gz" in scripts, f"{name} wants {other}"
    everything = sum(p.stat().st_size for p in www.rglob("*.gz"))
    print(f"the page weighs {everything} bytes, gzip'd")
    assert everything <= 300_000


@pytest.mark.parametrize("bytes_, result", [(1000, 0), (60_000, 1)])
def test_a_page_that_is_too_heavy_is_not_built(tmp_path, bytes_, result):
    if not shutil.which("node"):
        pytest.skip("SKIPPED: node is not here")
    work, out = tmp_path / "work", tmp_path / "out"
    (work / "src").mkdir(parents=True)
    (out / "assets").mkdir(parents=True)
    for name in ("index.html", "icon.svg"):
        shutil.copy(SRC / name, work / "src")
    (out / "assets/main-A.js").write_bytes(os.urandom(bytes_))
    (out / "assets/all-B.css").write_text("a{}")
    (work / "meta.json").write_text(json.dumps(dict(outputs={
        "assets/main-A.js": dict(entryPoint="src/main.tsx", imports=[]), "assets/all-B.css": dict(entryPoint="src/all.css", imports=[])})))
    done = subprocess.run(["node", WWW / "pack.mjs", work, out], capture_output=True, text=True, check=False)
    assert done.returncode == result, done.stdout + done.stderr


@pytest.mark.parametrize("text", ["hlht://11010500010011.123456789/", "hlht://" + "9" * 26 + ".MA5G0ABCD/", "hlht://充电站01.123456789/"])
def test_a_qr_code_is_read(tmp_path, text):
    """Drawn by the page, painted by Chromium, read by ZBar."""
    chromium, zbar = shutil.which("chromium"), shutil.which("zbarimg")
    if not chromium or not zbar:
        pytest.skip("SKIPPED: chromium or zbarimg is not here")
    entry = tmp_path / "entry.ts"
    entry.write_text(f'import {{ qrFile }} from "{SRC / "qr"}";\nprocess.stdout.write(qrFile(process.argv[2]!));\n')
    bundle(entry, tmp_path / "qr.mjs", "--platform=node")
    svg = tmp_path / "code.svg"
    svg.write_text(subprocess.run(["node", tmp_path / "qr.mjs", text], capture_output=True, text=True, check=True).stdout)
    assert "<script" not in svg.read_text() and svg.read_text().count("<path") == 1
    image = tmp_path / "code.png"
    subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=400,400",
                    f"--screenshot={image}", svg.as_uri()], check=True, capture_output=True, timeout=120)
    said = subprocess.run([zbar, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", image], capture_output=True, text=True, check=False).stdout
    assert said.strip() == text


def test_the_way_from_luci(tmp_path):
    """The files that OpenWrt's LuCI and rpcd read, and where their view leads."""
    root = harness.ROOT / "rootfs"
    menu = json.loads((root / "usr/share/luci/menu.d/luci-app-forecourt.json").read_text())["admin/services/forecourt"]
    acl = json.loads((root / "usr/share/rpcd/acl.d/luci-app-forecourt.json").read_text())
    assert menu["action"]["type"] == "view"
    assert set(menu["depends"]["acl"]) == set(acl)
    assert "write" not in acl["luci-app-forecourt"] and not acl["luci-app-forecourt"]["read"]
    view = root / f"htdocs/luci-static/resources/view/{menu['action']['path']}.js"
    if not shutil.which("node"):
        pytest.skip("SKIPPED: node is not here")
    # LuCI makes a function of the file and hands it what it requires.
    runner = tmp_path / "run.js"
    runner.write_text("""
const source = require("fs").readFileSync(process.argv[2], "utf8"), [admin, host] = JSON.parse(process.argv[3]);
const sections = admin ? [admin] : [];
const E = (tag, attributes, children) => ({ tag, attributes, children });
const made = new Function("view", "uci", "L", "E", "_", "window", source)(
  { extend: (it) => it }, { load: () => Promise.reject(), sections: () => sections }, { resolveDefault: (p, d) => p.catch(() => d) }, E, (t) => t, { location: { hostname: host } });
made.load().then(() => console.log(JSON.stringify(made.render())));
""")

    def rendered(admin, host="192.168.1.1"):
        return subprocess.run(["node", runner, view, json.dumps([admin, host])], capture_output=True, text=True, check=True).stdout
    assert '"href":"https://192.168.1.1:8443/"' in rendered(None)
    assert "127.0.0.1 only" not in rendered(None)
    assert '"href":"https://box.lan:9000/"' in rendered(dict(port="9000", address="0.0.0.0"), "box.lan")
    assert '"href":"https://[fd00::1]:8443/"' in rendered(dict(address="::"), "fd00::1")
    assert '"href":"http://box:80/"' in rendered(dict(tls="0", port="80", address="0.0.0.0"), "box")
    assert "127.0.0.1 only" in rendered(dict(port="8443"))
    assert "switched off" in rendered(dict(enabled="0")) and "href" not in rendered(dict(enabled="0"))
