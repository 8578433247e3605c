#include "services/openai/service_settings.hpp"

#include <fstream>
#include <map>

#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_folder.hpp"

namespace bb5::openai {
namespace {

using testing::HasSubstr;
using testing::Not;

Lookup environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) {
    const auto at = values.find(name);
    return at == values.end() ? std::string{} : at->second;
  };
}

std::string all_of(const Error& error) {
  return error.message + error.remedy + error.detail;
}

TEST(ServiceSettings, AKeyAloneMeansTheDefaultService) {
  const auto settings = read_service_settings(environment({{"OPENAI_API_KEY", "sk-1\n"}}));
  ASSERT_THAT(settings, Succeeds());
  EXPECT_EQ(settings->base_url, "https://api.openai.com/v1");
  EXPECT_EQ(settings->api_key, "sk-1");
}

TEST(ServiceSettings, TheDefaultServiceNeedsAKey) {
  for (const char* key : {"", " "}) {
    const auto settings = read_service_settings(environment({{"OPENAI_API_KEY", key}}));
    ASSERT_THAT(settings, FailsWith(Errc::refused));
    EXPECT_THAT(settings.error().remedy, HasSubstr("OPENAI_API_KEY"));
  }
}

TEST(ServiceSettings, AnotherServiceMayDoWithout) {
  const auto settings =
      read_service_settings(environment({{"OPENAI_BASE_URL", "http://localhost:11434/v1/"}}));
  ASSERT_THAT(settings, Succeeds());
  EXPECT_EQ(settings->base_url, "http://localhost:11434/v1");
  EXPECT_EQ(settings->api_key, "");
}

TEST(ServiceSettings, WhatIsConfiguredGoesBeforeTheEnvironment) {
  const auto settings = read_service_settings(
      environment({{"OPENAI_BASE_URL", "http://one/v1"}, {"OPENAI_API_KEY", "k"}}),
      "http://two/v1");
  ASSERT_THAT(settings, Succeeds());
  EXPECT_EQ(settings->base_url, "http://two/v1");
}

TEST(ServiceSettings, UrlsThatCannotBeAreRefusedAndPasswordsNotRepeated) {
  for (const char* url :
       {"localhost:8080/v1", "ftp://host/v1", "https://", "http://host/v1?key=hush",
        "http://host/v1#hush", "http://me:hush@host/v1", "http://hush@host/v1", "http://a b/"}) {
    const auto settings = read_service_settings(environment({{"OPENAI_BASE_URL", url}}));
    ASSERT_THAT(settings, FailsWith(Errc::invalid_argument)) << url;
    EXPECT_THAT(all_of(settings.error()), Not(HasSubstr("hush")));
  }
}

TEST(ServiceSettings, AKeyThatCouldEndItsHeaderIsRefusedAndNotRepeated) {
  for (const char* key : {"hush\r\nX-Evil: 1", "hush hush", "húsh"}) {
    const auto settings = read_service_settings(environment({{"OPENAI_API_KEY", key}}));
    ASSERT_THAT(settings, FailsWith(Errc::invalid_argument)) << key;
    EXPECT_THAT(all_of(settings.error()), Not(HasSubstr("sh")));
  }
}

TEST(ServiceSettings, AKeyMayStandInAFile) {
  TemporaryFolder folder;
  const auto path = (folder.path() / "key").string();
  std::ofstream(path) << "  sk-from-file \n";
  const auto settings = read_service_settings(environment({{"OPENAI_API_KEY_FILE", path}}));
  ASSERT_THAT(settings, Succeeds());
  EXPECT_EQ(settings->api_key, "sk-from-file");

  std::ofstream(path, std::ios::trunc) << "\n";
  for (const std::string& bad : {path, path + ".absent"}) {
    const auto none = read_service_settings(environment({{"OPENAI_API_KEY_FILE", bad}}));
    ASSERT_THAT(none, FailsWith(Errc::refused));
    EXPECT_THAT(none.error().message, HasSubstr(bad));
  }
}

}  // namespace
}  // namespace bb5::openai
