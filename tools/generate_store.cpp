// Writes a store of the old system, as large as wanted, for tests and benchmarks.
#include <chrono>
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/store_generator.hpp"

// What is thrown ends the program with its words: NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app{
      "Writes a memories.json as the old system would have: unit vectors that binary32 holds\n"
      "exactly, contents of 12 to 40 words, metadata as RETAIN wrote it. Equal options give equal\n"
      "bytes. Prints what was written as one line of JSON."};
  bb5::StoreShape shape;
  std::string out;
  app.add_option("--records", shape.records, "number of records")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--dimension", shape.dimension, "numbers in each vector")
      ->check(CLI::Range(1, 16'000))
      ->capture_default_str();
  app.add_option("--seed", shape.seed, "where the randomness starts")->capture_default_str();
  app.add_option("--clusters", shape.clusters,
                 "vectors lie around this many directions; 0: each has one of its own")
      ->capture_default_str();
  app.add_option("--words", shape.words, "words in each content; 0: 12 to 40")
      ->capture_default_str();
  const auto share = CLI::Range(0.0, 1.0);
  app.add_option("--entities", shape.entities, "share of records that are entities")->check(share);
  app.add_option("--relationships", shape.relationships, "share of records that are relationships")
      ->check(share);
  app.add_option("--damage", shape.damage, "share of records with a fault")->check(share);
  app.add_option("--out", out, "the file to write")->required();
  CLI11_PARSE(app, argc, argv);

  const auto start = std::chrono::steady_clock::now();
  const auto store = bb5::generate_store_file(shape, out);
  if (!store) {
    fmt::print(stderr, "{}\n", store.error().message);
    return 1;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::string damaged;
  for (const auto& [fault, count] : store->damaged)
    damaged += fmt::format("{}\"{}\":{}", damaged.empty() ? "" : ",", fault, count);
  fmt::print("{{\"records\":{},\"bytes\":{},\"seconds\":{:.3f},\"damaged\":{{{}}}}}\n",
             store->records, store->bytes, seconds, damaged);
  return 0;
}
