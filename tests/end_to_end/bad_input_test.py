"""Bad input gets one clear line with the remedy and a code of its own, and changes nothing."""
import json
import os
import pathlib
import subprocess

import support
from support import EndToEnd


class BadInput(EndToEnd):
    def refused(self, answer, code, *words):
        self.assertEqual(answer.code, code, answer)
        for word in words:
            self.assertIn(word, answer.err, answer)
        self.assertEqual(answer.out, "", answer)
        errors = [line for line in answer.err.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, answer)

    def test_a_source_that_is_not_there_or_is_no_store(self):
        store = f"embedded:{self.folder}/s.db"
        self.write("empty/readme.txt", "nothing")
        self.write("object/memories.json", '{"memories": []}')
        self.write("text/memories.json", "hello")
        self.write("nothing/memories.json", "")
        for source, words in (("absent", ["there is no"]), ("empty", ["holds no memories.json"]), ("object", ["holds an object"]), ("text", ["holds no JSON"]), ("nothing", ["is empty"])):
            answer = support.bb5("migrate", "run", "--from", self.folder / source, "--to", store)
            self.refused(answer, 4, *words, "fix: ")
            self.assertFalse((self.folder / "s.db").exists())

    def test_a_url_that_names_no_store_or_graph(self):
        self.refused(support.bb5("--store", "mysql://x/y", "stats"), 2, "names no store", "embedded:PATH")
        self.write("source/memories.json", "[]")
        self.refused(support.bb5("migrate", "run", "--from", self.folder / "source", "--to", "mysql://x/y"), 4, "names no store")
        self.refused(support.bb5("migrate", "run", "--from", self.folder / "source", "--to", f"embedded:{self.folder}/s.db", "--graph", "bolt://x"), 4, "names no graph")
        self.assertFalse((self.folder / "s.db").exists())

    def test_a_bank_with_a_name_that_cannot_be(self):
        self.refused(support.bb5("--store", f"embedded:{self.folder}/s.db", "--bank", "../x", "init"), 2, "cannot name a bank")

    def test_a_password_on_the_command_line(self):
        answer = support.bb5("--store", "postgresql://u:secret@127.0.0.1/d", "stats")
        self.refused(answer, 2, "password", "PGPASSWORD", "NEO4J_PASSWORD")
        self.assertNotIn("secret", answer.err)

    def test_a_store_that_is_not_there(self):
        self.refused(support.bb5("--store", f"embedded:{self.folder}/none.db", "stats"), 10, "none.db", "fix: ")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_file_that_is_no_store(self):
        path = self.write("notes.db", "just some text, long enough to be looked at " * 100)
        answer = support.bb5("--store", f"embedded:{path}", "add", "x")
        self.refused(answer, 2, "notes.db")
        self.assertEqual(path.read_text(), "just some text, long enough to be looked at " * 100)

    def test_vectors_of_the_wrong_length(self):
        with support.embedded_store() as store:
            self.must(store.run("init", "--embedder", "test/three", "--dimension", "3"))
            answer = store.json("add", "--batch", "-", stdin=json.dumps({"content": "x", "embedding": [1, 2]}))
            self.assertEqual(answer.code, 1)
            self.assertIn("2 numbers", answer.lines[0]["error"]["title"])
            self.assertEqual(store.json("stats").document["memories"], 0)
            self.assertEqual(store.run("recall", "x", "--embedding", "[1,2]").code, 2)
            self.assertEqual(store.run("init", "--embedder", "test/four", "--dimension", "4").code, 1)

    def test_questions_that_make_no_sense(self):
        with support.embedded_store() as store:
            store.run("add", "x")
            self.assertEqual(store.run("recall", "  ").code, 2)
            for flags in (["--top-k", "0"], ["--top-k", "1000000000"], ["--network", "facts"], ["--strategies", "magic"], ["--embedding", "[1,"], ["--as-of", "soon"], ["--as-of", "2026-01-01", "--all-times"], []):
                arguments = ["recall"] + (["x"] if flags else []) + flags
                self.assertEqual(store.run(*arguments).code, 2, flags)

    def test_usage_errors_of_migrate_have_their_own_code(self):
        self.assertEqual(support.bb5("migrate").code, 8)
        self.assertEqual(support.bb5("migrate", "run").code, 8)
        self.assertEqual(support.bb5("add").code, 2)
        self.assertEqual(support.bb5("nonsense").code, 2)
        self.assertEqual(support.bb5().code, 1)

    def test_errors_are_one_json_document_too(self):
        answer = support.bb5("--store", f"embedded:{self.folder}/none.db", "stats", "--json")
        self.assertEqual(answer.code, 10)
        error = answer.document["error"]
        self.assertEqual((error["code"], error["retryable"]), ("not_found", False))
        self.assertIn("fix", error)

    def test_memory_that_is_not_there(self):
        with support.embedded_store() as store:
            store.run("add", "x")
            self.refused(store.run("get", "nothing"), 1, "no memory nothing")
            self.refused(store.run("forget", "nothing"), 1, "no memory nothing")


