# bb5_library(NAME HEADERS … SOURCES … USES … [LINKS …])
#   One library per folder. USES names the libraries of ours it may include: its whole permission,
#   checked by tests/architecture. LINKS names what comes from outside.
# bb5_test(NAME SOURCES … USES … [LABEL unit|contract|integration|end_to_end] [TIMEOUT s])
add_library(bb5_flags INTERFACE)
target_compile_options(bb5_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wswitch-enum
  # Options and facts are made by naming the fields that matter; the others have defaults.
  -Wno-missing-field-initializers
  # g++ 12 reports std::variant's own storage; the sanitizers look for the real thing.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<BOOL:${BB5_WARNINGS_AS_ERRORS}>:-Werror>
  $<$<CONFIG:Debug>:-D_GLIBCXX_ASSERTIONS>)
if(BB5_SANITIZE)
  target_compile_options(bb5_flags INTERFACE -fsanitize=${BB5_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(bb5_flags INTERFACE -fsanitize=${BB5_SANITIZE})
endif()

if(BB5_FUZZERS)
  target_compile_options(bb5_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(bb5_library name)
  cmake_parse_arguments(arg "" "" "HEADERS;SOURCES;USES;LINKS" ${ARGN})
  if(arg_SOURCES)
    add_library(bb5_${name} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(bb5_${name} PRIVATE bb5_flags)
  else()
    add_library(bb5_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(bb5::${name} ALIAS bb5_${name})
  target_include_directories(bb5_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(bb5_${name} ${scope} ${arg_USES} ${arg_LINKS})
  if(arg_HEADERS)
    target_sources(bb5_${name} ${scope} FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${arg_HEADERS})
    if(arg_SOURCES)
      set_target_properties(bb5_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
    endif()
  endif()
endfunction()

function(bb5_test name)
  if(NOT BB5_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;USES;LINKS" ${ARGN})
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE bb5_flags ${arg_USES} ${arg_LINKS} bb5_test_support GTest::gmock GTest::gtest_main)
  target_precompile_headers(${name} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
endfunction()
