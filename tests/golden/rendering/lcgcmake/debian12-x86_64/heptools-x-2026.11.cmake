# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.

set(heptools_version x-2026.11)
include("${CMAKE_CURRENT_LIST_DIR}/heptools-common.cmake")

LCG_external_package(all_of_it 1.0)
LCG_external_package(makes 1.0)
LCG_external_package(mesons 1.0)
LCG_external_package(module 2.0)
LCG_external_package(nest 2.4.1)
LCG_external_package(Python 3.13.5)
LCG_external_package(wheel 1.0)
LCG_external_package(zlib 1.3.1)
