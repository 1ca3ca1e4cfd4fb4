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


LUCI = """
const source = require("fs").readFileSync(process.argv[2], "utf8"), given = JSON.parse(process.argv[3]), asked = [];
const sections = given.admin ? [given.admin] : [];
const E = (tag, attributes, children) => ({ tag, attributes, children });
const fs = { exec: (path, words, environment) => { asked.push(`${path} ${words.join(" ")}`);
  const said = given.said[`${words[0]} ${environment.LANG}`] || given.said[words[0]];
  return said ? Promise.resolve(said) : Promise.reject(new Error("XHR request failed")); } };
const rpc = { declare: (call) => (name) => { asked.push(`${call.object} ${call.method} ${name}`);
  return given.runs === null ? Promise.reject() : Promise.resolve({ [name]: { instances: { instance1: { running: given.runs } } } }); } };
const made = new Function("view", "fs", "rpc", "poll", "uci", "L", "E", "_", "window", "document", source)(
  { extend: (it) => it }, fs, rpc, { add: () => 0 }, { load: () => Promise.reject(), sections: () => sections },
  { resolveDefault: (p, d) => p.catch(() => d) }, E, (t) => t, { location: { hostname: given.host } }, { documentElement: { lang: given.lang } });
made.load().then((found) => console.log(JSON.stringify({ page: made.render(found), asked })));
"""


def test_the_way_from_luci(tmp_path):
    """The files that OpenWrt's LuCI and rpcd read: what their view shows, what it asks, and where it leads."""
    root = harness.ROOT / "rootfs"
    menu = json.loads((root / "usr/share/luci/menu.d/luci-app-forecourt.json").read_text())["admin/services/forecourt"]
    acl = json.loads((root / "usr/share/rpcd/acl.d/luci-app-forecourt.json").read_text())
    assert menu["action"]["type"] == "view"
    assert set(menu["depends"]["acl"]) == set(acl)
    rights = acl["luci-app-forecourt"]
    # Nothing is changed from there, and the configuration holds secrets.
    assert "write" not in rights and "uci" not in rights["read"]
    view = root / f"htdocs/luci-static/resources/view/{menu['action']['path']}.js"
    if not shutil.which("node"):
        pytest.skip("SKIPPED: node is not here")
    # LuCI makes a function of the file and hands it what it requires.
    runner = tmp_path / "run.js"
    runner.write_text(LUCI)
    status = dict(version="1.2.3", time="2026-11-22 12:00:00", clock_trusted=True, connectors=dict(all=12, charging=3, idle=8, fault=1, offline=0),
                  orders=dict(open=3, waiting=0, disputed=1), platforms=[dict(name="city", linked=True), dict(name="group", linked=False)])
    alarms = dict(alarms=[dict(since=1700000000, name="A1", cause="earth fault", kind="x")] * 12)
    good = dict(status=dict(code=0, stdout=json.dumps(status)), alarms=dict(code=0, stdout=json.dumps(alarms)))

    def rendered(admin=None, host="192.168.1.1", lang="en", runs=True, said=good):
        given = dict(admin=admin, host=host, lang=lang, runs=runs, said=said)
        done = json.loads(subprocess.run(["node", runner, view, json.dumps(given)], capture_output=True, text=True, check=True).stdout)
        # rpcd grants these and nothing else.
        granted = {*rights["read"]["file"], *(f"{o} {m} forecourt" for o, methods in rights["read"]["ubus"].items() for m in methods)}
        assert set(done["asked"]) == granted
        return json.dumps(done["page"], ensure_ascii=False, separators=(",", ":"))
    page = rendered()
    for text in ("running", "1.2.3", "12: 3 charging, 8 idle, 1 fault", "3 open, 1 disputed", "city: linked", "group: not linked",
                 "A1: earth fault", "and 2 more", "2026-11-22 12:00:00 (set)"):
        assert text in page, text
    alarms["alarms"][0]["text"] = "接地故障"
    page = rendered(lang="zh-cn", said={**good, "alarms zh_CN.UTF-8": dict(code=0, stdout=json.dumps(alarms))})
    for text in ("A1: 接地故障", "运行中", "12: 3 充电，8 空闲，1 故障", "3 未结束，1 有争议", "city: 已连接", "另有 2 条", "管理页面"):
        assert text in page, text
    assert "does not run: /etc/init.d/forecourt start" in rendered(runs=False, said=dict(status=dict(code=1, stderr="no daemon")))
    assert "does not answer yet: no daemon" in rendered(said=dict(status=dict(code=1, stderr="no daemon\n")))
    # Where rpcd refuses, that is what is told.
    assert "does not answer yet: XHR request failed" in rendered(said={})
    assert "not running" in rendered(runs=None, said={})
    assert '"href":"https://192.168.1.1:8443/"' in rendered()
    assert "127.0.0.1 only" not in rendered()
    assert '"href":"https://box.lan:9000/"' in rendered(dict(port="9000", address="0.0.0.0"), "box.lan")
    assert '"href":"https://[fd00::1]:8443/"' in rendered(dict(address="::"), "fd00::1")
    assert '"href":"http://box:80/"' in rendered(dict(tls="0", port="80", address="0.0.0.0"), "box")
    assert "127.0.0.1 only" in rendered(dict(port="8443"))
    assert "switched off" in rendered(dict(enabled="0")) and "href" not in rendered(dict(enabled="0"))
    # Every text has its Chinese.
    source = view.read_text()
    said_texts = set(re.findall(r"say\('([^']+)'\)", source)) | set(re.findall(r"row\('([^']+)'", source))
    table = source[source.index("const chinese"):source.index("};")]
    missing = [text for text in said_texts if f"'{text}':" not in table]
    assert len(said_texts) > 10 and not missing, missing
