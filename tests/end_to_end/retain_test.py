"""RETAIN through the command line: a folder is learned from, and questions about it are answered."""
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import support
from support import EndToEnd, StoreTest

sys.path.insert(0, str(support.ROOT / "tests" / "support"))
from model_server import ModelServer  # noqa: E402

DECISIONS = """# Decisions

## Database
**Decision:** Use PostgreSQL with pgvector for storage.
**Rationale:** It keeps vectors and rows in one transaction.

## Cache
PaymentService depends on Redis.
"""
THOUGHTS = """# Thoughts
- The nightly build fails when the disk is full.
- Ada Lovelace prefers short meetings on Mondays.
"""
LOCAL = {"BB5_EMBEDDER": "local"}


class Folder(StoreTest):
    graph = True

    def setUp(self):
        super().setUp()
        self.notes = self.folder / "notes"
        self.write("notes/DECISIONS.md", DECISIONS)
        self.write("notes/deep/THOUGHTS.md", THOUGHTS)

    def retain(self, *arguments, **options):
        return self.store.json("retain", self.notes, *arguments, **options)

    def contents(self, question, **options):
        return [result["content"] for result in self.must(self.store.json("recall", question, **options)).document["results"]]

    def test_questions_about_a_folder_are_answered(self):
        report = self.must(self.retain(**LOCAL)).document
        self.assertEqual((report["extractor"].split("/")[0], report["embedder"]), ("rules", "local/all-MiniLM-L6-v2"))
        self.assertEqual((report["totals"]["documents"], report["totals"]["failed"], report["totals"]["without_vector"]), (2, 0, 0))
        self.assertIn("PostgreSQL", self.contents("Which database do we use?", **LOCAL)[0])
        self.assertIn("disk is full", self.contents("What breaks the build at night?", **LOCAL)[0])
        self.assertIn("short meetings", self.contents("How long does Ada like her appointments to be?", **LOCAL)[0])
        answer = self.must(self.store.json("recall", "When do compilations go wrong?", "--strategies", "semantic", **LOCAL)).document
        self.assertEqual(answer["receipt"]["arms"][0]["state"], "ran")
        self.assertIn("disk is full", answer["results"][0]["content"])

    def test_entities_and_relationships_are_in_the_store_and_in_neo4j(self):
        self.must(self.retain())
        stats = self.must(self.store.json("stats")).document
        self.assertGreater(stats["entities"], 2)
        self.assertGreater(stats["relationships"], 0)
        if not self.store.graph:
            return
        self.assertEqual((stats["graph"]["nodes"], stats["graph"]["edges"], stats["outbox_pending"]), (stats["entities"], stats["relationships"], 0))
        checks = {check["id"]: check for check in self.must(self.store.json("doctor")).document["checks"]}
        self.assertEqual(checks["graph"]["state"], "ok", checks["graph"])
        rows = support.cypher("MATCH (a:Entity {bank: $bank})-[r:DEPENDS_ON]->(b:Entity) RETURN b.name", bank=self.store.bank)
        self.assertEqual(rows, [["Redis"]])

    def test_an_unchanged_folder_is_left_alone_and_a_changed_file_supersedes(self):
        first = self.must(self.retain(**LOCAL)).document["totals"]
        again = self.must(self.retain(**LOCAL)).document["totals"]
        self.assertEqual((again["unchanged"], again["added"]), (2, 0))
        self.write("notes/deep/THOUGHTS.md", THOUGHTS.replace("short meetings on Mondays", "long walks on Sundays"))
        changed = self.must(self.retain(**LOCAL)).document["totals"]
        self.assertEqual((changed["unchanged"], changed["added"], changed["no_longer_said"]), (1, 1, 1))
        now = self.contents("What does Ada Lovelace prefer?", **LOCAL)
        self.assertTrue(any("long walks" in content for content in now), now)
        self.assertFalse(any("short meetings" in content for content in now), now)
        past = self.must(self.store.json("recall", "What does Ada Lovelace prefer?", "--all-times", **LOCAL)).document["results"]
        self.assertTrue(any("short meetings" in result["content"] for result in past))
        self.assertEqual(self.must(self.store.json("stats")).document["memories"], first["added"] + 1)

    def test_a_file_that_is_gone_says_nothing_any_more_when_pruned(self):
        self.must(self.retain())
        (self.notes / "deep/THOUGHTS.md").unlink()
        self.assertEqual(self.must(self.retain()).document["totals"]["no_longer_said"], 0)
        self.assertTrue(self.contents("nightly build disk"))
        pruned = self.must(self.retain("--prune")).document["totals"]
        self.assertGreater(pruned["no_longer_said"], 0)
        self.assertFalse(any("nightly" in content for content in self.contents("nightly build disk")))

    def test_one_file_that_fails_does_not_stop_the_others(self):
        self.write("notes/broken.md", b"caf\xe9")
        answer = self.store.run("retain", self.notes)
        self.assertEqual(answer.code, 1, answer)
        self.assertIn("broken.md: byte 3 is not UTF-8", answer.err)
        self.assertIn("fix: convert it", answer.err)
        self.assertIn("3 documents: 0 unchanged, 1 failed", answer.out)
        self.assertTrue(self.contents("PostgreSQL"))

    def test_without_vectors_words_still_answer(self):
        report = self.must(self.retain()).document
        self.assertIsNone(report["embedder"])
        self.assertEqual(report["totals"]["without_vector"], report["totals"]["added"])
        self.assertIn("PostgreSQL", self.contents("PostgreSQL")[0])

    def test_a_killed_run_leaves_whole_documents_and_the_next_completes_it(self):
        for number in range(60):
            self.write(f"many/{number:02}.md", "\n".join([*(f"- Fact {number}.{line} is about topic{number} and thing{line}." for line in range(8)), f"Service{number} depends on {('PayGate', '`pay-gate`')[number % 2]}."]))
        arguments = ["retain", self.folder / "many"]
        for delay in (0.05, 0.15, 0.4):
            process = subprocess.Popen([support.PROGRAM, *self.store.flags, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=support.environment())
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.must(self.store.run(*arguments))
        undisturbed = self.another_store()
        self.must(undisturbed.run(*arguments))
        self.assertEqual(state_of(self, self.store), state_of(self, undisturbed))
        if self.store.graph:
            checks = {check["id"]: check for check in self.must(self.store.json("doctor")).document["checks"]}
            self.assertEqual(checks["graph"]["state"], "ok", checks["graph"])

    def keys(self):
        return [entity["key"] for entity in self.must(self.store.json("entities", "list")).document["entities"]]

    def test_one_entity_under_two_names_is_merged_and_a_split_holds(self):
        self.write("notes/one.md", "PaymentService depends on PayGate.\nBillingService depends on PayGate.")
        self.write("notes/two.md", "OrderService depends on `pay-gate`.")
        report = self.must(self.retain()).document
        self.assertEqual([(merge["from"], merge["into"], merge["reason"]) for merge in report["merged"]], [("technology:pay-gate", "technology:paygate", "resolver: spelling")])
        self.assertNotIn("technology:pay-gate", self.keys())
        if self.store.graph:
            names = [row[0] for row in support.cypher("MATCH (e:Entity {bank: $bank}) WHERE toLower(e.name) STARTS WITH 'pay' RETURN e.name", bank=self.store.bank)]
            self.assertEqual(sorted(names), ["PayGate", "PaymentService"])
            users = support.cypher("MATCH (a:Entity {bank: $bank})-[:DEPENDS_ON]->(:Entity {name: 'PayGate'}) RETURN a.name ORDER BY a.name", bank=self.store.bank)
            self.assertEqual([row[0] for row in users], ["BillingService", "OrderService", "PaymentService"])
        self.must(self.store.run("entities", "split", "pay-gate"))
        self.write("notes/three.md", "MailService depends on `pay-gate`.")
        self.assertEqual(self.must(self.retain()).document["merged"], [])
        self.assertIn("technology:pay-gate", self.keys())
        if self.store.graph:
            self.assertEqual(self.must(self.store.json("stats")).document["outbox_pending"], 0)
        self.must(self.store.run("doctor", "--thorough"))

    def test_what_a_killed_run_did_not_merge_the_next_one_does(self):
        self.write("notes/one.md", "PaymentService depends on PayGate.\nBillingService depends on PayGate.")
        self.write("notes/two.md", "OrderService depends on `pay-gate`.")
        # As if killed between writing and merging: all documents stand, nothing is merged.
        self.assertEqual(self.must(self.retain("--no-resolve")).document["merged"], [])
        self.assertIn("technology:pay-gate", self.keys())
        report = self.must(self.store.run("retain", self.notes)).out
        self.assertIn("Merged technology:pay-gate into technology:paygate (resolver: spelling)\nUndo one: bb5-memory entities split KEY\n", report)
        self.assertNotIn("technology:pay-gate", self.keys())
        self.assertEqual(self.must(self.retain()).document["merged"], [])

    def test_two_processes_may_retain_the_same_folder(self):
        processes = [subprocess.Popen([support.PROGRAM, *self.store.flags, "--json", "retain", str(self.notes)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=support.environment()) for _ in range(3)]
        ended = [process.communicate() + (process.returncode,) for process in processes]
        self.assertEqual([code for _, _, code in ended], [0, 0, 0], ended)
        added = sum(json.loads(out)["totals"]["added"] for out, _, _ in ended)
        self.assertEqual(self.must(self.store.json("stats")).document["memories"], added)


class Inputs(EndToEnd):
    def test_standard_input_and_transcripts(self):
        with support.embedded_store() as store:
            self.must(store.run("retain", "-", "--name", "chat-7", stdin="We decided to use Kafka for events."))
            lines = [{"role": "user", "content": "My favourite editor is Helix.", "timestamp": "2026-03-01T10:00:00Z"},
                     {"role": "assistant", "content": "Noted: the deploy key expires in June."}]
            transcript = self.write("chat.jsonl", "\n".join(map(json.dumps, lines)))
            self.must(store.run("retain", transcript))
            found = self.must(store.json("recall", "editor Helix")).document["results"][0]
            self.assertIn("Helix", found["content"])
            self.assertEqual((found["author"], found["created_at"][:10], found["source"]), ("user", "2026-03-01", str(transcript.resolve())))
            self.assertEqual(self.must(store.json("recall", "Kafka")).document["results"][0]["source"], "chat-7")

    def test_one_text_on_standard_input_does_not_take_back_another(self):
        with support.embedded_store() as store:
            for text in ("Alpha ships in spring.", "Beta ships in autumn.", "Alpha ships in spring."):
                self.must(store.run("retain", "-", stdin=text))
            found = {result["content"] for result in self.must(store.json("recall", "ships")).document["results"]}
            self.assertEqual(found, {"Alpha ships in spring.", "Beta ships in autumn."})

    def test_a_folder_has_no_one_name(self):
        self.write("notes/a.md", "Alpha ships in spring.")
        self.write("notes/b.md", "Beta ships in autumn.")
        with support.embedded_store() as store:
            answer = store.run("retain", self.folder / "notes", "--name", "notes")
            self.assertEqual(answer.code, 2, answer)
            self.assertIn("is a folder", answer.err)

    def test_what_was_recalled_is_not_learned_again_and_secrets_are_masked(self):
        token = "ghp_" + "a1B2" * 9
        note = self.write("note.md", f"## Relevant Memories\n\n### WORLD\n\n- **The moon is made of green cheese...**\n  (confidence: 0.9, relevance: 0.80)\n\n---\n*Recalled 1 memories from 5 total*\n\nThe deploy token is {token} for now.\n")
        with support.embedded_store() as store:
            answer = self.must(store.run("retain", note))
            self.assertIn("Masked: 1 × github token", answer.out)
            self.assertIn("Left out: 1 block of recalled memories", answer.out)
            everything = self.must(store.run("export", "--output", "-", "--quiet")).out
            self.assertNotIn(token, everything)
            self.assertNotIn("cheese", everything)
            self.assertIn("[secret: github token]", everything)

    def test_a_dry_run_needs_no_store_and_writes_the_old_systems_files(self):
        notes = self.write("DECISIONS.md", DECISIONS)
        answer = self.must(support.bb5("retain", notes, "--dry-run", cwd=self.folder))
        self.assertIn("Saved to ./retain_output:", answer.out)
        self.assertTrue(answer.out.endswith("RETAIN complete.\n"), answer)
        self.assertFalse((self.folder / "home").exists())
        memories = json.loads((self.folder / "retain_output/all_memories.json").read_text())
        self.assertEqual(list(memories[0])[:4], ["id", "network", "content", "confidence"])
        self.assertEqual({memory["source_type"] for memory in memories}, {"decisions"})
        self.must(support.bb5("retain", notes, "--dry-run", "--output", self.folder / "elsewhere"))
        self.assertEqual(json.loads((self.folder / "elsewhere/all_memories.json").read_text()), memories)

    def test_bad_input_is_told_with_its_remedy(self):
        with support.embedded_store() as store:
            answer = store.run("retain", self.folder / "nowhere")
            self.assertEqual(answer.code, 1, answer)
            self.assertIn(f"Source not found: {self.folder}/nowhere", answer.err)
            answer = store.run("retain", self.folder, "--extractor", "magic")
            self.assertIn("there is no extractor magic", answer.err)
            self.assertIn("rules, llm", answer.err)
            self.assertIn("OPENAI_API_KEY", store.run("retain", self.folder, "--extractor", "llm").err)
            answer = store.run("retain", self.folder, "--embedder", "local", BB5_MODEL_DIR=self.folder)
            self.assertIn("scripts/setup", answer.err)


class ByAModel(EndToEnd):
    """A service that plays a model, well or badly: no text is lost."""

    def retain(self, store, script, text="Alpha is first.\nBeta is second.", **env):
        note = self.write("note.md", text)
        with ModelServer(script) as server:
            return store.json("retain", note, OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY="key", BB5_EMBEDDER="none", **env)

    def contents(self, store):
        return [memory["content"] for memory in self.must(store.json("list")).document["memories"]]

    def test_a_good_answer(self):
        with support.embedded_store() as store:
            report = self.must(self.retain(store, {})).document
            self.assertTrue(report["extractor"].startswith("llm/"), report["extractor"])
            self.assertEqual((report["usage"]["calls"], report["totals"]["added"]), (1, 2))
            self.assertEqual(self.contents(store), ["Alpha is first.", "Beta is second."])

    def test_the_output_folder_costs_no_second_call(self):
        note = self.write("note.md", "Alpha is first.\nBeta is second.")
        with support.embedded_store() as store, ModelServer({}) as server:
            report = self.must(store.json("retain", note, "--output", self.folder / "out", OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY="key")).document
        self.assertEqual((report["usage"]["calls"], report["totals"]["added"]), (1, 2))
        memories = json.loads((self.folder / "out/all_memories.json").read_text())
        self.assertEqual([memory["content"] for memory in memories], ["Alpha is first.", "Beta is second."])

    def test_a_service_that_is_away_is_not_waited_for_by_every_file(self):
        for number in range(100):
            self.write(f"notes/{number}.md", f"Fact {number} is known.")
        with support.embedded_store() as store, ModelServer({"key": "another"}) as server:
            answer = store.json("retain", self.folder / "notes", OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY="key")
            self.assertEqual((answer.code, answer.document["totals"]["failed"]), (1, 100), answer)
            errors = [document["error"]["title"] for document in answer.document["documents"]]
            self.assertGreater(sum(error.startswith("not tried: ") for error in errors), 90)
            self.must(store.run("retain", self.folder / "notes", "--extractor", "rules"))

    def test_a_reply_that_cannot_be_understood_keeps_the_text(self):
        with support.embedded_store() as store:
            report = self.must(self.retain(store, {"chat": [{"reply": "I would rather not.", "times": 10}]})).document
            self.assertTrue(report["documents"][0]["warnings"])
            memory = self.must(store.json("list")).document["memories"][0]
            self.assertIn("Alpha is first.", memory["content"])
            self.assertIn("Beta is second.", memory["content"])
            self.assertEqual((memory["network"], memory["confidence"]), ("observation", 0.5))

    def test_a_service_that_refuses_the_key_writes_nothing_and_says_why(self):
        with support.embedded_store() as store:
            answer = self.retain(store, {"key": "another"})
            self.assertEqual(answer.code, 1, answer)
            self.assertEqual(answer.document["documents"][0]["error"]["code"], "refused")
            self.assertNotIn('"key"', answer.out + answer.err)
            self.assertEqual(self.contents(store), [])
            self.assertEqual(self.must(self.retain(store, {})).document["totals"]["added"], 2)

    def test_vectors_of_a_service(self):
        with support.embedded_store() as store:
            note = self.write("note.md", "Alpha is first.\nBeta is second.")
            with ModelServer({"dimension": 16}) as server:
                service = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "key", "BB5_EMBEDDER": "openai/tiny"}
                report = self.must(store.json("retain", note, **service)).document
                self.assertEqual((report["embedder"], report["totals"]["without_vector"]), ("openai/tiny", 0))
                best = self.must(store.json("recall", "Beta is second.", "--strategies", "semantic", **service)).document["results"][0]
                self.assertEqual(best["content"], "Beta is second.")
            answer = self.must(store.json("recall", "Beta", OPENAI_BASE_URL="http://127.0.0.1:9", OPENAI_API_KEY="key", BB5_EMBEDDER=None))
            arms = {arm["arm"]: arm for arm in answer.document["receipt"]["arms"]}
            self.assertEqual((arms["semantic"]["state"], arms["keyword"]["state"]), ("skipped", "ran"))


def state_of(test, store):
    """What a bank holds, apart from when and in what order it came."""
    memories = test.must(store.json("list", "--limit", 10000)).document["memories"]
    stats = test.must(store.json("stats")).document
    keys = [entity["key"] for entity in test.must(store.json("entities", "list", "--limit", 10000)).document["entities"]]
    return sorted((memory["content"], memory["source"], memory["network"]) for memory in memories), stats["entities"], stats["relationships"], stats["mentions"], keys


class ServersThatDie(EndToEnd):
    """PostgreSQL, and Neo4j, are killed in the middle of a folder and come back."""

    @classmethod
    def setUpClass(cls):
        support.require_postgres()
        support.require_neo4j()
        cls.services = tempfile.mkdtemp(prefix="bb5-e2e-servers-")
        started = cls.servers("start")
        cls.environment = dict(re.findall(r"^export (\w+)=(.*)$", started, re.M))

    @classmethod
    def tearDownClass(cls):
        cls.servers("stop")

    @classmethod
    def servers(cls, verb):
        return subprocess.run([support.ROOT / "scripts/services", verb, "--dir", cls.services], capture_output=True, text=True, check=True).stdout

    def retain_while(self, store, kill, start):
        """Retains the folder, and kills a server a little after it began and starts it again; then retains it again."""
        passwords = {name: self.environment[name] for name in ("PGPASSWORD", "NEO4J_PASSWORD")}
        process = subprocess.Popen([support.PROGRAM, *store.flags, "retain", str(self.folder / "many")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=support.environment(**passwords))
        for _ in ("what it will do", "the first file"):
            process.stdout.readline()
        process.send_signal(signal.SIGSTOP)  # else it may be done before the server is
        self.servers(kill)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        self.servers(start)
        _, errors = process.communicate(timeout=300)
        self.must(store.run("retain", self.folder / "many", **passwords))
        return process.returncode, errors.decode()

    def test_the_same_state_as_undisturbed(self):
        for number in range(1200):
            self.write(f"many/{number:04}.md", "\n\n".join(f"Since change {number}.{line}, PaymentService depends on Redis." for line in range(5)))
        with support.embedded_store() as undisturbed:
            self.must(undisturbed.run("retain", self.folder / "many"))
            wanted = state_of(self, undisturbed)
        self.assertEqual((len(wanted[0]), wanted[2] > 0), (6000, True))
        environment = {name: self.environment[name] for name in ("PGPASSWORD", "NEO4J_PASSWORD")}
        os.environ.update(environment)
        for number, (died, verbs) in enumerate((("postgres", ("kill-postgres", "start-postgres")), ("neo4j", ("kill-neo4j", "start-neo4j")))):
            with self.subTest(died):
                store = support.Store("postgres", self.environment["BB5_TEST_POSTGRES"], self.environment["BB5_TEST_NEO4J"], f"died_{number}")
                code, errors = self.retain_while(store, *verbs)
                if died == "postgres":  # a file that could not be written is told; the graph never stops a write
                    self.assertEqual(code, 1, errors)
                    self.assertIn("Error processing", errors)
                else:
                    self.assertEqual(code, 0, errors)
                self.assertEqual(state_of(self, store), wanted)
                checks = {check["id"]: check for check in self.must(store.json("doctor")).document["checks"]}
                self.assertEqual((checks["store"]["state"], checks["graph"]["state"]), ("ok", "ok"), checks)


class ManyEntities(EndToEnd):
    def test_what_nobody_has_compared_is_named_and_not_waited_for(self):
        # No letter stands at two places, so that no two of these look like one name with a slip.
        words = ["".join(letters) for letters in itertools.product("BCDFGHKLMN", "abcdefgh", "ijklmnop", "qrstuvwx")]
        self.write("notes/old.md", "\n".join(f"- {word}Service depends on {word}Gate." for word in words) + "\n- LedgerService depends on PayGate.\n- MailService depends on `pay-gate`.")
        with support.embedded_store() as store:
            self.must(store.run("retain", "--embedder", "none", "--no-resolve", str(self.folder / "notes")))
            before = self.must(store.json("stats")).document["entities"]
            self.assertGreater(before, 10_100)
            self.write("notes/new.md", "OrderService depends on BillGate.\nShopService depends on BillGate.\nStockService depends on `bill-gate`.")
            report = self.must(store.json("retain", "--embedder", "none", str(self.folder / "notes"))).document
            self.assertEqual([(merge["from"], merge["into"]) for merge in report["merged"]], [("technology:bill-gate", "technology:billgate")])
            self.assertEqual(report["not_compared"], before)
            told = self.must(store.run("retain", "--embedder", "none", str(self.folder / "notes"))).out
            self.assertRegex(told, r"\n10\d\d\d entities of earlier writes are not compared yet: bb5-memory entities resolve --apply\nRETAIN complete")
            self.assertEqual(self.must(store.json("entities", "resolve", "--apply")).document["merged"], 1)
            report = self.must(store.json("retain", "--embedder", "none", str(self.folder / "notes"))).document
            self.assertEqual((report["merged"], report["not_compared"]), ([], 0))


class ManyFiles(EndToEnd):
    def test_a_thousand_files_in_bounded_memory_with_progress(self):
        for number in range(1000):
            self.write(f"notes/{number % 20}/{number}.md", f"# Note {number}\n\n" + "\n".join(f"- Team{line} decided to use Tool{number} for step {line} of project {number}." for line in range(10)))
        with support.embedded_store() as store:
            command = [support.PROGRAM, *store.flags, "--json", "retain", str(self.folder / "notes")]
            with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
                process = subprocess.Popen(command, stdout=out, stderr=err, env=support.environment())
                _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            totals = json.loads((self.folder / "out").read_text())["totals"]
            self.assertEqual((totals["documents"], totals["failed"]), (1000, 0))
            self.assertGreaterEqual(totals["added"], 9000)
            self.assertLess(usage.ru_maxrss, 200 * 1024, "KiB")
            lines = [json.loads(line) for line in (self.folder / "err").read_text().splitlines()]
            self.assertTrue(all(line["phase"] == "retain" for line in lines), lines[:3])
            self.assertEqual(lines[-1]["bytes"], lines[-1]["of_bytes"])
            self.assertGreater(len(lines), 2)


support.for_each_store(globals(), Folder)

if __name__ == "__main__":
    unittest.main(verbosity=2)
