#!/usr/bin/env python3
"""Compares the #include "…" lines below src/ with the USES lists of its libraries (of a program: what it links).

usage: include_direction.py SRC

Four things must hold; each line printed breaks one of them:
 - every source belongs to one library, test or program of its folder, and so does its header; a header
   without a source that nothing names is a tool of the tests;
 - a file includes only its own library and what USES names, itself or through the libraries named;
 - headers that HEADERS does not name are the library's own, and its tests';
 - USES itself follows the layers: base < http, json < model < ranking < ports, services < operations < engine < front
   ends, and adapters (sources, stores, embedders, extractors) know what lies below operations, not each other.
"""

import pathlib
import re
import sys

# By the first part of a library's folder. A folder that is missing here has no place yet: give it one.
LAYERS = {
    "base": 0,
    "http": 1,
    "json": 1,
    "model": 2,
    "ranking": 3,
    "ports": 4,
    "services": 4,
    "operations": 5,
    "sources": 5,
    "stores": 5,
    "embedders": 5,
    "extractors": 5,
    "engine": 6,
    "cli": 7,
    "server": 7,
    "python": 7,
}
ADAPTERS = ("sources", "stores", "embedders", "extractors")
FRONT_ENDS = ("cli", "server", "python")

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
TARGET = re.compile(r"\b(bb5_library|bb5_test|add_library|add_executable)\s*\(([^()]*)\)")
LINKED = re.compile(r"\btarget_link_libraries\s*\(([^()]*)\)")
KEYWORDS = ("HEADERS", "SOURCES", "USES", "LINKS", "LABEL", "TIMEOUT")


class Target:
    """One bb5_library, bb5_test, program, or library of the tests (add_library)."""

    def __init__(self, kind, folder, words):
        self.is_library = kind == "bb5_library"
        self.is_test = kind in ("bb5_test", "add_library")
        self.name = words[0]
        self.folder = folder
        self.lists = {keyword: [] for keyword in KEYWORDS}
        keyword = "SOURCES" if kind.startswith("add_") else None
        for word in words[1:]:
            if word in KEYWORDS:
                keyword = word
            elif keyword:
                self.lists[keyword].append(word)

    @property
    def files(self):
        """As paths from src/; what the build generates is left out."""
        named = self.lists["HEADERS"] + self.lists["SOURCES"]
        return [(self.folder / name).as_posix() for name in named if "$" not in name and "." in name]

    @property
    def public_headers(self):
        return [(self.folder / name).as_posix() for name in self.lists["HEADERS"]]

    @property
    def uses(self):
        return [name.removeprefix("bb5::") for name in self.lists["USES"] if name.startswith("bb5::")]

    @property
    def part(self):
        return self.folder.parts[0] if self.folder.parts else ""


def read_targets(src):
    targets = []
    for listing in sorted(src.rglob("CMakeLists.txt")):
        text = re.sub(r"#.*", "", listing.read_text(encoding="utf-8"))
        of_folder = [Target(kind, listing.parent.relative_to(src), body.split()) for kind, body in TARGET.findall(text)]
        for body in LINKED.findall(text):
            name, *linked = body.split()
            for target in of_folder:
                if target.name == name:
                    target.lists["USES"].extend(linked)
        targets.extend(of_folder)
    return targets


def reachable(target, libraries):
    """Names of all libraries that the target may include, itself left out."""
    seen = set()
    waiting = list(target.uses)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in libraries:
            continue
        seen.add(name)
        waiting.extend(libraries[name].uses)
    return seen


def misdirected(user, used):
    """Why a library or program of ours may not use a library; nothing: it may."""
    if user.folder == used.folder:
        return None
    if user.part in ADAPTERS and used.part == "operations":
        return f"an adapter ({user.part}) must not know operations"
    if user.part in ADAPTERS and used.part in ADAPTERS:
        return f"adapters must not know each other ({user.part}, {used.part})"
    if user.part == "operations" and used.part in ADAPTERS:
        return f"operations know ports, not adapters ({used.part})"
    if user.part in FRONT_ENDS and used.part in ADAPTERS:
        return f"a front end ({user.part}) reaches {used.part} through the engine"
    if LAYERS[used.part] > LAYERS[user.part]:
        return f"{user.part} lies below {used.part}"
    return None


def check_uses(target, libraries):
    where = f"{target.folder.as_posix()}/CMakeLists.txt: {target.name} uses"
    for name in target.uses:
        if name not in libraries:
            yield f"{where} bb5::{name}, which is no library of ours"
        elif not target.is_test:
            why = misdirected(target, libraries[name])
            if why:
                yield f"{where} bb5::{name}: {why}"


def check_includes(src, path, target, owners, test_tools, libraries):
    text = (src / path).read_text(encoding="utf-8")
    allowed = reachable(target, libraries)
    for included in INCLUDE.findall(text):
        line = text[: text.index(f'"{included}"')].count("\n") + 1
        where = f'{path}:{line}: includes "{included}"'
        if target.is_test and (included.startswith("tests/") or included in test_tools):
            continue
        owner = owners.get(included)
        if owner is target:
            continue
        if included in test_tools or (owner and owner.is_test and not target.is_test):
            yield f"{where}, a tool of the tests"
        elif owner is None:
            yield f"{where}, which is no file of a library (includes start at src/)"
        elif owner.is_test:
            continue  # tests link what they need, or do not build
        elif owner.name not in allowed:
            yield f"{where}, but USES of {target.name} does not name bb5::{owner.name}"
        elif not target.is_test and target.folder != owner.folder and included not in owner.public_headers:
            yield f"{where}, which bb5::{owner.name} keeps to itself"


def findings(src):
    """Every breach, as `file: what`, in order of the files."""
    targets = read_targets(src)
    libraries = {target.name: target for target in targets if target.is_library}
    found = []
    for target in targets:
        if not target.is_test and target.part not in LAYERS:
            found.append(f"{target.folder.as_posix()}/CMakeLists.txt: no layer is given for {target.part}/ (tests/architecture)")
    if found:
        return found
    owners = {}
    for target in targets:
        found.extend(check_uses(target, libraries))
        for path in target.files:
            if path in owners and owners[path] is not target and not (target.is_test and owners[path].is_test):
                found.append(f"{path}: in {owners[path].name} and in {target.name}")
            owners.setdefault(path, target)
            if not (src / path).exists():
                found.append(f"{path}: {target.name} names it, but it is not there")
    present = sorted(p.relative_to(src).as_posix() for p in src.rglob("*.[hc]pp"))
    for path in present:
        source = path.removesuffix(".hpp") + ".cpp"
        if path.endswith(".hpp") and path not in owners and source in owners:
            owners[path] = owners[source]
    test_tools = {path for path in present if path.endswith(".hpp") and path not in owners}
    for path in present:
        if path in owners:
            found.extend(check_includes(src, path, owners[path], owners, test_tools, libraries))
        elif path not in test_tools:
            found.append(f"{path}: no library, test or program of its folder names it")
    return found


def main(arguments):
    if len(arguments) != 2 or arguments[1].startswith("-"):
        print(__doc__.strip())
        return 0 if arguments[1:] in (["-h"], ["--help"]) else 2
    found = findings(pathlib.Path(arguments[1]))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
