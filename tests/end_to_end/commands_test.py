"""The verbs as a person and a program use them."""
import json
import pathlib
import sqlite3

import support
from support import EndToEnd, StoreTest


class Commands(StoreTest):
    def test_add_get_list_update_forget(self):
        store = self.store
        added = self.must(store.run("add", "Tea is served at four", "--network", "world", "--confidence", "0.9"))
        self.assertRegex(added.out, r"^Added memory: [0-9a-f]{12}\n$")
        identity = added.out.split()[-1]
        memory = self.must(store.json("get", identity)).document
        self.assertEqual((memory["content"], memory["network"], memory["confidence"], memory["source"]), ("Tea is served at four", "world", 0.9, "cli_add"))
        self.must(store.run("update", identity, "--confidence", "0.25", "--category", "habit"))
        memory = self.must(store.json("get", memory["uuid"])).document
        self.assertEqual((memory["confidence"], memory["category"], memory["metadata"]), (0.25, "habit", {"confidence": 0.25, "source": "cli_add", "category": "habit"}))
        self.must(store.run("add", "Coffee at nine"))
        listed = self.must(store.json("list", "--limit", "1")).document
        self.assertEqual([item["id"] for item in listed["memories"]], [identity])
        rest = self.must(store.json("list", "--after", listed["next_after"])).document
        self.assertEqual([item["content"] for item in rest["memories"]], ["Coffee at nine"])
        self.must(store.run("forget", identity))
        self.assertEqual(store.run("get", identity).code, 1)
        self.assertEqual(store.json("stats").document["memories"], 1)

    def test_adding_the_same_content_again_keeps_one(self):
        store = self.store
        identity = self.must(store.run("add", "once")).out.split()[-1]
        self.assertEqual(store.run("add", "once", "--network", "opinion").out, f"Replaced memory: {identity}\n")
        self.assertEqual(store.json("stats").document["networks"], {"opinion": 1})
        dated = json.dumps({"content": "dated", "created_at": "2026-02-04T03:50:10Z"})
        said = self.must(store.run("add", "--batch", "-", stdin=f'{dated}\n{{"content": "once"}}'))
        self.assertEqual([line.split(":")[0] for line in said.out.splitlines()], ["Added memory", "Replaced memory"])
        self.assertEqual(said.err, "1 added, 1 replaced, 0 refused\n")
        again = self.must(store.run("add", "--batch", "-", stdin=dated))
        self.assertRegex(again.out, r"^Unchanged memory: [0-9a-f]{12}\n$")
        self.assertEqual(again.err, "0 added, 1 unchanged, 0 refused\n")

    def test_batches_acknowledge_line_by_line_and_refuse_only_what_is_wrong(self):
        lines = [{"content": "one", "entities": ["Redis"], "author": "Ann", "thread": "t", "position": 1}, {"content": 7}, {"content": "two", "created_at": "2026-02-04T03:50:10Z"}, "oops"]
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        store = self.store
        answer = store.json("add", "--batch", "-", stdin=text)
        self.assertEqual(answer.code, 1)
        self.assertEqual([line.get("action") or line["error"]["code"] for line in sorted(answer.lines, key=lambda line: line["line"])],
                         ["inserted", "invalid_argument", "inserted", "invalid_argument"])
        one = [item for item in store.json("list").document["memories"] if item["content"] == "one"][0]
        self.assertEqual((one["author"], one["thread"], one["position"], one["entities"]), ("Ann", "t", 1, ["Redis"]))

    def test_recall_prints_the_old_block(self):
        store = self.store
        store.run("add", "PostgreSQL was chosen because the team runs it", "--network", "world", "--confidence", "0.95")
        store.json("add", "--batch", "-", stdin=json.dumps({"content": "PostgreSQL " + "x" * 300, "entities": list("abcdef")}))
        answer = self.must(store.run("recall", "why PostgreSQL"))
        lines = answer.out.split("\n")
        self.assertEqual(lines[:5], ["", "=" * 70, "RECALL RESULTS (2 memories)", "=" * 70, ""])
        self.assertRegex(answer.out, r"\d\. \[WORLD\] Score: \d\.\d{3}\n   Confidence: 0\.95 \| Source: cli_add\n   Content: PostgreSQL was chosen because the team runs it\n\n")
        self.assertRegex(answer.out, r"   Confidence: N/A \| Source: unknown\n   Content: PostgreSQL x{189}\.\.\.\n   Entities: a, b, c, d, e\n\n")
        self.assertTrue(answer.out.endswith("\nStore stats: 2 total memories\n"))
        nothing = self.must(store.run("recall", "giraffe"))
        self.assertEqual(nothing.out, "No memories found.\n")

    def test_recall_as_of_a_moment_or_of_all_times(self):
        store = self.store
        self.must(store.run("add", "tea at four"))
        # No command closes a memory yet: the store is told so behind the program's back.
        if store.name == "embedded":
            with sqlite3.connect(store.store.split(":", 1)[1]) as database:
                database.execute("UPDATE memories SET valid_until = 1767225600000000")  # 2026-01-01
        else:
            support.sql(f"UPDATE bb5_{store.bank}.memories SET valid_until = '2026-01-01Z'")
        found = lambda *flags: [item["content"] for item in self.must(store.json("recall", "tea", *flags)).document["results"]]
        self.assertEqual(found(), [])
        self.assertEqual(found("--as-of", "2025-12-31"), ["tea at four"])
        self.assertEqual(found("--as-of", "2026-01-01T00:00:00Z"), [])
        self.assertEqual(found("--all-times"), ["tea at four"])
        self.assertIn(", valid at 2025-12-31T00:00:00Z\n", store.run("recall", "tea", "--as-of", "2025-12-31", "--explain").err)
        self.assertIn(", whenever valid\n", store.run("recall", "tea", "--all-times", "--explain").err)
        self.assertEqual(store.json("recall", "tea", "--as-of", "2025-12-31").document["receipt"]["valid_at"], "2025-12-31T00:00:00Z")
        self.assertIsNone(store.json("recall", "tea", "--all-times").document["receipt"]["valid_at"])
        lines = [{"query": "tea"}, {"query": "tea", "as_of": "2025-12-31"}, {"query": "tea", "all_times": True}, {"query": "tea", "as_of": "soon"}, {"query": "tea", "all_times": 1}]
        answers = store.json("recall", "--batch", "-", stdin="\n".join(map(json.dumps, lines))).lines
        self.assertEqual([len(answer["results"]) if "results" in answer else answer["line"] for answer in answers], [0, 1, 1, 4, 5])
        # It is there all the same.
        self.assertEqual(store.json("list").document["memories"][0]["valid_until"], "2026-01-01T00:00:00Z")
        self.assertRegex(store.run("list").out, "tea at four")

    def test_a_receipt_shows_no_number_that_is_not_known(self):
        vectors = [[1.0] + [0.0] * 383, [0.0, 1.0] + [0.0] * 382]
        store = self.store
        self.must(store.json("add", "--batch", "-", stdin="\n".join(json.dumps({"content": f"tea {i}", "embedding": v}) for i, v in enumerate(vectors))))
        answer = self.must(store.run("recall", "giraffe", "--embedding", json.dumps(vectors[0]), "--explain"))
        self.assertNotIn("-1", answer.err)
        self.assertRegex(answer.err, r"  keyword .* found    0  no hits ")
        self.assertRegex(answer.err, r"  semantic .* found    2  best   1\.000 ")
        arms = self.must(store.json("recall", "giraffe", "--embedding", json.dumps(vectors[0]))).document["receipt"]["arms"]
        self.assertEqual([arm["best"] is None for arm in arms], [False, True])
        for arm in arms:
            self.assertTrue(arm["looked_at"] is None or arm["looked_at"] >= 0, arm)

    def test_recall_in_batches_gives_a_document_a_line(self):
        vector = [1.0] + [0.0] * 383
        other = [0.0] * 383 + [1.0]
        store = self.store
        self.must(store.json("add", "--batch", "-", stdin="\n".join(json.dumps({"content": text, "embedding": v}) for text, v in (("tea", vector), ("rain", other)))))
        queries = [{"query": "tea"}, {"query": "x", "embedding": other, "limit": 1, "strategies": ["semantic"]}, {"query": ""}, {"query": "x", "embedding": [1, 2]}]
        answer = store.run("recall", "--batch", "-", stdin="\n".join(map(json.dumps, queries)))
        self.assertEqual(answer.code, 1)
        first, second, third, fourth = answer.lines
        self.assertEqual(first["results"][0]["content"], "tea")
        self.assertEqual(first["receipt"]["arms"][0]["state"], "skipped")
        self.assertEqual([hit["content"] for hit in second["results"]], ["rain"])
        self.assertEqual(third["error"]["code"], "invalid_argument")
        self.assertIn("384", fourth["error"]["title"])

    def test_backups_restore_to_an_equal_bank(self):
        self.write("source/memories.json", support.legacy([support.entity("Redis"), support.relationship("RALF", "uses", "Redis"), support.record("a", "x", embedding=[0.5] * 1536)]))
        store = self.store
        self.must(store.run("migrate", "run", "--from", self.folder / "source"))
        file = self.folder / f"{store.name}.backup"
        self.assertTrue(self.must(store.json("backup", "--to", file)).document["verified"])
        self.assertEqual(store.run("backup", "--to", file).code, 1)  # never over another file
        restored = self.another_store()
        self.assertTrue(self.must(restored.json("restore", "--from", file)).document["verified"])
        self.must(restored.run("migrate", "verify", "--from", self.folder / "source"))
        self.assertEqual(restored.run("restore", "--from", file).code, 1)  # never over other memories

    def test_import_brings_ids_times_and_vectors_along(self):
        self.write("some.json", support.legacy([support.record("hand-made", "kept", embedding=[0.25] * 1536), {"network": "world"}]))
        store = self.store
        answer = store.run("import", self.folder / "some.json")
        self.assertEqual(answer.code, 1)
        self.assertIn("  Error importing memory: ", answer.out)
        self.assertIn(f"Imported 1 memories from {self.folder / 'some.json'}\n", answer.out)
        memory = store.json("get", "hand-made").document
        self.assertEqual((memory["created_at"], memory["vector"]), ("2026-02-04T03:50:10.740823Z", "indexed"))

    def test_one_is_not_said_in_the_plural(self):
        self.write("source/memories.json", support.legacy([support.record("a", "x")]))
        store = self.store
        plan = self.must(store.run("migrate", "plan", "--from", self.folder / "source")).out
        self.assertIn(": 1 file, ", plan)
        self.assertRegex(plan, r"memories\.json +\d+ bytes +1 record\n")
        self.assertIn("  verified          1 memory by field", self.must(store.run("migrate", "run", "--from", self.folder / "source")).out)
        self.assertIn("  in 1 batch\n", self.must(store.run("migrate", "status")).out)
        self.assertIn("Receipt: 1 of 1 memory in ", self.must(store.run("recall", "x", "--explain")).err)
        self.assertIn("Backed up 1 memory: ", self.must(store.run("backup", self.folder / f"{store.name}.copy")).out)

    def test_a_report_names_store_and_bank_apart_as_other_verbs_do(self):
        self.write("source/memories.json", support.legacy([support.record("a", "x")]))
        store = support.Store(self.store.name, self.store.store, None, "e2e_apart")
        if store.name == "postgres":
            self.addCleanup(support.sql, "DROP SCHEMA IF EXISTS bb5_e2e_apart CASCADE")
        report = self.must(store.json("migrate", "run", "--from", self.folder / "source")).document
        stats = self.must(store.json("stats")).document
        self.assertEqual((report["store"], report["bank"]), (stats["store"], stats["bank"]))
        self.assertEqual(report["bank"], "e2e_apart")
        text = self.must(store.run("migrate", "verify", "--from", self.folder / "source")).out
        self.assertIn(f" → {stats['store']} bank e2e_apart\n", text)

    def test_progress_says_nothing_that_it_does_not_know(self):
        self.write("source/memories.json", support.legacy([support.record("a", "x"), {"id": "b"}]))
        answer = self.must(self.store.json("migrate", "run", "--from", self.folder / "source"))
        lines = {line["phase"]: line for line in map(json.loads, answer.err.splitlines())}
        self.assertEqual((lines["load"]["rejected"], lines["load"]["quarantined"]), (0, 1))
        self.assertEqual((lines["verify"]["rejected"], lines["verify"]["quarantined"]), (None, None))
        self.assertLessEqual({line["eta_s"] for line in lines.values()}, {None, 0.0})  # none is guessed before a second; at the end it is known

    def test_verify_alone_says_what_stayed_out(self):
        self.write("source/memories.json", support.legacy([support.record("a", "x"), {"id": "no content"}]))
        store = self.store
        ran = self.must(store.json("migrate", "run", "--from", self.folder / "source")).document
        verified = self.must(store.json("migrate", "verify", "--from", self.folder / "source")).document
        for member in ("memories", "entities", "relationships", "embedding_cache", "issues"):
            self.assertEqual(verified[member], ran[member])
        self.assertEqual(verified["memories"]["quarantined"], 1)
        text = self.must(store.run("migrate", "verify", "--from", self.folder / "source")).out
        self.assertIn("2 read = 1 loaded + 0 identical + 0 rejected + 1 quarantined\n", text)
        self.assertRegex(text, r"    no_content +1\n")
        self.assertIn("VERIFIED: all that was taken over is the same; 0 rejected and 1 quarantined stayed out.", text)

    def conflicting(self):
        """A bank in which five of six records of the source have other words."""
        self.write("source/memories.json", support.legacy([support.record(f"id{i}", f"old {i}") for i in range(6)]))
        self.must(self.store.run("migrate", "run", "--from", self.folder / "source"))
        other = [support.record(f"id{i}", f"new {i}" if i else "old 0") for i in range(6)]
        self.write("other/memories.json", support.legacy(other + [support.record("fresh", "fresh")]))
        return self.folder / "other"

    def test_a_run_that_stops_for_rejects_names_them_and_the_remedy(self):
        other, store = self.conflicting(), self.store
        answer = store.run("migrate", "run", "--from", other)
        self.assertEqual(answer.code, 2, answer)
        self.assertIn("record 1 at byte ", answer.out)
        self.assertIn("(id id1), record 2 at byte ", answer.out)
        self.assertIn("(id id3) and 2 more; rejected would be 5, allowed are 0; nothing of that batch was written\n", answer.out)
        self.assertIn("  fix: mend the source, or give --max-rejects 5 or more", answer.out)
        report = store.json("migrate", "run", "--from", other).document
        self.assertEqual((report["outcome"], [r["id"] for r in report["rejected_records"]]), ("too_many_rejects", [f"id{i}" for i in range(1, 6)]))
        self.assertIn("--max-rejects 5", report["fix"])
        stopped = self.must(store.json("migrate", "status")).document["runs"][0]
        self.assertEqual((stopped["state"], stopped["memories"]["read"]), ("unfinished", 0))
        self.assertIn("(id id1)", stopped["stopped"])
        self.assertIn("  stopped: the bank holds other records", self.must(store.run("migrate", "status")).out)
        # Given the remedy, the same run goes on to its end.
        report = self.must(store.json("migrate", "run", "--from", other, "--max-rejects", "5")).document
        self.assertTrue(report["resumed"])
        self.assertEqual(report["memories"], {"read": 7, "loaded": 1, "identical": 1, "rejected": 5, "quarantined": 0})
        self.assertNotIn("run_stopped", report["issues"])
        self.assertEqual(self.must(store.json("migrate", "status")).document["runs"][0]["stopped"], None)

    def test_plan_says_what_a_run_into_that_bank_would_do_and_writes_nothing(self):
        other, store = self.conflicting(), self.store
        before = self.state()
        plan = self.must(store.json("migrate", "plan", "--from", other)).document
        self.assertEqual(plan["memories"], {"read": 7, "loaded": 1, "identical": 1, "rejected": 5, "quarantined": 0})
        self.assertEqual((plan["store"], plan["bank"], plan["held"], len(plan["rejected_records"])), (store.store, store.bank, 6, 5))
        text = self.must(store.run("migrate", "plan", "--from", other)).out
        self.assertIn("  store holds      6 memories\n", text)
        self.assertIn("7 read = 1 to load + 1 identical + 5 rejected + 0 quarantined\n", text)
        self.assertIn("--max-rejects 5 would keep what the bank holds", text)
        self.assertEqual(self.state(), before)
        self.assertEqual(store.run("migrate", "run", "--from", other).code, 2)
        self.assertIsNotNone(self.must(store.json("migrate", "plan", "--from", other)).document["unfinished_run"])
        ran = self.must(store.json("migrate", "run", "--from", other, "--max-rejects", "5")).document
        self.assertEqual(ran["memories"], plan["memories"])

    def test_plan_into_what_is_not_there_makes_nothing(self):
        self.write("source/memories.json", support.legacy([support.record("a", "x")]))
        absent = support.Store(self.store.name, self.store.store.replace("memories.db", "absent.db"), None, "e2e_absent")
        plan = self.must(absent.json("migrate", "plan", "--from", self.folder / "source")).document
        self.assertEqual((plan["held"], plan["memories"]["loaded"]), (None, 1))
        self.assertEqual(absent.run("stats").code, 10)

    def state(self):
        """All that a plan could have written to."""
        if self.store.name == "embedded":
            folder = pathlib.Path(self.store.store.split(":", 1)[1]).parent
            return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return support.sql(f"SELECT (SELECT count(*) FROM bb5_{self.store.bank}.memories), (SELECT count(*) FROM bb5_{self.store.bank}.migration_runs)")

    def test_a_graph_that_is_missed_is_mentioned(self):
        store = self.store
        self.must(store.json("add", "--batch", "-", stdin=json.dumps({"content": "one", "entities": ["Redis"]})))
        self.assertIn("Graph none named: 2 changes wait for one", self.must(store.run("stats")).out)
        self.assertIsNone(store.json("stats").document["graph"])
        checks = {check["id"]: check for check in self.must(store.json("doctor")).document["checks"]}
        self.assertEqual((checks["graph"]["state"], checks["graph"]["say"]), ("skipped", "none is named; 2 changes wait for one"))
        self.assertIn("BB5_GRAPH", checks["graph"]["fix"])

    def test_stats_and_doctor(self):
        store = self.store
        store.run("add", "one", "--network", "world")
        text = self.must(store.run("stats")).out
        self.assertIn("MEMORY STATISTICS", text)
        self.assertIn("Total Memories: 1", text)
        self.assertRegex(text, r"  world              1 ██\n")
        self.assertTrue(self.must(store.json("doctor", "--thorough")).document["ok"])

    def test_banks_are_apart(self):
        store = self.store
        store.run("add", "one")
        other = support.Store(store.name, store.store, None, store.bank[:30] + "_b")
        self.must(other.run("init"))
        self.assertEqual(other.json("stats").document["memories"], 0)
        self.assertEqual(store.json("stats").document["memories"], 1)
        if store.name == "postgres":
            support.sql(f"DROP SCHEMA bb5_{other.bank} CASCADE")

    def test_global_options_stand_before_or_behind_the_verb(self):
        with support.embedded_store() as store:
            self.must(support.bb5("add", "one", "--store", store.store))
            self.must(support.bb5("stats", BB5_STORE=store.store))
            config = self.write("config.toml", f'store = "{store.store}"\n')
            self.assertEqual(self.must(support.bb5("--config", config, "stats", "--json")).document["memories"], 1)
            self.assertEqual(self.must(support.bb5("stats", "--json", BB5_CONFIG=config)).document["memories"], 1)


