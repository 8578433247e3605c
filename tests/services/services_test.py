#!/usr/bin/python3
"""scripts/services against the real servers: what it starts answers, what it stops is gone.

Takes a minute or two (Neo4j starts four times); ends with 77, "skipped", when scripts/setup has not brought
the servers. Python's standard library only.
"""
import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = str(ROOT / "scripts" / "services")
# PostgreSQL runs as another user when we are root, so not below a private TMPDIR.
TEMPORARY = "/tmp" if os.getuid() == 0 else tempfile.gettempdir()


def services(*arguments, check=True):
    done = subprocess.run(
        [SERVICES, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400
    )
    if check and done.returncode != 0:
        raise AssertionError(f"services {arguments} ended with {done.returncode}:\n{done.stderr}")
    return done


def environment_of(exports):
    """The variables that a shell has after evaluating the lines."""
    shell = subprocess.run(
        ["env", "-i", "bash", "-c", 'eval "$1"; /usr/bin/env -0', "-", exports],
        capture_output=True, text=True, check=True,
    )
    pairs = dict(line.split("=", 1) for line in shell.stdout.split("\0") if line)
    return {k: v for k, v in pairs.items() if k.startswith(("BB5_", "PG", "NEO4J_"))}


def processes_of(folder):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if (folder + "/").encode() in words:
            found.append((path.parent.name, words.replace(b"\0", b" ").decode(errors="replace")[:100]))
    return found


class Services(unittest.TestCase):
    def setUp(self):
        self.dir = f"{TEMPORARY}/bb5-services-test-{os.getpid()}"
        self.addCleanup(services, "stop", "--dir", self.dir, check=False)

    def run_in(self, *arguments, check=True):
        return services(*arguments, "--dir", self.dir, check=check)

    def assert_nothing_left(self):
        self.assertEqual(processes_of(self.dir), [])
        self.assertFalse(os.path.exists(self.dir))
        self.assertEqual(self.run_in("status", check=False).returncode, 3)

    def psql(self, environment, statement, url=None, check=True):
        done = subprocess.run(
            [environment["BB5_TEST_PGBIN"] + "/psql", "-XqAt", url or environment["BB5_TEST_POSTGRES"], "-c", statement],
            env={"PGPASSWORD": environment["PGPASSWORD"]}, capture_output=True, text=True, timeout=60,
        )
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip() if check else done

    def post(self, environment, path, body, password=None):
        port = environment["BB5_TEST_NEO4J"].rsplit(":", 1)[1].split("/")[0]
        login = base64.b64encode(f"neo4j:{password or environment['NEO4J_PASSWORD']}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json", "Authorization": "Basic " + login},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)

    def cypher(self, environment, statement):
        answer = self.post(environment, "/db/neo4j/tx/commit", {"statements": [{"statement": statement}]})
        self.assertEqual(answer["errors"], [])
        return [row["row"] for row in answer["results"][0]["data"]]

    # Starting and what is there then -----------------------------------------------------------------

    def test_start_gives_two_servers_that_answer_and_stop_leaves_nothing(self):
        started = self.run_in("start")
        for line in started.stdout.splitlines():
            self.assertRegex(line, r"^export [A-Z0-9_]+=\S+$")
        environment = environment_of(started.stdout)
        self.assertEqual(
            set(environment),
            {"BB5_TEST_POSTGRES", "PGPASSWORD", "BB5_TEST_PGBIN", "BB5_TEST_PGOWNER", "BB5_TEST_NEO4J",
             "BB5_TEST_NEO4J_BOLT", "NEO4J_PASSWORD", "BB5_TEST_SERVICES_DIR"},
        )
        self.assertRegex(environment["BB5_TEST_POSTGRES"], r"^postgresql://blackbox5@127\.0\.0\.1:\d+/memory$")
        self.assertRegex(environment["BB5_TEST_NEO4J"], r"^neo4j\+http://neo4j@127\.0\.0\.1:\d+/neo4j$")
        self.assertEqual(self.run_in("status").returncode, 0)

        with self.subTest("PostgreSQL with pgvector, durable, for a superuser with a password"):
            self.assertTrue(self.psql(environment, "SHOW server_version").startswith("16.14"))
            self.assertEqual(self.psql(environment, "SELECT extversion FROM pg_extension WHERE extname = 'vector'"), "0.8.5")
            self.assertEqual(self.psql(environment, "SELECT '[1,2]'::vector <-> '[1,4]'"), "2")
            self.assertEqual(self.psql(environment, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"), "t")
            self.psql(environment, "CREATE DATABASE another")
            self.assertEqual(self.psql(environment, "SHOW fsync"), "on")
            self.assertEqual(self.psql(environment, "SHOW password_encryption"), "scram-sha-256")
            refused = self.psql({**environment, "PGPASSWORD": "wrong"}, "SELECT 1", check=False)
            self.assertIn("password authentication failed", refused.stderr)

        with self.subTest("an HNSW index is built in parallel within maintenance_work_mem"):
            self.psql(environment, "SET client_min_messages = warning; CREATE TABLE v AS SELECT i AS id, "
                      "ARRAY[i % 97, i % 89, i % 83]::vector(3) AS e FROM generate_series(1, 20000) i; "
                      "ALTER TABLE v SET (parallel_workers = 2); CREATE INDEX ON v USING hnsw (e vector_l2_ops)")

        with self.subTest("Neo4j with APOC and Graph Data Science, by both HTTP doors"):
            self.assertEqual(self.cypher(environment, "RETURN apoc.version(), gds.version()"), [["5.26.18", "2.13.9"]])
            answer = self.post(environment, "/db/neo4j/query/v2", {"statement": "RETURN apoc.text.clean('A b') AS a"})
            self.assertEqual(answer["data"]["values"], [["ab"]])
            self.cypher(environment, "CREATE (:P {n: 'a'})-[:KNOWS]->(:P {n: 'b'})")
            self.cypher(environment, "CALL gds.graph.project('g', 'P', 'KNOWS') YIELD nodeCount RETURN nodeCount")
            ranks = self.cypher(environment, "CALL gds.pageRank.stream('g') YIELD nodeId, score "
                                "RETURN gds.util.asNode(nodeId).n, score ORDER BY score DESC")
            self.assertEqual([row[0] for row in ranks], ["b", "a"])
            with self.assertRaises(urllib.error.HTTPError) as refused:
                self.post(environment, "/db/neo4j/query/v2", {"statement": "RETURN 1"}, password="wrong")
            self.assertEqual(refused.exception.code, 401)
            refused.exception.close()

        with self.subTest("a second start prints the same"):
            self.assertEqual(self.run_in("start").stdout, started.stdout)

        with self.subTest("a server that is killed or stopped keeps its port, password and data"):
            self.psql(environment, "CREATE TABLE kept AS SELECT 7 AS n")
            self.run_in("kill-postgres")
            self.assertEqual(self.run_in("status", check=False).returncode, 3)
            self.assertNotEqual(self.psql(environment, "SELECT 1", check=False).returncode, 0)
            self.run_in("start-postgres")
            self.assertEqual(self.psql(environment, "SELECT n FROM kept"), "7")
            self.run_in("restart-postgres")
            self.assertEqual(self.psql(environment, "SELECT n FROM kept"), "7")
            self.run_in("stop-neo4j")
            with self.assertRaises(urllib.error.URLError):
                self.cypher(environment, "RETURN 1")
            self.run_in("start-neo4j")
            self.assertEqual(self.cypher(environment, "MATCH (p:P) RETURN count(p)"), [[2]])
            self.cypher(environment, "CREATE (:P {n: 'c'})")
            self.run_in("kill-neo4j")
            self.run_in("start-neo4j")
            self.assertEqual(self.cypher(environment, "MATCH (p:P) RETURN count(p)"), [[3]])
            self.assertEqual(self.run_in("start").stdout, started.stdout)

        begun = time.monotonic()
        self.run_in("stop")
        self.assertLess(time.monotonic() - begun, 60)
        self.assert_nothing_left()
        self.run_in("stop")

    def test_one_server_alone_and_the_other_added_later(self):
        first = self.run_in("start", "--postgres-only")
        self.assertNotIn("NEO4J", first.stdout)
        self.assertIn("PGPASSWORD", first.stdout)
        both = self.run_in("start")
        self.assertTrue(set(first.stdout.splitlines()) <= set(both.stdout.splitlines()))
        self.assertIn("NEO4J_PASSWORD", both.stdout)
        self.run_in("stop")
        self.assert_nothing_left()

    def test_two_starts_at_once_make_one_server(self):
        command = [SERVICES, "start", "--postgres-only", "--dir", self.dir]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in "12"]
        outputs = [process.communicate(timeout=120)[0] for process in both]
        self.assertEqual([process.returncode for process in both], [0, 0])
        self.assertEqual(outputs[0], outputs[1])
        self.run_in("stop")
        self.assert_nothing_left()

    # Being interrupted -------------------------------------------------------------------------------

    def interrupt(self, number, after_seconds, *arguments):
        # A session of its own, and the signal to all of it: what a terminal does on Ctrl-C. Bash cannot
        # undo an ignored SIGINT, which a test started in the background would inherit.
        process = subprocess.Popen(
            [SERVICES, "start", *arguments, "--dir", self.dir], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        time.sleep(after_seconds)
        if process.poll() is None:
            os.killpg(process.pid, number)
        output, _ = process.communicate(timeout=60)
        if process.returncode == 0:  # It was quicker than the signal.
            self.run_in("stop")
        else:
            self.assertIn(process.returncode, (130, 128 + number, -number))  # 130: see undo_and_exit
            self.assertEqual(output, "")
        self.assert_nothing_left()

    def test_ctrl_c_at_any_moment_of_a_start_leaves_nothing(self):
        for after_seconds in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6):
            with self.subTest(after_seconds=after_seconds):
                self.interrupt(signal.SIGINT, after_seconds, "--postgres-only")
        for after_seconds in (0.3, 3):
            with self.subTest(after_seconds=after_seconds, server="both"):
                self.interrupt(signal.SIGINT, after_seconds)
        with self.subTest("SIGTERM"):
            self.interrupt(signal.SIGTERM, 1)

    def test_what_a_killed_start_left_behind_is_stopped_or_replaced(self):
        for remedy in ("stop", "start"):
            with self.subTest(remedy):
                process = subprocess.Popen(
                    [SERVICES, "start", "--postgres-only", "--dir", self.dir],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                )
                while not os.path.exists(self.dir + "/postgres.pid"):
                    time.sleep(0.01)
                process.kill()
                process.wait()
                if remedy == "start":
                    environment = environment_of(self.run_in("start", "--postgres-only").stdout)
                    self.assertEqual(self.psql(environment, "SELECT 1"), "1")
                self.run_in("stop")
                self.assert_nothing_left()

    # Refusing ----------------------------------------------------------------------------------------

    def test_a_folder_with_other_things_in_it_is_never_touched(self):
        os.mkdir(self.dir)
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        note = pathlib.Path(self.dir, "note.txt")
        note.write_text("mine", encoding="utf-8")
        for verb in ("start", "stop", "kill-postgres"):
            self.assertEqual(self.run_in(verb, check=False).returncode, 1, verb)
        self.assertEqual(note.read_text(encoding="utf-8"), "mine")

    def test_wrong_usage_is_refused_and_help_is_given(self):
        for arguments in ((), ("begin",), ("start", "stop"), ("start", "--dir")):
            self.assertEqual(services(*arguments, check=False).returncode, 2, arguments)
        self.assertIn("usage:", services("--help").stdout)


if __name__ == "__main__":
    if not (ROOT / "third_party" / "neo4j" / "server").is_dir():
        print("skipped: scripts/setup has not brought the servers")
        sys.exit(77)
    unittest.main(verbosity=2)
