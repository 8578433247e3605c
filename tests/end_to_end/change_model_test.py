"""reembed --to: a bank changes its model while it is in use, at once, and what was proved of its source stays proved."""
import json
import signal
import subprocess
import sys
import time

import support
from support import StoreTest

sys.path.insert(0, str(support.ROOT / "tests" / "support"))
from model_server import ModelServer  # noqa: E402

LOCAL = {"BB5_EMBEDDER": "local"}
LOCAL_MODEL = "local/all-MiniLM-L6-v2"
SMALL_MODEL = "openai/text-embedding-3-small"


class ModelTest(StoreTest):
    def serve(self, dimension=1536, **script):
        server = ModelServer({"dimension": dimension, **script})
        self.addCleanup(server.__exit__, None, None, None)
        server.__enter__()
        self.service = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "key"}
        return server

    def stats(self):
        return self.must(self.store.json("stats")).document

    def model(self):
        return self.stats()["embedder"]["model"]

    def scores(self, store, question, **env):
        answer = self.must(store.json("recall", question, "--strategies", "semantic", "--limit", 30, **env)).document
        self.assertEqual(answer["receipt"]["arms"][0]["state"], "ran", answer)
        return [(result["content"], result["score"]) for result in answer["results"]]


class Sample(ModelTest):
    """The sample store: vectors of a service, stand-ins, other models, texts, none."""
    source = support.ROOT / "samples" / "blackbox5-store"

    def setUp(self):
        super().setUp()
        self.serve()
        self.must(self.store.json("migrate", "run", "--from", self.source, "--no-backup"))

    def export(self, name):
        path = self.folder / name
        answer = self.must(self.store.run("export", "--output", path))
        return path.read_bytes(), answer

    def assert_proved(self, dropped=0):
        verified = self.must(self.store.json("migrate", "verify", "--from", self.source)).document
        self.assertEqual((verified["verified"], verified["differences"]), (True, []))
        self.assertEqual(verified["compared"]["dropped_vectors"], dropped)
        again = self.must(self.store.json("migrate", "run", "--from", self.source, "--no-backup")).document["memories"]
        self.assertEqual((again["loaded"], again["rejected"], again["identical"]), (0, 0, again["read"] - again["quarantined"]))
        planned = self.must(self.store.json("migrate", "plan", "--from", self.source)).document
        self.assertEqual(planned["memories"]["rejected"], 0, planned)
        self.must(self.store.json("doctor", "--thorough"))

    def test_the_source_is_proved_before_and_after_the_old_vectors_are_dropped(self):
        before, _ = self.export("before.json")
        had = self.stats()
        report = self.must(self.store.json("reembed", "--to", "local")).document
        self.assertEqual((report["from"], report["to"], report["changed"]), (SMALL_MODEL, LOCAL_MODEL, True))
        has = self.stats()
        self.assertEqual(has["embedder"], {"model": LOCAL_MODEL, "dimension": 384})
        self.assertEqual(has["other_vectors"], {SMALL_MODEL: had["vectors"]["indexed"]})
        self.assertGreater(has["vectors"]["indexed"], had["vectors"]["indexed"])
        found = self.scores(self.store, "people are patient about lateness but not about being charged wrongly", **LOCAL)
        self.assertEqual(found[0][0], "Customers forgive a delay, not a wrong price")
        self.assertEqual(self.export("after.json")[0], before)
        self.assert_proved()

        dropped = self.must(self.store.json("reembed", "--drop-old")).document["dropped"]
        self.assertEqual(dropped, had["vectors"]["indexed"])
        self.assertEqual(self.stats()["other_vectors"], {})
        verified = self.must(self.store.run("migrate", "verify", "--from", self.source))
        self.assertRegex(verified.out, r"not compared +\d+ vectors: dropped by reembed --drop-old")
        compared = self.must(self.store.json("migrate", "verify", "--from", self.source)).document["compared"]["dropped_vectors"]
        self.assertGreater(compared, 0)
        self.assert_proved(compared)
        bytes_now, answer = self.export("dropped.json")
        self.assertIn(f"of {LOCAL_MODEL}", answer.err)
        self.assertIn("reembed dropped", answer.err)
        lengths = {len(one["embedding"]) for one in json.loads(bytes_now.decode("utf-8", "surrogatepass")) if isinstance(one, dict) and isinstance(one.get("embedding"), list)}
        self.assertIn(384, lengths)

    def test_back_and_forth_ends_where_it_began(self):
        before, _ = self.export("before.json")
        had = self.scores(self.store, "prices", **{**self.service, "BB5_EMBEDDER": "openai"})
        self.must(self.store.json("reembed", "--to", "local"))
        # What came without a vector never had one of the service: that is wanted now.
        answer = self.store.json("reembed", "--to", SMALL_MODEL)
        self.assertEqual(answer.code, 12, answer)
        self.assertEqual(self.model(), LOCAL_MODEL)
        back = self.must(self.store.json("reembed", "--to", "openai", **self.service)).document
        self.assertEqual(back["lacking"], back["embedded"])
        self.assertEqual(self.export("back.json")[0], before)
        self.assert_proved()
        has = dict(self.scores(self.store, "prices", **{**self.service, "BB5_EMBEDDER": "openai"}))
        self.assertTrue(all(has.get(content, score) == score for content, score in had))
        # And now nothing is lacking for local: no embedder is needed.
        self.must(self.store.json("reembed", "--to", LOCAL_MODEL))
        self.assertEqual(self.model(), LOCAL_MODEL)
        self.assert_proved()

    def test_a_bank_that_was_local_first_changes_to_the_model_of_its_source(self):
        other = self.another_store()
        self.must(other.json("init", "--embedder", LOCAL_MODEL, "--dimension", 384))
        self.store = other
        self.must(other.json("migrate", "run", "--from", self.source, "--no-backup"))
        before, _ = self.export("before.json")
        self.must(other.json("reembed", "--missing", **LOCAL))
        self.must(other.json("reembed", "--to", "openai", **self.service))
        self.assertEqual(self.export("after.json")[0], before)
        self.assert_proved()

    def test_a_backup_brings_all_vectors_along(self):
        self.must(self.store.json("reembed", "--to", "local"))
        backup = self.folder / "bank.backup"
        self.must(self.store.run("backup", "--to", backup))
        had = self.stats()
        self.store = self.another_store()
        self.must(self.store.run("restore", backup))
        has = self.stats()
        self.assertEqual((has["other_vectors"], has["vectors"]), (had["other_vectors"], had["vectors"]))
        self.assert_proved()
        self.assertEqual(self.must(self.store.json("reembed", "--drop-old")).document["dropped"], sum(had["other_vectors"].values()))


