#!/usr/bin/python3
"""Holds core/THREATS.md against the tree: a page of claims is worth what keeps it true.
  - every `file::test` that it names exists and runs: defined, registered, and not skipped whatever the machine
  - every claim (a row under "What defends each entry") names one
  - every option of the configuration that opens, reaches or protects something is in it as `section.option`
  - every command is in the row of its class, by the tables of core/control
  - every file of core/ that makes a socket or connects is named at an entry
Options and commands are read from the tables in core/config/README.md and core/control/README.md, which unit tests hold against the code."""
import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# What opens, reaches, or protects, by name; a new option with such a name wants a word in the threat model.
TELLING = re.compile(r"(address|port|host|url|path|device|dir|socket|certificate|key|ca|www|watchdog|secret|secret_iv|password_hash|tls|verify|user|listen"
                     r"|profile|mapping|policy|exchange|client_name|bring_up|listen_only|max_viewers|pull_s)$")
# Names that only sound so: what a station tells of itself.
HARMLESS = {"station.address", "charger.meter_address", "device.meter_address"}
CALLS = re.compile(r"\b(socket|socketpair|modbus_new_\w+|lws_client_connect_via_info|getaddrinfo)\s*\(")
# What such calls are that make no entry of their own.
INSIDE = {"base/log.c", "loop/http_server.c", "loop/tls.c"}


def code_of(path):
    """A C file without its comments and without what is switched off."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return re.sub(r"^#if 0$.*?^#endif$", "", text, flags=re.S | re.M)


def python_test(text, name):
    found = re.search(rf"((?:^@.*\n(?:^[ \t)].*\n)*)*)^def {re.escape(name)}\(.*\):\n((?:(?:[ \t].*)?\n)*)", text, re.M)
    if not found:
        return "no such test"
    if not name.startswith("test_"):
        return "pytest does not take it for a test"
    if re.search(r"@pytest\.mark\.(skip\(|skip$|xfail)", found.group(1), re.M):
        return "is skipped, whatever the machine"
    body = re.sub(r'^\s*""".*?"""\s*', "", found.group(2), flags=re.S).lstrip()
    if re.match(r"pytest\.(skip|xfail)\(", body):
        return "is skipped, whatever the machine"
    return "" if re.search(r"^pytestmark = .*mark\.skip\b", text, re.M) is None else "its whole file is skipped"


def c_test(path, name):
    text = code_of(path)
    defined = re.search(rf"^static void {re.escape(name)}\(void \*\*\w*\)\n\{{\n(.*?)^\}}", text, re.M | re.S)
    if not defined:
        return "no such test"
    if len(re.findall(rf"\b{re.escape(name)}\b", text)) < 2:
        return "is not registered"
    body = re.sub(r"^\s*\(void\)\s*state;\s*", "", defined.group(1))
    return "is skipped, whatever the machine" if re.match(r"\s*skip\(\)", body) else ""


def script_test(text, name):
    found = re.search(rf'\b(?:test|it)(\.skip|\.todo)?\("{re.escape(name)}"(.*)', text)
    if not found:
        return "no such test"
    return "is skipped" if found.group(1) or re.search(r"\bskip: true", found.group(2)) else ""


def trouble_of(reference):
    """Why `file::test` shows nothing; empty when it does."""
    name, _, test = reference.partition("::")
    path = ROOT / "tests" / name
    if not path.is_file():
        return "no such file"
    if not test:
        return "names no test" if path.suffix in (".py", ".c", ".mjs") else ""
    if path.suffix == ".py":
        return python_test(path.read_text(), test)
    if path.suffix == ".c":
        return c_test(path, test)
    return script_test(path.read_text(), test)


def section(text, title):
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if not found:
        sys.exit(f"threats: core/THREATS.md has no section \"{title}\"")
    return found.group(1)


def rows_of(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")]


def options():
    """(section.option) of every option, by the table of core/config/README.md."""
    kind = None
    for line in (ROOT / "core/config/README.md").read_text().splitlines():
        if heading := re.match(r"### config (\w+) ", line):
            kind = heading.group(1)
        elif kind and (option := re.match(r"\| `(?:list )?(\w+)` \|", line)):
            yield f"{kind}.{option.group(1)}"


def commands():
    for line in (ROOT / "core/control/README.md").read_text().splitlines():
        if found := re.match(r"\| `(\w+)` \| (viewer|operator|integrator|administrator) \| (looks|acts) \|", line):
            yield found.groups()


def problems(text):
    named = set()
    claims = 0
    for row in rows_of(section(text, "What defends each entry")):
        if row[0] in ("claim", "---"):
            continue
        claims += 1
        shown = re.findall(r"`([\w./-]+(?:::[^`]+)?)`", row[1]) if len(row) == 2 else []
        if not shown:
            yield f"claim without a test: {row[0][:90]}"
        for reference in shown:
            named.add(reference)
            if trouble := trouble_of(reference):
                yield f"{reference}: {trouble}"
    if claims < 40 or len(named) < 80:
        yield f"only {claims} claims and {len(named)} tests were found: the page's form has changed"

    entries = section(text, "Where one comes in")
    known = list(options())
    if len(known) < 100:
        yield "the tables of core/config/README.md were not found"
    for option in known:
        if TELLING.search(option.partition(".")[2]) and option not in HARMLESS and f"`{option}`" not in entries:
            yield f"option {option} opens or reaches something and is at no entry"
    for option in re.findall(r"`((?:gateway|admin|listen|station|bus|device|charger|connector|platform)\.\w+)`", entries):
        if option not in known:
            yield f"{option} is no option"

    classes = {row[0]: re.findall(r"`(\w+)`", row[2]) for row in rows_of(section(text, "Commands by who may")) if len(row) == 3}
    told = list(commands())
    if len(told) < 40:
        yield "the table of core/control/README.md was not found"
    for name, role, deed in told:
        if name not in classes.get(f"{role} {deed}", []):
            yield f"command {name} is not in the class \"{role} {deed}\""
    for kind, names in classes.items():
        for name in names:
            if not any((name, kind) == (n, f"{r} {d}") for n, r, d in told):
                yield f"\"{kind}\" names {name}, which is no command of it"

    for path in sorted((ROOT / "core").glob("*/*.c")):
        name = f"{path.parent.name}/{path.name}"
        if path.parent.name != "sim" and name not in INSIDE and CALLS.search(code_of(path)) and f"`{name}`" not in entries:
            yield f"core/{name} makes a socket or connects and is at no entry"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", nargs="?", type=pathlib.Path, default=ROOT / "core/THREATS.md")
    found = list(problems(parser.parse_args().page.read_text()))
    print("\n".join(f"threats: {line}" for line in found) if found else "threats: every claim has its test")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
