#!/usr/bin/python3
"""Holds the table of tests/README.md ("What goes wrong in the field") against the tests: all 48 rows, and every test that it names is
one that exists and is run; every test named after a row stands in it."""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
ROWS = 48
NAME = r"[a-z][a-z0-9_]+"


def tests_that_run():
    """{name: file} of cmocka tests that a main lists, and of pytest functions."""
    found = {}
    for path in sorted((HERE / "unit").glob("test_*.c")):
        text = path.read_text()
        defined = set(re.findall(rf"^static void ({NAME})\(void \*\*state\)", text, re.M))
        listed = set(re.findall(rf"\b({NAME})\b", text[text.find("const struct CMUnitTest"):]))
        found |= {name: path.name for name in defined & listed}
    for path in sorted((HERE / "system").glob("test_*.py")):
        found |= {name: path.name for name in re.findall(rf"^def (test_{NAME})\(", path.read_text(), re.M)}
    return found


def rows_of(name):
    """row_11_and_12_left_over: {11, 12}."""
    match = re.match(r"row_(\d\d(?:_and_\d\d)*)_", name)
    return {int(n) for n in match[1].split("_and_")} if match else set()


def table():
    """{row: [test, ...]}"""
    text = (HERE / "README.md").read_text()
    rows = {}
    for number, tests in re.findall(r"^\| (\d+) \|[^|\n]*\|[^|\n]*\|([^|\n]*)\|$", text, re.M):
        rows[int(number)] = re.findall(rf"`({NAME})`", tests)
    return rows


def main():
    rows, tests, wrong = table(), tests_that_run(), []
    for number in range(1, ROWS + 1):
        if not rows.get(number):
            wrong.append(f"row {number} of chargers.md section 4 has no test in tests/README.md")
    for number, names in rows.items():
        for name in names:
            if name not in tests:
                wrong.append(f"row {number} names {name}, which is no test")
            elif rows_of(name) and number not in rows_of(name):
                wrong.append(f"row {number} names {name}, which is of another row")
    for name, path in tests.items():
        for number in rows_of(name):
            if name not in rows.get(number, []):
                wrong.append(f"{path}: {name} is not in row {number} of tests/README.md")
    print("\n".join(wrong) if wrong else f"rows: {ROWS} rows, {sum(len(n) for n in rows.values())} tests")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
