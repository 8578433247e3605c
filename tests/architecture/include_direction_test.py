"""Does the check of the includes see what it is there to see? Small trees, each with one fault."""

import pathlib
import tempfile
import unittest

from include_direction import findings

SOUND = {
    "base/CMakeLists.txt": "bb5_library(base HEADERS ids.hpp SOURCES ids.cpp LINKS fmt::fmt)\nbb5_test(base_test SOURCES ids_test.cpp USES bb5::base)",
    "base/ids.hpp": "#pragma once\n#include <string>\n",
    "base/ids.cpp": '#include "base/ids.hpp"\n',
    "base/shuffle.hpp": "",
    "base/ids_test.cpp": '#include "base/ids.hpp"\n#include "base/shuffle.hpp"\n#include "tests/support/result_matchers.hpp"\n',
    "ports/CMakeLists.txt": "bb5_library(ports\n  HEADERS store.hpp  # ports are interfaces only\n  USES bb5::base)",
    "ports/store.hpp": '#include "base/ids.hpp"\n',
    "operations/recall/CMakeLists.txt": "bb5_library(recall SOURCES recall.cpp USES bb5::ports)",
    "operations/recall/recall.cpp": '#include "ports/store.hpp"\n#include "base/ids.hpp"  // through ports\n',
    "stores/cached/CMakeLists.txt": "bb5_library(cached HEADERS cached.hpp SOURCES slots.cpp USES bb5::ports)\nadd_library(bb5_cached_tools STATIC tools.cpp)\nadd_executable(cached_benchmark bench.cpp)\ntarget_link_libraries(cached_benchmark PRIVATE bb5::cached)",
    "stores/cached/cached.hpp": '#include "ports/store.hpp"\n',
    "stores/cached/slots.hpp": "",
    "stores/cached/slots.cpp": '#include "stores/cached/slots.hpp"\n',
    "stores/cached/tools.hpp": "",
    "stores/cached/tools.cpp": '#include "stores/cached/tools.hpp"\n',
    "stores/cached/bench.cpp": '#include "stores/cached/slots.hpp"\n',
    "sources/CMakeLists.txt": "bb5_library(sources SOURCES old.cpp ${CMAKE_CURRENT_BINARY_DIR}/made.cpp USES bb5::ports)",
    "sources/old.cpp": '#include "ports/store.hpp"\n',
    "engine/CMakeLists.txt": "bb5_library(engine HEADERS engine.hpp USES bb5::recall bb5::cached bb5::sources)",
    "engine/engine.hpp": '#include "stores/cached/cached.hpp"\n',
    "cli/CMakeLists.txt": "bb5_library(cli HEADERS cli.hpp USES bb5::engine)\nadd_executable(bb5-memory main.cpp)\ntarget_link_libraries(bb5-memory PRIVATE bb5_flags bb5::cli)",
    "cli/cli.hpp": '#include "engine/engine.hpp"\n',
    "cli/main.cpp": '#include "cli/cli.hpp"\n',
}


class IncludeDirection(unittest.TestCase):
    def found(self, **changes):
        with tempfile.TemporaryDirectory() as folder:
            src = pathlib.Path(folder)
            for name, text in {**SOUND, **changes.get("files", {})}.items():
                if text is not None:
                    (src / name).parent.mkdir(parents=True, exist_ok=True)
                    (src / name).write_text(text, encoding="utf-8")
            return findings(src)

    def assert_found(self, files, *words):
        found = self.found(files=files)
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_a_sound_tree_has_no_finding(self):
        self.assertEqual(self.found(), [])

    def test_an_include_that_uses_does_not_name_is_found_with_its_line(self):
        self.assert_found(
            {"sources/old.cpp": '#include "ports/store.hpp"\n\n#include "operations/recall/recall.cpp"\n'},
            "sources/old.cpp:3", "bb5::recall")

    def test_an_include_against_the_layers_is_found(self):
        self.assert_found({"base/ids.cpp": '#include "ports/store.hpp"\n'}, "base/ids.cpp:1", "bb5::ports")

    def test_uses_against_the_layers_is_found(self):
        self.assert_found(
            {"ports/CMakeLists.txt": "bb5_library(ports HEADERS store.hpp USES bb5::base bb5::recall)"}, "ports lies below operations")

    def test_an_adapter_that_uses_operations_is_found(self):
        self.assert_found(
            {"sources/CMakeLists.txt": "bb5_library(sources SOURCES old.cpp USES bb5::ports bb5::recall)"}, "adapter", "operations")

    def test_an_adapter_that_uses_another_is_found(self):
        self.assert_found(
            {"sources/CMakeLists.txt": "bb5_library(sources SOURCES old.cpp USES bb5::ports bb5::cached)"}, "adapter", "stores")
        self.assert_found(
            {"stores/other/CMakeLists.txt": "bb5_library(other HEADERS other.hpp USES bb5::cached)", "stores/other/other.hpp": ""},
            "adapters must not know each other")

    def test_operations_that_use_an_adapter_are_found(self):
        self.assert_found(
            {"operations/recall/CMakeLists.txt": "bb5_library(recall SOURCES recall.cpp USES bb5::ports bb5::cached)"}, "not adapters")

    def test_a_front_end_that_goes_round_the_engine_is_found(self):
        self.assert_found({"cli/CMakeLists.txt": "bb5_library(cli HEADERS cli.hpp SOURCES main.cpp USES bb5::engine bb5::cached)"}, "through the engine")

    def test_a_program_is_held_to_what_it_links(self):
        self.assert_found({"cli/main.cpp": '#include "cli/cli.hpp"\n\n#include "tests/x.hpp"\n'}, "cli/main.cpp:3")

    def test_a_file_that_no_library_names_is_found(self):
        self.assert_found({"sources/stray.cpp": ""}, "sources/stray.cpp")

    def test_a_tool_of_the_tests_in_a_library_is_found(self):
        self.assert_found({"base/ids.cpp": '#include "base/shuffle.hpp"\n'}, "base/ids.cpp:1", "tool of the tests")
        self.assert_found({"stores/cached/cached.hpp": '#include "stores/cached/tools.hpp"\n'}, "cached.hpp:1", "tool of the tests")

    def test_a_header_that_a_library_keeps_to_itself_is_found_elsewhere(self):
        self.assert_found({"engine/engine.hpp": '#include "stores/cached/slots.hpp"\n'}, "engine/engine.hpp:1", "keeps to itself")

    def test_a_file_that_is_named_but_missing_is_found(self):
        self.assert_found({"sources/old.cpp": None}, "sources/old.cpp", "not there")

    def test_an_include_of_no_file_of_ours_is_found(self):
        self.assert_found({"sources/old.cpp": '#include "store.hpp"\n'}, "includes start at src/")

    def test_a_test_may_not_include_what_its_uses_do_not_name(self):
        self.assert_found({"base/ids_test.cpp": '#include "ports/store.hpp"\n'}, "base_test", "bb5::ports")

    def test_a_library_that_uses_an_unknown_one_is_found(self):
        self.assert_found({"cli/CMakeLists.txt": "bb5_library(cli HEADERS cli.hpp SOURCES main.cpp USES bb5::engine bb5::nothing)"}, "no library of ours")

    def test_a_folder_without_a_layer_is_found(self):
        self.assert_found({"extra/CMakeLists.txt": "bb5_library(extra HEADERS extra.hpp)", "extra/extra.hpp": ""}, "no layer is given for extra/")


if __name__ == "__main__":
    unittest.main()
