#include "benchmarks/rivals/simdjson_walk.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include "benchmarks/support/measure.hpp"

namespace bb5::bench {
namespace {

namespace ondemand = simdjson::ondemand;

void walk_value(ondemand::value value, double& sum) {
  switch (value.type()) {
    case ondemand::json_type::object:
      for (auto field : value.get_object()) {
        sum += static_cast<double>(std::string_view(field.unescaped_key()).size());
        walk_value(field.value(), sum);
      }
      break;
    case ondemand::json_type::array:
      for (auto item : value.get_array()) walk_value(item.value(), sum);
      break;
    case ondemand::json_type::string:
      sum += static_cast<double>(std::string_view(value.get_string()).size());
      break;
    case ondemand::json_type::number:
      sum += value.get_double();
      break;
    case ondemand::json_type::boolean:
      sum += bool(value.get_bool()) ? 1 : 0;
      break;
    case ondemand::json_type::null:
      break;
  }
}

}  // namespace

struct SimdjsonWalk::State {
  ondemand::parser parser;
  simdjson::padded_string text;
};

SimdjsonWalk::SimdjsonWalk() : state_(std::make_unique<State>()) {}
SimdjsonWalk::~SimdjsonWalk() = default;

void SimdjsonWalk::load(const std::string& path) {
  if (simdjson::padded_string::load(path).get(state_->text) != simdjson::SUCCESS)
    give_up("simdjson cannot load " + path);
}

WalkedFile SimdjsonWalk::walk() {
  WalkedFile walked;
  try {
    ondemand::document document = state_->parser.iterate(state_->text);
    for (ondemand::object record : document.get_array()) {
      ++walked.records;
      for (auto field : record) {
        if (std::string_view(field.unescaped_key()) != "embedding" ||
            ondemand::json_type(field.value().type()) != ondemand::json_type::array) {
          walk_value(field.value(), walked.sum);
          continue;
        }
        for (auto number : field.value().get_array()) {
          walked.sum += double(number.get_double());
          ++walked.numbers;
        }
      }
    }
  } catch (const simdjson::simdjson_error& error) {
    give_up(std::string("simdjson: ") + error.what());
  }
  return walked;
}

std::string SimdjsonWalk::version() {
  return fmt::format("{}.{}.{}", int(simdjson::SIMDJSON_VERSION_MAJOR),
                     int(simdjson::SIMDJSON_VERSION_MINOR),
                     int(simdjson::SIMDJSON_VERSION_REVISION));
}

std::string SimdjsonWalk::kernel() {
  return simdjson::get_active_implementation()->name();
}

}  // namespace bb5::bench
