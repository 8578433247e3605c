# Everything from outside, in one place. All of it comes from Debian's packages (scripts/setup).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(nlohmann_json REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(PostgreSQL REQUIRED)  # libpq only
find_package(CLI11 REQUIRED)
pkg_check_modules(md4c REQUIRED IMPORTED_TARGET md4c)

# libstemmer has neither a CMake package nor a .pc file in Debian 12.
find_path(LIBSTEMMER_INCLUDE_DIR libstemmer.h REQUIRED)
find_library(LIBSTEMMER_LIBRARY stemmer REQUIRED)
add_library(libstemmer::libstemmer UNKNOWN IMPORTED)
set_target_properties(libstemmer::libstemmer PROPERTIES IMPORTED_LOCATION ${LIBSTEMMER_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${LIBSTEMMER_INCLUDE_DIR})

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
