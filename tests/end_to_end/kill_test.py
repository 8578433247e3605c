"""A migration that is killed, anywhere and however often, ends in the state of one that was not."""
import json
import os
import random
import signal
import subprocess
import time

import support
from support import StoreTest

RECORDS = 20_000 if support.SOAK else 4_000
KILLS = 50 if support.SOAK else 12
SEED = int(os.environ.get("BB5_SEED", random.randrange(1 << 30)))


class AKilledMigration(StoreTest):
    graph = True

    def setUp(self):
        super().setUp()
        print(f"BB5_SEED={SEED}", flush=True)
        self.random = random.Random(SEED)
        source = self.folder / "source"
        source.mkdir()
        subprocess.run([support.GENERATOR, "--records", str(RECORDS), "--dimension", "384", "--entities", "0.05", "--relationships", "0.05", "--damage", "0.01",
                        "--seed", str(SEED), "--out", source / "memories.json"], check=True, capture_output=True)
        self.source = source

    def arguments(self, store):
        return [*store.flags, "migrate", "run", "--from", self.source, "--source-model", "test/model", "--batch-records", "100", "--json", "--quiet"]

    def state(self, store):
        """All that a migration leaves behind, but for times and the names of runs."""
        report = self.must(store.json("migrate", "verify", "--from", self.source, "--source-model", "test/model")).document
        self.assertTrue(report["verified"])
        stats = store.json("stats").document
        for key in ("store", "bank", "bytes_on_disk"):
            del stats[key]
        status = store.json("migrate", "status", "--issues").document["runs"]
        issues = [[(i["kind"], i["file"], i["record"], i["byte"], i["pointer"], i["code"]) for i in run["issues"]] for run in status]
        return {"graph": report["graph"] | {"projection": None}, "compared": report["compared"], "stats": stats, "export": self.must(store.run("export", "--output", "-", "--quiet")).out,
                "runs": [(run["state"], run["memories"]) for run in status], "issues": issues}

    def run_and_kill(self, store, where):
        """One attempt. True when it came to its end all the same."""
        env = support.environment(BB5_FAIL_POINT=where if isinstance(where, str) else None)
        process = subprocess.Popen([support.PROGRAM, *map(str, self.arguments(store))], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        if isinstance(where, float):
            time.sleep(where)
            process.send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=600)
        self.assertIn(process.returncode, (0, -signal.SIGKILL), (where, out, err))
        return process.returncode == 0

    def test_ends_like_one_that_was_not_killed(self):
        undisturbed = self.another_store()
        began = time.monotonic()
        self.must(support.bb5(*self.arguments(undisturbed)))
        duration = time.monotonic() - began
        expected = self.state(undisturbed)

        passes = RECORDS // 100 * 2
        for attempt in range(KILLS):
            # Half at named points of the protocol, half at any moment at all.
            where = f"any:{self.random.randrange(1, max(2, passes // 2))}" if attempt % 2 else self.random.uniform(0.0, duration)
            if self.run_and_kill(self.store, where):
                break
        report = self.must(support.bb5(*self.arguments(self.store))).document
        self.assertTrue(report["verified"])
        actual = self.state(self.store)
        self.assertTrue(actual.pop("export") == expected.pop("export"), "the exports differ")
        # A run that came to its end early is followed by one that found everything identical.
        actual["runs"], actual["issues"] = actual["runs"][-1:], actual["issues"][-1:]
        self.assertEqual(actual, expected)

    def test_killed_at_every_named_point_goes_on_from_there(self):
        for point in ("migrate.run_begun:1", "migrate.before_batch:1", "migrate.after_batch:1", "migrate.before_batch:7", "migrate.graph_folded:1", "migrate.derived:1"):
            store = self.another_store()
            self.assertFalse(self.run_and_kill(store, point), point)
            report = self.must(support.bb5(*self.arguments(store))).document
            self.assertTrue(report["verified"])
            self.assertTrue(report["resumed"], point)
            self.assertEqual(len(store.json("migrate", "status").document["runs"]), 1)

    def test_ctrl_c_finishes_the_batch_and_says_that_it_can_go_on(self):
        process = subprocess.Popen([support.PROGRAM, *map(str, self.arguments(self.store))], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=support.environment())
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertIn(process.returncode, (5, 0), (out, err))
        if process.returncode == 5:
            self.assertEqual(json.loads(out)["outcome"], "interrupted")
        self.must(support.bb5(*self.arguments(self.store)))

    def test_a_source_that_changed_under_an_unfinished_run_is_refused(self):
        self.assertFalse(self.run_and_kill(self.store, "migrate.after_batch:3"))
        with open(self.source / "memories.json", "r+b") as file:
            file.seek(20)
            byte = file.read(1)
            file.seek(20)
            file.write(b"x" if byte != b"x" else b"y")
        answer = support.bb5(*self.arguments(self.store))
        self.assertEqual(answer.code, 6, answer)
        self.must(support.bb5(*self.arguments(self.store), "--restart"))

    def test_two_at_once_are_one_after_the_other(self):
        first = subprocess.Popen([support.PROGRAM, *map(str, self.arguments(self.store))], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=support.environment())
        codes = []
        while first.poll() is None:
            codes.append(support.bb5(*self.arguments(self.store)).code)
        first.communicate()
        codes.append(first.returncode)
        self.assertIn(7, codes)  # whoever came second was told so
        self.assertIn(0, codes)
        self.assertLessEqual(set(codes), {0, 7})
        self.assertTrue(self.must(support.bb5(*self.arguments(self.store))).document["verified"])


support.for_each_store(globals(), AKilledMigration)

if __name__ == "__main__":
    support.main()
