#!/usr/bin/env python3
"""Makes samples/blackbox5-store: the agent memory of a small, invented team, as the old system writes it.

Same program, same bytes: times, ids and vectors are computed, never drawn. tests/docs/sample_test.py runs it
again and compares. Only the standard library is needed.

The old system is played step by step (add is an upsert by the MD5 of the content, RETAIN stores memories,
then entities, then relationships), then hands edit the file and damage it, as hands do.
"""
import argparse
import datetime
import hashlib
import json
import math
import pathlib
import re

REAL = 1536  # numbers in a vector of text-embedding-3-small
FALLBACK = 384  # numbers in the old system's hashed stand-in

# Questions whose vectors are in the cache, so that recall's semantic arm answers them without a key.
QUESTIONS = [
    "why did we choose PostgreSQL",
    "how do we deploy without interrupting bookings",
    "what went wrong at Easter",
]

# ---------------------------------------------------------------------------------------------------
# Vectors


def md5(text):
    return hashlib.md5(text.encode("utf-8")).hexdigest()


STOP_WORDS = set(
    "a about after all an and any are as at be before but by can did do does for from had has have how if in into is it its more no not of on "
    "one only or our out over so than that the their them then they this to under up was we went were what when which while who why will with without".split()
)

# Words of one meaning share a direction: it stands in for what a language model knows.
CONCEPTS = {
    "decision": "choose chose chosen decide decided decision pick picked prefer",
    "database": "postgresql postgres database mongodb sql transaction schema query row table",
    "release": "deploy deployed deployment release rollout restart migration",
    "outage": "outage downtime interrupt interrupted interrupting unavailable lost stop stopped",
    "booking": "booking book ticket reservation seat passenger sailing",
    "holiday": "holiday easter weekend bank peak",
    "failure": "wrong fail failed failure incident broke broken bug error oversold twice",
    "speed": "slow latency fast second millisecond p95",
    "testing": "test playwright ci flaky fixture",
    "watching": "alert grafana lookout monitor dashboard metric",
    "money": "money payment pay paid stripe refund invoice",
    "cache": "cache cached redis stale",
}
CONCEPT_OF = {word: concept for concept, words in CONCEPTS.items() for word in words.split()}


def words_of(text):
    for word in re.findall(r"[a-z0-9]+", text.lower()):
        if word not in STOP_WORDS and len(word) > 1:
            yield word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def direction(name):
    """48 of the 1,536 axes, each up or down, by the name's digest."""
    axes = {}
    counter = 0
    while len(axes) < 48:
        digest = hashlib.sha256(f"{name}/{counter}".encode()).digest()
        for i in range(0, 30, 3):
            axes.setdefault((digest[i] << 8 | digest[i + 1]) % REAL, 1 if digest[i + 2] & 1 else -1)
        counter += 1
    return list(axes.items())[:48]


def real_vector(text):
    """Sum of the directions of words and meanings, in sixteenths: exact in binary32, short in decimal."""
    words = set(words_of(text))
    sums = [0] * REAL
    for word in sorted(words):
        for axis, sign in direction("word " + word):
            sums[axis] += sign
    for concept in sorted({CONCEPT_OF[word] for word in words if word in CONCEPT_OF}):
        for axis, sign in direction("concept " + concept):
            sums[axis] += 3 * sign
    return [number / 16 for number in sums]


def fallback_vector(text):
    """The stand-in that the old system made without a key. Its hash was salted per process; here it is fixed."""
    counts = [0] * FALLBACK
    for word in text.lower().split()[:50]:
        counts[int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:4], "big") % FALLBACK] += 1
    norm = math.sqrt(sum(count * count for count in counts))
    return [count / norm if norm > 0 else 0.0 for count in counts]


# ---------------------------------------------------------------------------------------------------
# The old system


