"""reembed through the command line: what waits for a vector gets one, and nothing that was proved is lost."""
import json
import signal
import subprocess
import sys
import time

import support
from support import StoreTest, legacy, record

sys.path.insert(0, str(support.ROOT / "tests" / "support"))
from model_server import ModelServer  # noqa: E402

LOCAL = {"BB5_EMBEDDER": "local"}


class Missing(StoreTest):
    def setUp(self):
        super().setUp()
        records = [record("a1", "The deployment broke on Friday because the disk was full"),
                   record("a2", "Ada prefers short meetings", embedding=[0.5, -0.25, 0.125]),
                   record("a3", "Payments go through Stripe", embedding=["not", "numbers"])]
        self.source = self.write("memory/memories.json", legacy(records))
        self.must(self.store.json("migrate", "run", "--from", self.source.parent))

    def reembed(self, *arguments, **options):
        return self.store.json("reembed", "--missing", *arguments, **{**LOCAL, **options})

    def waiting(self):
        vectors = self.must(self.store.json("stats")).document["vectors"]
        return sum(count for state, count in vectors.items() if state != "indexed")

    def test_memories_of_a_migration_are_found_by_meaning_and_the_source_is_still_proved(self):
        report = self.must(self.reembed()).document
        self.assertEqual((report["waiting"], report["embedded"], report["embedder"]), (3, 3, "local/all-MiniLM-L6-v2"))
        self.assertEqual(self.waiting(), 0)
        found = self.must(self.store.json("recall", "How long should appointments be?", "--strategies", "semantic", "--limit", 1, **LOCAL)).document
        self.assertIn("short meetings", found["results"][0]["content"])

        verified = self.must(self.store.json("migrate", "verify", "--from", self.source.parent)).document
        self.assertTrue(verified["verified"], verified)
        again = self.must(self.store.json("migrate", "run", "--from", self.source.parent)).document
        self.assertEqual((again["memories"]["identical"], again["memories"]["rejected"]), (3, 0), again)
        self.assertEqual(self.waiting(), 0)
        planned = self.must(self.store.json("migrate", "plan", "--from", self.source.parent)).document
        self.assertEqual(planned["memories"]["identical"], 3, planned)
        self.must(self.store.json("doctor", "--thorough"))

        exported = self.folder / "exported.json"
        self.must(self.store.run("export", "--output", exported))
        self.assertEqual(exported.read_bytes(), self.source.read_bytes())

    def test_a_second_pass_finds_nothing_to_do(self):
        self.must(self.reembed())
        report = self.must(self.reembed()).document
        self.assertEqual((report["waiting"], report["embedded"]), (0, 0))

    def test_what_was_added_without_a_vector_gets_one(self):
        self.must(self.reembed())
        self.must(self.store.json("add", "The coffee machine needs a new filter"))
        self.assertEqual(self.waiting(), 1)
        self.assertEqual(self.must(self.reembed()).document["embedded"], 1)
        answer = self.must(self.store.json("recall", "espresso maintenance", "--strategies", "semantic", "--limit", 1, **LOCAL)).document
        self.assertIn("coffee", answer["results"][0]["content"])

    def test_a_backup_brings_the_made_vectors_along(self):
        self.must(self.reembed())
        backup = self.folder / "bank.backup"
        self.must(self.store.run("backup", "--to", backup))
        other = self.another_store()
        self.must(other.run("restore", backup))
        self.must(other.json("migrate", "verify", "--from", self.source.parent))
        vectors = self.must(other.json("stats")).document["vectors"]
        self.assertEqual(vectors, {"indexed": 3})

    def test_two_at_once_and_a_kill_in_between_end_with_every_vector_once(self):
        lines = "\n".join(json.dumps({"content": f"Note {i}: the harbour closes at {i} o'clock"}) for i in range(400))
        self.must(self.store.json("add", "--batch", "-", stdin=lines))
        command = [support.PROGRAM, *self.store.flags, "--quiet", "reembed", "--missing", "--batch", "8"]
        killed = subprocess.Popen(command, env=support.environment(**LOCAL), stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while self.waiting() > 390 and killed.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        done = 403 - self.waiting()
        self.assertGreater(done, 0)
        pair = [subprocess.Popen(command, env=support.environment(**LOCAL), stdout=subprocess.DEVNULL) for _ in range(2)]
        self.assertEqual([one.wait(timeout=300) for one in pair], [0, 0])
        self.assertEqual(self.waiting(), 0)
        self.must(self.store.json("doctor", "--thorough"))

    def test_no_embedder_is_an_error_that_says_what_helps(self):
        answer = self.store.json("reembed", "--missing", "--embedder", "none")
        self.assertEqual(answer.code, 12, answer)
        self.assertTrue(answer.document["error"]["fix"])
        answer = self.store.json("reembed", **LOCAL)
        self.assertEqual(answer.code, 2, answer)


class Sample(StoreTest):
    """The sample store: vectors of a service, stand-ins, other models, texts, none."""
    source = support.ROOT / "samples" / "blackbox5-store"

    def setUp(self):
        super().setUp()
        server = ModelServer({"dimension": 1536})
        self.addCleanup(server.__exit__, None, None, None)
        self.service = {"OPENAI_BASE_URL": server.__enter__().base_url, "OPENAI_API_KEY": "key", "BB5_EMBEDDER": "openai"}
        self.must(self.store.json("migrate", "run", "--from", self.source, "--no-backup"))

    def export(self, name):
        self.must(self.store.run("export", "--output", self.folder / name))
        return (self.folder / name).read_bytes()

    def test_every_state_is_embedded_and_the_source_is_still_proved(self):
        before = self.export("before.json")
        stats = self.must(self.store.json("stats")).document
        self.assertEqual(set(stats["vectors"]), {"none", "indexed", "fallback", "foreign", "unusable"})
        report = self.must(self.store.json("reembed", "--missing", **self.service)).document
        self.assertGreater(report["embedded"], 50)
        self.assertEqual((report["embedded"], report["passed_over"]), (report["waiting"], 0))
        self.assertEqual(self.export("after.json"), before)
        verified = self.must(self.store.json("migrate", "verify", "--from", self.source)).document
        self.assertEqual((verified["verified"], verified["differences"]), (True, []))
        again = self.must(self.store.json("migrate", "run", "--from", self.source, "--no-backup")).document
        counts = again["memories"]
        self.assertEqual((counts["loaded"], counts["rejected"], counts["identical"]), (0, 0, counts["read"] - counts["quarantined"]))
        self.assertEqual(self.must(self.store.json("reembed", "--missing", **self.service)).document["waiting"], 0)


    def test_a_question_is_asked_of_the_service_once(self):
        ask = ("recall", "when do travellers hear of it", "--strategies", "semantic")
        self.must(self.store.json("reembed", "--missing", **self.service))
        held = self.must(self.store.json("stats")).document["cached_embeddings"]
        first = self.must(self.store.json(*ask, **self.service)).document
        self.assertEqual(self.must(self.store.json("stats")).document["cached_embeddings"], held + 1)
        away = {**self.service, "OPENAI_BASE_URL": "http://127.0.0.1:9"}
        again = self.must(self.store.json(*ask, **away)).document
        self.assertEqual([result["id"] for result in again["results"]], [result["id"] for result in first["results"]])
        self.assertEqual(again["receipt"]["arms"][0]["state"], "ran")
        verified = self.must(self.store.json("migrate", "verify", "--from", self.source)).document
        self.assertTrue(verified["verified"])


support.for_each_store(globals(), Missing, Sample)
if __name__ == "__main__":
    support.main()
