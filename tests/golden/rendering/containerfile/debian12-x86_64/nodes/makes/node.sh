# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.

package makes 1.0
needs zlib
present zlib
from_mirror f23656a3479003edc726906aaec6d304f5c62a248a2393ecd4a7594bec049584 _source-cache/archive/f2/f23656a3479003edc726906aaec6d304f5c62a248a2393ecd4a7594bec049584.tar.gz
from_address https://makes.example.org/makes-1.0.tar.gz
unpack '' ''
