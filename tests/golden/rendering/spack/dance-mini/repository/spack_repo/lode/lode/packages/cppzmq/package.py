# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Cppzmq(CMakePackage):
    "ZeroMQ for C++, in headers"

    homepage = "https://github.com/zeromq/cppzmq"

    tags = ["daq", "header-only", "messaging"]

    license("MIT")

    version(
        "4.10.0",
        sha256="c81c81bba8a7644c84932225f018b5088743a22999c6d82a2b5f5cd1e6942b74",
        url="https://github.com/zeromq/cppzmq/archive/v4.10.0.tar.gz",
    )

    generator("make")

    depends_on("cxx", type="build")
    depends_on("cmake@3.11:", type="build")
    depends_on("libzmq@4.3:", type=("build", "link"))
    depends_on("gmake", type="build")

    lode_root = {}
    test_requires_compiler = True

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DCPPZMQ_BUILD_TESTS=OFF",
            "-DENABLE_DRAFTS=OFF",
        ]
        return args

    def test_publish_subscribe(self):
        "cppzmq: publish-subscribe"
        lode.test(
            self,
            compile="tests/publish_subscribe.cpp",
            libraries=["zmq", "pthread"],
            flags=["-std=c++17"],
        )
