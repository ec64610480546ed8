# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.

package python 3.13.5
needs zlib
present zlib
from_mirror 146455a8a172ee33b1aaa47df32cf51cb80132b5a16b784ee5378e1fdfc7f44a _source-cache/archive/14/146455a8a172ee33b1aaa47df32cf51cb80132b5a16b784ee5378e1fdfc7f44a.tar.gz
from_address https://python.example.org/python-3.13.5.tar.gz
unpack '' ''
