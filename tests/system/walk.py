"""A walk-through read as a test: what a page in lua/ says is done as it says it, and comes out as it says.

A page is Markdown. Its fenced blocks are steps, in their order:

  ```lua lua/operators/x.lua      (any language, then a path)   the file is written
  ```console                      each "$ command" is run; the lines below are what it prints
  ```json pushed METHOD           the newest message of that method that the platform got has these fields

In expected output "..." stands for anything within a line, a line of "..." for any number of lines. Everything else is text for people."""
import json
import os
import pathlib
import re
import subprocess

FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.M | re.S)


def steps(page):
    """(line, words of the fence, body) of each block."""
    text = pathlib.Path(page).read_text()
    return [(text.count("\n", 0, m.start()) + 1, m["info"].split(), m["body"]) for m in FENCE.finditer(text)]


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
    """A page on its way through a station. station: harness.Station; pushed(method): the newest message's tree, or None."""

    def __init__(self, page, station, pushed=None, variables=None):
        self.page, self.station, self.pushed = pathlib.Path(page), station, pushed
        self.environment = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_MESSAGES", "LANG")}
        self.environment.update(FORECOURT_SOCKET=str(station.control_socket), **(variables or {}))
        self.environment["PATH"] = f"{station.build}:{self.environment['PATH']}"
        self.done = 0

    def fail(self, line, what):
        raise AssertionError(f"{self.page.name}:{line}: {what}")

    def run(self, before=None):
        """Does all steps; before(line, words, body) is called ahead of each. Returns how many there were."""
        for line, words, body in steps(self.page):
            if before:
                before(line, words, body)
            if words[:1] == ["console"]:
                for command, expected in calls(body):
                    self.command(line, command, expected)
            elif words[:2] == ["json", "pushed"]:
                self.message(line, words[2], json.loads(body))
            elif len(words) == 2:
                path = self.station.folder / words[1]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(body)
            else:
                continue
            self.done += 1
        return self.done

    def command(self, line, command, expected):
        done = subprocess.run(["sh", "-c", command], cwd=self.station.folder, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        if os.environ.get("FORECOURT_WRITE"):  # for whoever writes a page
            print(f"$ {command}\n{done.stdout}", end="")
        elif not re.fullmatch(pattern(expected), done.stdout):
            self.fail(line, f"$ {command}\n--- the page says\n" + "\n".join(expected) + f"\n--- it prints\n{done.stdout}")

    def message(self, line, method, expected):
        def right():
            got = self.pushed(method)
            return got is not None and expected.items() <= got.items()

        try:
            self.station.until(right, 60, method)
        except AssertionError:
            self.fail(line, f"{method}: the page says\n{json.dumps(expected, ensure_ascii=False)}\n--- the platform got\n"
                            f"{json.dumps(self.pushed(method), ensure_ascii=False)}")