class Kill(ModelTest):
    """Notes with vectors of a service of 8 numbers, and one of 6 to change to."""
    NOTES = 120

    def setUp(self):
        super().setUp()
        self.server = self.serve(dimension=8)
        self.fill(self.store)

    def fill(self, store):
        lines = "\n".join(json.dumps({"content": f"Note {i}: the harbour closes at {i} o'clock"}) for i in range(self.NOTES))
        self.must(store.json("add", "--batch", "-", stdin=lines, BB5_EMBEDDER="openai/old", **self.service))

    def command(self, store=None, *more):
        return [support.PROGRAM, *(store or self.store).flags, "--json", "reembed", "--to", "openai/new@6", "--batch", "16", *more]

    def killed_at(self, point):
        done = subprocess.run(self.command(), env=support.environment(BB5_FAIL_POINT=point, **self.service), capture_output=True, timeout=300, check=False)
        self.assertEqual(done.returncode, -signal.SIGKILL, done)

    def change(self, store=None):
        answer = (store or self.store).json("reembed", "--to", "openai/new@6", "--batch", 16, **self.service)
        return self.must(answer).document

    def texts(self):
        """How many texts the service has embedded by the new model."""
        return sum(len(one["body"]["input"]) for one in self.server.requests if one["body"].get("model") == "new" and isinstance(one["body"].get("input"), list))

    def test_killed_while_collecting_it_goes_on_and_ends_as_if_undisturbed(self):
        self.killed_at("change_model.before_batch:5")
        self.assertEqual(self.model(), "openai/old")
        self.assertEqual(self.stats()["other_vectors"], {"openai/new@6": 64})
        before = self.texts()
        report = self.change()
        self.assertEqual((report["lacking"], report["embedded"], report["changed"]), (self.NOTES - 64, self.NOTES - 64, True))
        self.assertEqual(self.texts() - before, self.NOTES - 64)
        undisturbed = self.another_store()
        self.fill(undisturbed)
        self.change(undisturbed)
        env = {"BB5_EMBEDDER": "openai/new@6", **self.service}
        for question in ("harbour", "Note 7", "closing time"):
            self.assertEqual(self.scores(self.store, question, **env), self.scores(undisturbed, question, **env))
        self.assertEqual(self.stats()["other_vectors"], {"openai/old": self.NOTES})
        self.must(self.store.json("doctor", "--thorough"))

    def test_killed_around_the_change_it_is_either_before_or_after(self):
        for point, model in (("change_model.before_exchange:1", "openai/old"), ("change_model.before_commit:1", "openai/old"), ("change_model.exchanged:1", "openai/new@6")):
            self.killed_at(point)
            self.assertEqual(self.model(), model, point)
            self.must(self.store.json("doctor", "--thorough"))
            env = {"BB5_EMBEDDER": model, **self.service}
            self.assertEqual(len(self.scores(self.store, "harbour", **env)), 30, point)
        report = self.change()
        self.assertEqual((report["changed"], report["embedded"]), (False, 0))

    def test_those_who_write_and_ask_meanwhile_go_on(self):
        changing = subprocess.Popen(self.command(), env=support.environment(**self.service), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        added = 0
        env = {"BB5_EMBEDDER": "", **self.service}
        while changing.poll() is None or added < 5:
            answer = self.store.json("add", f"Meanwhile {added}: a ship came in", **env)
            if answer.code != 0:  # embedded before the change and written after it: told so, and done when it is asked again
                self.assertEqual(answer.document["error"]["type"], "urn:bb5-memory:error:conflict", answer)
                self.assertIn("openai/new@6", answer.out)
                continue
            found = self.must(self.store.json("recall", "harbour", "--limit", 30, **env)).document["results"]
            self.assertEqual(len(found), 30)
            added += 1
        self.assertEqual(changing.wait(), 0)
        self.assertEqual(self.model(), "openai/new@6")
        vectors = self.stats()["vectors"]
        self.assertEqual(sum(vectors.values()), self.NOTES + added)
        self.must(self.store.json("doctor", "--thorough"))
        contents = {content for content, _ in self.scores(self.store, "Meanwhile 0: a ship came in", **env)}
        self.assertIn("Meanwhile 0: a ship came in", contents)

    def test_interrupted_it_can_be_resumed(self):
        changing = subprocess.Popen(self.command(), env=support.environment(BB5_FAIL_POINT=None, **self.service), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = changing.stderr.readline()
        self.assertEqual(json.loads(line)["phase"], "plan")
        self.assertEqual(json.loads(line)["memories"], self.NOTES)
        changing.send_signal(signal.SIGINT)
        out, _ = changing.communicate(timeout=60)
        if changing.returncode == 130:  # else it was quicker
            self.assertTrue(json.loads(out)["stopped"])
            self.assertEqual(self.model(), "openai/old")
        else:
            self.assertEqual(changing.returncode, 0)
        self.change()
        self.assertEqual(self.model(), "openai/new@6")


class Errors(ModelTest):
    def setUp(self):
        super().setUp()
        self.must(self.store.json("add", "The coffee machine needs a new filter", **LOCAL))

    def test_the_same_model_is_no_change(self):
        answer = self.must(self.store.run("reembed", "--to", "local"))
        self.assertIn(f"Nothing to do: the bank's model is {LOCAL_MODEL} already", answer.out)

    def test_what_is_no_model_is_an_error(self):
        for name in ("martian", "none"):
            answer = self.store.json("reembed", "--to", name)
            self.assertEqual(answer.code, 2, answer)
            self.assertTrue(answer.document["error"]["fix"])

    def test_one_thing_at_a_time(self):
        for flags in ([], ["--missing", "--to", "local"], ["--missing", "--drop-old"], ["--dry-run"], ["--missing", "--dry-run"]):
            self.assertEqual(self.store.json("reembed", *flags).code, 2, flags)

    def test_a_service_that_is_away_costs_nothing(self):
        self.must(self.store.json("add", "Tea is at four", **LOCAL))
        self.serve(dimension=8, embeddings=[{}, {"status": 400, "error": "not now"}])
        answer = self.store.json("reembed", "--to", "openai/new@8", "--batch", 1, **self.service)
        self.assertNotEqual(answer.code, 0, answer)
        self.assertEqual(self.model(), LOCAL_MODEL)
        self.assertEqual(self.stats()["other_vectors"], {"openai/new@8": 1})
        self.assertEqual(self.must(self.store.json("reembed", "--to", "openai/new@8", **self.service)).document["embedded"], 1)

    def test_a_dry_run_says_what_it_would_cost_and_asks_nobody(self):
        self.serve(dimension=8)
        server = self.serve(dimension=8)
        answer = self.must(self.store.run("reembed", "--to", "openai/new@8", "--dry-run", **self.service))
        self.assertIn("Dry run: 1 memory to embed", answer.out)
        self.assertEqual(server.requests, [])
        self.assertEqual(self.model(), LOCAL_MODEL)

    def test_another_embedder_is_refused_with_the_way_to_change(self):
        self.serve(dimension=8)
        answer = self.store.json("add", "x", "--embedder", "openai/new@8", **self.service)
        self.assertEqual(answer.code, 2, answer)
        self.assertIn("reembed --to openai/new@8", answer.document["error"]["fix"])


support.for_each_store(globals(), Sample, Kill, Errors)
if __name__ == "__main__":
    support.main()
