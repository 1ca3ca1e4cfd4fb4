"""What a board's box begins with (boards/NAME/defaults): merged into an empty configuration it is valid, no two boards want the same box,
and the board's README names what the defaults use."""
import fnmatch
import os
import re
import subprocess

import harness
import pytest

BOARDS = harness.ROOT / "boards"
NAMES = sorted(p.parent.name for p in BOARDS.glob("*/defaults"))
# What issue 7 wants; more may come.
WANTED = {"host", "qemu-armv8", "cm4", "rockchip", "beaglebone"}
# Names that boxes have: OpenWrt's /tmp/sysinfo/board_name.
BOXES = {
    "raspberrypi,4-compute-module": "cm4", "raspberrypi,4-model-b": "cm4", "friendlyarm,nanopi-r4s": "rockchip",
    "friendlyarm,nanopi-r2s": "rockchip", "ti,am335x-bone-black": "beaglebone", "linux,dummy-virt": "qemu-armv8", "unknown,box": None,
}


def read(name):
    """patterns, mount points, sections [(type, name, {option: value})] of a board's defaults."""
    comments, sections = {}, []
    for line in (BOARDS / name / "defaults").read_text().splitlines():
        comment = re.match(r"# (board|data):(.*)", line)
        head = re.match(r"config (\S+) '([\w-]+)'$", line)
        option = re.match(r"\toption (\S+) '([^']*)'$", line)
        if comment:
            assert comment[1] not in comments, line
            comments[comment[1]] = comment[2].split()
        elif head:
            sections.append((head[1], head[2], {}))
        elif option:
            sections[-1][2][option[1]] = option[2]
        else:
            assert not line or line.startswith("# "), line
    return comments.get("board"), comments.get("data", []), sections


def test_the_boards_that_there_must_be():
    assert WANTED <= set(NAMES)
    for name in NAMES:
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", name)
        assert (BOARDS / name / "README.md").exists(), name


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_valid_on_an_empty_box(name, tmp_path):
    daemon = harness.ROOT / os.environ.get("FORECOURT_BUILD", "build/host") / "forecourtd"
    patterns, mounts, sections = read(name)
    assert patterns is not None, "no '# board:' line"
    assert all(m.startswith("/mnt/") for m in mounts)
    merged = {("gateway", "gateway"): dict(operator_id="123456789", data_dir=tmp_path, lua_dir=harness.ROOT / "lua")}
    for kind, section, options in sections:
        if kind == "led":  # OpenWrt's own, in /etc/config/system
            assert {"name", "sysfs", "trigger"} <= set(options)
            continue
        merged.setdefault((kind, section), {})
        merged[kind, section].update(options)
    config = tmp_path / "forecourt"
    config.write_text("".join(harness.section(kind, section, **options) for (kind, section), options in merged.items()))
    said = subprocess.run([daemon, "--check", "-c", config], capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    buses = sum(kind == "bus" for kind, _ in merged)
    assert f" {buses} bus(es)" in said.stdout and buses >= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_names_what_the_defaults_use(name):
    readme = (BOARDS / name / "README.md").read_text()
    patterns, mounts, sections = read(name)
    wanted = [options[key] for _, _, options in sections for key in ("device", "sysfs") if key in options]
    for word in wanted + mounts[:1]:
        assert word in readme or word.rsplit(":", 1)[-1] in readme, word
    for heading in ("RS-485", "CAN", "LED", "atchdog", "ata"):
        assert heading in readme, heading


def test_each_box_is_one_boards():
    for box, wanted in BOXES.items():
        found = [name for name in NAMES if any(fnmatch.fnmatchcase(box, p) for p in read(name)[0])]
        assert found == ([wanted] if wanted else []), (box, found)
