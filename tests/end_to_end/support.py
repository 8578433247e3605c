"""What the end-to-end tests share: the program as a user runs it, and stores to run it on."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.request
import uuid

PROGRAM = os.environ["BB5_MEMORY"]
GENERATOR = os.environ.get("BB5_GENERATE_STORE", "")
ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("BB5_SHARED_DATA", ROOT / ".." / "shared" / "data"))
SOAK = "BB5_SOAK" in os.environ
CI = os.environ.get("BB5_CI") == "1"


def missing(what):
    """Skips the test; in continuous integration everything is there, so it fails."""
    if CI:
        raise AssertionError(what)
    raise unittest.SkipTest(what)


def environment(**changes):
    env = {key: value for key, value in os.environ.items() if not key.startswith(("BB5_", "OPENAI_")) or key == "BB5_HOME"}
    env["BB5_EMBEDDER"] = "none"  # quick and the same everywhere; tests of vectors name one
    env.update({key: str(value) for key, value in changes.items() if value is not None})
    return env


class Answer:
    """How a run of the program ended."""

    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    @property
    def document(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out[-3000:]}\nstderr: {self.err[-3000:]}"


def bb5(*arguments, stdin=b"", timeout=600, cwd=None, **env):
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout, cwd=cwd, env=environment(**env), check=False)
    return Answer(done)


class Store:
    """A bank to work on: its addresses as flags."""

    def __init__(self, name, store, graph=None, bank="default"):
        self.name, self.store, self.graph, self.bank = name, store, graph, bank

    @property
    def flags(self):
        return ["--store", self.store, "--bank", self.bank] + (["--graph", self.graph] if self.graph else [])

    def run(self, *arguments, **options):
        return bb5(*self.flags, *arguments, **options)

    def json(self, *arguments, **options):
        return bb5(*self.flags, "--json", *arguments, **options)


def sql(statement):
    """What PostgreSQL answers, as lines."""
    psql = os.path.join(os.environ["BB5_TEST_PGBIN"], "psql")
    done = subprocess.run([psql, "-X", "-A", "-t", "-d", os.environ["BB5_TEST_POSTGRES"], "-v", "ON_ERROR_STOP=1", "-c", statement], capture_output=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    return done.stdout.decode().splitlines()


def cypher(statement, **parameters):
    """The rows that Neo4j answers."""
    url = os.environ["BB5_TEST_NEO4J"]  # neo4j+http://user@host:port/database
    rest = url.split("://", 1)[1]
    user, rest = rest.split("@", 1)
    host, database = rest.split("/", 1)
    body = json.dumps({"statements": [{"statement": statement, "parameters": parameters}]}).encode()
    request = urllib.request.Request(f"http://{host}/db/{database}/tx/commit", body, {"Content-Type": "application/json"})
    import base64
    request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{os.environ['NEO4J_PASSWORD']}".encode()).decode())
    with urllib.request.urlopen(request, timeout=60) as reply:
        answer = json.load(reply)
    if answer["errors"]:
        raise AssertionError(answer["errors"])
    return [row["row"] for row in answer["results"][0]["data"]]


def require_postgres():
    if "BB5_TEST_POSTGRES" not in os.environ:
        missing("no PostgreSQL: `scripts/services start` prints BB5_TEST_POSTGRES")


def require_neo4j():
    if "BB5_TEST_NEO4J" not in os.environ:
        missing("no Neo4j: `scripts/services start` prints BB5_TEST_NEO4J")


def require_shared():
    if not SHARED.exists():
        missing("the real stores of the old system are not beside this project")
    return SHARED / "blackbox5"


@contextlib.contextmanager
def embedded_store():
    folder = tempfile.mkdtemp(prefix="bb5-e2e-")
    try:
        yield Store("embedded", f"embedded:{folder}/memories.db")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgres_store(graph=False):
    require_postgres()
    if graph:
        require_neo4j()
    bank = "e2e_" + uuid.uuid4().hex[:12]
    try:
        yield Store("postgres", os.environ["BB5_TEST_POSTGRES"], os.environ["BB5_TEST_NEO4J"] if graph else None, bank)
    finally:
        sql(f"DROP SCHEMA IF EXISTS bb5_{bank} CASCADE")
        if graph:
            cypher("MATCH (n) WHERE n.bank = $bank DETACH DELETE n", bank=bank)


class EndToEnd(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bb5-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        os.environ["BB5_HOME"] = str(self.folder / "home")  # nothing is ever written to the user's own

    def must(self, answer):
        self.assertEqual(answer.code, 0, answer)
        return answer

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


class StoreTest(EndToEnd):
    """A test case that runs on each store: for_each_store makes a case of it for every kind."""
    kind = None
    graph = False

    def setUp(self):
        super().setUp()
        self.store = self.another_store()

    def another_store(self):
        opened = embedded_store() if self.kind == "embedded" else postgres_store(self.graph)
        store = opened.__enter__()
        self.addCleanup(opened.__exit__, None, None, None)
        return store


def for_each_store(module, *cases):
    for case in cases:
        for kind in ("Embedded", "Postgres"):
            name = f"{case.__name__}On{kind}"
            module[name] = type(name, (case,), {"kind": kind.lower(), "__module__": case.__module__})
        del module[case.__name__]


def record(identity, content, network="world", embedding=None, metadata=None, created_at="2026-02-04T03:50:10.740823"):
    return {"id": identity, "content": content, "network": network, "embedding": embedding, "metadata": metadata or {}, "created_at": created_at}


def legacy(records):
    """Bytes as the old system writes them."""
    return json.dumps(records, indent=2).encode()


def entity(name, kind="technology", count=1):
    suffix = f" - mentioned {count} times" if count > 1 else ""
    content = f"Entity: {name} (type: {kind}){suffix}"
    return record("e" + uuid.uuid5(uuid.NAMESPACE_URL, content).hex[:11], content, metadata={"entity_name": name, "entity_type": kind, "mention_count": count, "first_seen": "2026-02-04T03:50:10", "is_entity": True})


def relationship(subject, predicate, thing, confidence=0.9):
    content = f"Relationship: {subject} {predicate} {thing}"
    return record("r" + uuid.uuid5(uuid.NAMESPACE_URL, content).hex[:11], content, "observation", metadata={"subject": subject, "predicate": predicate, "object": thing, "confidence": confidence, "is_relationship": True})


def main():
    unittest.main(verbosity=2)
