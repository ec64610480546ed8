# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Libzmq(CMakePackage):
    "ZeroMQ, sockets that carry whole messages over many transports"

    homepage = "https://zeromq.org"

    tags = ["daq", "messaging"]

    license("LGPL-3.0-or-later")

    version(
        "4.3.4",
        sha256="0ff5a531c9ffaf0dfdc7dc78d13d1383088f454896d252934c429b2554d10559",
        url="file:///nowhere/lode/zeromq3_4.3.4.orig.tar.gz",
    )

    variant(
        "curve",
        default=False,
        description="CURVE encryption of connections by the TweetNaCl code inside ZeroMQ",
    )
    generator("make")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.10:", type="build")
    depends_on("gmake", type="build")

    lode_root = {}
    test_requires_compiler = True

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DBUILD_SHARED=ON",
            "-DBUILD_STATIC=OFF",
            "-DBUILD_TESTS=OFF",
            "-DWITH_DOCS=OFF",
            "-DWITH_PERF_TOOL=OFF",
            "-DENABLE_CPACK=OFF",
            "-DENABLE_DRAFTS=OFF",
            "-DENABLE_WS=OFF",
            "-DWITH_LIBSODIUM=OFF",
            "-DWITH_LIBBSD=OFF",
            "-DWITH_NORM=OFF",
            "-DWITH_OPENPGM=OFF",
            "-DWITH_VMCI=OFF",
        ]
        if self.spec.satisfies("+curve"):
            args += [
                "-DENABLE_CURVE=ON",
            ]
        if self.spec.satisfies("~curve"):
            args += [
                "-DENABLE_CURVE=OFF",
            ]
        return args

    def test_push_pull(self):
        "libzmq: push-pull"
        lode.test(
            self,
            compile="tests/push_pull.c",
            libraries=["zmq", "pthread"],
        )