class GraphOfABank(EndToEnd):
    def test_stats_and_doctor_show_it_and_doctor_mends_it(self):
        with support.postgres_store(graph=True) as store:
            without = support.Store(store.name, store.store, None, store.bank)
            self.must(without.json("add", "--batch", "-", stdin=json.dumps({"content": "one", "entities": ["Redis"]})))
            checks = {check["id"]: check for check in self.must(store.json("doctor")).document["checks"]}
            self.assertEqual(checks["graph"]["state"], "warn")
            self.assertIn("differ from the store's; 2 changes wait", checks["graph"]["say"])
            stats = self.must(store.json("stats")).document
            self.assertEqual((stats["graph"]["reachable"], stats["graph"]["nodes"], stats["outbox_pending"]), (True, 0, 2))
            checks = {check["id"]: check for check in self.must(store.json("doctor", "--fix")).document["checks"]}
            self.assertEqual((checks["graph"]["state"], checks["graph"]["say"]), ("ok", "1 node, 0 edges, 1 mention, as in the store"))
            support.cypher("MATCH (e:Entity) WHERE e.bank = $bank SET e.mention_count = 99", bank=store.bank)
            self.assertIn("  ! graph            1 value differs from the store's; 0 changes wait", self.must(store.run("doctor")).out)
            self.assertIn(": 1 node, 0 edges, 1 mention; 0 changes wait\n", self.must(store.run("stats")).out)
            away = support.Store(store.name, store.store, "neo4j+http://neo4j@127.0.0.1:9/neo4j", store.bank)
            stats = self.must(away.json("stats")).document
            self.assertEqual((stats["graph"]["reachable"], stats["graph"]["error"]["code"]), (False, "unavailable"))
            answer = away.run("doctor")
            self.assertEqual(answer.code, 1, answer)
            self.assertIn("  ✗ graph ", answer.out)


    def test_every_write_is_in_it_at_once(self):
        with support.postgres_store(graph=True) as store:
            def mentioned():
                rows = support.cypher("MATCH (m:Memory {bank: $bank})-[:MENTIONS]->(e:Entity) RETURN m.network, e.name ORDER BY e.name", bank=store.bank)
                return [tuple(row) for row in rows]
            added = self.must(store.json("add", "--batch", "-", stdin=json.dumps({"content": "one", "network": "world", "entities": ["Redis", "Ada"]})))
            self.assertEqual(mentioned(), [("world", "Ada"), ("world", "Redis")])
            self.must(store.run("update", added.document["id"], "--network", "opinion"))
            self.assertEqual(mentioned(), [("opinion", "Ada"), ("opinion", "Redis")])
            self.must(store.run("forget", added.document["id"]))
            self.assertEqual(mentioned(), [])
            self.assertEqual(self.must(store.json("stats")).document["outbox_pending"], 0)

    def test_a_write_does_not_need_it(self):
        with support.embedded_store() as store:
            away = support.Store(store.name, store.store, "neo4j+http://neo4j@127.0.0.1:9/neo4j", store.bank)
            answer = self.must(away.json("add", "--batch", "-", stdin=json.dumps({"content": "one", "entities": ["Redis"]})))
            self.assertRegex(answer.err, r"graph: .*127\.0\.0\.1.*; 2 changes wait, nothing is lost\n")
            self.assertNotIn("graph:", self.must(away.run("--quiet", "add", "two")).err)


