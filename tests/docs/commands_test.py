"""Every command that the documents show is run, and what they show as its output is compared.

In a page, a block of commands is marked by the comment before it:

    <!-- test: NAME -->            run it; blocks of one name run in one folder, in the order of the page
    <!-- test: NAME exit 3 -->     run it; its last command ends with this code
    <!-- test: NAME servers -->    run it where PostgreSQL and Neo4j are at hand
    <!-- test: NAME exact -->      run it; `…` in its output means itself
    <!-- not run: WHY -->          shown only

A ```text block right behind it is what it prints, standard output and standard error together: `…` stands for
anything within a line, and alone on a line for any number of lines. The folder holds `memory/`, a copy of the
sample store, and `samples/`; `bb5-memory` on PATH is the program under test.

    BB5_MEMORY=build/dev/bin/bb5-memory tests/docs/commands_test.py --update

writes what was printed into the blocks that are exact or hold no `…`.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "samples/README.md", "src/README.md")] + list((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(r"(?:<!-- (?P<kind>test|not run): (?P<words>[^\n]*?) -->\n)?```sh\n(?P<commands>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.S | re.M)
POSTGRES = "postgresql://blackbox5@localhost:5432/memory"
NEO4J = "neo4j+http://neo4j@localhost:7474/neo4j"


def has_servers():
    return "BB5_TEST_POSTGRES" in os.environ and "BB5_TEST_NEO4J" in os.environ


class Block:
    def __init__(self, page, match):
        self.page = page
        self.line = page.read_text().count("\n", 0, match.start()) + 1
        self.commands, self.output, self.kind = match["commands"], match["output"], match["kind"]
        self.span = match.span("output")
        words = (match["words"] or "").split()
        self.name = words[0] if words else ""
        self.servers = "servers" in words
        self.exact = "exact" in words
        self.code = int(words[words.index("exit") + 1]) if "exit" in words else 0

    def matches(self, printed):
        if self.exact:
            return self.output == printed
        pattern = ""
        for line in self.output.splitlines():
            if line.strip() == "…":
                pattern += r"(?:[^\n]*\n)*"
            else:
                pattern += "[^\n]*".join(map(re.escape, line.rstrip().split("…"))) + "\n"
        return re.fullmatch(pattern, printed) is not None


def blocks_of(page):
    return [Block(page, match) for match in BLOCK.finditer(page.read_text())]


def scenarios(page):
    """The runnable blocks of a page by their name, in order."""
    found = {}
    for block in blocks_of(page):
        if block.kind == "test":
            found.setdefault(block.name, []).append(block)
    return found


class Folder:
    """Where one scenario runs."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="bb5-docs-"))
        self.bank = "docs_" + uuid.uuid4().hex[:12]
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("BB5_", "OPENAI_"))}
        programs = self.path / "programs"
        programs.mkdir()
        (programs / "bb5-memory").symlink_to(pathlib.Path(os.environ["BB5_MEMORY"]).resolve())
        self.work = self.path / "work"
        shutil.copytree(ROOT / "samples", self.work / "samples")
        shutil.copytree(ROOT / "samples/blackbox5-store", self.work / "memory")
        # scripts/demo as it is, over a program that is built already
        (self.work / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/demo", self.work / "scripts/demo")
        build = self.work / "scripts/build"
        build.write_text('#!/bin/sh\nmkdir -p build/release/bin && ln -s "$(command -v bb5-memory)" build/release/bin/bb5-memory\n')
        build.chmod(0o755)
        self.env |= {"PATH": f"{programs}:{self.env['PATH']}", "BB5_HOME": str(self.path / "home"), "HOME": str(self.path), "TERM": "dumb", "LC_ALL": "C.UTF-8"}

    def run(self, block):
        commands, env = block.commands, self.env
        if block.servers:
            commands = commands.replace(POSTGRES, os.environ["BB5_TEST_POSTGRES"]).replace(NEO4J, os.environ["BB5_TEST_NEO4J"])
            env = env | {"BB5_BANK": self.bank}
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=self.work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=300)
        printed = done.stdout.decode("utf-8", "replace")
        printed = printed.replace(os.environ.get("BB5_TEST_POSTGRES", POSTGRES), POSTGRES).replace(os.environ.get("BB5_TEST_NEO4J", NEO4J), NEO4J)
        printed = "".join(line.rstrip() + "\n" for line in printed.splitlines())
        return done.returncode, printed

    def remove(self, servers):
        if servers:
            sys.path.insert(0, str(ROOT / "tests/end_to_end"))
            import support
            support.sql(f"DROP SCHEMA IF EXISTS bb5_{self.bank} CASCADE")
            support.cypher("MATCH (n) WHERE n.bank = $bank DETACH DELETE n", bank=self.bank)
        shutil.rmtree(self.path, ignore_errors=True)


class Commands(unittest.TestCase):
    def test_every_block_of_commands_says_whether_it_is_run(self):
        for page in PAGES:
            for block in blocks_of(page):
                self.assertTrue(block.kind, f"{page}:{block.line}: no <!-- test: … --> before this block")

    def run_scenario(self, blocks):
        servers = any(block.servers for block in blocks)
        if servers and not has_servers():
            if os.environ.get("BB5_CI") == "1":
                self.fail("no PostgreSQL and Neo4j: `scripts/services start` prints their addresses")
            self.skipTest("no PostgreSQL and Neo4j: `scripts/services start` prints their addresses")
        folder = Folder()
        self.addCleanup(folder.remove, servers)
        for block in blocks:
            code, printed = folder.run(block)
            place = f"{block.page.relative_to(ROOT)}:{block.line}"
            self.assertEqual(code, block.code, f"{place}\n{block.commands}\nprinted\n{printed}")
            if block.output is not None:
                self.assertTrue(block.matches(printed), f"{place} shows\n{block.output}\nbut it printed\n{printed}")


def add_scenarios():
    for page in PAGES:
        place = str(page.relative_to(ROOT).with_suffix("")).replace("/", "_").replace("-", "_")
        for name, blocks in scenarios(page).items():
            setattr(Commands, f"test_{place}_{name.replace('-', '_')}", lambda self, blocks=blocks: self.run_scenario(blocks))


def update():
    for page in PAGES:
        text, changes = page.read_text(), []
        for blocks in scenarios(page).values():
            if any(block.servers for block in blocks) and not has_servers():
                continue
            folder = Folder()
            for block in blocks:
                _, printed = folder.run(block)
                if block.output is not None and (block.exact or "…" not in block.output) and block.output != printed:
                    changes.append((block.span, printed))
            folder.remove(any(block.servers for block in blocks))
        for (start, end), printed in sorted(changes, reverse=True):
            text = text[:start] + printed + text[end:]
        if changes:
            page.write_text(text)
            print(f"{page.relative_to(ROOT)}: {len(changes)} blocks")


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        add_scenarios()
        unittest.main()
