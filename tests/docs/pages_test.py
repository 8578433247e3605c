"""What the documents say about the code is there: links, test names, codes, members of JSON documents, figures."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "samples/README.md", "src/README.md")] + sorted((ROOT / "docs").rglob("*.md"))
DAMAGE = (ROOT / "docs/damage.md").read_text()


def sources(*folders):
    return "\n".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.?pp")) if "test" not in path.name)


class Pages(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
                if "://" in target:
                    continue
                path, _, anchor = target.partition("#")
                file = (page.parent / path) if path else page
                self.assertTrue(file.exists(), f"{page}: {target}")
                if anchor:
                    headings = {re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in file.read_text().splitlines() if line.startswith("#")}
                    self.assertIn(anchor, headings, f"{page}: {target}")

    def test_every_damage_test_is_named_and_every_named_one_is_there(self):
        tests = set(re.findall(r"TEST_F\(Damage, (\w+)\)", (ROOT / "tests/migration/damage_test.cpp").read_text()))
        named = {name for name in re.findall(r"`([A-Z]\w+)`", DAMAGE) if "_" in name or len(name) > 20}
        self.assertEqual(named, tests)

    def test_every_code_of_the_ledger_is_documented(self):
        text = sources("src/sources", "src/operations/migrate")
        codes = set(re.findall(r'(?:warn|remark|warning|quarantined|damaged)\(\s*(?:element,\s*|record, |at, )?"(\w+)"', text))
        codes |= set(re.findall(r'\.code = "(\w+)"', text))
        for pair in re.findall(r'\? "([a-z0-9]+_\w+)"\s*:\s*"([a-z0-9]+_\w+)"', text):
            codes |= set(pair)
        self.assertGreater(len(codes), 30)
        for code in sorted(codes):
            self.assertIn(f"`{code}`", DAMAGE)

    def test_every_error_code_is_documented(self):
        page = (ROOT / "docs/reference/errors.md").read_text()
        for code in re.findall(r'return "(\w+)";', (ROOT / "src/base/result.hpp").read_text()):
            self.assertIn(f"| `{code}` |", page)

    def test_the_namespace_of_ids_is_the_documented_one(self):
        digits = "".join(re.findall(r"0x(\w\w)", re.search(r"bb5_namespace\{\{(.*?)\}\}", (ROOT / "src/model/memory.cpp").read_text(), re.S)[1]))
        self.assertIn(digits, (ROOT / "docs/decisions/2026-11-24-ids.md").read_text().replace("-", ""))

    def test_every_folder_of_src_has_its_paragraph(self):
        page = (ROOT / "src/README.md").read_text()
        for folder in sorted((ROOT / "src").iterdir()):
            if folder.is_dir() and folder.name != "stores":
                self.assertRegex(page, rf"\*\*\[?{folder.name}/")
        for store in sorted((ROOT / "src/stores").iterdir()):
            if store.is_dir():
                self.assertRegex(page, rf"\*\*\[?stores/{store.name}/")


class Documents(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="bb5-pages-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def bb5(self, *arguments, stdin="", store="memories.db"):
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("BB5_", "OPENAI_"))} | {"BB5_HOME": str(self.folder), "BB5_EMBEDDER": "none"}
        done = subprocess.run([os.environ["BB5_MEMORY"], "--store", f"embedded:{self.folder}/{store}", "--json", *map(str, arguments)], env=environment, input=stdin, capture_output=True, text=True, timeout=120)
        return json.loads(done.stdout)

    def test_small_documents_have_the_members_that_the_table_names(self):
        sample = ROOT / "samples/blackbox5-store"
        backup = self.folder / "backup.db"
        printed = {
            "init": self.bb5("init"),
            "add": self.bb5("add", "x"),
            "import": self.bb5("import", sample),
            "export": self.bb5("export", "--output", self.folder / "out.json"),
            "backup": self.bb5("backup", backup),
            "restore": self.bb5("restore", backup, store="other.db"),
            "stats": self.bb5("stats"),
            "doctor": self.bb5("doctor"),
            "forget": self.bb5("forget", "9dd4e461268c"),
            "retain": self.bb5("retain", ROOT / "samples/notes"),
        }
        documented = {}
        for verbs, members in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| `\{(.*?)\}`", (ROOT / "docs/reference/json.md").read_text(), re.M):
            flat = re.sub(r": (\{[^}]*\}|\[[^\]]*\])", "", members)
            for verb in re.findall(r"\w+", verbs):
                documented[verb] = flat.split(", ")
        self.assertEqual({verb: list(document) for verb, document in printed.items()}, documented)
        self.assertIn("line", self.bb5("add", "--batch", "-", stdin='{"content": "y"}'))

    def test_reports_have_no_member_that_the_table_lacks(self):
        page = (ROOT / "docs/reference/json.md").read_text()
        report = self.bb5("migrate", "run", "--from", ROOT / "samples/blackbox5-store", "--quiet")
        for member in report:
            self.assertIn(f"`{member}`", page)


if __name__ == "__main__":
    unittest.main()
