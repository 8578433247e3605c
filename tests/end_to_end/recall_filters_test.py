"""What recall is asked for: every filter as a flag and as a member of a line, and the budget of tokens."""
import json

import support
from support import StoreTest

MEMORIES = [
    {"content": "tea is kept in Redis", "network": "world", "category": "technical", "entities": ["Redis"], "confidence": 0.9,
     "created_at": "2026-01-10T00:00:00Z", "author": "Ada", "metadata": {"source_type": "task", "task_id": "TASK-7", "run": "r-1", "round": 1}},
    {"content": "tea is kept in PostgreSQL", "network": "opinion", "category": "belief", "entities": ["PostgreSQL"], "confidence": 0.3,
     "created_at": "2026-02-01T00:00:00Z", "author": "Bo", "metadata": {"source_type": "results", "task_id": "TASK-8", "run": "r-2", "round": 1.0}},
    {"content": "tea is kept in the kitchen", "network": "observation",
     "created_at": "2026-02-01T00:00:01Z", "metadata": {"run": "r-2", "round": "1"}},
]


class Filters(StoreTest):
    def setUp(self):
        super().setUp()
        lines = "\n".join(map(json.dumps, MEMORIES))
        self.must(self.store.run("add", "--batch", "-", stdin=lines))

    def places(self, *flags):
        """Which of the memories recall finds with these flags, by their last word."""
        answer = self.must(self.store.json("recall", "tea", *flags))
        return {result["content"].split()[-1] for result in answer.document["results"]}

    def test_each_flag_lets_through_what_it_says(self):
        redis, postgres, kitchen = "Redis", "PostgreSQL", "kitchen"
        for flags, expected in (
            ([], {redis, postgres, kitchen}),
            (["--network", "world,opinion"], {redis, postgres}),
            (["--category", "technical"], {redis}),
            (["--category", "technical", "--category", "belief"], {redis, postgres}),
            (["--entity", " redis"], {redis}),
            (["--source-type", "results"], {postgres}),
            (["--task", "TASK-7"], {redis}),
            (["--author", "Bo"], {postgres}),
            (["--min-confidence", "0.8"], {redis, kitchen}),
            (["--max-confidence", "0.5"], {postgres}),
            (["--min-confidence", "0.3", "--max-confidence", "0.8"], {postgres, kitchen}),
            (["--since", "2026-02-01"], {postgres, kitchen}),
            (["--until", "2026-02-01"], {redis}),
            (["--since", "2026-02-01", "--until", "2026-02-01T00:00:01Z"], {postgres}),
            (["--metadata", "run=r-2"], {postgres, kitchen}),
            (["--metadata", "round=1"], {redis, postgres}),
            (["--metadata", 'round="1"'], {kitchen}),
            (["--metadata", "run=r-2", "--metadata", "round=1"], {postgres}),
            (["--metadata", "mood=null"], set()),
            (["--entity", "Redis", "--category", "belief"], set()),
        ):
            self.assertEqual(self.places(*flags), expected, flags)

    def test_an_entity_is_found_by_the_names_that_were_merged(self):
        self.must(self.store.run("add", "--batch", "-", stdin=json.dumps({"content": "tea is kept in Postgres", "entities": ["Postgres"]})))
        self.assertEqual(self.places("--entity", "postgresql"), {"PostgreSQL"})
        self.must(self.store.run("entities", "merge", "Postgres", "PostgreSQL"))
        for name in ("postgresql", "Postgres"):
            self.assertEqual(self.places("--entity", name), {"PostgreSQL", "Postgres"})

    def test_a_flag_takes_one_value_and_leaves_the_question_alone(self):
        answer = self.must(self.store.json("recall", "--network", "world", "--entity", "Redis", "tea"))
        self.assertEqual([result["content"] for result in answer.document["results"]], ["tea is kept in Redis"])

    def test_lines_of_a_batch_say_the_same(self):
        lines = [
            {"query": "tea", "networks": ["world"], "categories": ["technical"], "entities": ["redis"], "min_confidence": 0.5, "max_confidence": 1.0,
             "since": "2026-01-01", "until": "2026-02-01", "source_types": ["task"], "task_ids": ["TASK-7"], "strategies": ["keyword"], "limit": 5, "offset": 0,
             "rrf_k": 60, "metadata": {"round": 1}},
            {"query": "tea", "network": "opinion"},
            {"query": "tea", "max_confidence": 0.1},
            {"query": "tea", "tokens": 7},  # of 5, 7 and 7, in whatever order
        ]
        answers = self.must(self.store.json("recall", "--batch", "-", stdin="\n".join(map(json.dumps, lines)))).lines
        found = [[result["content"].split()[-1] for result in answer["results"]] for answer in answers]
        self.assertEqual(found[:3], [["Redis"], ["PostgreSQL"], []])
        self.assertEqual(len(found[3]), 1)
        # What a line does not say, the flags do.
        answers = self.must(self.store.json("recall", "--category", "belief", "--batch", "-", stdin='{"query": "tea"}\n{"query": "tea", "categories": []}')).lines
        self.assertEqual([len(answer["results"]) for answer in answers], [1, 3])

    def test_a_budget_of_tokens_is_kept_and_told(self):
        whole = self.must(self.store.json("recall", "tea")).document
        self.assertIsNone(whole["receipt"]["tokens"])
        contents = [result["content"] for result in whole["results"]]
        cost = [-(-len(content) // 4) for content in contents]
        budget = cost[0] + cost[1]
        cut = self.must(self.store.json("recall", "tea", "--tokens", budget)).document
        self.assertEqual([result["content"] for result in cut["results"]], contents[:2])
        self.assertEqual(cut["receipt"]["tokens"], {"budget": budget, "used": budget, "left_out": 1})
        self.assertIn(f"the budget of tokens ({budget}) holds 2 of 3", cut["receipt"]["short"])
        said = self.must(self.store.run("recall", "tea", "--tokens", budget))
        self.assertIn("RECALL RESULTS (2 memories)", said.out)
        self.assertIn(f"the budget of tokens ({budget}) holds 2 of 3, the next takes {cost[2]}", said.err)
        nothing = self.must(self.store.run("recall", "tea", "--tokens", "1"))
        self.assertEqual(nothing.out, "No memories found.\n")
        self.assertIn("the budget of tokens (1) holds 0 of 3", nothing.err)

    def test_what_makes_no_sense_is_refused_with_the_remedy(self):
        for flags, words in (
            (["--since", "yesterday"], ["--since: `yesterday` is no time", "2026-03-01"]),
            (["--until", "2026-02-30"], ["--until: `2026-02-30` is no time"]),
            (["--since", "2026-03-01", "--until", "2026-03-01"], ["is not before until", "leave one out"]),
            (["--min-confidence", "0.9", "--max-confidence", "0.1"], ["min_confidence 0.9 is greater than max_confidence 0.1"]),
            (["--min-confidence", "7"], ["7 is no confidence", "from 0 to 1"]),
            (["--min-confidence", "high"], ["--min-confidence"]),
            (["--metadata", "run"], ["`run` is no KEY=VALUE", "run=r-17"]),
            (["--entity", " "], ["is no name"]),
            (["--network", "facts"], ["--network", "observation"]),
            (["--top-k", "0"], ["--top-k", "10000"]),
            (["--top-k", "1000000000"], ["--top-k", "10000"]),
            (["--tokens", "0"], ["--tokens"]),
            (["--tokens", "-5"], ["--tokens"]),
            (["--tokens", "few"], ["--tokens"]),
            (["--offset", "-1"], ["--offset"]),
        ):
            answer = self.store.run("recall", "tea", *flags)
            self.assertEqual((answer.code, answer.out), (2, ""), (flags, answer))
            for word in words:
                self.assertIn(word, answer.err, flags)
        for line, word in (
            ({"networks": ["facts"]}, "`networks`: there is no network `facts`"),
            ({"tokens": 0}, "a budget of 0 tokens holds nothing"),
            ({"limit": 0}, "limit 0 is not between 1 and 10000"),
            ({"limit": 10 ** 9}, "limit 1000000000 is not between 1 and 10000"),
            ({"since": "2026-03-02", "until": "2026-03-01"}, "is not before until"),
            ({"min_confidence": 0.9, "max_confidence": 0.1}, "greater than max_confidence"),
            ({"since": "soon"}, "`since`: `soon` is no time"),
            ({"strategies": ["magic"]}, "there is no strategy `magic`"),
            ({"colour": "red"}, "there is no member `colour`"),
        ):
            answer = self.store.json("recall", "--batch", "-", stdin=json.dumps({"query": "tea", **line}))
            self.assertEqual(answer.code, 1, answer)
            self.assertEqual(answer.lines[0]["line"], 1)
            self.assertIn(word, answer.lines[0]["error"]["title"])
            self.assertTrue(answer.lines[0]["error"].get("fix"), line)


support.for_each_store(globals(), Filters)

if __name__ == "__main__":
    support.main()
