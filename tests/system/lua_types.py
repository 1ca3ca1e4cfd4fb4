"""The annotations for editors in lua/types: messages.lua is made from forecourtd --messages; readers of the others."""
import re


def fields_of(text):
    """{class: {field: optional}} of a file of annotations."""
    classes, current = {}, None
    for line in text.splitlines():
        if found := re.match(r"---@class ([\w.]+)", line):
            current = classes.setdefault(found[1], {})
        elif found := re.match(r'---@field (?:\["(?=.*?"\]))?(\w+)(?:"\])?(\??) ', line):
            current[found[1]] = bool(found[2])
        elif not line.startswith("---"):
            current = None
    return classes


def functions_of(text):
    """{name: [parameters]} of the functions that a file declares."""
    return {name: re.findall(r"\w+", parameters)
            for name, parameters in re.findall(r"(?m)^function ([\w.:]+)\((.*?)\) end$", text)}


def calls_of(reference):
    """{name: [parameters] or None for a value} of forecourtd --lua-api."""
    found = {}
    for name, parameters in re.findall(r"(?m)^\| `([\w.:]+)(\(.*?\))?` \|", reference):
        found[name] = re.findall(r"\w+", parameters) if parameters else None
    return found


def lua_type(form, name):
    if form.startswith("text") or form in ("date", "date-time"):
        return "string"
    if form == "integer":
        return "integer"
    if form.startswith("decimal"):
        return "number"
    return {"list of objects": f"{name}[]", "list of texts": "string[]", "object": name}[form]


def read_messages(text):
    """[(method, {part: [(path, required, form)]})] of forecourtd --messages."""
    messages = []
    for line in text.splitlines():
        if found := re.match(r"### (\w+) ", line):
            messages.append((found[1], {"request": [], "answer": []}))
        elif found := re.match(r"\| (request|answer) \| `(.+?)` \| (yes|no) \| (.+?) \|", line):
            messages[-1][1][found[1]].append((found[2].replace("[]", ""), found[3] == "yes", found[4]))
    return messages


def message_classes(method, part, rows):
    """The classes of one part: its own, then those of the objects in it."""
    classes = {"": []}
    for path, required, form in rows:
        parent, _, field = path.rpartition(".")
        kind = lua_type(form, f"message.{method}.{part}.{path}")
        classes[parent].append(f"---@field {field}{'' if required else '?'} {kind}")
        if "object" in form:
            classes[path] = []
    for path, fields in classes.items():
        yield "\n".join([f"---@class message.{method}.{part}{'.' + path if path else ''}"] + fields)


def messages_lua(text):
    messages = read_messages(text)
    blocks = ["---@meta forecourt.messages\n"
              "-- For editors (LuaLS): the messages of the standard, as a mapping's functions get them. Nothing loads this file.\n"
              "-- Made from forecourtd --messages by tests/system/test_lua_api.py (FORECOURT_WRITE=1 writes it anew)."]
    for kind, title in (("paths", "string"), ("methods", "boolean")):
        blocks.append("\n".join([f"---@class forecourt.mapping.{kind}"] + [f"---@field {method}? {title}" for method, _ in messages]))
    blocks.append("\n".join(["---@class forecourt.mapping.map"] +
                            [f"---@field {method}? forecourt.mapping.map.{method}" for method, _ in messages]))
    for method, parts in messages:
        blocks.append("\n".join([f"---@class forecourt.mapping.map.{method}"] + [
            f"---@field {part}? fun(message: message.{method}.{part}, context: forecourt.mapping.context): table" for part in parts]))
        for part, rows in parts.items():
            blocks.extend(message_classes(method, part, rows))
    return "\n\n".join(blocks) + "\n"