class Help(EndToEnd):
    VERBS = ("", "init", "stats", "doctor", "migrate", "migrate plan", "migrate run", "migrate verify", "migrate status", "add", "get", "list", "update", "forget",
             "recall", "export", "import", "backup", "restore")

    def test_help_is_for_reading(self):
        for verb in self.VERBS:
            text = self.must(support.bb5(*verb.split(), "--help")).out
            for noise in ("UINT", "FLOAT", "INT:", " in [", "{", "REQUIRED", "Excludes", "NONNEGATIVE", "Option Group"):
                self.assertNotIn(noise, text.replace("{query, embedding", ""), verb)
            for line in text.splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_defaults_ranges_and_variables_are_told(self):
        recall = support.bb5("recall", "--help").out
        self.assertRegex(recall, r"--top-k,--limit N +At most so many memories, best first; 1 to 10000 \(default 5\)")
        self.assertIn("or BB5_STORE in the environment", " ".join(support.bb5("--help").out.split()))

    def test_an_update_of_nothing_says_what_can_be_changed(self):
        answer = support.bb5("--store", f"embedded:{self.folder}/x.db", "update", "x")
        self.assertEqual(answer.code, 2)
        self.assertIn("--content", answer.err)


support.for_each_store(globals(), Commands)

if __name__ == "__main__":
    support.main()
