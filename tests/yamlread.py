"""yamlread: as much of YAML as our own documents use: block mappings and lists, flow mappings and lists on one line, double-quoted and plain scalars.

    yamlread.load(text) -> dicts, lists, strings, numbers, booleans, None
Anything else (anchors, tags, multi-line strings, tabs) is a ValueError with its line."""
import json
import re

_PLAIN = {"true": True, "false": False, "null": None, "": None}


def _scalar(text):
    if text.startswith('"'):
        return json.loads(text)
    if text in _PLAIN:
        return _PLAIN[text]
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if text[0] in "&*!|>'%@`":
        raise ValueError("not in our subset: " + text)
    return text


class _Flow:
    def __init__(self, text):
        self.text, self.at = text, 0

    def skip(self):
        while self.text[self.at:self.at + 1] == " ":
            self.at += 1

    def value(self):
        self.skip()
        start = self.text[self.at:self.at + 1]
        if start == "{":
            return self.items("}", lambda out: out.update([self.pair()]), {})
        if start == "[":
            return self.items("]", lambda out: out.append(self.value()), [])
        if start == '"':
            text, used = json.JSONDecoder().raw_decode(self.text[self.at:])
            self.at += used
            return text
        found = re.match(r"[^,\]}{\[]*", self.text[self.at:]).group()
        self.at += len(found)
        return _scalar(found.strip())

    def pair(self):
        self.skip()
        if self.text[self.at] == '"':
            name = self.value()
        else:
            name = re.match(r"[^:,{}\[\]]+", self.text[self.at:]).group()
            self.at += len(name)
            name = int(name) if name.isdigit() else name.strip()
        self.skip()
        if self.text[self.at] != ":":
            raise ValueError("no ':' in " + self.text)
        self.at += 1
        return name, self.value()

    def items(self, end, take, out):
        self.at += 1
        self.skip()
        while self.text[self.at] != end:
            take(out)
            self.skip()
            if self.text[self.at] == ",":
                self.at += 1
                self.skip()
            elif self.text[self.at] != end:
                raise ValueError("unexpected " + self.text[self.at:])
        self.at += 1
        return out


def _inline(text):
    if text[:1] not in ("{", "["):
        return _scalar(text)
    flow = _Flow(text)
    value = flow.value()
    if flow.text[flow.at:].strip():
        raise ValueError("behind the end: " + text)
    return value


def _block(lines, at, indent):
    """(value, next line) of the block whose lines have this indent."""
    listed = lines[at][1].startswith("- ")
    out = [] if listed else {}
    while at < len(lines) and lines[at][0] == indent:
        text = lines[at][1]
        if listed:
            out.append(_inline(text[2:].strip()))
            at += 1
            continue
        found = re.fullmatch(r'("(?:[^"\\]|\\.)*"|[^":{\[][^:]*):(?: +(.*))?', text)
        if not found:
            raise ValueError("no mapping: " + text)
        name = json.loads(found.group(1)) if found.group(1).startswith('"') else found.group(1)
        name = int(name) if name.isdigit() and not found.group(1).startswith('"') else name
        if name in out:
            raise ValueError("twice: " + text)
        at += 1
        if found.group(2):
            out[name] = _inline(found.group(2))
        elif at < len(lines) and lines[at][0] > indent:
            out[name], at = _block(lines, at, lines[at][0])
        else:
            out[name] = None
    if at < len(lines) and lines[at][0] > indent:
        raise ValueError("indented too far: " + lines[at][1])
    return out, at


def load(text):
    lines = []
    for line in text.splitlines():
        if "\t" in line:
            raise ValueError("a tab: " + line)
        if line.strip() and not line.lstrip().startswith("#"):
            lines.append((len(line) - len(line.lstrip()), line.strip()))
    value, at = _block(lines, 0, lines[0][0])
    if at != len(lines):
        raise ValueError("indented too little: " + lines[at][1])
    return value