class OldStore:
    def __init__(self):
        self.records = {}  # by id; a dict keeps the place of a key that is set again, as the old system did
        self.cache = {}
        self.has_key = False

    def add(self, content, network, metadata, when):
        identity = md5(content)[:12]
        if content in KEPT_VECTORS:
            vector = self.cache.setdefault(md5(content), real_vector(content))
        elif self.has_key:
            vector = None  # it was there; the slimming took it (see slim() in samples/README.md)
        else:
            vector = fallback_vector(content)
        self.records[identity] = {
            "id": identity, "content": content, "network": network, "embedding": vector,
            "metadata": metadata, "created_at": when.isoformat(),
        }
        return identity

    def retain(self, when, source, memories, entities, relationships):
        """One Markdown file: what the language model found in it."""
        name = source.rsplit("/", 1)[-1].lower()
        kind = next((kind for kind in ("thoughts", "decisions", "results", "task") if kind in name), "generic")
        clock = Clock(when)
        extracted = clock.tick()
        names = [name for name, _, _ in entities]
        for network, content, confidence, category in memories:
            self.add(content, network, {
                "confidence": confidence, "source": source, "source_type": kind, "category": category,
                "entities": [name for name in names if name and name.lower() in content.lower()],
                "created_at": extracted.isoformat(),
            }, clock.tick())
        for name, type_, mentions in entities:
            content = f"Entity: {name} (type: {type_})" + (f" - mentioned {mentions} times" if mentions > 1 else "")
            self.add(content, "world", {
                "entity_name": name, "entity_type": type_, "mention_count": mentions,
                "first_seen": extracted.isoformat(), "is_entity": True,
            }, clock.tick())
        for subject, predicate, object_, confidence in relationships:
            self.add(f"Relationship: {subject} {predicate} {object_}", "observation", {
                "subject": subject, "predicate": predicate, "object": object_,
                "confidence": confidence, "is_relationship": True,
            }, clock.tick())

    def retain_without_model(self, when, source, body):
        """What RETAIN stored when the language model could not be reached."""
        content = f"Content from {source}: {body[:500]}..."
        clock = Clock(when)
        extracted = clock.tick()
        self.add(content, "observation", {
            "confidence": 0.5, "source": source, "source_type": "thoughts", "category": None, "entities": [],
            "created_at": extracted.isoformat(),
        }, clock.tick())

    def reflect(self, when, description, ids):
        return self.add(f"Pattern detected: {description}", "observation", {
            "confidence": 0.7, "synthesized_from": ids, "pattern_type": "recurring_theme", "created_by": "reflect_operation",
        }, when)

    def cli_add(self, when, content, network="observation", confidence=0.8):
        return self.add(content, network, {"confidence": confidence, "source": "cli_add"}, when)


