"""The packages: their forms by an independent reader, what is in them against the table in rootfs/README.md, installed, upgraded and removed by
opkg's and apk's rules in a root of their own, where the program runs. Of this machine's build, and of each cross build that is there."""
import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import time

import harness
import pytest

sys.path.insert(0, str(harness.ROOT / "tests/peers/openwrt"))
import packages  # noqa: E402

HOST = harness.ROOT / "build/host"
RECIPES = ("forecourt", "luci-app-forecourt", "libwebsockets-wolfssl")
STANDIN = harness.ROOT / "rootfs/package/standin"
LIMIT = 1536 * 1024
QEMU = {"aarch64": "qemu-aarch64-static", "arm": "qemu-arm-static"}
LIBRARIES = ("libwolfssl", "liblua5.4", "libmodbus", "libsqlite3", "zlib", "ca-bundle", "luci-base", "rpcd-mod-file")


def pack(tree, output, version="", board="host", build=HOST, quick=True, **more):
    words = ["/usr/bin/python3", "-B", tree / "rootfs/package/pack.py", "--build", build, "--board", board, "--output", output]
    words += ["--version", version] if version else []
    words += ["--quick"] if quick else []
    for key, value in more.items():
        words += [f"--{key}", value]
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True).stdout


def copy_tree(to):
    """The parts of the source that packages are made of."""
    for part in ("rootfs", "lua", "boards"):
        shutil.copytree(harness.ROOT / part, to / part, symlinks=True, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copy2(harness.ROOT / "LICENSE", to)
    return to


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Packages of this tree, and of one that is a version newer: another preset in the configuration, prices changed, one gone, one new."""
    base = tmp_path_factory.mktemp("packages")
    newer = copy_tree(base / "newer-tree")
    config = newer / "rootfs/etc/config/forecourt"
    config.write_text(config.read_text() + "\n# newer\n")
    policies = newer / "lua/policies"
    (policies / "flat.lua").write_text((policies / "flat.lua").read_text() + "-- newer\n")
    (policies / "member.lua").rename(policies / "member-new.lua")
    pack(harness.ROOT, base / "old", "1.0.9")
    pack(newer, base / "new", "1.0.10")
    return base


def of(folder, name, form):
    return next(p for p in folder.glob(f"*.{form}") if re.match(rf"{name}[_-]\d", p.name))


@pytest.mark.parametrize("form", ["ipk", "apk"])
def test_packages_keep_the_rules_of_their_form(made, form):
    box = packages.read_package(of(made / "old", "forecourt", form))
    page = packages.read_package(of(made / "old", "luci-app-forecourt", form))
    assert (box.name, box.version, box.arch) == ("forecourt", "1.0.9-r1", os.uname().machine)
    assert page.arch == {"ipk": "all", "apk": "noarch"}[form]
    assert page.depends == ["luci-base", "rpcd-mod-file", "forecourt"]
    # This machine's build is no static one: it asks for libraries by the feeds' names.
    assert box.depends == ["libwolfssl", "liblua5.4", "libmodbus", "libsqlite3", "zlib", "ca-bundle"]
    assert box.recommends == (["kmod-can-raw", "kmod-usb-serial"] if form == "ipk" else [])
    assert "kmod-can-raw" in box.description and "kmod-usb-serial" in box.description
    assert box.userid == "forecourt=1443:forecourt=1443:dialout=20"
    # apk keeps by itself what was edited in /etc.
    assert "/etc/config/forecourt" in box.conffiles and ("/etc/forecourt/lua/policies/flat.lua" in box.conffiles) == (form == "ipk")
    assert not [c for c in box.conffiles if c.startswith("/usr/")]


def test_the_same_source_gives_the_same_bytes(made, tmp_path):
    pack(harness.ROOT, tmp_path, "1.0.9")
    for path in (made / "old").iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def readme_rows():
    text = (harness.ROOT / "rootfs/README.md").read_text()
    section = text.split("### What lands where", 1)[1].split("\n\n**", 1)[0]
    return re.findall(r"^\| `(/[^`]+)` \|", section, re.M)


@pytest.mark.parametrize("form", ["ipk", "apk"])
def test_what_is_in_them_is_what_the_readme_says(made, form):
    rows, found = readme_rows(), {}
    for name in ("forecourt", "luci-app-forecourt"):
        package = packages.read_package(of(made / "old", name, form))
        found.update({p: f for p, f in package.files.items() if f.kind != "dir" and not p.startswith("/lib/apk/packages/")})
    assert len(rows) > 20
    unsaid = [p for p in found if not any(fnmatch.fnmatchcase(p, row) for row in rows)]
    assert not unsaid, f"not in rootfs/README.md: {unsaid}"
    empty = [row for row in rows if not fnmatch.filter(found, row)]
    assert not empty, f"rootfs/README.md says more than is there: {empty}"
    for path, f in found.items():
        programs = path == "/usr/sbin/forecourtd" or path.startswith(("/etc/init.d/", "/etc/uci-defaults/", "/etc/hotplug.d/"))
        want = 0o600 if path.startswith("/etc/config/") else 0o755 if programs else 0o644
        assert f.kind == "link" or f.mode == want, f"{path}: {f.mode:o}"
    assert found["/usr/bin/forecourt"].target == "../sbin/forecourtd"
    assert found["/usr/share/forecourt/lua"].target == "/etc/forecourt/lua"
    listed = {}
    for line in (made / "old" / "contents.txt").read_text().splitlines():
        _, mode, size, owner, path, *_ = line.split()
        if not path.endswith("/"):
            listed[path] = (int(mode, 8), int(size), owner)
    assert listed == {p: (f.mode, len(f.data), "0/0") for p, f in found.items()}


def test_everything_of_the_source_that_the_box_wants_is_in_them(made):
    package = packages.read_package(of(made / "old", "forecourt", "ipk"))
    for folder in ("profiles", "operators", "policies", "lib"):
        for path in (harness.ROOT / "lua" / folder).glob("*.lua"):
            assert package.files[f"/etc/forecourt/lua/{folder}/{path.name}"].data == path.read_bytes()
    for top in ("etc", "lib"):
        for path in (harness.ROOT / "rootfs" / top).rglob("*"):
            name = "/" + str(path.relative_to(harness.ROOT / "rootfs"))
            assert path.is_dir() or name in package.files, f"{name} is in no package"
    assert not [p for p in package.files if p.endswith((".ts", ".tsx", ".mjs", ".map", ".debug"))]
    assert b".debug_info" not in package.files["/usr/sbin/forecourtd"].data


# The recipes ---------------------------------------------------------------------------------------------------------

def recipe(name, target, folder=None, check=True, **variables):
    words = ["make", "-s", "--no-print-directory", "-C", folder or harness.ROOT / "rootfs/package" / name, f"TOPDIR={STANDIN}"]
    words += [f"{k}={v}" for k, v in variables.items()] + [target]
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=check)


def said(name, tmp_path):
    recipe(name, "standin-meta", META=tmp_path)
    return {p.name: p.read_text().strip() for p in (tmp_path / name).iterdir()}


def test_the_daemons_recipe_asks_for_what_it_is_built_with(tmp_path):
    meta = said("forecourt", tmp_path)
    assert meta["depends"].split() == ["+libwolfssl", "+liblua5.4", "+libmodbus", "+libsqlite3", "+zlib", "+ca-bundle",
                                       "+FORECOURT_CAN:kmod-can-raw", "+FORECOURT_USB_SERIAL:kmod-usb-serial"]
    symbols = re.findall(r"^config (\w+)", meta["config"], re.M)
    assert symbols == ["FORECOURT_CAN", "FORECOURT_USB_SERIAL", "FORECOURT_ADMIN", "FORECOURT_MAX_CONNECTORS"]
    assert meta["config"].count("depends on PACKAGE_forecourt") == len(symbols)
    # What is chosen there makes the package anew.
    assert meta["config_depends"].split() == [f"CONFIG_{s}" for s in symbols]
    assert meta["build_depends"].split() == ["libwebsockets-wolfssl"]
    assert meta["license"] == "MIT" and meta["userid"].startswith("forecourt=")
    assert meta["version"] == subprocess.run(["sh", "rootfs/package/version.sh"], cwd=harness.ROOT, capture_output=True, text=True,
                                             check=True).stdout.strip() + "-r1"


@pytest.mark.parametrize("can", ["y", ""])
def test_the_daemons_recipe_compiles_and_links_what_was_chosen(tmp_path, can):
    """Build/Prepare, Build/Configure and Build/Compile as the SDK runs them; of the last what it would run."""
    said_ = recipe("forecourt", "standin-build", PKG_BUILD_DIR=tmp_path / "build", STAGING_DIR="/staging", TARGET_CC="target-gcc",
                   TARGET_AR="target-ar", TARGET_CFLAGS="-Otarget", TARGET_CPPFLAGS="-Itarget", TARGET_LDFLAGS="-Ltarget",
                   CONFIG_FORECOURT_CAN=can, CONFIG_FORECOURT_ADMIN="y", CONFIG_FORECOURT_MAX_CONNECTORS="32", MAKE="make -n").stdout
    compiled = re.findall(r"^target-gcc .* -c -o \S+ (core/\S+\.c)$", said_, re.M)
    assert "core/main/main.c" in compiled and "core/cli/main.c" in compiled and "core/admin/routes.c" in compiled
    assert ("core/bus/can_raw.c" in compiled) == bool(can)
    assert all("-Otarget" in line and "-Itarget" in line for line in said_.splitlines() if line.startswith("target-gcc") and " -c " in line)
    version = said("forecourt", tmp_path)["version"].rpartition("-r")[0]
    assert f"-DFORECOURT_VERSION='\"{version}\"'" in said_
    link = re.search(r"^target-gcc .* -o build/openwrt/forecourtd .*$", said_, re.M).group()
    for word in ("-Ltarget", "/staging/usr/lib/forecourt/lib/libwebsockets.a", "-lwolfssl", "-llua5.4", "-lsqlite3",
                 "-lmodbus", "-lz"):
        assert word in link.split(), word
    assert "CONFIG_MAX_CONNECTORS=32" in (tmp_path / "build/build/openwrt/.config").read_text()


def test_what_the_feeds_lack_is_built_and_not_installed(tmp_path):
    name = "libwebsockets-wolfssl"
    meta = said(name, tmp_path)
    assert meta["buildonly"] == "1" and not meta["provides"] and not meta["conflicts"]
    text = (harness.ROOT / "rootfs/package" / name / "Makefile").read_text()
    assert not re.search(r"^define Package/\S+/install", text, re.M)
    # In the staging tree it lies apart from the feeds' own.
    places = re.findall(r"\$\(1\)/usr/\S+", text.split("define Build/InstallDev", 1)[1].split("endef", 1)[0])
    assert places and all(p.startswith("$(1)/usr/lib/forecourt/") for p in places)
    assert re.search(r"^PKG_HASH := [0-9a-f]{64}$", text, re.M)


def test_libwebsockets_is_changed_as_our_own_builds_change_it():
    change = r"sed -i(?: -e)? ('[^']+')"
    ours = re.findall(change, (harness.ROOT / "boards/sources.sh").read_text())
    text = (harness.ROOT / "rootfs/package/libwebsockets-wolfssl/Makefile").read_text().replace("$(SED)", "sed -i -e")
    ours = [c for c in ours if "buflist" in c]
    assert len(ours) == 1 and re.findall(change, text) == ours


def test_long_frames_are_bounded_in_libwebsockets_on_32_bits_in_either_build(tmp_path):
    theirs = harness.ROOT / "rootfs/package/libwebsockets-wolfssl"
    script = [line.strip() for line in (theirs / "frame-length.sed").read_text().splitlines() if not line.startswith("#")]
    ours = re.search(r"sed -i '(/LEN64_8.*?)' \"\$file\"", (harness.ROOT / "boards/sources.sh").read_text(), re.S).group(1)
    assert script == [line.strip() for line in ours.splitlines()]
    # What the recipe runs after its source is unpacked, over files that have what is changed.
    build = tmp_path / "libwebsockets-wolfssl"
    step = "#if defined __LP64__\n\t\twsi->ws->rx_packet_length |= ((size_t)c) << 0;\n#endif\n"
    frame = ("\tcase LEN64_8:\n#if defined __LP64__\n\t\twsi->ws->rx_packet_length = ((size_t)c) << 56;\n#else\n\t\twsi->ws->rx_packet_length = 0;\n#endif\n"
             + "".join(f"\tcase LEN64_{n}:\n{step}" for n in (7, 6, 5)) + "\tcase LEN64_4:\n\t\twsi->ws->rx_packet_length |= ((size_t)c) << 24;\n")
    server = "\t/* own buflist, we need to deal with that first */\n\t\twhile (1) {\n"
    closes = "".join(f'\t\t\tlws_close_free_wsi(wsi, 0,\n\t\t\t\t"{why}");\n\t\t\treturn 0;\n\t\tother();\n\t\treturn 0;\n' for why in ("chs", "cws"))
    connect = "lws_http_client_connect_via_info2(x)\nbail:\n\treturn NULL;\nlws_client_connect_via_info(x)\nbail:\n\tlws_free(wsi);\n"
    files = {"lib/roles/ws/ops-ws.c": frame, "lib/roles/ws/client-parser-ws.c": frame, "lib/roles/http/server/server.c": server,
             "lib/core-net/client/connect.c": connect, "lib/roles/http/client/client-http.c": closes}
    for name, text in files.items():
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        (build / name).write_text(text)
    recipe("libwebsockets-wolfssl", "standin-build", PKG_BUILD_DIR=build, SED="sed -i -e")
    for name in list(files)[:2]:
        text = (build / name).read_text()
        assert text.count("if (c)\n\t\t\twsi->ws->rx_packet_length = 0x7fffffff;\n#endif") == 3 and "= c ? 0x7fffffff : 0;" in text
    # A connection without memory leaves its host's list before it is given back, and nothing else is changed there.
    text = (build / "lib/core-net/client/connect.c").read_text()
    assert re.search(r"info\(x\)\nbail:\n\tif .*\{\n\t\tlws_bind_protocol\(wsi, NULL, .*unbind_wsi\(wsi\);.*\}\n\tlws_free\(wsi\);", text, re.S)
    assert text.startswith(connect.split("lws_client_")[0])
    text = (build / "lib/roles/http/client/client-http.c").read_text()
    assert text == closes.replace('s");\n\t\t\treturn 0;', 's");\n\t\t\treturn -1;')
    (build / "lib/roles/ws/ops-ws.c").write_text("another version\n")
    (build / "lib/roles/http/server/server.c").write_text(server)
    assert recipe("libwebsockets-wolfssl", "standin-build", check=False, PKG_BUILD_DIR=build, SED="sed -i -e").returncode != 0


def test_every_package_of_every_recipe_is_said(tmp_path):
    for name in RECIPES:
        assert recipe(name, "standin-names").stdout.split() == [name]


@pytest.mark.parametrize("line, complaint", [("  TITLE :=", "TITLE is empty"), ("PKG_LICENSE :=", "PKG_LICENSE is empty"),
                                             ("  SECTION :=", "SECTION is empty")])
def test_a_recipe_that_lacks_something_is_refused(tmp_path, line, complaint):
    folder = copy_tree(tmp_path) / "rootfs/package/luci-app-forecourt"
    text = (folder / "Makefile").read_text()
    assert line in text
    (folder / "Makefile").write_text(re.sub(f"^{re.escape(line)}.*$", line, text, flags=re.M))
    done = recipe("", "standin-names", folder=folder, check=False)
    assert done.returncode and complaint in done.stderr


def test_versions_follow_the_tags(tmp_path):
    shutil.copy2(harness.ROOT / "rootfs/package/version.sh", tmp_path)

    def git(*words):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words], cwd=tmp_path, check=True, capture_output=True)

    def version():
        return subprocess.run(["sh", "version.sh"], cwd=tmp_path, capture_output=True, text=True, check=False)

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "one")
    assert version().stdout == "0.0.0.1\n"
    git("tag", "-a", "v1.2.3", "-m", "v1.2.3")
    assert version().stdout == "1.2.3\n"
    git("commit", "-q", "--allow-empty", "-m", "two")
    assert version().stdout == "1.2.3.1\n"
    git("tag", "-a", "v2-beta", "-m", "v2-beta")
    assert version().returncode and "no version that packages can have" in version().stderr


# The reader itself ---------------------------------------------------------------------------------------------------

def again(path, to, change):
    """The same .ipk with its tars made anew after change(name of the part, member, data) -> data."""
    import gzip
    import io

    def remake(part, raw):
        out = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(raw))) as old, tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as new:
            for info in old:
                data = old.extractfile(info).read() if info.isfile() else b""
                if info.name.endswith(".tar.gz"):
                    data = remake(info.name, data)
                data = change(part, info, data)
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))
        return gzip.compress(out.getvalue(), mtime=0)

    to.write_bytes(remake("package", path.read_bytes()))
    return to


@pytest.mark.parametrize("what, complaint", [("owner", "not root's"), ("writable", "others may write"), ("conffile", "is none of its files"),
                                             ("size", "Installed-Size"), ("form", "form b'3.0")])
def test_the_reader_finds_what_is_wrong_with_an_ipk(made, tmp_path, what, complaint):
    def change(part, info, data):
        if what == "owner" and info.name == "./usr/sbin/forecourtd":
            info.uid = 1000
        if what == "writable" and info.name == "./etc/init.d/forecourt":
            info.mode = 0o777
        if what == "conffile" and info.name == "./conffiles":
            data += b"/etc/nowhere\n"
        if what == "size" and info.name == "./control":
            data = re.sub(rb"(Installed-Size: )\d+", rb"\g<1>1", data)
        if what == "form" and info.name == "./debian-binary":
            data = b"3.0\n"
        return data

    path = of(made / "old", "forecourt", "ipk")
    same = again(path, tmp_path / path.name, lambda part, info, data: data)
    assert packages.read_package(same).name == "forecourt"
    with pytest.raises(packages.Broken, match=complaint):
        packages.read_package(again(path, tmp_path / path.name, change))


def test_the_reader_finds_what_is_wrong_with_an_apk(made, tmp_path):
    path = of(made / "old", "luci-app-forecourt", "apk")
    raw = path.read_bytes()
    _, head, data = packages.gunzip_first(raw, "head")
    body = packages.gunzip_first(data, "data")[0]
    import gzip
    broken = tmp_path / path.name
    broken.write_bytes(head + gzip.compress(body, 1, mtime=0))
    with pytest.raises(packages.Broken, match="datahash"):
        packages.read_package(broken)
    changed = body.replace(b"Forecourt", b"forecourT", 1)
    data = gzip.compress(changed, mtime=0)
    info = packages.gunzip_first(head, "head")[0]
    old, new = (packages.hashlib.sha256(d).hexdigest().encode() for d in (raw[len(head):], data))
    broken.write_bytes(gzip.compress(info.replace(old, new), mtime=0) + data)
    with pytest.raises(packages.Broken, match="checksum"):
        packages.read_package(broken)


# A life on a box -----------------------------------------------------------------------------------------------------

class Box:
    """A root with a package manager, in which the installed program runs on a port of this machine."""

    def __init__(self, root, form):
        self.root = packages.make_root(root)
        self.run = packages.chroot_runner(root)
        # Of this machine's build; a box's asks for none.
        packages.libraries(self.root, HOST / "forecourtd")
        kind = packages.Opkg if form == "ipk" else packages.Apk
        self.manager = kind(root, os.uname().machine, self.run, provided=LIBRARIES)
        self.form, self.port = form, harness.free_port()

    def install(self, folder, *names):
        for name in names or ("forecourt", "luci-app-forecourt"):
            self.manager.said = ""
            self.manager.install(packages.read_package(of(folder, name, self.form)))
        return self.manager.said

    def file(self, path):
        return self.root / path.lstrip("/")

    def service(self, action):
        return subprocess.run(["chroot", self.root, "/etc/init.d/forecourt", action], capture_output=True, text=True, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def runs(self):
        return self.service("running").returncode == 0

    def status(self, within=20):
        """What the installed command line says, once the daemon answers."""
        end = time.monotonic() + within
        while True:
            done = subprocess.run(["chroot", self.root, "/usr/bin/forecourt", "status", "--json"], capture_output=True, text=True, check=False)
            if not done.returncode:
                return json.loads(done.stdout)
            assert time.monotonic() < end, done.stdout + done.stderr + self.log()
            time.sleep(0.2)

    def log(self):
        return "".join(p.read_text(errors="replace") for p in (self.file("/tmp/procd.forecourt.log"), self.file("/tmp/system.log")) if p.exists())

    def configure(self):
        """What an operator does first: an edited configuration."""
        self.file("/etc/config/forecourt").write_text(
            "config gateway 'gateway'\n\toption operator_id '123456789'\n\toption data_dir '/srv/forecourt'\n"
            f"\toption lua_dir '/etc/forecourt/lua'\nconfig admin 'admin'\n\toption tls '0'\n\toption port '{self.port}'\n# mine\n")

    def acted(self):
        return [line.split()[1] for line in self.file("/tmp/rc.log").read_text().splitlines() if line.startswith("forecourt ")]

    def forget(self):
        self.file("/tmp/rc.log").write_text("")


@pytest.fixture(params=["ipk", "apk"])
def box(request, tmp_path):
    if os.geteuid():
        pytest.skip("chroot is root's")
    box = Box(tmp_path / "box", request.param)
    yield box
    pid = box.file("/tmp/procd.forecourt.pid")
    if pid.exists():
        box.service("stop")


def test_installed_it_is_enabled_and_runs_from_where_it_was_put(made, box):
    box.install(made / "old")
    assert "forecourt:x:1443:1443:" in box.file("/etc/passwd").read_text()
    group = box.file("/etc/group").read_text()
    assert "forecourt:x:1443:" in group and "dialout:x:20:forecourt" in group
    assert os.readlink(box.file("/etc/rc.d/S95forecourt")) == "../init.d/forecourt"
    assert {"enable", "start"} <= set(box.acted())
    # The board's defaults are for once.
    assert not box.file("/etc/uci-defaults/60-forecourt-board").exists()
    # As it was installed, with nothing set up.
    status = box.status()
    assert status["config"] == "/etc/config/forecourt" and status["connectors"]["all"] == 0
    # The board's defaults, which ran before: orders where the power does not take them, Lua where it may be edited.
    assert status["data_dir"] == "/srv/forecourt"
    assert "option lua_dir '/etc/forecourt/lua'" in box.file("/etc/config/forecourt").read_text()
    said_ = subprocess.run(["chroot", box.root, "/usr/sbin/forecourtd", "--check"], capture_output=True, text=True, check=True).stdout
    assert "/etc/config/forecourt: good" in said_
    box.configure()
    box.service("restart")
    status = box.status()
    assert status["data_dir"] == "/srv/forecourt"
    page = subprocess.run(["curl", "-s", "--compressed", f"http://127.0.0.1:{box.port}/"], capture_output=True, text=True, check=True).stdout
    assert "<html" in page and "assets/" in page


def test_an_upgrade_keeps_what_was_edited_and_starts_the_new_program(made, box):
    box.install(made / "old")
    box.configure()
    mine = box.file("/etc/forecourt/lua/policies/four-period.lua")
    mine.write_text(mine.read_text() + "-- mine\n")
    box.service("restart")
    first = box.status()
    assert box.file("/srv/forecourt").is_dir()
    journal = {p.name for p in box.file("/srv/forecourt").iterdir()}
    before = box.file("/tmp/procd.forecourt.pid").read_text()
    box.forget()
    box.install(made / "new")
    # opkg stops it in between, apk starts it anew; nobody enables or disables it.
    assert box.runs() and box.file("/tmp/procd.forecourt.pid").read_text() != before
    assert not {"enable", "disable"} & set(box.acted())
    assert box.status()["version"] == first["version"]
    assert journal <= {p.name for p in box.file("/srv/forecourt").iterdir()}
    other = {"ipk": "-opkg", "apk": ".apk-new"}[box.form]
    config = box.file("/etc/config/forecourt")
    assert config.read_text().endswith("# mine\n")
    assert config.with_name(config.name + other).read_text().endswith("# newer\n")
    # The integrator's stays, and what came is the same as it was: there is nothing to lay beside it.
    assert mine.read_text().endswith("-- mine\n") and not mine.with_name(mine.name + other).exists()
    policies = box.file("/etc/forecourt/lua/policies")
    assert (policies / "flat.lua").read_text().endswith("-- newer\n")
    assert (policies / "member-new.lua").exists() and not (policies / "member.lua").exists()


def test_what_was_stopped_stays_stopped_over_an_upgrade(made, box):
    box.install(made / "old")
    box.configure()
    box.service("stop")
    box.service("disable")
    assert not box.runs()
    box.install(made / "new")
    assert not box.runs() and not box.file("/etc/rc.d/S95forecourt").exists()
    # Only over the upgrade.
    box.service("start")
    box.status()


def test_removal_stops_it_and_leaves_what_is_not_the_packages(made, box):
    box.install(made / "old")
    box.configure()
    box.service("restart")
    box.status()
    key = box.file("/etc/forecourt/admin.key")
    key.write_text("a key\n")
    box.manager.remove("luci-app-forecourt")
    box.manager.said = ""
    box.manager.remove("forecourt")
    assert not box.file("/tmp/procd.forecourt.pid").exists() and not box.file("/etc/rc.d/S95forecourt").exists()
    assert "/srv/forecourt" in box.manager.said and "/etc/forecourt" in box.manager.said
    assert list(box.file("/srv/forecourt").iterdir())
    assert key.exists() and box.file("/etc/config/forecourt").read_text().endswith("# mine\n")
    assert not box.file("/usr/sbin/forecourtd").exists() and not box.file("/usr/share/forecourt").exists()
    assert not box.file("/etc/init.d/forecourt").exists() and not box.file("/usr/bin/forecourt").is_symlink()


@pytest.mark.parametrize("form", ["ipk", "apk"])
def test_in_an_image_it_is_enabled_and_not_started(made, tmp_path, form):
    """As an image is built: the root is a folder (IPKG_INSTROOT), nothing of it may run."""
    root = tmp_path / "image"
    for folder in ("etc/init.d", "etc/rc.d", "etc/config", "tmp", "usr/share/forecourt"):
        (root / folder).mkdir(parents=True)
    shutil.copytree(harness.ROOT / "tests/peers/openwrt/plain", root, dirs_exist_ok=True)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")

    def run(name, words, environment):
        env = {**os.environ, **environment, "IPKG_INSTROOT": str(root)}
        done = subprocess.run(["sh", root / name.lstrip("/"), *words], env=env, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr
        return done.stdout

    kind = packages.Opkg if form == "ipk" else packages.Apk
    manager = kind(root, os.uname().machine, run, provided=LIBRARIES)
    manager.install(packages.read_package(of(made / "old", "forecourt", form)))
    assert (root / "tmp/rc.log").read_text().split() == ["forecourt", "enable"]
    assert os.readlink(root / "etc/rc.d/S95forecourt") == "../init.d/forecourt"
    assert "forecourt:x:1443:" in (root / "etc/passwd").read_text()
    # The first start does these.
    assert (root / "etc/uci-defaults/60-forecourt-board").exists()


def test_a_package_of_another_kind_of_box_is_refused(made, tmp_path):
    root = tmp_path / "box"
    root.mkdir()
    manager = packages.Opkg(root, "mipsel_24kc", provided=LIBRARIES)
    with pytest.raises(packages.Broken, match="this is mipsel_24kc"):
        manager.install(packages.read_package(of(made / "old", "forecourt", "ipk")))
    done = subprocess.run(["/usr/bin/python3", "-B", harness.ROOT / "rootfs/package/pack.py", "--build", HOST, "--board", "host", "--arch",
                           "mipsel_24kc", "--quick", "--output", tmp_path / "out"], capture_output=True, text=True, check=False)
    assert done.returncode and "the package would be for mipsel_24kc" in done.stderr


# Cross builds --------------------------------------------------------------------------------------------------------

def cross_builds():
    return [p.parent for p in sorted((harness.ROOT / "build").glob("*/forecourtd"))
            if (harness.ROOT / "boards" / p.parent.name / "toolchain.mk").exists()]


@pytest.mark.parametrize("build", cross_builds(), ids=lambda p: p.name)
def test_a_boxs_package_is_small_and_its_program_runs(build, tmp_path):
    www = build / "www"
    if not (www / "index.html.gz").exists():
        pytest.skip(f"{build.name}: no page built")
    words = {"strip": shutil.which("aarch64-linux-gnu-strip") or "strip"}
    machine = int.from_bytes((build / "forecourtd").read_bytes()[18:20], "little")
    if machine == 40:
        words["strip"] = shutil.which("arm-linux-gnueabihf-strip") or "strip"
    pack(harness.ROOT, tmp_path / "out", board=build.name, build=build, quick=False, **words)
    for form in ("ipk", "apk"):
        path = of(tmp_path / "out", "forecourt", form)
        package = packages.read_package(path)
        size = path.stat().st_size
        print(f"measured: {build.name}: {path.name}: {size} bytes, limit {LIMIT}")
        assert package.depends == ["ca-bundle"] and size <= LIMIT
        assert package.arch.startswith("aarch64_" if machine == 183 else "arm_")
        program = tmp_path / f"forecourtd-{form}"
        program.write_bytes(package.files["/usr/sbin/forecourtd"].data)
        program.chmod(0o755)
    qemu = shutil.which(QEMU["arm" if machine == 40 else "aarch64"])
    if not qemu:
        pytest.skip(f"{build.name}: no qemu to run it with")
    version = subprocess.run([qemu, program, "--version"], capture_output=True, text=True, check=True).stdout
    assert re.match(r"forecourtd \S+\n", version)
    # By the link's name it is the command line.
    help_ = subprocess.run([qemu, "-0", "/usr/bin/forecourt", program, "help"], capture_output=True, text=True, check=False)
    assert "connectors" in help_.stdout + help_.stderr
