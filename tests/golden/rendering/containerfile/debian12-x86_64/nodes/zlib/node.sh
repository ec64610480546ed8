# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.

package zlib 1.3.1
needs
present
from_mirror 9d9408b551a33b2e2058f966782549cec997efdd3e8fc3e806ba5ee1dbab6d21 _source-cache/archive/9d/9d9408b551a33b2e2058f966782549cec997efdd3e8fc3e806ba5ee1dbab6d21.tar.gz
from_address https://zlib.example.org/zlib-1.3.1.tar.gz
unpack '' ''