class Clock:
    """Goes on by one to four seconds a tick, by the digest of where it stands."""

    def __init__(self, text):
        self.now = datetime.datetime.fromisoformat(text)

    def tick(self):
        step = int(hashlib.sha256(self.now.isoformat().encode()).hexdigest()[:6], 16)
        self.now += datetime.timedelta(microseconds=1_000_000 + step * 3_000_000 // 0xFFFFFF)
        return self.now


def at(text):
    return Clock(text).tick()


# ---------------------------------------------------------------------------------------------------
# The team: Ferryline sells tickets for three ferries. Mara leads, Jonas writes the back end, Priya keeps it
# running; pilot is their coding agent, lookout watches production.

RUNS = "runs/"

RETAINED = [
    ("2026-01-12T09:14:02.118340", RUNS + "run-0003/DECISIONS.md", [
        ("opinion", "We choose PostgreSQL over MongoDB: two bookings for one seat must never both commit, and only real transactions give us that", 0.95, "decision"),
        ("world", "PostgreSQL 16 runs on the same host as the booking API; the team has operated it for six years and knows its backups", 0.9, "technical"),
        ("opinion", "MongoDB would have been faster to start with, but nobody here has restored one in anger", 0.7, "evaluation"),
        ("world", "Every booking is one row in the table sailings_seats with a unique constraint on sailing and seat", 0.95, "technical"),
    ], [("PostgreSQL", "technology", 5), ("MongoDB", "technology", 2), ("booking API", "concept", 2)],
        [("booking API", "uses", "PostgreSQL", 0.95)]),

    ("2026-01-12T16:40:55.902113", RUNS + "run-0003/THOUGHTS.md", [
        ("experience", "pilot tried optimistic locking first; under forty parallel bookings three of them retried until the request timed out", 0.85, "investigation"),
        ("experience", "SELECT … FOR UPDATE SKIP LOCKED on the seat row removed the retries; the slowest booking took 38 ms", 0.9, "implementation"),
        ("observation", "Most of the time of a booking is spent waiting for the payment provider, not for the database", 0.8, "pattern"),
    ], [("pilot", "agent", 1), ("PostgreSQL", "technology", 2)], [("pilot", "created_by", "Mara", 0.8)]),

    ("2026-01-15T10:02:41.550901", RUNS + "run-0005/DECISIONS.md", [
        ("opinion", "Redis keeps the timetable and the seat map for ten seconds; a booking never trusts it and asks PostgreSQL again", 0.9, "decision"),
        ("world", "The timetable comes from the harbour office as a spreadsheet every Thursday at noon", 0.95, "technical"),
        ("world", "Redis runs without persistence: after a restart the cache fills itself within a minute", 0.85, "technical"),
    ], [("Redis", "technology", 3), ("PostgreSQL", "technology", 2), ("harbour office", "organization", 1), ("seat map", "concept", 1)],
        [("booking API", "uses", "Redis", 0.9), ("seat map", "part_of", "booking API", 0.9), ("timetable import", "depends_on", "harbour office", 0.8)]),

    ("2026-01-21T08:31:17.040022", RUNS + "run-0008/RESULTS.md", [
        ("experience", "The timetable import read Dover's times as local and Calais' as UTC; sailings were an hour off until pilot fixed it", 0.9, "learning"),
        ("observation", "Spreadsheet columns move without notice: the import must find them by their headings", 0.85, "pattern"),
        ("world", "All times are stored in UTC; the time zone of each port is a column of the table ports", 0.95, "technical"),
    ], [("timetable import", "concept", 3), ("pilot", "agent", 1)], [("pilot", "implements", "timetable import", 0.85)]),

    ("2026-01-29T14:22:09.771348", "tasks/TASK-014-refunds.md", [
        ("world", "Refunds go through Stripe and take up to ten days; the ticket is void at once", 0.9, "technical"),
        ("opinion", "Refund rules belong in the database, not in code: the harbour office changes them twice a year", 0.8, "strategic"),
        ("observation", "Half of all refunds are asked for within an hour of booking", 0.75, "pattern"),
    ], [("Stripe", "technology", 2), ("harbour office", "organization", 1), ("refund rules", "concept", 1)],
        [("booking API", "depends_on", "Stripe", 0.85), ("refund rules", "part_of", "booking API", 0.7)]),

    ("2026-02-04T11:05:33.230417", RUNS + "run-0013/DECISIONS.md", [
        ("opinion", "We deploy only between sailings: a release starts when no booking has been open for two minutes", 0.9, "decision"),
        ("world", "Caddy holds requests for up to eight seconds while the new version of the booking API starts, so a deployment interrupts no booking", 0.9, "technical"),
        ("opinion", "Kubernetes is too much for three ferries; Docker Compose and two hosts are enough", 0.85, "decision"),
        ("world", "Schema changes go out one release before the code that needs them, and are never undone in the same week", 0.9, "technical"),
    ], [("Caddy", "technology", 1), ("Docker Compose", "technology", 1), ("booking API", "concept", 2)],
        [("Ferryline", "uses", "Caddy", 0.9), ("booking API", "runs on", "Docker Compose", 0.8)]),

    ("2026-02-11T09:48:20.664105", RUNS + "run-0016/THOUGHTS.md", [
        ("experience", "Jonas and pilot moved sending of mail out of the booking request into an outbox table; p95 fell from 900 ms to 210 ms", 0.9, "implementation"),
        ("observation", "The payment worker takes the outbox in order; one poisoned row had stopped it for twenty minutes", 0.85, "anomaly"),
        ("experience", "After three failures a row is set aside and lookout is told; the rest of the outbox goes on", 0.9, "implementation"),
    ], [("outbox", "concept", 3), ("Jonas", "person", 1), ("pilot", "agent", 1), ("lookout", "agent", 2)],
        [("outbox", "part_of", "booking API", 0.8), ("payment worker", "implements", "outbox", 0.85), ("lookout", "created_by", "Priya", 0.8)]),

    ("2026-02-18T13:30:44.019288", RUNS + "run-0019/RESULTS.md", [
        ("world", "lookout reads Grafana's alerts every five minutes and writes what it did into #bridge", 0.9, "technical"),
        ("experience", "lookout restarted a healthy host because of a stale metric; it now needs two alerts that agree", 0.85, "learning"),
        ("opinion", "An agent may restart a service, but it may not roll back a release without Priya", 0.9, "ethical"),
    ], [("lookout", "agent", 2), ("Grafana", "technology", 1), ("Priya", "person", 1)], [("lookout", "uses", "Grafana", 0.9)]),

    ("2026-02-26T15:12:08.330775", RUNS + "run-0022/DECISIONS.md", [
        ("opinion", "The ticket is a signed QR code that the crew's phones can check without a network", 0.9, "decision"),
        ("world", "Crew phones fetch the day's passenger list at the quay and carry it out to sea", 0.85, "technical"),
        ("opinion", "Ed25519 signatures fit into the QR code with room to spare; RSA did not", 0.9, "technical"),
    ], [("crew app", "concept", 2)], [("crew app", "depends_on", "booking API", 0.7)]),

    ("2026-03-05T10:55:51.887431", RUNS + "run-0026/THOUGHTS.md", [
        ("experience", "Playwright tests failed every Monday: the fixture sold tickets for a sailing that was already gone", 0.85, "investigation"),
        ("observation", "Tests that use today's date fail on some other day; fixtures now carry their own clock", 0.9, "pattern"),
        ("opinion", "A flaky test is switched off the same day and mended the same week", 0.75, "preference"),
    ], [("Playwright", "technology", 1)], []),

    ("2026-03-12T08:20:30.105562", RUNS + "run-0029/RESULTS.md", [
        ("world", "The nightly export gives the harbour office one CSV file of passengers per sailing, in UTF-8 with a heading", 0.9, "technical"),
        ("experience", "The harbour office opened the export in a spreadsheet and saved it back: phone numbers had lost their zeros", 0.8, "learning"),
    ], [("nightly export", "concept", 2), ("harbour office", "organization", 1)], [("nightly export", "depends_on", "PostgreSQL", 0.7)]),

    ("2026-04-07T07:45:12.440190", RUNS + "run-0034/RESULTS.md", [
        ("experience", "On Easter Monday 31 seats of the 14:00 sailing were oversold: a replica that lagged four seconds answered the seat map", 0.95, "anomaly"),
        ("experience", "Priya sent bookings to the primary again at 14:25; 31 passengers were moved to the 16:00 and given their money back", 0.95, "action"),
        ("opinion", "Reads that lead to a write must never go to a replica, holiday or not", 0.95, "decision"),
        ("observation", "Holiday weekends bring nine times the bookings of a usual Sunday, nearly all between ten and noon", 0.9, "pattern"),
    ], [("Priya", "person", 1), ("replica", "concept", 2), ("seat map", "concept", 1)], [("seat map", "depends_on", "replica", 0.6)]),

    ("2026-04-09T16:05:27.900004", RUNS + "run-0035/DECISIONS.md", [
        ("opinion", "Before a holiday weekend we rehearse the peak: ten times the usual bookings against a copy of production", 0.9, "strategic"),
        ("world", "The load test replays last Easter's requests with new names and test cards", 0.85, "technical"),
        ("opinion", "No release goes out from the Thursday before a holiday to the Tuesday after", 0.95, "decision"),
    ], [], []),

    ("2026-04-22T12:18:39.512876", RUNS + "run-0039/THOUGHTS.md", [
        ("experience", "Search over support mail uses pgvector; Mara found last year's answer to a stroller question in two seconds", 0.8, "learning"),
        ("opinion", "pgvector beside the bookings spares us a second database to back up", 0.85, "evaluation"),
        ("observation", "Passengers ask the same forty questions; dogs, bicycles and prams lead the list", 0.8, "pattern"),
    ], [("pgvector", "technology", 2), ("Mara", "person", 1), ("postgresql", "technology", 1)], [("pgvector", "part_of", "PostgreSQL", 0.9)]),

    ("2026-05-06T09:33:02.220639", RUNS + "run-0043/DECISIONS.md", [
        ("opinion", "Type checks pay for themselves: the crew app is TypeScript throughout, the booking API Python with strict types", 0.8, "preference"),
        ("world", "CI takes eleven minutes, of which Playwright takes seven", 0.9, "technical"),
        ("opinion", "A pull request of more than four hundred lines is split before anyone reads it", 0.7, "preference"),
    ], [("TypeScript", "technology", 1), ("Python", "technology", 1)], [("crew app", "uses", "TypeScript", 0.8)]),

    ("2026-05-20T14:02:16.731950", RUNS + "run-0047/RESULTS.md", [
        ("experience", "The first blue-green release: both versions served for ninety seconds, no booking was interrupted, the old one drained by itself", 0.9, "implementation"),
        ("experience", "The second host had been off since March and nobody knew; lookout now asks both for their version every hour", 0.85, "learning"),
        ("observation", "Every outage of this year began with a change that somebody thought too small to announce", 0.85, "pattern"),
    ], [("lookout", "agent", 2), ("redis", "Technology", 1)], [("Ferryline", "follows", "release calendar", 0.6)]),
]

CLI_ADDED = [
    ("2026-01-13T08:00:10.204911", "Mara wants every decision written down with the alternative that lost", "world", 0.9),
    ("2026-01-19T17:21:47.118003", "Ask Jonas before touching the seat lock", "opinion", 0.8),
    ("2026-01-30T12:00:00", "The stand-up is at nine, on the quay when it is dry", "world", 0.95),
    ("2026-02-02T15:44:31.090817", "pilot writes tests first when the ticket says bug", "experience", 0.8),
    ("2026-02-09T10:17:05.663209", "Backups run at 03:10 and are restored into a scratch database every Sunday", "world", 0.95),
    ("2026-02-13T18:32:50.005512", "Customers forgive a delay, not a wrong price", "opinion", 0.75),
    ("2026-02-20T09:09:09.909090", "The bridge channel is for people; agents write into it only when something was done", "world", 0.85),
    ("2026-03-02T11:51:28.430026", "A seat is held for seven minutes while somebody pays", "world", 0.95),
    ("2026-03-10T16:16:40.782134", "Two invoices of the harbour office are in the wrong year; accounting knows", "observation", 0.6),
    ("2026-03-19T07:58:13.271828", "We log the booking number, never the passenger's name", "world", 0.95),
    ("2026-03-27T13:40:02.600001", "Release notes are written for the crew, not for developers", "opinion", 0.7),
    ("2026-04-07T15:09:26.535897", "The incident of Easter Monday cost 1,860 euros in refunds and one weekend", "observation", 0.9),
    ("2026-04-16T10:26:11.141592", "Feature flags older than a month are removed on the first Friday", "opinion", 0.8),
    ("2026-04-28T08:12:55.358979", "The dog ticket is free but must be booked, for the life-jackets", "world", 0.9),
    ("2026-05-11T17:47:33.323846", "Priya is away from 1 to 14 July; Jonas has the pager", "world", 0.95),
    ("2026-05-22T09:30:00.264338", "Never deploy while the boarding of a full sailing is under way", "opinion", 0.9),
]

# Made with vector_store.py --add: no metadata at all.
BARE = [
    ("2026-01-14T12:34:56.789012", "Three ferries: Aurora, Bramble and Cormorant", "world"),
    ("2026-01-26T19:05:17.462643", "Aurora has 220 seats, the others 140", "world"),
    ("2026-02-16T08:48:39.383279", "pilot prefers small commits and says so", "experience"),
    ("2026-03-16T14:15:22.502884", "Tickets are cheaper on Tuesdays", "world"),
    ("2026-04-20T11:29:58.197169", "Fog closes the port six days a year", "observation"),
    ("2026-05-13T16:50:04.399375", "The map on the web page loads before the prices; people leave in between", "observation"),
]

# Contents that keep a vector of 1,536 numbers; also in the cache.
KEPT_VECTORS = {
    "We choose PostgreSQL over MongoDB: two bookings for one seat must never both commit, and only real transactions give us that",
    "PostgreSQL 16 runs on the same host as the booking API; the team has operated it for six years and knows its backups",
    "MongoDB would have been faster to start with, but nobody here has restored one in anger",
    "Redis keeps the timetable and the seat map for ten seconds; a booking never trusts it and asks PostgreSQL again",
    "Refunds go through Stripe and take up to ten days; the ticket is void at once",
    "We deploy only between sailings: a release starts when no booking has been open for two minutes",
    "Caddy holds requests for up to eight seconds while the new version of the booking API starts, so a deployment interrupts no booking",
    "Schema changes go out one release before the code that needs them, and are never undone in the same week",
    "The payment worker takes the outbox in order; one poisoned row had stopped it for twenty minutes",
    "lookout restarted a healthy host because of a stale metric; it now needs two alerts that agree",
    "Playwright tests failed every Monday: the fixture sold tickets for a sailing that was already gone",
    "On Easter Monday 31 seats of the 14:00 sailing were oversold: a replica that lagged four seconds answered the seat map",
    "Priya sent bookings to the primary again at 14:25; 31 passengers were moved to the 16:00 and given their money back",
    "Holiday weekends bring nine times the bookings of a usual Sunday, nearly all between ten and noon",
    "No release goes out from the Thursday before a holiday to the Tuesday after",
    "pgvector beside the bookings spares us a second database to back up",
    "The first blue-green release: both versions served for ninety seconds, no booking was interrupted, the old one drained by itself",
    "Every outage of this year began with a change that somebody thought too small to announce",
    "The incident of Easter Monday cost 1,860 euros in refunds and one weekend",
    "A seat is held for seven minutes while somebody pays",
}

NOTES = (
    "# Thoughts\n\n## Analysis\nThe model could not be reached, so this file was kept as it is. The seat map asks for all seats of a sailing, "
    "also for those that nobody can see. Asking for one deck at a time would be three times cheaper.\n\n## Next Steps\n- measure the decks of Aurora\n- ask Jonas"
)

THE_KEY_COMES = "2026-01-20"  # before it, vectors are the hashed stand-in


def play():
    store = OldStore()
    events = []
    for when, *rest in RETAINED:
        events.append((when, lambda when=when, rest=rest: store.retain(when, *rest)))
    for when, content, network, confidence in CLI_ADDED:
        events.append((when, lambda w=when, c=content, n=network, p=confidence: store.cli_add(datetime.datetime.fromisoformat(w), c, n, p)))
    for when, content, network in BARE:
        events.append((when, lambda w=when, c=content, n=network: store.add(c, n, {}, datetime.datetime.fromisoformat(w))))
    # One file under two paths: the path is a part of the text, so these are two memories.
    for when, source in (("2026-03-23T10:40:12.071795", "runs/run-0031/THOUGHTS.md"), ("2026-03-23T10:52:40.864769", "/home/mara/ferryline/runs/run-0031/THOUGHTS.md")):
        events.append((when, lambda w=when, s=source: store.retain_without_model(w, s, NOTES)))
    for when, description, starts in (
        ("2026-02-22T20:00:01.399375", "the team trusts the database with every rule that must hold", ["We choose PostgreSQL", "Every booking is one row", "Refund rules belong"]),
        ("2026-03-29T20:00:02.105820", "files from outside change their shape without notice", ["Spreadsheet columns move", "The harbour office opened", "The timetable import read"]),
        ("2026-04-12T20:00:01.974944", "incidents come from reads that were a little old", ["On Easter Monday", "lookout restarted", "Reads that lead to a write"]),
        ("2026-05-24T20:00:03.592307", "releases are planned around the people on board", ["We deploy only", "No release goes out", "Never deploy while"]),
    ):
        events.append((when, lambda w=when, d=description, s=starts: store.reflect(at(w), d, [find(store, start) for start in s])))
    # CLI import keeps content, network and metadata of what it reads.
    for content, metadata in (("Ferryline was a spreadsheet until 2024", {"imported_from": "wiki", "page": 7}), ("The old wiki is read-only and stays so", {})):
        events.append(("2026-02-06T14:00:00.816406", lambda c=content, m=metadata: store.add(c, "world", m, at("2026-02-06T14:00:00.816406"))))
    for when, event in sorted(events, key=lambda event: event[0]):
        store.has_key = when > THE_KEY_COMES
        event()
    for question in QUESTIONS:
        store.cache[md5(question)] = real_vector(question)
    # Stand-ins reached the cache file when a later call in the same process succeeded.
    store.cache[md5("pilot prefers small commits and says so")] = fallback_vector("pilot prefers small commits and says so")
    return store


def find(store, start):
    return next(identity for identity, record in store.records.items() if record["content"].startswith(start))


# ---------------------------------------------------------------------------------------------------
# Damage. samples/README.md lists it.

NOT_UTF8 = "@@E9@@"
NO_QUOTE = "@@CUT@@"


def damage(store):
    records = list(store.records.values())

    def record(content, /, **changes):
        """A record that a hand or another tool wrote; `...` takes a key away."""
        made = {"id": md5(content.encode("utf-8", "replace").decode())[:12], "content": content, "network": "world", "embedding": None,
                "metadata": {"confidence": 0.8, "source": "cli_add"}, "created_at": "2026-05-28T09:00:00.500000"}
        made.update(changes)
        return {key: value for key, value in made.items() if value is not ...}

    def after(start, *new):
        """Puts records behind the one whose content starts so."""
        place = next(i for i, held in enumerate(records) if str(held.get("content", "")).startswith(start))
        records[place + 1:place + 1] = new

    seat = store.records[find(store, "A seat is held for seven minutes")]
    three = store.records[find(store, "Three ferries")]
    after("Tickets are cheaper on Tuesdays", record("A seat is held for nine minutes while somebody pays", id=seat["id"], metadata=dict(seat["metadata"]), created_at=seat["created_at"]))
    after("Aurora has 220 seats", dict(three))
    after("Customers forgive a delay", record("The café on Bramble opens one hour before the first sailing".replace("é", NOT_UTF8)))
    after("Release notes are written", record("The winter timetable starts on 2 November" + NO_QUOTE))
    after("Feature flags older", record("Sentence vectors of the help pages were tried with another model", embedding=[(i % 7 - 3) / 8 for i in range(96)]))
    after("The dog ticket is free", record("Life-jackets for dogs come in three sizes", metadata={"confidence": math.nan, "source": "cli_add"}))
    after("Fog closes the port", record("The fog horn of Cormorant is louder than the rules ask for", metadata={"confidence": "high", "source": "runs/run-0040/THOUGHTS.md", "source_type": "thoughts"}),
          record("Fog is forecast two days ahead with fair luck", network="observation", metadata={"confidence": None, "source": "runs/run-0040/THOUGHTS.md", "source_type": "thoughts"}))
    after("Priya is away", record("Jonas likes his pager quiet", network="opinion", metadata=None))
    after("The map on the web page", record("Prices load first since the release of 14 May", created_at="2026-05-14T11:20:00+02:00"),
          record("The banner about prams was Mara's idea", created_at="yesterday evening"))
    records += [
        record("Cormorant goes into dock in October", network="facts"),
        record("pilot asked for a map of the decks and drew one itself", network="B"),
        record("", network="observation", embedding=fallback_vector(""), metadata={"confidence": 0.8, "source": "runs/run-0048/THOUGHTS.md", "source_type": "thoughts", "category": None, "entities": [], "created_at": "2026-05-27T10:00:00.100000"}),
        record("Written by hand: the quay at Calais has a new number", id=...),
        record("This one lost its content", content=...),
        record("The crew's answer to the new ticket was \ud83d and nothing else"),
        record("The harbour office's file had a NUL\u0000 in a name"),
        record("The vector of this one was cut short by an editor", embedding=[0.5, math.nan, -0.25]),
        record("The vector of this one came back as text", embedding="[0.5, -0.25]"),
        record("The second-hand bell on Bramble is from 1931", tags=["ships", "history"]),
        record("Nobody wrote down when this was learned", created_at=None),
    ]
    # What RETAIN itself could leave behind.
    entity = store.records[md5("Entity: redis (type: Technology)")[:12]]["metadata"]
    records += [
        record("Entity: None (type: concept)", metadata={**entity, "entity_name": None, "entity_type": "concept"}),
        record("Relationship:  uses PostgreSQL", network="observation", metadata={"subject": "", "predicate": "uses", "object": "PostgreSQL", "confidence": 0.4, "is_relationship": True}),
        record("Relationship: Redis part_of redis", network="observation", metadata={"subject": "Redis", "predicate": "part_of", "object": "redis", "confidence": 0.3, "is_relationship": True}),
    ]
    # A memory that a pattern rests on was deleted since.
    pattern = next(r for r in records if str(r.get("content", "")).startswith("Pattern detected: files from outside"))
    pattern["metadata"]["synthesized_from"].append(md5("a memory that was deleted")[:12])
    return records


def memories_bytes(records):
    text = json.dumps(records, indent=2)
    text = text.replace(NO_QUOTE + '"', "")
    return text.encode("ascii").replace(NOT_UTF8.encode(), b"\xe9")


# ---------------------------------------------------------------------------------------------------
# RETAIN's output files: a dry run wrote them, and nothing of it reached memories.json.


def output_entity(name, type_, mentions, seen):
    return {"id": None, "name": name, "type": type_, "aliases": [], "first_seen": seen, "last_seen": seen, "mention_count": mentions, "properties": {}}


def output_relationship(subject, predicate, object_, confidence):
    return {"id": None, "subject": subject, "predicate": predicate, "object": object_, "confidence": confidence, "source": "", "memory_id": None, "observation_count": 1}


SEEN = "2026-05-29T08:10:44.626433"
ENTITIES = [
    output_entity("Aurora", "ship", 4, SEEN),
    output_entity("Bramble", "ship", 3, SEEN),
    output_entity("Cormorant", "ship", 2, SEEN),
    output_entity("PostgreSQL", "technology", 2, SEEN),
    output_entity("Jonas", "person", 1, SEEN),
]
RELATIONSHIPS = [
    output_relationship("Aurora", "part_of", "Ferryline", 0.9),
    output_relationship("Bramble", "part_of", "Ferryline", 0.9),
    output_relationship("Cormorant", "part_of", "Ferryline", 0.9),
    output_relationship("Jonas", "maintains", "booking API", 0.8),
    output_relationship("booking API", "uses", "PostgreSQL", 0.7),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", default=pathlib.Path(__file__).parent.parent / "samples/blackbox5-store", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    store = play()
    (folder / "memories.json").write_bytes(memories_bytes(damage(store)))
    (folder / ".embedding_cache.json").write_text(json.dumps(store.cache), encoding="ascii")
    (folder / "entities.json").write_text(json.dumps(ENTITIES, indent=2), encoding="ascii")
    (folder / "relationships.json").write_text(json.dumps(RELATIONSHIPS, indent=2), encoding="ascii")


if __name__ == "__main__":
    main()
