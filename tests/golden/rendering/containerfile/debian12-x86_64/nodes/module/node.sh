# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.

package module 2.0
needs nest python
present zlib nest python
from_mirror e7d97b94ba2a6202d7199c977d491f7b9a9940c5d06605f0391cc83d431106a4 _source-cache/archive/e7/e7d97b94ba2a6202d7199c977d491f7b9a9940c5d06605f0391cc83d431106a4.tar.gz
from_address https://module.example.org/module-2.0.tar.gz
unpack '' ''
