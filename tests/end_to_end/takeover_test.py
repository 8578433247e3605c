"""A real store of the old system is taken over, proved, and answers as before."""
import json
import unittest

import support
from support import EndToEnd, StoreTest

GOLDEN = {
    "86aaf4730156": [("86aaf4730156", 1.0), ("49e538295f90", .335999), ("4737fc29f4e0", .333159), ("79d12872e9ed", .325537), ("4623467f606e", .232038),
                     ("1b7df3e8d2fe", .164419), ("199195beb0f9", .134778), ("70261f853bc1", .113917), ("f0d16750b9a2", .083509), ("092640ab7cb3", .082198)],
    "f0d16750b9a2": [("f0d16750b9a2", 1.0), ("092640ab7cb3", .509677), ("199195beb0f9", .385224), ("4623467f606e", .364433), ("70261f853bc1", .209763),
                     ("1b7df3e8d2fe", .205217), ("79d12872e9ed", .116215), ("49e538295f90", .108949), ("4737fc29f4e0", .094534), ("86aaf4730156", .083509)],
}


class TakesARealStoreOver(StoreTest):
    graph = True

    def test_ten_memories_with_proof_and_a_second_run_finds_them_identical(self):
        source = support.require_shared() / "store-head"
        store = self.store
        first = self.must(store.json("migrate", "run", "--from", source, "--to", store.store)).document
        self.assertEqual(first["memories"], {"read": 10, "loaded": 10, "identical": 0, "rejected": 0, "quarantined": 0})
        self.assertEqual(first["vectors"], {"1536": 10})
        self.assertEqual(first["embedding_cache"]["loaded"], 12)
        self.assertTrue(first["verified"])
        second = self.must(store.json("migrate", "run", "--from", source)).document
        self.assertEqual(second["memories"], {"read": 10, "loaded": 0, "identical": 10, "rejected": 0, "quarantined": 0})
        self.assertTrue(second["verified"])
        verified = self.must(store.json("migrate", "verify", "--from", source)).document
        self.assertEqual(verified["differences"], [])

    def test_export_gives_the_file_back_byte_for_byte(self):
        for name in ("store-head", "store-384"):
            source = support.require_shared() / name
            store = self.another_store()
            self.must(store.run("migrate", "run", "--from", source))
            out = self.folder / "export.json"
            self.must(store.run("export", "--output", out))
            self.assertEqual(out.read_bytes(), (source / "memories.json").read_bytes())

    def test_the_golden_rankings_come_out_of_every_store(self):
        source = support.require_shared() / "store-head"
        contents = {item["id"]: item["content"] for item in json.loads((source / "memories.json").read_text())}
        store = self.store
        self.must(store.run("migrate", "run", "--from", source))
        for question, expected in GOLDEN.items():
            query = json.dumps({"query": contents[question], "limit": 10, "strategies": ["semantic"]})
            answer = self.must(store.run("recall", "--batch", "-", stdin=query)).lines[0]
            self.assertEqual([hit["id"] for hit in answer["results"]], [identity for identity, _ in expected])
            for hit, (_, score) in zip(answer["results"], expected):
                self.assertAlmostEqual(hit["strategy_scores"]["semantic"], score, delta=1e-6)
            self.assertEqual([arm["state"] for arm in answer["receipt"]["arms"]], ["ran"])

    def test_fallback_vectors_are_kept_raw_and_every_output_is_accounted_for(self):
        data = support.require_shared()
        cases = {"store-384": (8, 8, 0), "retain-output/run-0065": (6, 3, 3), "retain-output/test_output": (2, 1, 1), "prototype-output/output": (18, 9, 9), "prototype-output/output2": (16, 8, 8)}
        for name, (read, loaded, identical) in cases.items():
            store = self.another_store()
            report = self.must(store.json("migrate", "run", "--from", data / name)).document
            self.assertEqual(report["memories"], {"read": read, "loaded": loaded, "identical": identical, "rejected": 0, "quarantined": 0}, name)
            self.assertTrue(report["verified"])
            if name == "store-384":
                self.assertEqual(report["issues"], {"vector_fallback": 8})
                self.assertEqual(store.json("stats").document["vectors"], {"fallback": 8})

    def test_retain_outputs_join_a_store_that_is_there(self):
        data = support.require_shared()
        store = self.store
        self.must(store.run("migrate", "run", "--from", data / "store-head"))
        report = self.must(store.json("migrate", "run", "--from", data / "retain-output/run-0065")).document
        self.assertEqual(report["memories"]["loaded"], 3)
        self.assertEqual(store.json("stats").document["memories"], 13)
        self.must(store.run("migrate", "verify", "--from", data / "store-head"))


