"""A walk-through read as a test: what a page in lua/ says is done as it says it, and comes out as it says.

A page is Markdown. Its fenced blocks and marks are steps, in their order:

  ```lua lua/operators/x.lua      (any language, then a path)   the file is written
  ```lua lua/operators/x.lua 4-9  those lines of it are replaced
  ```console                      each "$ command" is run; the lines below are what it prints
  ```console until                the same, but asked again until it prints that: for what takes a moment, and only asks
  ```json pushed METHOD           the newest message of that method that the platform got has these fields
  <!-- test: NAME -->             the test's function of that name: what the world does (a car comes), or one more proof

In expected output "..." stands for anything within a line, a line of "..." for any number of lines. Everything else is text for people."""
import json
import os
import pathlib
import re
import subprocess
import time

STEP = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$|^<!-- test: (?P<mark>.*?) -->$", re.M | re.S)
PATIENCE = int(os.environ.get("FORECOURT_PATIENCE", "120"))  # seconds; longer than any machine needs


def steps(page):
    """(line, words of the fence or ["test", name], body) of each step."""
    text = pathlib.Path(page).read_text()
    return [(text.count("\n", 0, m.start()) + 1, ["test", m["mark"]] if m["mark"] else m["info"].split(), m["body"])
            for m in STEP.finditer(text)]


def calls(body):
    """(command, lines expected) of a console block; a command goes on in lines that begin with "> "."""
    found = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0] += "\n" + line[2:]
        else:
            found[-1][1].append(line)
    return found


def pattern(lines):
    """What the expected lines match, as one expression over the whole output."""
    parts = []
    for line in lines:
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(re.escape(piece) for piece in line.rstrip().split("...")) + r"[ \t]*\n")
    return "".join(parts)


class Walk:
    """A page on its way through a station. station: harness.Station; pushed(method): the newest message's tree, or None;
    does: the functions that the page's marks name, each of which the page must name."""

    def __init__(self, page, station, pushed=None, does=None):
        self.page, self.station, self.pushed, self.does = pathlib.Path(page), station, pushed, does or {}
        self.environment = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_MESSAGES", "LANG")}
        self.environment.update(FORECOURT_SOCKET=str(station.control_socket))
        self.environment["PATH"] = f"{station.build}:{self.environment['PATH']}"

    def fail(self, line, what):
        raise AssertionError(f"{self.page.name}:{line}: {what}")

    def run(self):
        """Does all steps. Returns how many there were."""
        done, named = 0, set()
        for line, words, body in steps(self.page):
            if words[:1] == ["test"]:
                if words[1] not in self.does:
                    self.fail(line, f"the test has no {words[1]}")
                named.add(words[1])
                self.does[words[1]]()
            elif words[:1] == ["console"]:
                for command, expected in calls(body):
                    self.command(line, command, expected, PATIENCE if words[1:] == ["until"] else 0)
            elif words[:2] == ["json", "pushed"]:
                self.message(line, words[2], json.loads(body))
            elif len(words) in (2, 3):
                self.write(self.station.folder / words[1], body, words[2:])
            else:
                continue
            done += 1
        assert named == set(self.does), f"{self.page.name} does not name {set(self.does) - named}"
        return done

    @staticmethod
    def write(path, body, lines):
        if lines:
            first, last = map(int, lines[0].split("-"))
            old = path.read_text().splitlines(keepends=True)
            assert 1 <= first <= last <= len(old), (path, lines)
            body = "".join(old[:first - 1]) + body + "".join(old[last:])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)

    def command(self, line, command, expected, patience):
        end = time.monotonic() + patience
        while True:
            done = subprocess.run(["sh", "-c", command], cwd=self.station.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
            right = re.fullmatch(pattern(expected), done.stdout)
            if right or time.monotonic() >= end:
                break
            time.sleep(0.2)
        if os.environ.get("FORECOURT_WRITE"):  # for whoever writes a page
            print(f"$ {command}\n{done.stdout}", end="" if right else f"^^^ {self.page.name}:{line} says otherwise\n")
        elif not right:
            self.fail(line, f"$ {command}\n--- the page says\n" + "\n".join(expected) + f"\n--- it prints\n{done.stdout}")

    def message(self, line, method, expected):
        def right():
            got = self.pushed(method)
            return got is not None and expected.items() <= got.items()

        try:
            self.station.until(right, PATIENCE, method)
        except AssertionError:
            self.fail(line, f"{method}: the page says\n{json.dumps(expected, ensure_ascii=False)}\n--- the platform got\n"
                            f"{json.dumps(self.pushed(method), ensure_ascii=False)}")
