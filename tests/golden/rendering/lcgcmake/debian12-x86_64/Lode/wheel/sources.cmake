# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.

include("${CMAKE_CURRENT_LIST_DIR}/../sources.cmake")
lode_source(
  5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73 _source-cache/archive/5c/5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73
)
lode_address(https://wheel.example.org/wheel-1.0.tar.gz)
lode_copy("" wheel-1.0.tar.gz)
lode_source(
  5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73 _source-cache/archive/5c/5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73.tar.gz
)
lode_address(https://wheel.example.org/wheel-1.0.tar.gz)
lode_unpack(more "")
lode_end()