class BadServers(EndToEnd):
    def setUp(self):
        super().setUp()
        support.require_postgres()
        self.write("source/memories.json", support.legacy([support.record("a", "x")]))
        self.url = os.environ["BB5_TEST_POSTGRES"]
        self.bank = "e2e_bad_servers"
        self.addCleanup(lambda: self.assertEqual(support.sql(f"SELECT count(*) FROM pg_namespace WHERE nspname = 'bb5_{self.bank}'"), ["0"]))

    def migrate(self, store, *more, **env):
        return support.bb5("migrate", "run", "--from", self.folder / "source", "--to", store, "--bank", self.bank, "--no-backup", *more, **env)

    def refused(self, answer, code, *words):
        BadInput.refused(self, answer, code, *words)

    def test_a_wrong_password(self):
        self.refused(self.migrate(self.url, PGPASSWORD="wrong"), 4, "fix: ")
        self.refused(support.bb5("--store", self.url, "stats", PGPASSWORD="wrong"), 12, "fix: ")

    def test_a_server_that_is_away(self):
        away = "postgresql://blackbox5@127.0.0.1:9/memory"
        self.refused(self.migrate(away), 4, "127.0.0.1", "fix: ")
        self.refused(support.bb5("--store", away, "stats"), 13, "127.0.0.1", "fix: ")

    def test_a_database_that_is_not_there(self):
        absent = self.url.rsplit("/", 1)[0] + "/absent"
        self.refused(self.migrate(absent), 4, "absent", "fix: ")
        self.refused(support.bb5("--store", absent, "stats"), 10, "absent", "fix: ")

    def test_pgvector_that_is_missing(self):
        support.sql("DROP DATABASE IF EXISTS e2e_plain")
        support.sql("CREATE DATABASE e2e_plain")
        self.addCleanup(support.sql, "DROP DATABASE e2e_plain")
        plain = self.url.rsplit("/", 1)[0] + "/e2e_plain"
        self.refused(support.bb5("--store", plain, "stats"), 10, "fix: ")
        # A role that may not create extensions gets told so.
        support.sql("DROP ROLE IF EXISTS e2e_weak")
        support.sql("CREATE ROLE e2e_weak LOGIN PASSWORD 'weak'")
        self.addCleanup(support.sql, "DROP ROLE e2e_weak")
        support.sql("GRANT CREATE ON DATABASE e2e_plain TO e2e_weak")
        self.addCleanup(support.sql, "REVOKE ALL ON DATABASE e2e_plain FROM e2e_weak")
        weak = plain.replace("blackbox5@", "e2e_weak@")
        answer = self.migrate(weak, PGPASSWORD="weak")
        self.refused(answer, 4, "vector", "fix: ")

    def test_neo4j_that_is_away_or_refuses(self):
        support.require_neo4j()
        graph = os.environ["BB5_TEST_NEO4J"]
        self.refused(self.migrate(self.url, "--graph", "neo4j+http://neo4j@127.0.0.1:9/neo4j"), 4, "127.0.0.1", "fix: ")
        self.refused(self.migrate(self.url, "--graph", graph, NEO4J_PASSWORD="wrong"), 4, "fix: ")
        self.refused(self.migrate(self.url, "--graph", graph.rsplit("/", 1)[0] + "/absent"), 4, "absent", "fix: ")


if __name__ == "__main__":
    support.main()
