"""Entities shown, merged, split and resolved as a person and a program do it."""
import support
from support import StoreTest, cypher, entity, legacy, relationship, record


class Entities(StoreTest):
    graph = True

    def load(self):
        """Two people who are one, technologies under two names, and who mentions them."""
        records = [entity("John Smith", "person", 4), entity("J. Smith", "person", 1), entity("Node.js", count=3), entity("NodeJS"),
                   entity("PostgreSQL 15"), entity("PostgreSQL 16"), relationship("J. Smith", "uses", "NodeJS"), relationship("John Smith", "uses", "Node.js"),
                   record("a" * 12, "J. Smith wrote the importer", metadata={"entities": ["J. Smith", "K8s"]})]
        self.write("memory/memories.json", legacy(records))
        self.must(support.bb5("migrate", "run", "--from", self.folder / "memory", "--to", self.store.store, "--bank", self.store.bank,
                              *(["--graph", self.store.graph] if self.store.graph else []), "--quiet"))

    def names(self):
        return [item["name"] for item in self.must(self.store.json("entities", "list")).document["entities"]]

    def nodes(self):
        return sorted(row[0] for row in cypher("MATCH (e:Entity {bank: $bank}) RETURN e.name", bank=self.store.bank))

    def test_a_merge_is_seen_everywhere_and_a_split_undoes_it(self):
        self.load()
        before = self.must(self.store.json("entities", "list")).document
        counts = {key: self.store.json("stats").document[key] for key in ("entities", "relationships", "mentions")}
        merged = self.must(self.store.run("entities", "merge", "J. Smith", "john smith", "--reason", "same mail address"))
        self.assertEqual(merged.out, "Merged person:j. smith into John Smith (person), 5 mentions; also J. Smith   person:john smith\n"
                                     "Undo: bb5-memory entities split \"person:j. smith\"\n")
        shown = self.must(self.store.json("entities", "show", "j. smith")).document
        self.assertEqual((shown["key"], shown["mention_count"], shown["aliases"]), ("person:john smith", 5, ["J. Smith"]))
        self.assertEqual([(merge["from"], merge["reason"]) for merge in shown["merges"]], [("person:j. smith", "same mail address")])
        self.assertEqual(sorted(edge["entity"]["name"] for edge in shown["relationships"]), ["Node.js", "NodeJS"])
        self.assertNotIn("J. Smith", self.names())
        text = self.must(self.store.run("entities", "show", "John Smith")).out
        self.assertIn("same mail address", text)
        self.assertIn("→ uses NodeJS", text)
        if self.store.graph:
            self.assertNotIn("J. Smith", self.nodes())
        again = self.store.json("entities", "merge", "J. Smith", "John Smith")
        self.assertEqual((again.code, again.document["error"]["code"]), (1, "conflict"))
        self.assertEqual(self.must(self.store.run("entities", "split", "J. Smith")).out, "Split person:j. smith from person:john smith\n")
        self.assertEqual(self.must(self.store.json("entities", "list")).document, before)
        self.assertEqual({key: self.store.json("stats").document[key] for key in counts}, counts)
        self.assertEqual(self.store.json("stats").document["outbox_pending"] if self.store.graph else 0, 0)
        if self.store.graph:
            self.assertIn("J. Smith", self.nodes())
        self.must(self.store.run("doctor", "--thorough"))

    def test_an_alias_leads_a_name_to_its_entity(self):
        self.load()
        self.store.json("add", "--batch", "-", stdin='{"content": "moved on", "entities": ["Kubernetes"]}')
        self.must(self.store.run("entities", "alias", "Kubernetes", "K8s"))
        self.assertEqual(self.must(self.store.json("entities", "show", "k8S")).document["name"], "Kubernetes")
        self.assertNotIn("K8s", self.names())
        taken = self.store.run("entities", "alias", "Kubernetes", "John Smith")
        self.assertEqual(taken.code, 1)
        self.assertIn("names person:john smith already\n  fix: bb5-memory entities merge", taken.err)
        self.must(self.store.run("entities", "split", "K8s"))
        self.assertIn("K8s", self.names())

    def test_the_resolver_tells_what_it_would_merge_and_merges_what_is_sure(self):
        self.load()
        found = self.must(self.store.json("entities", "resolve")).document
        self.assertEqual([(pair["from"], pair["into"], pair["sure"]) for pair in found["pairs"]],
                         [("technology:nodejs", "technology:node.js", True), ("person:j. smith", "person:john smith", False)])
        self.assertEqual(found["merged"], 0)
        self.assertIn("NodeJS", self.names())
        self.assertIn("2 pairs, 1 sure, 1 merged\n", self.must(self.store.run("entities", "resolve", "--apply")).out)
        self.assertEqual(self.store.json("entities", "show", "NodeJS").document["merges"][0]["reason"], "resolver: spelling")
        split = self.must(self.store.json("entities", "split", "NodeJS")).document
        self.assertTrue(split["kept_apart"])
        self.assertIn("NodeJS", self.names())
        self.assertEqual(self.must(self.store.json("entities", "resolve", "--apply")).document["merged"], 0)
        self.assertNotIn("Node.js", self.must(self.store.run("entities", "resolve")).out)
        self.assertIn("NodeJS", self.names())
        pairs = self.must(self.store.json("entities", "apart")).document["kept_apart"]
        self.assertEqual([(pair["a"], pair["b"], pair["reason"]) for pair in pairs], [("technology:node.js", "technology:nodejs", "split")])
        self.must(self.store.run("entities", "merge", "NodeJS", "Node.js"))
        self.assertEqual(self.must(self.store.run("entities", "apart")).out, "Nothing is kept apart.\n")
        self.assertFalse(self.must(self.store.json("entities", "split", "NodeJS")).document["kept_apart"])

    def test_a_person_keeps_two_apart_and_ends_it(self):
        self.load()
        kept = self.must(self.store.run("entities", "apart", "NodeJS", "Node.js", "--reason", "two teams")).out
        self.assertEqual(kept, "Kept apart: technology:node.js and technology:nodejs\n")
        self.assertIn("two teams", self.must(self.store.run("entities", "apart")).out)
        self.assertEqual(self.must(self.store.json("entities", "resolve", "--apply")).document["merged"], 0)
        self.must(self.store.run("backup", "--to", self.folder / "backup.db"))
        restored = support.Store("embedded", f"embedded:{self.folder}/restored.db")
        self.must(restored.run("restore", self.folder / "backup.db"))
        self.assertEqual(restored.json("entities", "resolve", "--apply").document["merged"], 0)
        self.must(self.store.run("entities", "apart", "--undo", "Node.js", "NodeJS"))
        self.assertEqual(self.store.json("entities", "apart", "--undo", "Node.js", "NodeJS").document["error"]["code"], "not_found")
        self.assertEqual(self.must(self.store.json("entities", "resolve", "--apply")).document["merged"], 1)
        self.assertEqual(self.store.json("entities", "apart", "NodeJS", "Node.js").document["error"]["code"], "conflict")
        self.assertEqual(self.store.run("entities", "apart", "NodeJS").code, 2)

    def test_a_backup_brings_merges_along(self):
        self.load()
        self.must(self.store.run("entities", "merge", "person:j. smith", "person:john smith"))
        self.must(self.store.run("backup", "--to", self.folder / "backup.db"))
        restored = support.Store("embedded", f"embedded:{self.folder}/restored.db")
        self.must(restored.run("restore", self.folder / "backup.db"))
        self.assertEqual(restored.json("entities", "show", "J. Smith").document["key"], "person:john smith")

    def test_errors_say_what_and_what_helps(self):
        self.load()
        for arguments, code, word in ((("show", "nobody"), 1, "not_found"), (("split", "John Smith"), 1, "not_found"), (("merge", "John Smith", "nobody"), 1, "not_found"),
                                      (("merge", "John Smith", "person:john smith"), 1, "conflict"), (("alias", "John Smith", " "), 2, "invalid_argument")):
            answer = self.store.json("entities", *arguments)
            self.assertEqual((answer.code, answer.document["error"]["code"]), (code, word), arguments)
            self.assertTrue(answer.document["error"]["fix"], arguments)
        self.assertEqual(self.store.run("entities").code, 2)
        self.assertEqual(self.store.run("entities", "list", "--limit", "0").code, 2)

    def test_pages_and_types(self):
        self.load()
        first = self.must(self.store.json("entities", "list", "--limit", "2")).document
        rest = self.must(self.store.json("entities", "list", "--after", first["next_after"])).document
        self.assertEqual((len(first["entities"]), len(rest["entities"]), rest["next_after"]), (2, 5, None))
        people = self.must(self.store.json("entities", "list", "--type", "Person")).document["entities"]
        self.assertEqual([item["name"] for item in people], ["J. Smith", "John Smith"])


support.for_each_store(globals(), Entities)

if __name__ == "__main__":
    support.main()
