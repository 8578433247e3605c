#!/usr/bin/python3
"""What docker/compose.yaml promises, checked without Docker: most machines that run the tests have none.

Run by Debian's own Python, which is the one that has the yaml module (package python3-yaml).
"""
import json
import pathlib
import re
import unittest

import yaml

COMPOSE = pathlib.Path(__file__).resolve().parents[2] / "docker" / "compose.yaml"
UNITS = {"": 1, "b": 1, "k": 2**10, "kb": 2**10, "m": 2**20, "mb": 2**20, "g": 2**30, "gb": 2**30}


def size_bytes(text):
    number, unit = re.fullmatch(r"(\d+)\s*([a-zA-Z]*)", str(text)).groups()
    return int(number) * UNITS[unit.lower()]


class ComposeFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = COMPOSE.read_text(encoding="utf-8")
        cls.compose = yaml.safe_load(cls.text)
        cls.postgres = cls.compose["services"]["postgres"]
        cls.neo4j = cls.compose["services"]["neo4j"]

    def settings(self):
        """name -> value of every `-c name=value` of PostgreSQL's command."""
        command = self.postgres["command"]
        values = [command[i + 1] for i, word in enumerate(command) if word == "-c"]
        return dict(value.split("=", 1) for value in values)

    def test_postgres_is_16_with_a_pgvector_that_is_not_vulnerable(self):
        pgvector, postgres = re.fullmatch(
            r"pgvector/pgvector:(\d+\.\d+\.\d+)-pg(\d+)", self.postgres["image"]
        ).groups()
        self.assertGreaterEqual(tuple(map(int, pgvector.split("."))), (0, 8, 4))
        self.assertEqual(postgres, "16")

    def test_postgres_has_the_user_and_database_that_the_documentation_names(self):
        self.assertEqual(self.postgres["environment"]["POSTGRES_USER"], "blackbox5")
        self.assertEqual(self.postgres["environment"]["POSTGRES_DB"], "memory")

    def test_shared_memory_is_enough_for_a_parallel_index_build(self):
        self.assertGreaterEqual(
            size_bytes(self.postgres["shm_size"]), size_bytes(self.settings()["maintenance_work_mem"])
        )

    def test_neo4j_is_the_long_term_version_with_both_plugins_under_the_names_its_image_knows(self):
        self.assertRegex(self.neo4j["image"], r"^neo4j:5\.26(\.\d+)?-community$")
        self.assertEqual(
            json.loads(self.neo4j["environment"]["NEO4J_PLUGINS"]), ["apoc", "graph-data-science"]
        )

    def test_every_neo4j_variable_becomes_a_setting_that_exists(self):
        # The image turns each NEO4J_x variable but these two into a setting of neo4j.conf, and Neo4j
        # refuses to start on one it does not know: NEO4J_PASSWORD here would be `password`.
        known = {
            "NEO4J_dbms_security_procedures_unrestricted",
            "NEO4J_dbms_usage__report_enabled",
            "NEO4J_db_lock_acquisition_timeout",
            "NEO4J_server_memory_heap_initial__size",
            "NEO4J_server_memory_heap_max__size",
            "NEO4J_server_memory_pagecache_size",
        }
        self.assertEqual(set(self.neo4j["environment"]) - {"NEO4J_AUTH", "NEO4J_PLUGINS"}, known)

    def test_ports_are_the_usual_ones_and_open_to_this_machine_only(self):
        self.assertEqual(self.postgres["ports"], ["127.0.0.1:5432:5432"])
        self.assertEqual(self.neo4j["ports"], ["127.0.0.1:7474:7474", "127.0.0.1:7687:7687"])

    def test_data_lies_in_named_volumes_that_are_declared(self):
        mounts = self.postgres["volumes"] + self.neo4j["volumes"]
        self.assertIn("postgres-data:/var/lib/postgresql/data", mounts)
        self.assertIn("neo4j-data:/data", mounts)
        self.assertEqual({mount.split(":")[0] for mount in mounts}, set(self.compose["volumes"]))

    def test_both_have_a_health_check(self):
        self.assertIn("pg_isready", " ".join(self.postgres["healthcheck"]["test"]))
        self.assertIn("7474", " ".join(self.neo4j["healthcheck"]["test"]))
        for service in (self.postgres, self.neo4j):
            self.assertTrue({"interval", "timeout", "retries"} <= set(service["healthcheck"]))

    def test_no_password_is_written_down(self):
        self.assertRegex(self.postgres["environment"]["POSTGRES_PASSWORD"], r"^\$\{POSTGRES_PASSWORD:\?.+\}$")
        self.assertRegex(self.neo4j["environment"]["NEO4J_AUTH"], r"^neo4j/\$\{NEO4J_PASSWORD:\?.+\}$")
        self.assertNotRegex(self.text, r"PASSWORD:-")


if __name__ == "__main__":
    unittest.main(verbosity=2)
