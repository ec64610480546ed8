# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.

package wheel 1.0
needs python
present zlib python
from_mirror 5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73 _source-cache/archive/5c/5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73
from_address https://wheel.example.org/wheel-1.0.tar.gz
place '' wheel-1.0.tar.gz
from_mirror 5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73 _source-cache/archive/5c/5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73.tar.gz
from_address https://wheel.example.org/wheel-1.0.tar.gz
unpack more ''
