# What every target of the tree shares: language, warnings, determinism flags, and the three kinds
# of target that folders declare: weft_plugin, weft_test, weft_fuzz.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(INIH REQUIRED IMPORTED_TARGET inih)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng)
pkg_check_modules(SDL2 REQUIRED IMPORTED_TARGET sdl2)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
find_library(MBEDCRYPTO mbedcrypto REQUIRED) # Debian's mbedTLS 2.28 has no pkg-config file

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_FLAGS_RELEASE "-O2") # asserts stay on: they state invariants
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g")

# -ffp-contract=off: a fused multiply-add where the guest asked for two roundings would make the
# digest depend on the host. -fno-strict-aliasing: guest memory has no types.
add_compile_options(-Wall -Wextra -Werror=implicit-function-declaration -Wmissing-prototypes
                    -Wshadow -Wno-unused-parameter -ffp-contract=off -fno-strict-aliasing)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-format-truncation) # messages are cut on purpose
endif()
add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)

if(WEFT_SANITIZE)
  add_compile_options(-fsanitize=${WEFT_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${WEFT_SANITIZE})
endif()
if(WEFT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

# The public headers. Targets that link it see sdk/include and nothing else of the tree.
add_library(weft_sdk INTERFACE)
target_include_directories(weft_sdk INTERFACE ${CMAKE_SOURCE_DIR}/sdk/include)

# weft_plugin(ID SOURCES ...): build/plugins/ID.so, exporting weft_plugin alone.
function(weft_plugin id)
  cmake_parse_arguments(P "" "" "SOURCES;LIBS;INCLUDES" ${ARGN})
  add_library(${id} MODULE ${P_SOURCES})
  set_target_properties(${id} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY
                                                   ${CMAKE_BINARY_DIR}/plugins)
  target_include_directories(${id} PRIVATE ${P_INCLUDES})
  target_link_libraries(${id} PRIVATE weft_sdk ${P_LIBS})
  target_link_options(${id} PRIVATE -Wl,--exclude-libs,ALL)
  install(TARGETS ${id} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/weft)
endfunction()

# weft_test(NAME SOURCES ... [LIBS ...] [INCLUDES ...]): a cmocka program, run by ctest from the
# build folder.
function(weft_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LIBS;INCLUDES" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_include_directories(${name} PRIVATE ${T_INCLUDES} ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE WEFT_BUILD_DIR="${CMAKE_BINARY_DIR}"
                                             WEFT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE weft_sdk PkgConfig::CMOCKA ${T_LIBS})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# weft_fuzz(NAME SOURCES ...): a libFuzzer program build-fuzz/fuzz/fuzz-NAME, run by ./dev fuzz.
function(weft_fuzz name)
  if(NOT WEFT_FUZZ)
    return()
  endif()
  cmake_parse_arguments(F "" "" "SOURCES;LIBS;INCLUDES" ${ARGN})
  add_executable(fuzz-${name} ${F_SOURCES})
  set_target_properties(fuzz-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  target_include_directories(fuzz-${name} PRIVATE ${F_INCLUDES})
  target_compile_options(fuzz-${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz-${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz-${name} PRIVATE weft_sdk ${F_LIBS})
endfunction()