class EntitiesAndRelationships(StoreTest):
    graph = True

    def source(self):
        records = [support.entity("PostgreSQL", count=3), support.entity("postgresql"), support.entity("RALF", "agent", 2), support.entity("Redis"),
                   support.relationship("RALF", "uses", "PostgreSQL", 0.9), support.relationship("RALF", "uses", "Redis", 0.4), support.relationship("Redis", "part of", "cache layer", 0.7),
                   support.record("m1", "RALF keeps its memories in PostgreSQL", metadata={"entities": ["RALF", "PostgreSQL"]})]
        self.write("source/memories.json", support.legacy(records))
        return self.folder / "source"

    def test_the_graph_is_counted_and_proved(self):
        store = self.store
        report = self.must(store.json("migrate", "run", "--from", self.source())).document
        self.assertTrue(report["verified"])
        self.assertEqual(report["graph"]["nodes"], 4)  # PostgreSQL, RALF, Redis, and the placeholder
        self.assertEqual(report["graph"]["edges"], 3)
        self.assertEqual(report["graph"]["mentions"], 2)
        if store.graph:
            self.assertEqual(report["graph"]["projection"]["differing"], 0)


class SeenFromOutside(EndToEnd):
    source = EntitiesAndRelationships.source

    def test_psql_shows_the_tables_columns_and_cypher_the_edges(self):
        with support.postgres_store(graph=True) as store:
            self.must(store.run("migrate", "run", "--from", self.source()))
            columns = dict(line.split("|") for line in support.sql(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped "
                f"AND attrelid = 'bb5_{store.bank}.memories'::regclass"))
            expected = {"id": "uuid", "content": "text", "network": "text", "confidence": "double precision", "source": "text", "source_type": "text",
                        "category": "text", "entities": "text[]", "created_at": "timestamp with time zone", "metadata": "jsonb"}
            self.assertEqual({name: columns.get(name) for name in expected}, expected)
            self.assertTrue(columns["embedding"].startswith("vector"))
            rows = support.cypher("MATCH (a:Entity)-[r:USES]->(b:Entity) WHERE a.bank = $bank RETURN a.name, r.predicate, r.confidence, b.name ORDER BY b.name", bank=store.bank)
            self.assertEqual(rows, [["RALF", "uses", 0.9, "PostgreSQL"], ["RALF", "uses", 0.4, "Redis"]])
            rows = support.cypher("MATCH (:Entity)-[r:PART_OF]->(b:Entity) WHERE b.bank = $bank RETURN r.predicate, b.name, b.type, b.placeholder", bank=store.bank)
            self.assertEqual(rows, [["part of", "cache layer", "unknown", True]])
            rows = support.cypher("MATCH (m:Memory)-[:MENTIONS]->(e:Entity) WHERE e.bank = $bank RETURN count(*)", bank=store.bank)
            self.assertEqual(rows, [[2]])

    def test_a_row_changed_behind_our_back_is_named(self):
        with support.postgres_store(graph=True) as store:
            source = self.source()
            self.must(store.run("migrate", "run", "--from", source))
            schema = f"bb5_{store.bank}"
            support.sql(f"UPDATE {schema}.memories SET content = content || '!' WHERE legacy_id = 'm1'")
            support.sql(f"UPDATE {schema}.relationships SET confidence = 0.5 WHERE predicate = 'part of'")
            support.cypher("MATCH (e:Entity {name: 'Redis'}) WHERE e.bank = $bank SET e.mention_count = 99", bank=store.bank)
            answer = store.json("migrate", "verify", "--from", source)
            self.assertEqual(answer.code, 3, answer)
            found = {(item["id"].split("␟")[0], item["field"]) for item in answer.document["differences"]}
            self.assertIn(("m1", "content"), found)
            self.assertIn(("technology:redis", "confidence"), found)
            self.assertIn(("technology:redis", "graph mention_count"), found)
            self.assertFalse(answer.document["verified"])


support.for_each_store(globals(), TakesARealStoreOver, EntitiesAndRelationships)

if __name__ == "__main__":
    support.main()
