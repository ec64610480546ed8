# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.

package mesons 1.0
needs
present
from_mirror 721fb3dd2ab78701e2f5f776bc63de70c0219479fefe492945c8ded6b043f89e _source-cache/archive/72/721fb3dd2ab78701e2f5f776bc63de70c0219479fefe492945c8ded6b043f89e.tar.gz
from_address https://mesons.example.org/mesons-1.0.tar.gz
unpack '' ''
