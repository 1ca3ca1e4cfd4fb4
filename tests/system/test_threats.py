"""tests/threats.py, which holds core/THREATS.md in `make check`: the page is good, and each kind of mistake in it is found."""
import subprocess

import harness
import pytest

PAGE = harness.ROOT / "core/THREATS.md"
CLAIM = "| the last administrator can't be lost"


def judged(path):
    done = subprocess.run(["/usr/bin/python3", "-B", harness.ROOT / "tests/threats.py", path], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_the_page_is_held():
    assert judged(PAGE) == (0, "threats: every claim has its test\n")


MISTAKES = [
    ("unit/test_guard.c::the_last_administrator_stays", "unit/test_guard.c::nobody_stays", "nobody_stays: no such test"),
    ("unit/test_guard.c::the_last_administrator_stays", "unit/test_nobody.c::x", "no such file"),
    ("unit/test_guard.c::the_last_administrator_stays", "unit/test_guard.c", "names no test"),
    # A helper of the tests' is none.
    ("unit/test_guard.c::the_last_administrator_stays", "unit/test_guard.c::add", "add: no such test"),
    ("system/test_admin.py::test_tokens", "system/test_admin.py::account", "pytest does not take it"),
    ("web/change.test.mjs::a backup holds no secret in clear", "web/change.test.mjs::a backup holds", "no such test"),
    ("`admin.www`, ", "", "option admin.www"),
    ("`admin.www`", "`admin.wwww`", "admin.wwww is no option"),
    ("`lua_save`, ", "", "command lua_save is not in the class"),
    ("`lua_save`", "`lua_save`, `lua_sell`", "names lua_sell"),
    ("`bus/port.c`", "", "core/bus/port.c makes a socket"),
]


@pytest.mark.parametrize("old,new,said", MISTAKES)
def test_mistakes_are_found(tmp_path, old, new, said):
    text = PAGE.read_text()
    if old not in text:
        text = text.replace("`system/test_admin.py::test_the_cookie`", f"`{old}`")
    assert old in text
    page = tmp_path / "THREATS.md"
    page.write_text(text.replace(old, new))
    code, out = judged(page)
    assert code == 1 and said in out


def test_a_claim_wants_a_test(tmp_path):
    page = tmp_path / "THREATS.md"
    page.write_text(PAGE.read_text().replace(CLAIM, "| nobody ever harms anybody | see above |\n" + CLAIM))
    code, out = judged(page)
    assert code == 1 and "claim without a test: nobody ever harms anybody" in out


@pytest.mark.parametrize("how", ["@pytest.mark.skip(reason='x')\ndef test_x():\n    assert 1\n", "@pytest.mark.xfail\ndef test_x():\n    assert 1\n",
                                 "def test_x():\n    \"\"\"Some day.\"\"\"\n    pytest.skip('x')\n    assert 1\n", "def test_y():\n    assert 1\n"])
def test_a_test_that_is_always_skipped_is_none(how):
    code = f"import sys; sys.path.insert(0, {str(harness.ROOT / 'tests')!r}); import threats; print(threats.python_test({how!r}, 'test_x'))"
    said = subprocess.run(["/usr/bin/python3", "-B", "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert said
    good = subprocess.run(["/usr/bin/python3", "-B", "-c", code.replace(repr(how), repr("def test_x():\n    assert 1\n"))], capture_output=True, text=True,
                          check=True).stdout.strip()
    assert not good
