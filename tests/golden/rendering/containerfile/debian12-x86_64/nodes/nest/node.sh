# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
# Change the stack or the recipes and render again; what is written here is lost then.

package nest 2.4.1
needs zlib
present zlib
from_mirror cdf5ea34fe0fc75884dd788f675f0b1117f0d397726faef25ffeb747962e3750 _source-cache/archive/cd/cdf5ea34fe0fc75884dd788f675f0b1117f0d397726faef25ffeb747962e3750.tar.gz
from_address https://nest.example.org/nest-2.4.1.tar.gz
unpack '' lib/nest
apply 1 1.patch
