"""index through the command line: what finds nearest vectors is shown, measured, set and built anew."""
import json
import random
import subprocess

import support
from support import EndToEnd, StoreTest, for_each_store

DIMENSION = 24
RECORDS = 4000  # recall asks the index for a hundred and more: of fewer a scan is as fast


class Migrated(StoreTest):
    """A bank of vectors in clusters."""

    def setUp(self):
        super().setUp()
        source = self.folder / "memory" / "memories.json"
        source.parent.mkdir()
        subprocess.run([support.GENERATOR, "--records", str(RECORDS), "--dimension", str(DIMENSION), "--clusters", "25", "--out", str(source)],
                       check=True, capture_output=True)
        self.source = source
        self.must(self.store.json("migrate", "run", "--from", source.parent, "--source-model", "test/clusters"))

    def index(self, *arguments):
        return self.must(self.store.json("index", *arguments)).document

    def recall(self, vector, limit=10):
        """The answer's ids, and the receipt of the arm that found them."""
        answer = self.must(self.store.json("recall", "anything", "--strategies", "semantic", "--limit", limit, "--embedding", json.dumps(vector))).document
        return [result["id"] for result in answer["results"]], answer["receipt"]["arms"][0]


class Index(Migrated):
    def test_a_bank_without_an_index_is_exact(self):
        status = self.index("status")
        self.assertEqual((status["kind"], status["chosen"], status["vectors"], status["tail"]), ("exact", "automatic", RECORDS, RECORDS), status)
        self.assertEqual((status["rows"], status["bytes"], status["recall_at_10"]), (RECORDS, 0, None), status)
        tuned = self.index("tune")
        self.assertEqual((tuned["kind"], tuned["steps"], tuned["set"]), ("exact", [], None), tuned)
        self.assertIn("nothing to tune", self.must(self.store.run("index", "tune")).out)

    def test_an_index_is_built_measured_set_and_removed(self):
        built = self.index("rebuild", "--kind", "hnsw", "--m", 8)
        self.assertEqual((built["kind"], built["chosen"], built["m"], built["built_for"], built["tail"]), ("hnsw", "hnsw", 8, RECORDS, 0), built)
        self.assertGreater(built["bytes"], 0)
        self.assertIsNone(built["recall_at_10"])

        memory = random.Random(7).choice(json.loads(self.source.read_bytes()))
        found, arm = self.recall(memory["embedding"])
        self.assertEqual((found[0], len(found), arm["exact"]), (memory["id"], 10, False), arm)
        self.assertIn("hnsw", arm["index"])
        everything, _ = self.recall(memory["embedding"], 2 * RECORDS)
        self.assertEqual(len(set(everything)), RECORDS, "an index never makes an answer short")
        explained = self.must(self.store.run("recall", "anything", "--strategies", "semantic", "--explain", "--embedding", json.dumps(memory["embedding"])))
        self.assertIn("approximate", explained.err)

        tuned = self.index("tune", "--recall", 0.9, "--queries", 60)
        self.assertEqual((tuned["kind"], tuned["m"], tuned["queries"]), ("hnsw", 8, 60), tuned)
        efforts = [step["ef_search"] for step in tuned["steps"]]
        self.assertEqual(efforts, sorted(efforts))
        enough = [step for step in tuned["steps"] if step["recall_at_10"] >= 0.9]
        self.assertEqual(tuned["set"], enough[0]["ef_search"], tuned)
        self.assertGreater(tuned["exact_p50_ms"], 0)

        status = self.index("status")
        self.assertEqual((status["ef_search"], status["recall_at_10"]), (tuned["set"], enough[0]["recall_at_10"]), status)
        text = self.must(self.store.run("index", "status")).out
        self.assertIn(f"ef_search {tuned['set']}", text)
        self.assertIn("Recall@10: ", text)
        self.must(self.store.json("doctor", "--thorough"))

        removed = self.index("rebuild", "--kind", "none")
        self.assertEqual((removed["kind"], removed["chosen"], removed["bytes"]), ("exact", "none", 0), removed)
        self.must(self.store.json("doctor", "--fix"))
        self.assertEqual(self.index("status")["kind"], "exact", "what was chosen stays")
        self.assertEqual(self.index("rebuild")["chosen"], "automatic")

    def test_a_recall_that_no_effort_reaches_is_said_and_changes_nothing(self):
        before = self.index("rebuild", "--kind", "hnsw", "--m", 4)
        # Twins of one vector beyond any effort are no miss; so ask for more than there is.
        answer = self.store.json("index", "tune", "--recall", 1.0, "--queries", 400)
        document = answer.document
        if document["set"] is None:
            self.assertEqual(answer.code, 1, answer)
            self.assertEqual(self.index("status")["ef_search"], before["ef_search"])
        else:
            self.assertEqual((answer.code, document["steps"][-1]["recall_at_10"]), (0, 1.0), answer)

    def test_bad_options_are_refused_with_a_remedy(self):
        for arguments in (["rebuild", "--kind", "tree"], ["rebuild", "--kind", "hnsw", "--m", 3], ["rebuild", "--lists", 0],
                          ["rebuild", "--kind", "ivfflat", "--m", 8], ["rebuild", "--kind", "hnsw", "--lists", 8],
                          ["tune", "--recall", 1.5], ["tune", "--queries", 0], []):
            answer = self.store.json("index", *arguments)
            self.assertEqual(answer.code, 2, (arguments, answer))
            self.assertTrue(answer.document["error"]["fix"], arguments)


class Lists(Migrated):
    def test_ivfflat_is_postgresqls(self):
        if self.kind == "embedded":
            refused = self.store.json("index", "rebuild", "--kind", "ivfflat")
            self.assertEqual(refused.code, 1, refused)
            self.assertIn("hnsw", refused.document["error"]["fix"])
            return
        built = self.index("rebuild", "--kind", "ivfflat", "--lists", 12)
        self.assertEqual((built["kind"], built["lists"], built["m"], built["built_for"]), ("ivfflat", 12, None, RECORDS), built)
        tuned = self.index("tune", "--recall", 0.95, "--queries", 50)
        self.assertEqual(tuned["lists"], 12)
        self.assertEqual(self.index("status")["probes"], tuned["set"])


class Nothing(EndToEnd):
    def test_a_missing_store_is_named(self):
        answer = support.bb5("--store", f"embedded:{self.folder}/none.db", "--json", "index", "status")
        self.assertEqual(answer.code, 10, answer)

    def test_an_empty_bank_has_no_index(self):
        store = f"embedded:{self.folder}/empty.db"
        self.must(support.bb5("--store", store, "init"))
        status = self.must(support.bb5("--store", store, "--json", "index", "status")).document
        self.assertEqual((status["kind"], status["vectors"]), ("exact", 0), status)
        built = self.must(support.bb5("--store", store, "--json", "index", "rebuild", "--kind", "hnsw")).document
        self.assertEqual(built["kind"], "exact", "of nothing there is no index")
        self.must(support.bb5("--store", store, "--json", "index", "tune"))


for_each_store(globals(), Index, Lists)

if __name__ == "__main__":
    support.main()
