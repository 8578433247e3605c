"""Several processes write one bank: nothing acknowledged is lost, and readers see it at once."""
import json
import os
import random
import resource
import signal
import subprocess
import threading
import time

import support
from support import EndToEnd, StoreTest

LINES = 500
SEED = int(os.environ.get("BB5_SEED", random.randrange(1 << 30)))


def lines_of(writer):
    source = random.Random(writer)
    for number in range(LINES):
        vector = [round(source.uniform(-1, 1), 3) for _ in range(384)]
        yield json.dumps({"content": f"writer {writer} line {number}", "network": "world", "embedding": vector, "entities": [f"entity {number % 7}"]}) + "\n"


class Writers(StoreTest):
    def start(self, writer, acknowledged):
        """A process that is fed line by line; what it acknowledges is gathered."""
        process = subprocess.Popen([support.PROGRAM, *self.store.flags, "--json", "add", "--batch", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=support.environment())

        def feed():
            try:
                for line in lines_of(writer):
                    process.stdin.write(line.encode())
                    process.stdin.flush()
                process.stdin.close()
            except BrokenPipeError:
                pass

        def gather():
            for line in process.stdout:
                try:
                    acknowledged.append(json.loads(line)["id"])
                except (ValueError, KeyError):
                    pass  # the last line of a killed process may be cut

        threads = [threading.Thread(target=feed), threading.Thread(target=gather)]
        for thread in threads:
            thread.start()
        return process, threads

    def test_four_processes_one_killed_and_every_acknowledged_memory_is_there(self):
        print(f"BB5_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        self.must(self.store.run("init", "--embedder", "local/all-MiniLM-L6-v2", "--dimension", "384"))
        reader = subprocess.Popen([support.PROGRAM, *self.store.flags, "recall", "--batch", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=support.environment())

        def ask(text):
            reader.stdin.write((json.dumps({"query": text, "limit": 1, "strategies": ["keyword"]}) + "\n").encode())
            reader.stdin.flush()
            return json.loads(reader.stdout.readline())

        self.assertEqual(ask("writer")["results"], [])  # opened, and empty
        acknowledged = [[] for _ in range(4)]
        writers = [self.start(number, acknowledged[number]) for number in range(4)]
        time.sleep(chance.uniform(0.05, 0.6))
        victim = chance.randrange(4)
        writers[victim][0].send_signal(signal.SIGKILL)
        for process, threads in writers:
            for thread in threads:
                thread.join()
            process.wait()
            process.stdout.close()
            process.stderr.close()
        for number, (process, _) in enumerate(writers):
            if number != victim:
                self.assertEqual(process.returncode, 0)
                self.assertEqual(len(acknowledged[number]), LINES)

        held = {}
        after = 0
        while True:
            page = self.must(self.store.json("list", "--limit", "10000", "--after", after)).document
            held.update((item["id"], item) for item in page["memories"])
            after = page["next_after"]
            if after is None:
                break
        lost = [identity for ids in acknowledged for identity in ids if identity not in held]
        self.assertEqual(lost, [])
        self.assertTrue(all(item["vector"] == "indexed" for item in held.values()))
        self.assertTrue(self.must(self.store.json("doctor", "--thorough")).document["ok"])
        for number in range(4):
            if number != victim:
                answer = ask(f"writer {number} line {LINES - 1}")
                self.assertIn("line", answer["results"][0]["content"])
        # By vector too: the reader was opened before any of them was written.
        vector = json.loads(list(lines_of((victim + 1) % 4))[LINES - 1])["embedding"]
        reader.stdin.write((json.dumps({"query": "x", "embedding": vector, "limit": 1, "strategies": ["semantic"]}) + "\n").encode())
        reader.stdin.close()
        nearest = json.loads(reader.stdout.readline())["results"][0]
        self.assertEqual(nearest["content"], f"writer {(victim + 1) % 4} line {LINES - 1}")
        reader.wait()
        reader.stdout.close()
        # The counts of the graph are those of the memories that are there.
        self.assertEqual(self.store.json("stats").document["mentions"], len(held))


class FullDisk(EndToEnd):
    def test_a_full_disk_stops_cleanly_and_the_same_command_goes_on(self):
        source = self.folder / "source"
        source.mkdir()
        subprocess.run([support.GENERATOR, "--records", "2000", "--dimension", "384", "--seed", "1", "--out", source / "memories.json"], check=True, capture_output=True)
        store = f"embedded:{self.folder}/s.db"
        arguments = ["migrate", "run", "--from", source, "--to", store, "--source-model", "test/model", "--no-backup", "--batch-records", "100"]

        def small():  # no file may grow beyond this: the kernel's word is EFBIG, SQLite's SQLITE_FULL or an I/O error
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        done = subprocess.run([support.PROGRAM, *map(str, arguments)], capture_output=True, env=support.environment(), preexec_fn=small, check=False)
        self.assertEqual(done.returncode, 5, done)
        self.assertIn(b"error: ", done.stderr)
        report = self.must(support.bb5(*arguments, "--json")).document
        self.assertTrue(report["verified"])
        self.assertEqual(report["memories"]["loaded"], 2000)


support.for_each_store(globals(), Writers)

if __name__ == "__main__":
    support.main()
